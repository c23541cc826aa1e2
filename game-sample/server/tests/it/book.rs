//! The book shows code that is compiled and played: each part between anchors of a test stands in its chapter word by word.
//!
//! A part is marked in the chapter by a line `<!-- FILE: ANCHOR -->` above its code block. Stale blocks are written anew, and
//! the test fails once.

use std::fs;
use std::path::Path;

/// The lines between the anchors, without the indentation they share.
fn part(code: &str, anchor: &str) -> Option<String> {
    let (_, rest) = code.split_once(&format!("// ANCHOR: {anchor}\n"))?;
    let (inside, _) = rest.split_once(&format!("// ANCHOR_END: {anchor}\n"))?;
    // What is left of the line of the end mark.
    let lines: Vec<&str> = inside.trim_end_matches(' ').lines().collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    Some(lines.iter().map(|line| format!("{}\n", line.get(shared..).unwrap_or(""))).collect())
}

/// The chapter with every marked block as its file says now, and how many there are.
fn with_parts(chapter: &str, root: &Path) -> (String, usize) {
    let (mut text, mut shown, mut rest) = (String::new(), 0, chapter);
    while let Some((before, after)) = rest.split_once("<!-- ") {
        if let Some((template, after)) =
            after.strip_prefix("template/").and_then(|after| after.split_once(" -->"))
        {
            // The tool that makes a new game holds these.
            text.push_str(&format!("{before}<!-- template/{template} -->"));
            rest = after;
            continue;
        }
        let (mark, block) = after.split_once(" -->\n```rust\n").expect("a mark stands above a block of Rust");
        let (_, behind) = block.split_once("```\n").expect("a block ends");
        let (file, anchor) = mark.split_once(": ").expect("a mark is `FILE: ANCHOR`");
        let code = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let code = part(&code, anchor).unwrap_or_else(|| panic!("{file} has no part {anchor}"));
        text.push_str(&format!("{before}<!-- {mark} -->\n```rust\n{code}```\n"));
        shown += 1;
        rest = behind;
    }
    (text + rest, shown)
}

/// The chapter shows what is compiled and played, at least so many parts of it.
fn is_fresh(chapter: &str, parts: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("docs/book/src").join(chapter);
    let chapter = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (fresh, shown) = with_parts(&chapter, &root);
    assert!(shown >= parts, "the chapter shows only {shown} parts");
    if fresh != chapter {
        fs::write(&path, fresh).expect("the book can be written");
        panic!(
            "{} was stale and has been written anew; look at the difference and commit it",
            path.display()
        );
    }
}

/// Lines without indentation, without empty ones.
fn bare(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// Whether a block stands in a file of the template for new games.
fn is_of_template(root: &Path, mark: &str, block: &[&str]) -> bool {
    let Some(file) = mark.strip_prefix("<!-- ").and_then(|mark| mark.strip_suffix(" -->")) else {
        return false;
    };
    let Ok(code) = fs::read_to_string(root.join("tools/lightmoon-cli").join(file)) else { return false };
    let (code, block) = (bare(&code), bare(&block.join("\n")).join("\n"));
    code.join("\n").contains(&block)
}

#[test]
fn no_example_of_the_book_is_only_written_down() {
    // The documentation tests of `lightmoon-sim` run this one.
    let elsewhere = "testing.md";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let chapters = fs::read_dir(root.join("docs/book/src")).expect("the book is there");
    let chapters = chapters.flatten().map(|entry| entry.path()).filter(|path| !path.ends_with(elsewhere));
    for path in chapters.filter(|path| path.extension().is_some_and(|kind| kind == "md")) {
        let chapter = fs::read_to_string(&path).expect("a chapter can be read");
        let lines: Vec<&str> = chapter.lines().collect();
        for (nth, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("```rust")) {
            let mark = nth.checked_sub(1).and_then(|above| lines.get(above)).copied().unwrap_or_default();
            let block: Vec<&str> =
                lines[nth + 1..].iter().take_while(|line| **line != "```").copied().collect();
            let is_held = if mark.starts_with("<!-- template/") {
                is_of_template(&root, mark, &block)
            } else {
                // Whether it is fresh is asked by a test for each chapter.
                *line == "```rust" && mark.starts_with("<!-- ")
            };
            let place = format!("{}:{}", path.display(), nth + 1);
            assert!(
                is_held,
                "{place}: this block is compiled nowhere, or its file says something else now: put it between anchors of a test, \
                 with a mark `<!-- FILE: ANCHOR -->` above it"
            );
        }
    }
}

#[test]
fn actors_contracts_zones_and_the_shape_show_what_is_compiled() {
    is_fresh("actors.md", 3);
    is_fresh("contracts.md", 1);
    is_fresh("shape.md", 2);
    is_fresh("zones.md", 2);
}

#[test]
fn the_first_change_shows_what_is_compiled_and_played() {
    is_fresh("first-change.md", 5);
}

#[test]
fn the_console_shows_the_samples_own_page() {
    is_fresh("console.md", 2);
}

#[test]
fn exactly_once_shows_what_is_compiled_and_played() {
    is_fresh("exactly-once.md", 3);
}
