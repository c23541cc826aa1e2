//! Prometheus' own tool.
//!
//! *Responsible for*: what it says of rules, their tests, expressions, an exposition. *Not responsible for*: a Prometheus that runs
//! (`live`).

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use lightmoon_dashboards::{Expression, RULE_TESTS, RULES, dashboards, root};

/// What stands for Grafana's choice of an interval.
pub(crate) const INTERVAL: &str = "10s";

/// The program, and where its files lie.
#[derive(Debug)]
pub(crate) struct Promtool {
    program: PathBuf,
    folder: PathBuf,
}

impl Promtool {
    pub(crate) fn new(programs: &Path, folder: &Path) -> Result<Self> {
        let program = programs.join("promtool");
        ensure!(program.is_file(), "there is no promtool in {}", programs.display());
        let program = program.canonicalize().context("the folder of promtool")?;
        Ok(Self { program, folder: folder.to_owned() })
    }

    /// What is wrong with rules, their tests, and the expressions of dashboards.
    pub(crate) fn check_files(&self) -> Result<Vec<String>> {
        let as_rules = self.folder.join("expressions.yml");
        fs::write(&as_rules, rules_of(&expressions()?)?).context("cannot write the expressions")?;
        let mut problems = Vec::new();
        for (what, path) in [("rules", root().join(RULES)), ("rules", as_rules)] {
            problems.extend(self.complaint(&["check", what], &path)?);
        }
        problems.extend(self.complaint(&["test", "rules"], &root().join(RULE_TESTS))?);
        Ok(problems)
    }

    /// What is wrong with a configuration.
    pub(crate) fn check_config(&self, path: &Path) -> Result<Option<String>> {
        self.complaint(&["check", "config"], path)
    }

    /// What is wrong with the text of `/metrics`.
    pub(crate) fn check_metrics(&self, text: &str) -> Result<Option<String>> {
        let path = self.folder.join("metrics.txt");
        fs::write(&path, text).context("cannot write the metrics")?;
        let mut command = self.command(&["check", "metrics"]);
        command.stdin(File::open(&path).context("cannot read the metrics")?);
        Ok(complaint("check metrics", &command.output().context("cannot start promtool")?))
    }

    /// How many series an expression returns now.
    ///
    /// # Errors
    /// The Prometheus does not answer, or cannot evaluate it.
    pub(crate) fn ask(&self, server: &str, expression: &str) -> Result<usize> {
        let output = self.command(&["query", "instant", server, expression]).output();
        let output = output.context("cannot start promtool")?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        ensure!(output.status.success(), "{said}");
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.contains("=>")).count())
    }

    fn complaint(&self, what: &[&str], path: &Path) -> Result<Option<String>> {
        let output = self.command(what).arg(path).output().context("cannot start promtool")?;
        Ok(complaint(&what.join(" "), &output))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command
    }
}

/// All expressions of all dashboards.
pub(crate) fn expressions() -> Result<Vec<Expression>> {
    Ok(dashboards()?.iter().flat_map(lightmoon_dashboards::Dashboard::expressions).collect())
}

/// Expressions as recording rules, which promtool checks with line and column.
fn rules_of(expressions: &[Expression]) -> Result<String> {
    let mut text = "groups:\n  - name: dashboards\n    rules:\n".to_owned();
    for (number, expression) in expressions.iter().enumerate() {
        let filled = expression.filled(INTERVAL).replace('\'', "''");
        writeln!(
            text,
            "      # {}\n      - record: expression:{number}\n        expr: '{filled}'",
            expression.place
        )?;
    }
    Ok(text)
}

fn complaint(what: &str, output: &Output) -> Option<String> {
    // Its linter has an exit code of its own, 3.
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    (!output.status.success()).then(|| format!("promtool {what}: {}", said.join("\n")))
}
