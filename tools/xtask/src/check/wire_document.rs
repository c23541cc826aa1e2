//! The document of the wire follows the frames.
//!
//! *Responsible for*: that whoever changes a frame looks at the document: a hash of the sources stands in it.
//! *Not responsible for*: whether the document is right; golden bytes and the clients' tests show that.

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// A document and the sources it describes.
struct Row {
    document: &'static str,
    /// The first words of the line with the hash.
    mark: &'static str,
    /// Beginnings of paths.
    sources: &'static [&'static str],
}

const ROWS: &[Row] = &[Row {
    document: "docs/wire.md",
    mark: "<!-- hash of framework/wire/src/frame: ",
    sources: &["framework/wire/src/frame.rs", "framework/wire/src/frame/"],
}];

const MARK_END: &str = " -->";

/// Parts of the sources that put nothing on the wire.
const NOT_COUNTED: &[&str] = &["/tests.rs", "/vectors.rs"];

/// Compares the hashes.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for row in ROWS {
        if !tree.has(row.document) {
            problems.push(Problem::new(row.document, "is missing", "describe every frame, byte for byte"));
            continue;
        }
        let text = tree.read(row.document)?;
        if written(&text, row) != Some(hash(tree, row)?.as_str()) {
            let remedy = format!("update {}, then run `cargo xtask tidy --bless`", row.document);
            problems.push(Problem::new(
                row.document,
                "describes other sources than those that are here",
                remedy,
            ));
        }
    }
    Ok(problems)
}

/// Writes the hashes of the sources as they are.
pub(crate) fn bless(tree: &Tree) -> Result<()> {
    for row in ROWS.iter().filter(|row| tree.has(row.document)) {
        let line = format!("{}{}{MARK_END}", row.mark, hash(tree, row)?);
        let text = tree.read(row.document)?;
        let text = match text.lines().find(|line| line.starts_with(row.mark)) {
            Some(old) => text.replace(old, &line),
            None => format!("{}\n\n{line}\n", text.trim_end()),
        };
        tree.write(row.document, &text)?;
    }
    Ok(())
}

fn written<'a>(text: &'a str, row: &Row) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(row.mark)?.strip_suffix(MARK_END))
}

/// The hash over paths and code. Comments do not count: to mend a sentence changes no bytes.
fn hash(tree: &Tree, row: &Row) -> Result<String> {
    let mut hash = Fnv::new();
    let sources = tree.files().filter(|path| {
        row.sources.iter().any(|source| path.starts_with(source))
            && !NOT_COUNTED.iter().any(|end| path.ends_with(end))
    });
    for path in sources {
        hash.add(path.as_bytes());
        for line in
            tree.read(path)?.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"))
        {
            hash.add(line.as_bytes());
        }
    }
    Ok(format!("{:016x}", hash.0))
}

/// FNV-1a with 64 bits: finds accidents, not attacks.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        // A separator, so that two parts are not the same as their concatenation.
        for byte in bytes.iter().chain(b"\n") {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{bless, check};
    use crate::fixture::Fixture;

    const FRAME: &str = "framework/wire/src/frame/hello.rs";

    fn blessed() -> Fixture {
        let fixture =
            Fixture::new().file(FRAME, "//! Hello.\nconst KIND: u8 = 1;\n").file("docs/wire.md", "# Wire\n");
        bless(&fixture.tree()).unwrap();
        fixture
    }

    #[test]
    fn a_document_without_a_hash_is_found_and_blessing_adds_it() {
        let fixture = Fixture::new().file(FRAME, "//! Hello.\n").file("docs/wire.md", "# Wire\n");
        assert!(fixture.find(check)[0].contains("cargo xtask tidy --bless"));
        assert_eq!(blessed().find(check), Vec::<String>::new());
    }

    #[test]
    fn a_changed_and_an_added_frame_are_found() {
        assert_eq!(blessed().file(FRAME, "//! Hello.\nconst KIND: u8 = 2;\n").find(check).len(), 1);
        assert_eq!(blessed().file("framework/wire/src/frame/new.rs", "//! New.\n").find(check).len(), 1);
    }

    #[test]
    fn comments_and_tests_do_not_count() {
        let fixture = blessed()
            .file(FRAME, "//! Hello, said better.\n\nconst KIND: u8 = 1;\n")
            .file("framework/wire/src/frame/tests.rs", "//! Tests.\n#[test]\nfn new() {}\n");
        assert_eq!(fixture.find(check), Vec::<String>::new());
    }

    #[test]
    fn blessing_again_keeps_one_line() {
        let fixture = blessed().file(FRAME, "//! Hello.\nconst KIND: u8 = 2;\n");
        bless(&fixture.tree()).unwrap();
        assert_eq!(fixture.read("docs/wire.md").matches("hash of").count(), 1);
        assert!(fixture.read("docs/wire.md").starts_with("# Wire\n"));
    }

    #[test]
    fn a_missing_document_is_found() {
        assert!(Fixture::new().find(check)[0].starts_with("docs/wire.md: is missing"));
    }
}
