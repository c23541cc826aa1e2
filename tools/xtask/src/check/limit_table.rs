//! The table of all limits in the book, made from the `limits.rs` of the crates.
//!
//! *Responsible for*: each limit has a reason, what is counted has a metric, the table says what the code says. *Not responsible for*:
//! whether the code holds its limits (tests do), prose around the table.
//!
//! Invariants:
//! - I1: a limit is a `const` of a `limits.rs` below [`FOLDERS`]; its doc comment is its row: reason, then from "Over it:" (or one of
//!   [`TURNS`]) on what happens, with the close or error code in backticks and "counted in" or "counted by" a counter.
//! - I2: a counter that a limit names stands in the table of metrics.

use std::fmt::Write as _;

use anyhow::Result;

use super::metric_rows::{FOLDER, Row, areas};
use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// Where crates with limits lie.
const FOLDERS: &[&str] = &["framework/", "client-sdk/"];
/// Where people read it.
const DOCUMENT: &str = "docs/book/src/limits.md";
const BEGIN: &str = "<!-- limits -->\n";
const END: &str = "<!-- /limits -->";
/// What a crate's counters are called in the tables of metrics; those of its own go before others of the same name.
const OWN: &[(&str, &str)] =
    &[("framework/net", "net."), ("framework/node", "gateway."), ("framework/actor", "actors.")];
/// Pages of codes.
const CODES: &str = "docs/book/src/errors/";
const CLOSE_CODES: &str = "docs/book/src/errors/close-codes.md";

/// Words with which a doc comment turns from the reason to what happens.
const TURNS: &[&str] = &[
    "Over it",
    "Over them",
    "Reached:",
    "Beyond it",
    "Beyond them",
    "After it:",
    "Shown later",
    "Clamped",
    "The rest ",
];

/// One limit.
#[derive(Debug)]
struct Limit {
    name: String,
    value: String,
    docs: String,
}

/// Holds the document against the code.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let metrics = metrics(tree)?;
    for (path, limits) in all(tree)? {
        for limit in &limits {
            let place = format!("{path}: {}", limit.name);
            if limit.docs.is_empty() {
                let remedy = "write a doc comment: why this number, `Over it:` what happens, `counted in` which counter";
                problems.push(Problem::new(&place, "has no reason", remedy));
            }
            for counter in counters(&limit.docs) {
                if metric_of(&metrics, &path, counter).is_none() {
                    let what = format!("is counted in `{counter}`, which no metric shows");
                    let remedy = format!("add a row for it to a table in {FOLDER}");
                    problems.push(Problem::new(&place, what, remedy));
                }
            }
        }
    }
    let table = format!("{BEGIN}{}{END}", document_table(tree)?);
    if tree.has(DOCUMENT) && !tree.read(DOCUMENT)?.contains(&table) {
        let what =
            "has another table than the `limits.rs` of the crates make: a limit is new, gone or another";
        problems.push(Problem::new(DOCUMENT, what, "run `cargo xtask tidy --bless`"));
    }
    Ok(problems)
}

/// Writes the table into the document, between its marks.
pub(crate) fn bless(tree: &Tree) -> Result<()> {
    if !tree.has(DOCUMENT) {
        return Ok(());
    }
    let text = tree.read(DOCUMENT)?;
    let Some((before, rest)) = text.split_once(BEGIN) else { return Ok(()) };
    let Some((_, after)) = rest.split_once(END) else { return Ok(()) };
    tree.write(DOCUMENT, &format!("{before}{BEGIN}{}{END}{after}", document_table(tree)?))
}

/// The limits of all crates, by file.
fn all(tree: &Tree) -> Result<Vec<(String, Vec<Limit>)>> {
    let paths = tree.ending(&["/src/limits.rs"]);
    let paths = paths.filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)));
    paths.map(|path| Ok((path.to_owned(), read(&tree.read(path)?)))).collect()
}

/// The limits of one file.
fn read(text: &str) -> Vec<Limit> {
    let (mut limits, mut docs) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(words) = line.strip_prefix("///") {
            docs.push_str(words.strip_prefix(' ').unwrap_or(words));
            docs.push(' ');
            continue;
        }
        if line.starts_with("#[") {
            continue;
        }
        let rest = line.split_once("const ").filter(|(before, _)| {
            before.trim_start_matches("pub").trim().is_empty() || *before == "pub(crate) "
        });
        if let Some((_, rest)) = rest {
            let mut declaration = rest.to_owned();
            while !declaration.ends_with(';') {
                let Some(more) = lines.next() else { break };
                declaration.push(' ');
                declaration.push_str(more.trim());
            }
            if let Some((name, value)) = split_declaration(&declaration) {
                limits.push(Limit { name, value, docs: docs.trim().to_owned() });
            }
        }
        docs.clear();
    }
    limits
}

