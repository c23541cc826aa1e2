//! The tables of metrics, read as text.
//!
//! *Responsible for*: the rows of `framework/lightmoon/src/console/metrics/`: name, type, labels, help, and the fields that a number
//! comes from. *Not responsible for*: the page made of them (`metric_table`).
//!
//! Invariants:
//! - I1: a row begins with one of [`WORDS`], at the beginning of a line and indented once.

use anyhow::{Result, bail, ensure};

use crate::tree::Tree;

/// Where the tables lie.
pub(crate) const FOLDER: &str = "framework/lightmoon/src/console/metrics/";

/// What a row begins with: its word, its type, and the labels that it has without naming them.
const WORDS: &[(&str, &str, &[&str])] = &[
    ("counter", "counter", &[]),
    ("counter_by", "counter", &[]),
    ("counter_each", "counter", &[]),
    ("gauge", "gauge", &[]),
    ("gauge_each", "gauge", &[]),
    ("histogram_each", "histogram", &[]),
    ("worker_counter", "counter", &["worker"]),
    ("worker_gauge", "gauge", &["worker"]),
    ("zone_counter", "counter", &["kind"]),
    ("zone_gauge", "gauge", &["kind"]),
    ("zone_largest", "gauge", &["kind"]),
    ("zone_histogram", "histogram", &["kind"]),
];

/// Words after which labels are named.
const NAMES_LABELS: &[&str] = &["_by", "_each"];

/// What closures call what they are given.
const GIVEN: &[&str] = &["s", "zone", "worker", "kind", "lane"];

/// One metric.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) labels: Vec<String>,
    pub(crate) help: String,
    /// How its values are read, as it stands in the code.
    pub(crate) values: String,
}

/// A table, with the first line of its module's documentation.
#[derive(Debug)]
pub(crate) struct Area {
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
}

/// All tables, by file. None in a tree without them.
pub(crate) fn areas(tree: &Tree) -> Result<Vec<Area>> {
    let paths = tree.files().filter(|path| path.starts_with(FOLDER));
    let mut areas = Vec::new();
    for path in paths {
        let text = tree.read(path)?;
        if text.contains("const TABLE: &[Metric]") {
            let about = text.lines().next().unwrap_or_default().trim_start_matches("//! ");
            let about = about.trim_end_matches('.').to_owned();
            let rows = rows(&text)?;
            ensure!(!rows.is_empty(), "{path} has a table without rows: its rows begin with other words");
            areas.push(Area { about, rows });
        }
    }
    Ok(areas)
}

/// The rows of one file.
fn rows(text: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut at = text.find("const TABLE: &[Metric]").unwrap_or(text.len());
    while let Some(line_end) = text[at..].find('\n') {
        at += line_end + 1;
        let line = text[at..].lines().next().unwrap_or_default();
        let word = line.strip_prefix("    ").and_then(|line| line.split_once('(')).map(|(word, _)| word);
        let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
        let Some(word) = word.filter(|word| !word.is_empty() && word.chars().all(is_word)) else { continue };
        let Some((_, kind, own)) = WORDS.iter().find(|(known, ..)| *known == word) else {
            bail!("a row begins with `{word}`, which is no word of the tables");
        };
        let open = at + 4 + word.len();
        let arguments = arguments(&text[open..]);
        let names_labels = NAMES_LABELS.iter().any(|end| word.ends_with(end));
        ensure!(arguments.len() == 3 + usize::from(names_labels), "a row has other parts: {arguments:?}");
        let labels = if names_labels { strings(&arguments[1]) } else { Vec::new() };
        rows.push(Row {
            name: strings(&arguments[0]).concat(),
            kind,
            labels: own.iter().map(|&label| label.to_owned()).chain(labels).collect(),
            help: strings(&arguments[arguments.len() - 2]).concat(),
            values: arguments[arguments.len() - 1].clone(),
        });
    }
    Ok(rows)
}

/// The arguments of a call that begins with its bracket.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut is_string, mut found, mut argument) = (0_u32, false, Vec::new(), String::new());
    let (mut bars, mut before) = (0_u32, ' ');
    for c in text.chars() {
        let was_string = is_string;
        if c == '"' && before != '\\' {
            is_string = !is_string;
        }
        let is_code = !is_string && !was_string;
        if is_code && c == '|' && depth == 1 {
            bars += 1;
        }
        let is_open = is_code && matches!(c, '(' | '[' | '{');
        let is_close = is_code && matches!(c, ')' | ']' | '}');
        depth -= u32::from(is_close);
        if depth == 0 && is_close {
            break;
        }
        // The comma between a closure's parameters is no end of an argument.
        if is_code && c == ',' && depth == 1 && bars.is_multiple_of(2) {
            found.push(std::mem::take(&mut argument));
        } else if depth > 0 {
            argument.push(c);
        }
        depth += u32::from(is_open);
        before = c;
    }
    found.push(argument);
    let trimmed = found.iter().map(|argument| argument.trim().to_owned());
    trimmed.filter(|argument| !argument.is_empty()).collect()
}

