//! A small repository in a folder of its own, for tests that plant a violation.
//!
//! *Responsible for*: files and metadata made by a test, removed at its end. *Not responsible for*: what is in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::metadata::{Dependency, Metadata, Package};
use crate::problem::Problem;
use crate::tree::Tree;

/// Tells fixtures of one process apart. Relaxed: only the number has to be new.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The folder, and what cargo would say about it.
pub(crate) struct Fixture {
    root: PathBuf,
    pub(crate) metadata: Metadata,
}

impl Fixture {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("lightmoon-xtask-{}-{number}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let metadata = Metadata { workspace_root: root.clone(), ..Metadata::default() };
        Self { root, metadata }
    }

    /// With this file.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let full = self.root.join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
        self
    }

    /// With this member, which names these dependencies.
    pub(crate) fn package(mut self, name: &str, folder: &str, dependencies: &[&str]) -> Self {
        let dependencies =
            dependencies.iter().map(|name| Dependency { name: (*name).to_owned(), ..Dependency::default() });
        self.metadata.packages.push(Package {
            name: name.to_owned(),
            manifest_path: self.root.join(folder).join("Cargo.toml"),
            dependencies: dependencies.collect(),
            ..Package::default()
        });
        self
    }

    /// Its files.
    pub(crate) fn tree(&self) -> Tree {
        Tree::open(&self.root).unwrap()
    }

    /// What a check finds in it.
    pub(crate) fn find(&self, check: fn(&Tree, &Metadata) -> anyhow::Result<Vec<Problem>>) -> Vec<String> {
        check(&self.tree(), &self.metadata).unwrap().iter().map(Problem::to_string).collect()
    }

    /// What a file says now.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Its folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.root);
    }
}
