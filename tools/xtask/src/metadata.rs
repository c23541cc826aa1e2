//! What cargo says about the workspace.
//!
//! *Responsible for*: packages, their folders and their direct dependencies. *Not responsible for*: resolving versions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::program::{self, Show};

/// It reads some dozen manifests.
const LIMIT: Duration = Duration::from_secs(60);

/// The workspace.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    /// Its members, in cargo's order.
    pub(crate) packages: Vec<Package>,
    /// The folder of the root manifest.
    #[serde(default)]
    pub(crate) workspace_root: PathBuf,
    /// Where cargo builds.
    #[serde(default)]
    pub(crate) target_directory: PathBuf,
    /// Package ids of those that a plain `cargo build` builds.
    #[serde(default)]
    pub(crate) workspace_default_members: BTreeSet<String>,
}

/// One member.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// What cargo calls it elsewhere in its answer.
    #[serde(default)]
    pub(crate) id: String,
    /// Its manifest.
    pub(crate) manifest_path: PathBuf,
    /// What it names as dependencies.
    #[serde(default)]
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a `[dependencies]` table.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// `None` for a normal one, else `dev` or `build`.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    /// Whether only a feature brings it.
    #[serde(default)]
    pub(crate) optional: bool,
}

impl Dependency {
    /// Whether only tests, examples and benches use it.
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

impl Metadata {
    /// Asks cargo about the workspace that this tool was built in.
    pub(crate) fn ask() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let mut command = Command::new(cargo());
        command.args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"]);
        let run = program::run(command.arg(&manifest), LIMIT, Show::Nothing)?;
        if !run.succeeded {
            bail!("cargo metadata failed: what it said stands above");
        }
        serde_json::from_str(&run.lines.join("\n"))
            .context("cargo metadata gave something else than expected")
    }

    /// The member of this name.
    #[cfg(test)]
    pub(crate) fn package_mut(&mut self, name: &str) -> Option<&mut Package> {
        self.packages.iter_mut().find(|package| package.name == name)
    }

    /// Whether a plain `cargo build` builds it.
    pub(crate) fn is_default_member(&self, package: &Package) -> bool {
        self.workspace_default_members.contains(&package.id)
    }

    /// The folder of a member, relative to the root, with `/`.
    pub(crate) fn folder(&self, package: &Package) -> String {
        let folder = package.manifest_path.parent().unwrap_or(&package.manifest_path);
        folder.strip_prefix(&self.workspace_root).unwrap_or(folder).to_string_lossy().replace('\\', "/")
    }
}

/// The cargo that runs this tool.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