/// The string literals in a piece of code.
fn strings(code: &str) -> Vec<String> {
    code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

impl Row {
    /// Fields that its numbers come from, with the label's value of each where the row says one.
    pub(crate) fn sources(&self) -> Vec<(Option<String>, String)> {
        let mut sources = Vec::new();
        let mut label = None;
        // Only a list of pairs says values of labels.
        let is_list = self.values.starts_with('&');
        for (at, piece) in self.values.split('"').enumerate() {
            if at % 2 == 1 {
                label = is_list.then(|| piece.to_owned());
                continue;
            }
            for path in paths(piece) {
                let source = (label.clone(), path);
                if !sources.contains(&source) {
                    sources.push(source);
                }
            }
        }
        sources
    }

    /// The series that shows a counter, which may be named with what it is a field of.
    pub(crate) fn series_of(&self, counter: &str) -> Option<String> {
        let (label, _) = self
            .sources()
            .into_iter()
            .find(|(_, path)| path == counter || path.ends_with(&format!(".{counter}")))?;
        Some(match (label, self.labels.first()) {
            (Some(value), Some(label)) => format!("{}{{{label}=\"{value}\"}}", self.name),
            (None, _) | (_, None) => self.name.clone(),
        })
    }
}

/// Paths of fields in a piece of code: what it is given, then names with dots between; a call at the end is left out.
fn paths(code: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut found = Vec::new();
    let squeezed: String = code.split_whitespace().collect();
    let mut rest = squeezed.as_str();
    while let Some(begin) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let word = &rest[begin..];
        let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
        let is_call = word[end..].starts_with('(');
        let mut parts: Vec<&str> = word[..end].split('.').collect();
        if is_call {
            parts.pop();
        }
        if parts.len() > 1 && GIVEN.contains(&parts[0]) {
            let from = usize::from(parts[0] == "s");
            found.push(parts[from..].join("."));
        }
        rest = &word[end..];
    }
    found.retain(|path| !path.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    const TABLE: &str = "//! Letters.\n\nuse x;\n\npub(super) const TABLE: &[Metric] = &[\n    \
        counter(\"lightmoon_letter_total\", \"Letters, (all).\", |s| of(s.post.letters)),\n    counter_by(\n        \
        \"lightmoon_letter_refused_total\",\n        &[\"reason\"],\n        \"Refused.\",\n        &[\n            (\"full\", |s| \
        of(s.post.refused)),\n            (\"dead\", |s| of(s.post.refused_dead.saturating_sub(s.post.refused))),\n        ],\n    ),\n    \
        zone_gauge(\"lightmoon_zone_entities\", \"Entities.\", |zone| of(zone.entities)),\n    gauge_each(\n        \
        \"lightmoon_worker_queued\",\n        &[\"worker\", \"priority\"],\n        \"Queued.\",\n        |s, out| {\n            s.workers(\
        |name, worker| out.number(&[name, \"x\"], of(worker.queued)));\n        },\n    ),\n];\n";

    fn read(table: &str) -> Vec<Row> {
        let fixture = Fixture::new().file(&format!("{FOLDER}letter.rs"), table);
        areas(&fixture.tree()).unwrap().remove(0).rows
    }

    #[test]
    fn rows_are_read_whatever_their_layout() {
        let rows = read(TABLE);
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let all = [
            "lightmoon_letter_total",
            "lightmoon_letter_refused_total",
            "lightmoon_zone_entities",
            "lightmoon_worker_queued",
        ];
        assert_eq!(names, all);
        assert_eq!((rows[0].kind, rows[0].help.as_str()), ("counter", "Letters, (all)."));
        assert_eq!(rows[1].labels, ["reason"]);
        assert_eq!((rows[2].kind, rows[2].labels.as_slice()), ("gauge", ["kind".to_owned()].as_slice()));
        assert_eq!(rows[3].labels, ["worker", "priority"]);
    }

    #[test]
    fn the_fields_behind_a_number_are_known() {
        let rows = read(TABLE);
        assert_eq!(rows[0].sources(), [(None, "post.letters".to_owned())]);
        assert_eq!(rows[2].sources(), [(None, "zone.entities".to_owned())]);
        assert_eq!(rows[3].sources(), [(None, "worker.queued".to_owned())]);
        let refused = rows[1].series_of("refused").unwrap();
        assert_eq!(refused, "lightmoon_letter_refused_total{reason=\"full\"}");
        let dead = rows[1].series_of("refused_dead").unwrap();
        assert_eq!(dead, "lightmoon_letter_refused_total{reason=\"dead\"}");
        assert_eq!(rows[1].series_of("used"), None);
    }

    #[test]
    fn a_row_in_other_words_is_no_silent_gap() {
        let table = TABLE.replace("zone_gauge(", "zone_summary(");
        let fixture = Fixture::new().file(&format!("{FOLDER}letter.rs"), &table);
        assert!(areas(&fixture.tree()).unwrap_err().to_string().contains("zone_summary"));
    }
}
