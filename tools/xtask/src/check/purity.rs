//! Bans of pure crates, and one set of clippy's options everywhere.
//!
//! *Responsible for*: that each pure crate has a `clippy.toml` which repeats the root's lines and forbids clocks,
//! threads, files, sockets and the environment. *Not responsible for*: enforcing them (clippy does).
//!
//! A crate's own `clippy.toml` replaces the root's, it does not add to it; hence the repetition.

use anyhow::{Context as _, Result};

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// Crates that are given the time, the seed and the bytes.
const PURE: &[&str] = &["contract", "wire", "actor", "replica", "store", "zone", "node", "sim"];

/// What they may not call.
const BANNED: &[&str] = &[
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::spawn",
    "std::thread::sleep",
    "std::env::var",
    "std::fs::File::open",
    "std::net::UdpSocket::bind",
    "std::net::TcpStream::connect",
    "std::net::TcpListener::bind",
];

const ROOT: &str = "clippy.toml";

/// Holds every `clippy.toml` against the root's, and those of pure crates against the bans.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let root = parse(tree, ROOT)?;
    let mut problems = Vec::new();
    let pure: Vec<String> = PURE.iter().map(|name| format!("framework/{name}/{ROOT}")).collect();
    for path in &pure {
        if !tree.has(path) {
            let remedy =
                "copy framework/wire/clippy.toml: a pure crate forbids clocks, threads, files and sockets";
            problems.push(Problem::new(path, "is missing", remedy));
        }
    }
    for path in tree.ending(&["/clippy.toml"]) {
        let own = parse(tree, path)?;
        for (key, value) in &root {
            if own.get(key) != Some(value) {
                let remedy = "a crate's own file replaces the root's: repeat this line of it";
                problems.push(Problem::new(path, format!("does not say `{key}` as the root does"), remedy));
            }
        }
        if pure.iter().any(|known| known == path) {
            problems.extend(missing_bans(path, &own));
        }
    }
    Ok(problems)
}

fn parse(tree: &Tree, path: &str) -> Result<toml::Table> {
    tree.read(path)?.parse().with_context(|| format!("cannot read {path}"))
}

fn missing_bans(path: &str, own: &toml::Table) -> Vec<Problem> {
    let listed = own.get("disallowed-methods").and_then(toml::Value::as_array);
    let entries = listed.map(Vec::as_slice).unwrap_or_default();
    let has = |method: &str| {
        entries.iter().any(|entry| {
            let text = |key| entry.get(key).and_then(toml::Value::as_str);
            text("path") == Some(method) && text("reason").is_some_and(|reason| !reason.is_empty())
        })
    };
    let missing = BANNED.iter().filter(|method| !has(method));
    let remedy = "add it to `disallowed-methods` with a reason";
    missing.map(|method| Problem::new(path, format!("does not forbid {method}"), remedy)).collect()
}

#[cfg(test)]
mod tests {
    use super::{BANNED, PURE, check};
    use crate::fixture::Fixture;

    const ROOT: &str = "too-many-lines-threshold = 70\n";

    fn bans(without: &str) -> String {
        let rows: String = BANNED
            .iter()
            .filter(|method| **method != without)
            .map(|method| format!("{{ path = \"{method}\", reason = \"no\" }},"))
            .collect();
        format!("{ROOT}disallowed-methods = [{rows}]\n")
    }

    fn clean() -> Fixture {
        let fixture = Fixture::new().file("clippy.toml", ROOT);
        PURE.iter()
            .fold(fixture, |fixture, name| fixture.file(&format!("framework/{name}/clippy.toml"), &bans("")))
    }

    #[test]
    fn complete_files_pass() {
        assert_eq!(clean().find(check), Vec::<String>::new());
    }

    #[test]
    fn a_pure_crate_without_bans_is_found() {
        let fixture = Fixture::new().file("clippy.toml", ROOT);
        assert_eq!(fixture.find(check).len(), PURE.len());
    }

    #[test]
    fn a_missing_ban_is_found() {
        let found = clean().file("framework/actor/clippy.toml", &bans("std::thread::sleep")).find(check);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("framework/actor/clippy.toml: does not forbid std::thread::sleep"),
            "{found:?}"
        );
    }

    #[test]
    fn a_line_of_the_root_that_is_not_repeated_is_found() {
        let found = clean().file("framework/net/clippy.toml", "too-many-lines-threshold = 900\n").find(check);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("does not say `too-many-lines-threshold`"), "{found:?}");
    }
}
