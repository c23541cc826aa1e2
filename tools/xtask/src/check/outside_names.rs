//! Names that belong to one machine.
//!
//! *Responsible for*: that no path of somebody's machine and no private registry stands in the repository.
//! *Not responsible for*: secrets; there are none to find a pattern for.

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// Beginnings of paths that exist on one machine only. Written in two halves, so that this file does not find itself.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tmp/", "spec"),
    concat!("/tmp/", "t/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

/// The only registries that lock files may name.
const REGISTRIES: &[&str] =
    &["registry+https://github.com/rust-lang/crates.io-index", "https://registry.npmjs.org/"];

/// Files that are not ours to word: licences.
const NOT_OURS: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

/// Endings of files that are no text.
const BINARY: &[&str] = &[".png", ".jpg", ".ico", ".woff2", ".wasm", ".bin", ".gz", ".ogg", ".mp3", ".webp"];

/// Finds paths and hosts from outside.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let texts =
        tree.files().filter(|path| !BINARY.iter().any(|end| path.ends_with(end)) && !NOT_OURS.contains(path));
    for path in texts {
        let text = tree.read(path)?;
        let is_lock = path.ends_with("package-lock.json") || path.ends_with("Cargo.lock");
        for (index, line) in text.lines().enumerate() {
            let place = || format!("{path}:{}", index + 1);
            if let Some(found) = MACHINE_PATHS.iter().find(|found| names_path(line, found)) {
                let what = format!("names {found}, a folder of one machine");
                problems.push(Problem::new(
                    place(),
                    what,
                    "use a path relative to the repository, or a neutral example",
                ));
            }
            if is_lock
                && line.contains("://")
                && !REGISTRIES.iter().any(|known| line.contains(known))
                && is_source(line)
            {
                let remedy = "take the packages from the public registry and write the lock file again";
                problems.push(Problem::new(place(), "names another registry", remedy));
            }
        }
    }
    Ok(problems)
}

/// Whether the path begins there: `homework/` is none, and neither is a relative `some/folder/`.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|character| character.is_alphanumeric() || "._-}*)".contains(character))
    })
}

/// Whether a line of a lock file says where a package comes from.
fn is_source(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("source = ") || line.starts_with("\"resolved\": ")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::fixture::Fixture;

    #[test]
    fn a_path_of_a_machine_is_found_with_its_line() {
        let text = format!("one\nsee {}main/notes\n", concat!("/wo", "rk/"));
        let found = Fixture::new().file("docs/page.md", &text).find(check);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("docs/page.md:2: names "), "{found:?}");
    }

    #[test]
    fn words_that_only_look_like_one_pass() {
        let text = "frame/work/flow, https://example.org/home/page and target/tmp/test\n";
        assert_eq!(Fixture::new().file("docs/page.md", text).find(check), Vec::<String>::new());
    }

    #[test]
    fn another_registry_in_a_lock_file_is_found() {
        let public = "      \"resolved\": \"https://registry.npmjs.org/a/-/a-1.0.0.tgz\",\n";
        let private = "      \"resolved\": \"https://packages.example.org/a/-/a-1.0.0.tgz\",\n";
        assert_eq!(Fixture::new().file("x/package-lock.json", public).find(check), Vec::<String>::new());
        assert_eq!(Fixture::new().file("x/package-lock.json", private).find(check).len(), 1);
        let index = "source = \"registry+https://crates.example.org/index\"\n";
        assert_eq!(Fixture::new().file("Cargo.lock", index).find(check).len(), 1);
    }
}