fn split_declaration(declaration: &str) -> Option<(String, String)> {
    let (head, value) = declaration.split_once(" = ")?;
    let (name, _) = head.split_once(':')?;
    Some((name.to_owned(), value.trim_end_matches(';').trim().to_owned()))
}

/// Counters that a doc comment names.
fn counters(docs: &str) -> Vec<&str> {
    let pieces = docs
        .split("counted in ")
        .skip(1)
        .chain(docs.split("ounted by ").skip(1))
        .chain(docs.split("Counted in ").skip(1));
    let mut names: Vec<&str> = pieces.filter_map(|piece| last_segment(piece.split('`').nth(1)?)).collect();
    names.dedup();
    names
}

/// The last part of a path, if it is the name of a field.
fn last_segment(path: &str) -> Option<&str> {
    path.rsplit("::")
        .next()
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()))
}

/// All metrics.
fn metrics(tree: &Tree) -> Result<Vec<Row>> {
    Ok(areas(tree)?.into_iter().flat_map(|area| area.rows).collect())
}

/// The series that shows a counter that a file of limits names.
fn metric_of(metrics: &[Row], path: &str, counter: &str) -> Option<String> {
    let own =
        OWN.iter().find(|(folder, _)| path.starts_with(folder)).map(|(_, own)| format!("{own}{counter}"));
    let find = |counter: &str| metrics.iter().find_map(|row| row.series_of(counter));
    own.and_then(|own| find(&own)).or_else(|| find(counter))
}

fn document_table(tree: &Tree) -> Result<String> {
    let metrics = metrics(tree)?;
    let closes = if tree.has(CLOSE_CODES) { tree.read(CLOSE_CODES)? } else { String::new() };
    let mut text = String::new();
    for (path, limits) in all(tree)? {
        let folder = path.trim_end_matches("/src/limits.rs");
        writeln!(
            text,
            "\n### {folder}\n\n| limit | value | why | when it is reached | code | metric |\n|---|---|---|---|---|---|"
        )?;
        for limit in &limits {
            let (why, happens) = split_docs(&limit.docs);
            let codes: Vec<String> = codes(tree, &closes, happens);
            let shown: Vec<String> = counters(&limit.docs)
                .into_iter()
                .filter_map(|counter| metric_of(&metrics, &path, counter))
                .map(|series| format!("`{series}`"))
                .collect();
            let cells = [
                format!("`{}`", limit.name),
                value(&limit.name, &limit.value),
                plain(why),
                plain(happens),
                codes.join(", "),
                shown.join(", "),
            ];
            writeln!(text, "| {} |", cells.join(" | "))?;
        }
    }
    text.push('\n');
    Ok(text)
}

/// The reason, and what happens.
fn split_docs(docs: &str) -> (&str, &str) {
    let at = TURNS.iter().filter_map(|turn| docs.find(turn)).min().unwrap_or(docs.len());
    let (why, happens) = docs.split_at(at);
    (why.trim(), happens.trim())
}

/// Codes in backticks, as the pages call them.
fn codes(tree: &Tree, closes: &str, happens: &str) -> Vec<String> {
    let words = happens.split('`').skip(1).step_by(2);
    let kebab = words.map(|word| {
        let word = word.rsplit("::").next().unwrap_or(word);
        word.char_indices().fold(String::new(), |mut name, (at, c)| {
            if c.is_ascii_uppercase() && at > 0 {
                name.push('-');
            }
            name.push(c.to_ascii_lowercase());
            name
        })
    });
    let is_code =
        |name: &String| tree.has(&format!("{CODES}{name}.md")) || closes.contains(&format!("`{name}`"));
    kebab.filter(is_code).map(|name| format!("`{name}`")).collect()
}

/// Doc text without links, fit for a cell.
fn plain(docs: &str) -> String {
    let mut text = String::new();
    for (at, piece) in docs.split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(text, "`{}`", piece.rsplit("::").next().unwrap_or(piece));
        } else {
            text.push_str(piece);
        }
    }
    text.replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

