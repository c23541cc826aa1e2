//! How a module opens.
//!
//! *Responsible for*: that each Rust file of a `src`, `tests` or `examples` folder begins with `//!`.
//! *Not responsible for*: what the text says; that is for reviews.

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// Sources that are inputs of tests and may look as they like.
const INPUTS: &str = "/tests/ui/";

/// Finds files without an opening.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in tree.ending(&[".rs"]).filter(|path| !path.contains(INPUTS)) {
        let text = tree.read(path)?;
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if !first.starts_with("//!") || first.trim() == "//!" {
            let remedy =
                "begin with `//!`: a sentence of purpose, then what it is responsible for and what not";
            problems.push(Problem::new(path, "does not open with documentation", remedy));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::fixture::Fixture;

    #[test]
    fn a_file_without_an_opening_is_found() {
        let fixture = Fixture::new()
            .file("framework/wire/src/lib.rs", "\n//! The wire.\nuse std::fmt;\n")
            .file("framework/wire/src/frame.rs", "use std::fmt;\n//! Too late.\n")
            .file("framework/wire/src/empty.rs", "")
            .file("framework/contract/tests/ui/bad.rs", "fn main() {}\n");
        let found = fixture.find(check);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("framework/wire/src/empty.rs: "), "{found:?}");
        assert!(found[1].starts_with("framework/wire/src/frame.rs: "), "{found:?}");
    }
}
