//! Metrics that the book and other tests speak of are those that there are.

use std::fs;
use std::path::{Path, PathBuf};

use lightmoon_dashboards::{Metrics, root};

/// Where metrics are named.
const FOLDERS: &[&str] = &["docs/book/src", "game-sample/siege/src/attack", "tests/browser/suites"];

/// Words of a text that begin like a metric, but for names of crates.
fn words(text: &str) -> Vec<&str> {
    let begins = text.match_indices("lightmoon_").map(|(at, _)| &text[at..]);
    let cut = begins.map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        rest.split_at(end)
    });
    cut.filter(|(_, behind)| !behind.starts_with("::")).map(|(word, _)| word).collect()
}

/// Whether there is such a metric, or one that begins so where a word ends open.
fn is_known(metrics: &Metrics, word: &str) -> bool {
    let is_open = word.ends_with('_');
    metrics.names().any(|name| name == word || is_open && name.starts_with(word))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let (folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) = entries
        .map(|entry| entry.expect("a folder that was opened can be listed").path())
        .partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

#[test]
fn who_names_a_metric_names_one_that_there_is() {
    let metrics = Metrics::of_the_book().unwrap();
    let (mut seen, mut unknown) = (0, Vec::new());
    let pictures = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "png");
    for path in FOLDERS.iter().flat_map(|folder| files(&root().join(folder))).filter(|path| !pictures(path)) {
        let text = fs::read_to_string(&path).unwrap();
        for word in words(&text) {
            seen += 1;
            if !is_known(&metrics, word) {
                unknown.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    assert!(seen > 100, "only {seen} words: the folders are others");
}

#[test]
fn a_name_that_is_gone_is_found() {
    let metrics = Metrics::of("| `lightmoon_a_total` | counter |  | A. | `a` |\n");
    let found = words("`lightmoon_a_total{x=\"y\"}`, lightmoon_node::Node, lightmoon_a_*, lightmoon_b");
    assert_eq!(found, ["lightmoon_a_total", "lightmoon_a_", "lightmoon_b"]);
    let known: Vec<bool> = found.into_iter().map(|word| is_known(&metrics, word)).collect();
    assert_eq!(known, [true, true, false]);
}
