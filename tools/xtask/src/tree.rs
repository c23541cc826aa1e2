//! The files of the repository.
//!
//! *Responsible for*: listing and reading what is part of the repository. *Not responsible for*: judging it (`check`).
//!
//! Invariants:
//! - I1: paths are relative to the root, with `/`, sorted; folders of tools ([`OUTSIDE`]) are never entered.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// Folders that tools fill and `.gitignore` names.
const OUTSIDE: &[&str] = &[".git", "target", "node_modules", "lightmoon-data", "corpus", "artifacts"];

/// Files at most: the repository has some hundred; more means that a folder of a tool is missing in [`OUTSIDE`].
const FILES_MAX: usize = 20_000;

/// The files below one root.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    files: Vec<String>,
}

impl Tree {
    /// Lists the files below `root`.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let entries =
                fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let kind = entry.file_type()?;
                if kind.is_dir() && !OUTSIDE.contains(&name.as_str()) {
                    folders.push(entry.path());
                } else if kind.is_file() && name != ".git" {
                    let path = entry.path();
                    let relative = path.strip_prefix(root).context("a listed file lies below the root")?;
                    files.push(relative.to_string_lossy().replace('\\', "/"));
                    ensure!(files.len() <= FILES_MAX, "more than {FILES_MAX} files below {}", root.display());
                }
            }
        }
        files.sort_unstable();
        Ok(Self { root: root.to_path_buf(), files })
    }

    /// The root.
    #[cfg(test)]
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// All files, sorted.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// All files whose name ends so, sorted.
    pub(crate) fn ending<'a>(&'a self, endings: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.files().filter(|path| endings.iter().any(|ending| path.ends_with(ending)))
    }

    /// Whether the file is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.binary_search_by(|known| known.as_str().cmp(path)).is_ok()
    }

    /// The text of a file; bytes that are no UTF-8 become replacement characters.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        let bytes = fs::read(self.root.join(path)).with_context(|| format!("cannot read {path}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<()> {
        fs::write(self.root.join(path), text).with_context(|| format!("cannot write {path}"))
    }
}
