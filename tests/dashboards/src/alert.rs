//! Alert rules as Prometheus reads them.
//!
//! *Responsible for*: reading the rules and which of them have tests. *Not responsible for*: whether they ring when they should
//! (`promtool test rules`).

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use yaml_rust2::{Yaml, YamlLoader};

use crate::{RULE_TESTS, RULES, read};

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    /// What it is called.
    pub name: String,
    /// When it rings.
    pub expression: String,
    /// Labels and annotations.
    pub words: BTreeMap<String, String>,
}

/// All rules.
///
/// # Errors
/// They cannot be read, or there are none.
pub fn alerts() -> Result<Vec<Alert>> {
    let file = load(RULES)?;
    let mut alerts = Vec::new();
    for group in list(&file["groups"]) {
        for rule in list(&group["rules"]) {
            let name =
                rule["alert"].as_str().with_context(|| format!("{RULES} has a rule without a name"))?;
            let expression = rule["expr"].as_str().with_context(|| format!("{name} has no expression"))?;
            let words = [&rule["labels"], &rule["annotations"]].into_iter().flat_map(words).collect();
            alerts.push(Alert { name: name.to_owned(), expression: expression.to_owned(), words });
        }
    }
    ensure!(!alerts.is_empty(), "{RULES} has no rules");
    Ok(alerts)
}

/// For each rule that has tests: whether one of them makes it ring, and whether one lets it rest.
///
/// # Errors
/// The tests cannot be read.
pub fn tried() -> Result<BTreeMap<String, (bool, bool)>> {
    let file = load(RULE_TESTS)?;
    let mut tried: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    for test in list(&file["tests"]) {
        for check in list(&test["alert_rule_test"]) {
            let name = check["alertname"].as_str().context("a test names no rule")?;
            let (rings, rests) = tried.entry(name.to_owned()).or_default();
            let is_expected = !list(&check["exp_alerts"]).is_empty();
            *rings |= is_expected;
            *rests |= !is_expected;
        }
    }
    Ok(tried)
}

fn load(path: &str) -> Result<Yaml> {
    let documents = YamlLoader::load_from_str(&read(path)?).with_context(|| format!("{path} is no YAML"))?;
    documents.into_iter().next().with_context(|| format!("{path} is empty"))
}

fn list(yaml: &Yaml) -> &[Yaml] {
    yaml.as_vec().map_or(&[], Vec::as_slice)
}

fn words(yaml: &Yaml) -> Vec<(String, String)> {
    let pairs = yaml.as_hash().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.as_str()?.to_owned()))).collect()
}
