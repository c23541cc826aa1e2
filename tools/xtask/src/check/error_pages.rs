//! Each public error code has a page.
//!
//! *Responsible for*: codes of calls, one page each; codes that close a connection, all on one page.
//! *Not responsible for*: what the pages say beyond name and number.

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

const CALLS: &str = "framework/contract/src/error.rs";
const CLOSES: &str = "framework/wire/src/close.rs";
const PAGES: &str = "docs/book/src/errors/";
const CLOSE_PAGE: &str = "docs/book/src/errors/close-codes.md";
const INDEX: &str = "docs/book/src/errors/codes.md";

/// Holds the tables in the code against the pages.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let codes: Vec<Code> = tree.read(CALLS)?.lines().filter_map(Code::read).collect();
    let mut problems = Vec::new();
    if codes.is_empty() {
        problems.push(Problem::new(
            CALLS,
            "has no table of codes that can be read here",
            "look at Code::read in error_pages.rs",
        ));
    }
    let index = if tree.has(INDEX) { tree.read(INDEX)? } else { String::new() };
    for code in &codes {
        let path = format!("{PAGES}{}.md", code.name);
        let wanted = format!("# {}\n\nCode {}. ", code.name, code.number);
        if !tree.has(&path) {
            let what = format!("is missing, but {CALLS} has the code");
            problems.push(Problem::new(
                &path,
                what,
                "write what it means and what to do, as in the pages beside it",
            ));
        } else if !tree.read(&path)?.starts_with(&wanted) {
            problems.push(Problem::new(&path, "has another opening", format!("begin it with {wanted:?}")));
        }
        if !index.contains(&format!("({}.md)", code.name)) {
            problems.push(Problem::new(INDEX, format!("does not list {}", code.name), "add a row for it"));
        }
    }
    problems.extend(pages_without_code(tree, &codes));
    problems.extend(close_codes(tree)?);
    Ok(problems)
}

fn pages_without_code(tree: &Tree, codes: &[Code]) -> Vec<Problem> {
    let pages = tree.ending(&[".md"]).filter(|path| *path != CLOSE_PAGE && *path != INDEX);
    let names = pages.filter_map(|path| path.strip_prefix(PAGES)?.strip_suffix(".md"));
    let strays = names.filter(|name| !codes.iter().any(|code| code.name == *name));
    strays
        .map(|name| {
            let remedy =
                format!("codes are never removed: put it back into {CALLS}, or remove a page that is wrong");
            Problem::new(format!("{PAGES}{name}.md"), "describes a code that does not exist", remedy)
        })
        .collect()
}

fn close_codes(tree: &Tree) -> Result<Vec<Problem>> {
    if !tree.has(CLOSES) {
        return Ok(Vec::new());
    }
    let page = if tree.has(CLOSE_PAGE) { tree.read(CLOSE_PAGE)? } else { String::new() };
    let source = tree.read(CLOSES)?;
    let names = source.lines().filter_map(|line| line.trim().strip_suffix("\",")?.split_once(" => \""));
    let missing =
        names.filter(|(left, name)| left.starts_with("Self::") && !page.contains(&format!("| `{name}` |")));
    Ok(missing
        .map(|(_, name)| {
            Problem::new(CLOSE_PAGE, format!("has no row for `{name}`"), format!("add it, as in {CLOSES}"))
        })
        .collect())
}

/// One row of the table in the code.
#[derive(Debug, PartialEq, Eq)]
struct Code {
    number: u16,
    name: String,
}

impl Code {
    /// Reads `BUSY = 8, "busy", nothing_was_done: …`.
    fn read(line: &str) -> Option<Self> {
        let (constant, rest) = line.trim().split_once(" = ")?;
        let (number, rest) = rest.split_once(", \"")?;
        let (name, rest) = rest.split_once('"')?;
        let is_constant = constant.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        (is_constant && rest.contains("nothing_was_done")).then_some(())?;
        Some(Self { number: number.parse().ok()?, name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::{CALLS, CLOSE_PAGE, CLOSES, Code, INDEX, check};
    use crate::fixture::Fixture;

    const TABLE: &str = "codes! {\n    BUSY = 8, \"busy\", nothing_was_done: true, retry: true;\n}\n";

    fn clean() -> Fixture {
        Fixture::new()
            .file(CALLS, TABLE)
            .file(CLOSES, "    Self::Normal => \"normal\",\n    Self::Normal => 0,\n")
            .file(INDEX, "| [`busy`](busy.md) | 8 |\n")
            .file(CLOSE_PAGE, "| `normal` | 0 |\n")
            .file("docs/book/src/errors/busy.md", "# busy\n\nCode 8. A queue.\n")
    }

    #[test]
    fn a_code_with_a_page_and_a_row_passes() {
        assert_eq!(clean().find(check), Vec::<String>::new());
        assert_eq!(
            Code::read(TABLE.lines().nth(1).unwrap()),
            Some(Code { number: 8, name: "busy".to_owned() })
        );
    }

    #[test]
    fn a_code_without_a_page_is_found() {
        let more = "    GONE = 11, \"gone\", nothing_was_done: false, retry: true;\n";
        let found = clean().file(CALLS, &format!("{TABLE}{more}")).find(check);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("docs/book/src/errors/gone.md: is missing"), "{found:?}");
    }

    #[test]
    fn a_page_with_another_number_is_found() {
        let found = clean().file("docs/book/src/errors/busy.md", "# busy\n\nCode 9. A queue.\n").find(check);
        assert!(found[0].contains("Code 8. "), "{found:?}");
    }

    #[test]
    fn a_page_without_a_code_is_found() {
        let found = clean().file("docs/book/src/errors/gone.md", "# gone\n\nCode 11. Gone.\n").find(check);
        assert!(found[0].contains("describes a code that does not exist"), "{found:?}");
    }

    #[test]
    fn a_close_code_without_a_row_is_found() {
        let found = clean().file(CLOSES, "    Self::Idle => \"idle\",\n").find(check);
        assert!(found[0].contains("has no row for `idle`"), "{found:?}");
    }
}
