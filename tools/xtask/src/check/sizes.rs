//! Files that are too long, with a ratchet.
//!
//! *Responsible for*: lines of source files against [`LINES_MAX`] and the committed exceptions.
//! *Not responsible for*: functions; clippy counts those (`too-many-lines-threshold`).
//!
//! Invariants:
//! - I1: an exception only shrinks: [`bless`] lowers and removes entries, it never adds or raises one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// Lines of a file at most. Most of ours have 150 to 400.
const LINES_MAX: usize = 800;

/// What counts as source.
const SOURCES: &[&str] = &[".rs", ".js", ".mjs", ".ts", ".css", ".sh"];

/// What a file says in its first lines that is written by a tool: nobody reads it from end to end, so its length is the length of
/// what it was made from.
const GENERATED: &str = "written by `lightmoon codegen";
/// Lines in which a file says so.
const OPENING_LINES: usize = 4;

/// The exceptions.
const RATCHET: &str = "tools/xtask/ratchet.toml";

const HEADER: &str = "\
# Source files that are longer than allowed, with their lines. Entries only shrink: `cargo xtask tidy --bless` lowers them
# when a file got shorter. New ones are refused: split the file instead.

[files]
";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratchet {
    #[serde(default)]
    files: BTreeMap<String, usize>,
}

/// Finds files that are too long, and exceptions that are no longer true.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let allowed = read(tree)?.files;
    let mut problems = Vec::new();
    let mut long = BTreeMap::new();
    for path in tree.ending(SOURCES) {
        let text = tree.read(path)?;
        let lines = text.lines().count();
        let is_generated = text.lines().take(OPENING_LINES).any(|line| line.contains(GENERATED));
        if lines > LINES_MAX && !is_generated {
            long.insert(path, lines);
        }
    }
    for (path, lines) in &long {
        match allowed.get(*path) {
            None => {
                let what = format!("has {lines} lines, {LINES_MAX} are the limit");
                problems.push(Problem::new(*path, what, "split it by what changes together"));
            }
            Some(most) if lines > most => {
                let what = format!("has {lines} lines and had {most}");
                problems.push(Problem::new(
                    *path,
                    what,
                    "an oversized file may only shrink: put the new part elsewhere",
                ));
            }
            Some(_) => {}
        }
    }
    for (path, most) in &allowed {
        let lines = long.get(path.as_str()).copied().unwrap_or(0);
        if lines < *most {
            let what = format!("stands in {RATCHET} with {most} lines and needs fewer");
            problems.push(Problem::new(path, what, "run `cargo xtask tidy --bless`"));
        }
    }
    Ok(problems)
}

/// Lowers the exceptions to what the files have now.
pub(crate) fn bless(tree: &Tree) -> Result<()> {
    let mut text = HEADER.to_owned();
    for (path, most) in read(tree)?.files {
        let lines = if tree.has(&path) { tree.read(&path)?.lines().count() } else { 0 };
        if lines > LINES_MAX {
            writeln!(text, "\"{path}\" = {}", lines.min(most))?;
        }
    }
    tree.write(RATCHET, &text)
}

fn read(tree: &Tree) -> Result<Ratchet> {
    if !tree.has(RATCHET) {
        return Ok(Ratchet::default());
    }
    toml::from_str(&tree.read(RATCHET)?).with_context(|| format!("cannot read {RATCHET}"))
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, RATCHET, bless, check};
    use crate::fixture::Fixture;

    fn lines(count: usize) -> String {
        "// line\n".repeat(count)
    }

    fn ratchet(most: usize) -> String {
        format!("[files]\n\"a.rs\" = {most}\n")
    }

    #[test]
    fn a_file_of_the_limit_passes_and_one_line_more_does_not() {
        assert_eq!(Fixture::new().file("a.rs", &lines(LINES_MAX)).find(check), Vec::<String>::new());
        let found = Fixture::new().file("a.rs", &lines(LINES_MAX + 1)).find(check);
        assert!(found[0].starts_with("a.rs: has 801 lines"), "{found:?}");
    }

    #[test]
    fn a_file_that_a_tool_writes_may_be_long() {
        let text = format!("// Contracts, written by `lightmoon codegen ts`.\n{}", lines(LINES_MAX + 1));
        assert_eq!(Fixture::new().file("a.js", &text).find(check), Vec::<String>::new());
        let below = format!("{}// written by `lightmoon codegen ts`\n", lines(LINES_MAX));
        assert_eq!(Fixture::new().file("a.js", &below).find(check).len(), 1, "only its opening counts");
    }

    #[test]
    fn an_exception_may_stay_but_not_grow() {
        let fixture = Fixture::new().file("a.rs", &lines(900)).file(RATCHET, &ratchet(900));
        assert_eq!(fixture.find(check), Vec::<String>::new());
        let found = fixture.file("a.rs", &lines(901)).find(check);
        assert!(found[0].contains("has 901 lines and had 900"), "{found:?}");
    }

    #[test]
    fn an_exception_that_shrank_must_be_lowered_and_blessing_does_it() {
        let fixture = Fixture::new().file("a.rs", &lines(850)).file(RATCHET, &ratchet(900));
        assert!(fixture.find(check)[0].contains("--bless"));
        bless(&fixture.tree()).unwrap();
        assert_eq!(fixture.find(check), Vec::<String>::new());
        assert!(fixture.read(RATCHET).contains("\"a.rs\" = 850"));
    }

    #[test]
    fn blessing_neither_raises_nor_adds() {
        let fixture =
            Fixture::new().file("a.rs", &lines(950)).file("b.rs", &lines(950)).file(RATCHET, &ratchet(900));
        bless(&fixture.tree()).unwrap();
        assert_eq!(fixture.find(check).len(), 2);
    }
}
