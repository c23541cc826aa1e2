//! Dashboards and alert rules: what stands in `assets/`, and which metrics there are.
//!
//! *Responsible for*: reading both. *Not responsible for*: judging them (this crate's tests do without a Prometheus, its program with
//! one), how a dashboard looks (nobody does).
//!
//! Layer: a tool of the repository; no everyday build has it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

mod alert;
mod dashboard;
mod reference;

pub use alert::{Alert, alerts, tried};
pub use dashboard::{Dashboard, Expression, dashboards};
pub use reference::{Metric, Metrics};

/// Rules, as a path below the root.
pub const RULES: &str = "assets/alerts/lightmoon.yml";
/// Their tests.
pub const RULE_TESTS: &str = "assets/alerts/lightmoon.test.yml";

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the repository.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
}
