//! The suite `new game`: what `lightmoon new` makes is built as its owner would, and so is what the book says to change in it.
//!
//! *Responsible for*: making two games, the changes that the chapter asks for, their locks and their pages' modules.
//! *Not responsible for*: playing (the suite `browser`), the blocks of code that the chapter quotes (tests of `lightmoon-cli`).
//!
//! A change is a step of a numbered list in the chapter, ``In `PLACE`: `CODE` ``: the place is a file of the game, at whose end the
//! code is put, or what stands before a bracket in its rules, behind which it is put. So a reader types nothing in that is
//! not compiled.
//!
//! Invariants:
//! - I1: both games are built in the target folder of the first: all but themselves is built once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{BUILD_LIMIT, NODE_LIMIT, Stage, step};
use crate::program::{self, Run, Show};
use crate::summary::Step;
use crate::tally::Tally;

/// As it is made.
const NEW_GAME: &str = "new-game";
/// As the chapter changes it.
const CHANGED_GAME: &str = "changed-game";

const CHAPTER: &str = "docs/book/src/new-game.md";
/// The file of a game's rules.
const RULES: &str = "src/game.rs";
/// The page's code for the contracts, which the tool writes.
const MODULE: &str = "page/contracts.js";

/// A change of rules, one of their implementation, one of the page.
const CHANGES_MIN: usize = 3;

/// The program that the suite `browser` plays.
pub(super) fn binary(stage: &Stage) -> PathBuf {
    folder(stage, NEW_GAME).join("target/debug").join(NEW_GAME)
}

pub(super) fn run(stage: &Stage) -> Result<Vec<Step>> {
    let made = make(stage, NEW_GAME)?;
    let checked = contracts(stage, NEW_GAME, &["--check"])?;
    let passed = made.succeeded && checked.succeeded;
    let first = step("new game", passed, Tally::of(passed), made.took + checked.took);

    let made = make(stage, CHANGED_GAME)?;
    let chapter = stage.metadata.workspace_root.join(CHAPTER);
    let chapter = fs::read_to_string(chapter).with_context(|| format!("cannot read {CHAPTER}"))?;
    let game = folder(stage, CHANGED_GAME);
    let operation = change(&game, &chapter)?;
    let written = contracts(stage, CHANGED_GAME, &[])?;
    let module = fs::read_to_string(game.join(MODULE)).context("the game has no code for its page")?;
    ensure!(!written.succeeded || module.contains(&operation), "{MODULE} knows no {operation}");
    let passed = made.succeeded && written.succeeded;
    let second = step("new game, changed by the book", passed, Tally::of(passed), made.took + written.took);
    Ok(vec![first, second])
}

fn folder(stage: &Stage, name: &str) -> PathBuf {
    stage.metadata.target_directory.join("new").join(name)
}

/// Makes a game, in place of the one of before.
fn make(stage: &Stage, name: &str) -> Result<Run> {
    let folder = folder(stage, name);
    let into = folder.parent().context("the target folder has a name")?;
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot remove the game of before")?;
    }
    fs::create_dir_all(into).context("cannot make a folder for the new game")?;
    let mut make = Command::new(stage.built("lightmoon"));
    make.args(["new", name, "--into"]).arg(into);
    program::run(&mut make, NODE_LIMIT, Show::All)
}

/// Builds a game and compares or writes its lock and its page's module.
fn contracts(stage: &Stage, name: &str, arguments: &[&str]) -> Result<Run> {
    let mut command = Command::new(stage.built("lightmoon"));
    command.arg("contracts").args(arguments).current_dir(folder(stage, name));
    command.env("CARGO_TARGET_DIR", folder(stage, NEW_GAME).join("target"));
    program::run(&mut command, BUILD_LIMIT, Show::All)
}

/// One change that the chapter asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Change {
    place: String,
    code: String,
}

