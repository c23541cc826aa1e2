//! Dashboards as Grafana imports them.
//!
//! *Responsible for*: walking panels, also those inside of rows, and filling in what Grafana fills in. *Not responsible for*: whether the
//! expressions are right.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::root;

/// Where they lie.
const FOLDER: &str = "assets/dashboards";

/// One dashboard.
#[derive(Debug)]
pub struct Dashboard {
    /// The file's name.
    pub file: String,
    /// All of it.
    pub json: Value,
}

/// An expression of a panel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expression {
    /// File and panel.
    pub place: String,
    /// As it stands there.
    pub text: String,
}

impl Expression {
    /// The expression with Grafana's variables filled in: everything chosen, rates over `interval`.
    #[must_use]
    pub fn filled(&self, interval: &str) -> String {
        let text = self.text.replace("$__rate_interval", interval);
        text.replace("$instance", ".*").replace("$kind", ".*")
    }
}

/// All dashboards.
///
/// # Errors
/// One cannot be read, or there is none.
pub fn dashboards() -> Result<Vec<Dashboard>> {
    let mut dashboards = Vec::new();
    for entry in fs::read_dir(root().join(FOLDER)).with_context(|| format!("cannot list {FOLDER}"))? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|end| end == "json") {
            let text = fs::read(&path).with_context(|| format!("cannot read {file}"))?;
            let json = serde_json::from_slice(&text).with_context(|| format!("{file} is no JSON"))?;
            dashboards.push(Dashboard { file, json });
        }
    }
    ensure!(!dashboards.is_empty(), "{FOLDER} has no dashboard");
    dashboards.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(dashboards)
}

impl Dashboard {
    /// All panels, but rows themselves.
    #[must_use]
    pub fn panels(&self) -> Vec<&Value> {
        let mut panels = Vec::new();
        let mut waiting: Vec<&Value> = self.json["panels"].as_array().into_iter().flatten().collect();
        waiting.reverse();
        while let Some(panel) = waiting.pop() {
            waiting.extend(panel["panels"].as_array().into_iter().flatten().rev());
            if panel["type"] != "row" {
                panels.push(panel);
            }
        }
        panels
    }

    /// All expressions, in order.
    #[must_use]
    pub fn expressions(&self) -> Vec<Expression> {
        let of_panel = |panel: &Value| {
            let place = format!("{}: {}", self.file, panel["title"].as_str().unwrap_or("?"));
            let targets = panel["targets"].as_array().cloned().unwrap_or_default();
            let texts = targets.into_iter().map(|target| target["expr"].as_str().unwrap_or("").to_owned());
            texts.map(|text| Expression { place: place.clone(), text }).collect::<Vec<_>>()
        };
        self.panels().into_iter().flat_map(of_panel).collect()
    }

    /// What its variables ask for: a metric and a label of it.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let list = self.json["templating"]["list"].as_array().cloned().unwrap_or_default();
        let queries = list.iter().filter_map(|variable| variable["query"]["query"].as_str());
        let parts = queries
            .filter_map(|query| query.strip_prefix("label_values(")?.strip_suffix(')')?.split_once(", "));
        parts.map(|(metric, label)| (metric.to_owned(), label.to_owned())).collect()
    }
}
