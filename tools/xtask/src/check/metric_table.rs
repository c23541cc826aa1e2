//! The reference page of all metrics, made from their tables.
//!
//! *Responsible for*: `docs/book/src/metrics.md` says what the code says. *Not responsible for*: reading the tables (`metric_rows`),
//! prose around them.

use std::fmt::Write as _;

use anyhow::Result;

use super::metric_rows::{Area, Row, areas};
use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// Where people read it.
const DOCUMENT: &str = "docs/book/src/metrics.md";
const BEGIN: &str = "<!-- metrics -->\n";
const END: &str = "<!-- /metrics -->";

/// Holds the page against the tables.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let areas = areas(tree)?;
    if areas.is_empty() {
        return Ok(Vec::new());
    }
    let is_fresh = tree.has(DOCUMENT)
        && tree.read(DOCUMENT)?.contains(&format!("{BEGIN}{}{END}", document_tables(&areas)?));
    if is_fresh {
        return Ok(Vec::new());
    }
    let what = "has other tables than the metrics that are exported";
    Ok(vec![Problem::new(DOCUMENT, what, "run `cargo xtask tidy --bless`")])
}

/// Writes the tables into the page, between its marks.
pub(crate) fn bless(tree: &Tree) -> Result<()> {
    if !tree.has(DOCUMENT) {
        return Ok(());
    }
    let text = tree.read(DOCUMENT)?;
    let Some((before, rest)) = text.split_once(BEGIN) else { return Ok(()) };
    let Some((_, after)) = rest.split_once(END) else { return Ok(()) };
    let tables = document_tables(&areas(tree)?)?;
    tree.write(DOCUMENT, &format!("{before}{BEGIN}{tables}{END}{after}"))
}

fn document_tables(areas: &[Area]) -> Result<String> {
    let mut text = String::new();
    for area in areas {
        writeln!(
            text,
            "\n### {}\n\n| metric | type | labels | what | source |\n|---|---|---|---|---|",
            area.about
        )?;
        for row in &area.rows {
            let labels: Vec<String> = row.labels.iter().map(|label| format!("`{label}`")).collect();
            writeln!(
                text,
                "| `{}` | {} | {} | {} | {} |",
                row.name,
                row.kind,
                labels.join(", "),
                row.help,
                sources(row)
            )?;
        }
    }
    text.push('\n');
    Ok(text)
}

/// Its fields; those of a label's value together.
fn sources(row: &Row) -> String {
    let mut cells: Vec<String> = Vec::new();
    let mut last = None;
    for (label, path) in row.sources() {
        match label {
            Some(label) if last.as_ref() != Some(&label) => {
                cells.push(format!("{label}: `{path}`"));
                last = Some(label);
            }
            Some(_) | None => cells.push(format!("`{path}`")),
        }
    }
    cells.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::metric_rows::FOLDER;
    use crate::fixture::Fixture;

    const TABLE: &str = "//! Letters.\n\npub(super) const TABLE: &[Metric] = &[\n    counter(\"lightmoon_letter_total\", \"Letters.\", |s| \
        of(s.post.letters)),\n];\n";

    fn fixture(table: &str) -> Fixture {
        Fixture::new()
            .file(&format!("{FOLDER}letter.rs"), table)
            .file(DOCUMENT, &format!("# Metrics\n\n{BEGIN}{END}\n\nMore.\n"))
    }

    #[test]
    fn the_page_is_made_from_the_tables_and_blessing_mends_it() {
        let fixture = fixture(TABLE);
        assert!(fixture.find(check)[0].contains("--bless"));
        bless(&fixture.tree()).unwrap();
        assert_eq!(fixture.find(check), Vec::<String>::new());
        let text = fixture.read(DOCUMENT);
        assert!(text.contains("### Letters\n"), "{text}");
        assert!(
            text.contains("| `lightmoon_letter_total` | counter |  | Letters. | `post.letters` |"),
            "{text}"
        );
        assert!(text.ends_with("\n\nMore.\n"));
    }

    #[test]
    fn a_page_that_is_stale_or_missing_is_found() {
        let before = fixture(TABLE);
        bless(&before.tree()).unwrap();
        let page = before.read(DOCUMENT);
        let renamed = TABLE.replace("letter_total", "letter_posted_total");
        assert_eq!(fixture(&renamed).file(DOCUMENT, &page).find(check).len(), 1);
        let missing = Fixture::new().file(&format!("{FOLDER}letter.rs"), TABLE);
        assert_eq!(missing.find(check).len(), 1);
    }
}