/// Changes a game as the chapter says; the name of the operation that it has now.
fn change(game: &Path, chapter: &str) -> Result<String> {
    let changes = changes(chapter);
    ensure!(
        changes.len() >= CHANGES_MIN,
        "{CHAPTER} has {} steps of the form ``In `PLACE`: `CODE` ``, not {CHANGES_MIN} or more: the suite `new game` tries them",
        changes.len()
    );
    for change in &changes {
        let is_file = game.join(&change.place).is_file();
        let path = game.join(if is_file { &change.place } else { RULES });
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = if is_file { format!("{text}{}\n", change.code) } else { put(&text, change)? };
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let name = changes.iter().find_map(|change| change.code.split_once("fn ")?.1.split('(').next());
    name.map(str::to_owned).with_context(|| format!("{CHAPTER} adds no operation"))
}

/// The steps of numbered lists that say where to put what. A step may be broken into lines anywhere.
fn changes(chapter: &str) -> Vec<Change> {
    let mut steps: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in chapter.lines() {
        let is_step = line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        if is_step {
            steps.push(line.to_owned());
        } else if let Some(step) = steps.last_mut().filter(|_| is_inside && line.starts_with("   ")) {
            step.push(' ');
            step.push_str(line.trim());
        }
        is_inside = is_step || is_inside && line.starts_with("   ");
    }
    let change = |step: &String| match step.split('`').collect::<Vec<&str>>().as_slice() {
        [before, place, colon, code, ..] if before.ends_with("In ") && colon.trim() == ":" => {
            Some(Change { place: (*place).to_owned(), code: (*code).to_owned() })
        }
        _ => None,
    };
    steps.iter().filter_map(change).collect()
}

/// The rules with the code of a change behind the bracket of its place.
fn put(rules: &str, change: &Change) -> Result<String> {
    let Change { place, code } = change;
    let opening = format!("{place} {{\n");
    let parts: Vec<&str> = rules.split(&opening).collect();
    let [before, after] = parts.as_slice() else {
        anyhow::bail!(
            "{CHAPTER} says to change `{place}`, which {RULES} of a new game has {} times",
            parts.len() - 1
        )
    };
    Ok(format!("{before}{opening}    {code}\n{after}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Change, change, changes, put};
    use crate::fixture::Fixture;

    const CHAPTER: &str = include_str!("../../../../docs/book/src/new-game.md");

    /// The files of a new game that the chapter changes.
    fn game() -> Fixture {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lightmoon-cli/template");
        let text = |name| fs::read_to_string(template.join(name)).unwrap();
        Fixture::new().file("src/game.rs", &text("src/game.rs")).file("page/main.js", &text("page/main.js"))
    }

    #[test]
    fn what_the_chapter_says_to_change_is_there() {
        let game = game();
        let before = game.read("src/game.rs");
        let operation = change(game.root(), CHAPTER).unwrap();
        let rules = game.read("src/game.rs");
        assert!(!before.contains(&format!("fn {operation}(")), "the chapter adds nothing");
        assert_eq!(rules.matches(&format!("fn {operation}(")).count(), 2, "{rules}");
        assert!(game.read("page/main.js").trim_end().ends_with(&format!(".{operation}());")));
    }

    #[test]
    fn a_place_that_is_gone_and_a_chapter_without_steps_are_named() {
        let gone = Change { place: "trait Desert".to_owned(), code: "fn home();".to_owned() };
        let error = put(&game().read("src/game.rs"), &gone).unwrap_err().to_string();
        assert!(error.contains("`trait Desert`") && error.contains("0 times"), "{error}");
        let error = change(game().root(), "1. Do something.\n").unwrap_err().to_string();
        assert!(error.contains("0 steps"), "{error}");
    }

    #[test]
    fn a_step_may_be_broken_into_lines() {
        let steps = "1. Say so. In\n   `a b`:\n   `c();`\n\nIn `x`: `y`\n2. `z`, as below\n";
        assert_eq!(changes(steps), [Change { place: "a b".to_owned(), code: "c();".to_owned() }]);
    }
}
