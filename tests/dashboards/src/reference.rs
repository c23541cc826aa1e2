//! Which metrics there are.
//!
//! *Responsible for*: reading the tables of `docs/book/src/metrics.md`, which are made from the code (`cargo xtask tidy` holds them to
//! it). *Not responsible for*: making them.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::read;

/// Where people read them.
const DOCUMENT: &str = "docs/book/src/metrics.md";

/// Fewer would mean that the page has another form.
const METRICS_MIN: usize = 100;

/// Labels that Prometheus adds to every series that it reads.
const ADDED: &[&str] = &["instance", "job"];

/// One metric.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metric {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// Its own labels.
    pub labels: Vec<String>,
}

/// All metrics, by name.
#[derive(Clone, Debug)]
pub struct Metrics(BTreeMap<String, Metric>);

impl Metrics {
    /// Those of the reference page.
    ///
    /// # Errors
    /// The page cannot be read, or is not of the form that is known here.
    pub fn of_the_book() -> Result<Self> {
        let metrics = Self::of(&read(DOCUMENT)?);
        let found = metrics.0.len();
        ensure!(found >= METRICS_MIN, "{DOCUMENT} has only {found} metrics: its tables have another form");
        Ok(metrics)
    }

    /// Those of a text with tables.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let rows = text.lines().filter(|line| line.starts_with("| `lightmoon_"));
        Self(
            rows.filter_map(|row| {
                let mut cells = row.split('|').skip(1).map(str::trim);
                let name = cells.next()?.trim_matches('`').to_owned();
                let kind = cells.next()?.to_owned();
                let labels = cells.next()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                Some((name, Metric { kind, labels }))
            })
            .collect(),
        )
    }

    /// The labels that a series of this name has; `None`: there is no such series. Histograms have no series of their own name.
    #[must_use]
    pub fn labels(&self, series: &str) -> Option<Vec<&str>> {
        if series == "up" {
            return Some(ADDED.to_vec());
        }
        let added = |metric: &'_ Metric| metric.kind != "histogram";
        if let Some(metric) = self.0.get(series).filter(|metric| added(metric)) {
            return Some(metric.labels.iter().map(String::as_str).chain(ADDED.iter().copied()).collect());
        }
        let (name, end) = series.rsplit_once('_')?;
        let metric = self.0.get(name).filter(|metric| metric.kind == "histogram")?;
        let bound: &[&str] = match end {
            "bucket" => &["le"],
            "sum" | "count" => &[],
            _ => return None,
        };
        Some(metric.labels.iter().map(String::as_str).chain(ADDED.iter().chain(bound).copied()).collect())
    }

    /// Names that are exported.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
