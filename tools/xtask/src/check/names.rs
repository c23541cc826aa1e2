//! Names that say nothing.
//!
//! *Responsible for*: module, folder and crate names of Rust. *Not responsible for*: names inside a module.

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// What nothing is called: everything would fit in.
const FORBIDDEN: &[&str] = &[
    "common", "core", "helper", "helpers", "manager", "managers", "misc", "util", "utils", "handlers",
    "mailbox", "shared",
];

const REMEDY: &str = "name it after its one noun (interest, lane, session, ...)";

/// Finds modules and crates with a forbidden name.
pub(crate) fn check(tree: &Tree, metadata: &Metadata) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for package in &metadata.packages {
        if package.name.split(['-', '_']).any(|word| FORBIDDEN.contains(&word)) {
            problems.push(Problem::new(&package.name, "a crate's name that says nothing", REMEDY));
        }
    }
    for path in tree.ending(&[".rs"]) {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        if stem.split('/').any(|part| FORBIDDEN.contains(&part)) {
            problems.push(Problem::new(path, "a module's name that says nothing", REMEDY));
        }
        if let Some(name) = tree.read(path)?.lines().find_map(inline_module) {
            problems.push(Problem::new(
                path,
                format!("module `{name}` has a name that says nothing"),
                REMEDY,
            ));
        }
    }
    Ok(problems)
}

/// The forbidden name of a module that begins on this line.
fn inline_module(line: &str) -> Option<&str> {
    let (before, name) = line.trim().strip_suffix('{')?.trim().rsplit_once(' ')?;
    let is_module = before.split(' ').next_back() == Some("mod") && !before.starts_with("//");
    (is_module && FORBIDDEN.contains(&name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::fixture::Fixture;

    #[test]
    fn a_module_called_utils_is_found_as_file_folder_and_block() {
        let fixture = Fixture::new()
            .file("framework/wire/src/utils.rs", "//! Odds and ends.\n")
            .file("framework/wire/src/core/frame.rs", "//! Frames.\n")
            .file("framework/wire/src/lane.rs", "//! Lanes.\npub(crate) mod helpers {\n}\n")
            .file("framework/wire/src/score.rs", "//! Neither core nor utils.\nmod tests {\n}\n");
        let found = fixture.find(check);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[1].contains("module `helpers`"), "{found:?}");
    }

    #[test]
    fn a_crate_called_common_is_found() {
        let found = Fixture::new().package("lightmoon-common", "framework/common", &[]).find(check);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