/// A value for people: numbers with their unit where it can be seen, else as it stands in the code.
fn value(name: &str, expression: &str) -> String {
    for (call, unit) in [("from_secs", "s"), ("from_millis", "ms"), ("from_micros", "µs")] {
        let inside = expression.strip_prefix("Duration::").and_then(|rest| rest.strip_prefix(call));
        if let Some(number) = inside.and_then(|rest| number(rest.trim_matches(['(', ')']))) {
            return format!("{} {unit}", grouped(number));
        }
    }
    let Some(number) = number(expression) else {
        return format!("`{}`", plain(&expression.replace('`', "")));
    };
    let is_bytes = ["BYTES", "WINDOW", "BUFFER"].iter().any(|word| name.split('_').any(|part| part == *word));
    match number {
        _ if !is_bytes => grouped(number),
        n if n >= 1 << 20 && n.is_multiple_of(1 << 20) => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 && n.is_multiple_of(1 << 10) => format!("{} KiB", n >> 10),
        n => format!("{} B", grouped(n)),
    }
}

/// What a product or shift of plain numbers comes to.
fn number(expression: &str) -> Option<u64> {
    if let Some((base, shift)) = expression.split_once(" << ") {
        return number(base)?.checked_shl(number(shift)?.try_into().ok()?);
    }
    expression
        .split(" * ")
        .try_fold(1u64, |product, factor| product.checked_mul(factor.trim().replace('_', "").parse().ok()?))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    const CODE: &str = "//! Limits.\n\n/// Bytes of a letter: a page. Over it: `too-large` or [`crate::Error::Busy`]; counted in\n/// \
        [`crate::report::Counters::letters_refused`].\npub const LETTER_BYTES_MAX: usize = 4 * 1024;\n\n/// Patience. \
        Reached: closed.\n#[cfg(feature = \"x\")]\npub(crate) const WAIT: Duration =\n    Duration::from_millis(1_500);\n";

    fn fixture(code: &str, metrics: &str) -> Fixture {
        Fixture::new()
            .file("framework/post/src/limits.rs", code)
            .file(&format!("{FOLDER}letter.rs"), &format!("const TABLE: &[Metric] = &[\n    {metrics}\n];\n"))
            .file("docs/book/src/errors/busy.md", "# busy\n")
            .file(CLOSE_CODES, "| 4 | `too-large` |\n")
            .file(DOCUMENT, &format!("# Limits\n\n{BEGIN}{END}\n\nMore.\n"))
    }

    const SHOWN: &str =
        "counter(\"lightmoon_letter_refused_total\", \"Refused.\", |s| of(s.post.letters_refused)),";

    #[test]
    fn the_table_is_made_from_doc_comments_and_blessing_mends_it() {
        let fixture = fixture(CODE, SHOWN);
        assert!(fixture.find(check)[0].contains("--bless"));
        bless(&fixture.tree()).unwrap();
        assert_eq!(fixture.find(check), Vec::<String>::new());
        let text = fixture.read(DOCUMENT);
        let row = "| `LETTER_BYTES_MAX` | 4 KiB | Bytes of a letter: a page. | Over it: `too-large` or `Busy`; counted in \
            `letters_refused`. | `too-large`, `busy` | `lightmoon_letter_refused_total` |";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("| `WAIT` | 1,500 ms | Patience. | Reached: closed. |  |  |"), "{text}");
        assert!(text.ends_with("\n\nMore.\n"));
    }

    #[test]
    fn a_limit_without_a_row_or_with_another_value_is_found() {
        let before = fixture(CODE, SHOWN);
        bless(&before.tree()).unwrap();
        let document = before.read(DOCUMENT);
        for changed in [
            CODE.replace("4 * 1024", "5 * 1024"),
            format!("{CODE}\n/// One more.\npub const MORE: u8 = 1;\n"),
        ] {
            let found = fixture(&changed, SHOWN).file(DOCUMENT, &document).find(check);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains("a limit is new, gone or another"), "{found:?}");
        }
    }

    #[test]
    fn a_counter_without_a_metric_and_a_limit_without_a_reason_are_found() {
        let code = format!("{CODE}\npub const BARE: u8 = 1;\n");
        let fixture = fixture(
            &code,
            "counter(\"lightmoon_other_total\", \"Other.\", |s| of(s.post.letters_refused_twice)),",
        );
        bless(&fixture.tree()).unwrap();
        let found = fixture.find(check);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`letters_refused`, which no metric shows"), "{found:?}");
        assert!(found[1].contains("BARE: has no reason"), "{found:?}");
    }
}
