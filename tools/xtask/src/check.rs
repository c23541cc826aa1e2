//! The checks of `cargo xtask tidy`: style that is executed.
//!
//! *Responsible for*: the tables of checks. *Not responsible for*: printing and exit codes (`command::tidy`).
//!
//! Two tables: [`TEXT`] needs only the files and what cargo says about the manifests and is also a plain test of this
//! package; [`TOOLS`] are programs that take longer. Each check of [`TEXT`] is a function of (files, metadata), so its
//! tests plant a violation in a copy and see it found. What a check knows stands as a table at the top of its file.

pub(crate) mod edges;
mod error_pages;
pub(crate) mod limit_table;
mod links;
mod metric_rows;
pub(crate) mod metric_table;
mod names;
mod openings;
mod outside_names;
mod owners;
mod purity;
pub(crate) mod sizes;
pub(crate) mod wire_document;

#[cfg(test)]
mod planted;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// A check of texts.
#[derive(Debug)]
pub(crate) struct Check {
    /// Its name in the output.
    pub(crate) name: &'static str,
    /// What it finds.
    pub(crate) run: fn(&Tree, &Metadata) -> Result<Vec<Problem>>,
}

/// All checks of texts.
pub(crate) const TEXT: &[Check] = &[
    Check { name: "edges between crates", run: edges::check },
    Check { name: "owners of third-party crates", run: owners::check },
    Check { name: "sizes of files", run: sizes::check },
    Check { name: "openings of modules", run: openings::check },
    Check { name: "names of modules", run: names::check },
    Check { name: "bans of pure crates", run: purity::check },
    Check { name: "document of the wire", run: wire_document::check },
    Check { name: "pages of errors", run: error_pages::check },
    Check { name: "table of limits", run: limit_table::check },
    Check { name: "page of metrics", run: metric_table::check },
    Check { name: "links of documents", run: links::check },
    Check { name: "names from outside", run: outside_names::check },
];

/// A check that a program makes.
#[derive(Debug)]
pub(crate) struct ToolCheck {
    /// Its name in the output.
    pub(crate) name: &'static str,
    /// Arguments of cargo.
    pub(crate) arguments: &'static [&'static str],
    /// A variable it needs.
    pub(crate) variable: Option<(&'static str, &'static str)>,
    /// What to do when it fails.
    pub(crate) remedy: &'static str,
}

/// All checks by programs. `cargo deny` has its own step (`command::tidy`), since it may be absent.
pub(crate) const TOOLS: &[ToolCheck] = &[
    ToolCheck {
        name: "format",
        arguments: &["fmt", "--all", "--check"],
        variable: None,
        remedy: "run `cargo fmt --all`",
    },
    ToolCheck {
        name: "lints",
        arguments: &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
        variable: None,
        remedy: "mend what clippy names; an exception is `#[expect(.., reason = \"..\")]`",
    },
    ToolCheck {
        name: "documentation",
        arguments: &["doc", "--quiet", "--workspace", "--no-deps"],
        variable: Some(("RUSTDOCFLAGS", "-D warnings")),
        remedy: "mend what rustdoc names",
    },
];

#[cfg(test)]
mod tests {
    use super::TEXT;
    use crate::metadata::Metadata;
    use crate::tree::Tree;

    #[test]
    fn this_repository_is_tidy() {
        let metadata = Metadata::ask().unwrap();
        let tree = Tree::open(&metadata.workspace_root).unwrap();
        let mut found = Vec::new();
        for check in TEXT {
            for problem in (check.run)(&tree, &metadata).unwrap() {
                found.push(format!("{}: {problem}", check.name));
            }
        }
        assert!(found.is_empty(), "{} problems:\n{}", found.len(), found.join("\n"));
    }
}
