//! What suites need from outside of the repository.
//!
//! *Responsible for*: finding it, installing what can be installed, saying in one sentence what is missing.
//! *Not responsible for*: the Rust toolchain (rustup reads `rust-toolchain.toml`) and Node (a system package).
//!
//! Invariants:
//! - I1: nothing is installed that is there already; each installation has a time limit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::metadata;
use crate::program::{self, Show};
use crate::screen;

/// The oldest Node whose test runner our suites use.
const NODE_MAJOR_MIN: u32 = 20;

/// A browser is some 100 MB; slow mirrors take minutes.
const INSTALL_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Names under which a Chromium may be installed.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Something that a suite needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// Node with its test runner.
    Node,
    /// The packages that the lock file in this folder names.
    NpmPackages(&'static str),
    /// A Chromium that runs without a screen.
    Chromium,
    /// The programs prometheus and promtool.
    Prometheus,
    /// The program mdbook.
    MdBook,
    /// A folder of the repository.
    Folder(&'static str),
}

impl Need {
    /// Makes it be there.
    ///
    /// # Errors
    /// It is not there and could not be installed: the sentence says what to do.
    pub(crate) fn provide(self, root: &Path) -> Result<(), String> {
        match self {
            Self::Node => node(),
            Self::NpmPackages(folder) => npm_packages(&root.join(folder), folder),
            Self::Chromium => chromium(),
            Self::Prometheus => prometheus(root),
            Self::MdBook => mdbook(root),
            Self::Folder(folder) if root.join(folder).exists() => Ok(()),
            Self::Folder(folder) => Err(format!("{folder} is not in this checkout")),
        }
    }
}

fn node() -> Result<(), String> {
    let found = program::version("node")
        .ok_or_else(|| format!("node is missing: install Node {NODE_MAJOR_MIN} or later"))?;
    let major = found.trim_start_matches('v').split('.').next().and_then(|text| text.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        Some(_) | None => Err(format!("node is {found}: install Node {NODE_MAJOR_MIN} or later")),
    }
}

fn npm_packages(folder: &Path, name: &str) -> Result<(), String> {
    if !folder.join("package-lock.json").exists() {
        return Err(format!("{name}/package-lock.json is not in this checkout"));
    }
    if is_installed(folder) {
        return Ok(());
    }
    screen::line(&format!("installing the packages of {name}"));
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder);
    install(&mut command, &format!("the packages of {name} could not be installed: run `npm ci` there"))
}

/// Whether npm installed what the lock file names: its own note is not older than the lock file.
fn is_installed(folder: &Path) -> bool {
    let changed = |path: &str| fs::metadata(folder.join(path)).and_then(|file| file.modified()).ok();
    let (wanted, there) = (changed("package-lock.json"), changed("node_modules/.package-lock.json"));
    there.is_some() && there >= wanted
}

/// The program of a Chromium, if one is installed.
pub(crate) fn find_chromium() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let paths = CHROMIUM.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    paths.into_iter().find(|path| path.is_file())
}

fn chromium() -> Result<(), String> {
    if find_chromium().is_some() {
        return Ok(());
    }
    if program::version("apt-get").is_none() {
        return Err("chromium is missing: install it".to_owned());
    }
    screen::line("installing chromium");
    let failed = "chromium is missing and could not be installed: run `apt-get install chromium` as root";
    install(Command::new("apt-get").args(["update", "-q"]), failed)?;
    let mut command = Command::new("apt-get");
    command
        .args(["install", "-y", "-q", "--no-install-recommends", "chromium"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    install(&mut command, failed)
}

/// Where a Prometheus is unpacked that the system does not have.
const PROMETHEUS: &str = "target/tests/prometheus";

/// The folder with the programs prometheus and promtool, if there is one.
pub(crate) fn find_prometheus(root: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([root.join(PROMETHEUS).join("usr/bin")]);
    let has_both =
        |folder: &PathBuf| ["prometheus", "promtool"].iter().all(|name| folder.join(name).is_file());
    folders.into_iter().find(has_both)
}

/// Unpacks the system's package without installing it: that needs no root, and starts no service.
fn prometheus(root: &Path) -> Result<(), String> {
    if find_prometheus(root).is_some() {
        return Ok(());
    }
    let missing = "prometheus is missing";
    if program::version("apt-get").is_none() || program::version("dpkg").is_none() {
        return Err(format!("{missing}: install it, with promtool"));
    }
    screen::line("fetching prometheus");
    let folder = root.join(PROMETHEUS);
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let download = || {
        let mut command = Command::new("apt-get");
        command.args(["download", "-q", "prometheus"]).current_dir(&folder);
        install(
            &mut command,
            &format!("{missing} and could not be fetched: run `apt-get install prometheus`"),
        )
    };
    if download().is_err() {
        install(
            Command::new("apt-get").args(["update", "-q"]),
            &format!("{missing}: `apt-get update` failed"),
        )?;
        download()?;
    }
    let files =
        fs::read_dir(&folder).map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let mut packages = files.filter_map(Result::ok).map(|file| file.path());
    let package = packages.find(|path| path.extension().is_some_and(|end| end == "deb"));
    let package = package.ok_or_else(|| format!("{missing}: apt-get fetched no package"))?;
    let mut unpack = Command::new("dpkg");
    unpack.arg("-x").arg(&package).arg(&folder);
    install(&mut unpack, &format!("{missing}: {} could not be unpacked", package.display()))?;
    // The programs are ten times as large, and all that is needed.
    fs::remove_file(&package).map_err(|error| format!("cannot remove {}: {error}", package.display()))?;
    find_prometheus(root).map(drop).ok_or_else(|| format!("{missing}: its package has other programs"))
}

/// The version that the book is built with: others may know other options.
const MDBOOK_VERSION: &str = "0.5.4";
/// Where it is installed.
const MDBOOK: &str = "target/tests/mdbook";

/// The program mdbook, if there is one.
pub(crate) fn find_mdbook(root: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([root.join(MDBOOK).join("bin")]);
    folders.map(|folder| folder.join("mdbook")).find(|program| program.is_file())
}

/// Builds it from its sources, without what serves and searches a book.
fn mdbook(root: &Path) -> Result<(), String> {
    if find_mdbook(root).is_some() {
        return Ok(());
    }
    screen::line("building mdbook");
    let mut command = Command::new(metadata::cargo());
    command.args(["install", "mdbook", "--locked", "--quiet", "--debug", "--no-default-features"]);
    command.args(["--version", MDBOOK_VERSION, "--root"]).arg(root.join(MDBOOK));
    let failed = format!(
        "mdbook is missing and could not be built: run `cargo install mdbook --version {MDBOOK_VERSION} --locked`"
    );
    install(&mut command, &failed)
}

fn install(command: &mut Command, failed: &str) -> Result<(), String> {
    match program::run(command, INSTALL_LIMIT, Show::Nothing) {
        Ok(run) if run.succeeded => Ok(()),
        Ok(run) => {
            run.lines.iter().rev().take(20).rev().for_each(|line| screen::line(line));
            Err(failed.to_owned())
        }
        Err(error) => Err(format!("{failed} ({error:#})")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Need, is_installed};
    use crate::fixture::Fixture;

    #[test]
    fn what_cannot_be_there_is_named_in_a_sentence() {
        let fixture = Fixture::new();
        let root = fixture.tree().root().to_path_buf();
        let folder = Need::Folder("tests/browser").provide(&root).unwrap_err();
        assert!(folder.contains("tests/browser"), "{folder}");
        let packages = Need::NpmPackages("tests/browser").provide(&root).unwrap_err();
        assert!(packages.contains("package-lock.json"), "{packages}");
    }

    #[test]
    fn packages_are_installed_again_when_they_are_gone() {
        let fixture = Fixture::new().file("package-lock.json", "{}");
        assert!(!is_installed(fixture.tree().root()));
        let fixture = fixture.file("node_modules/.package-lock.json", "{}");
        assert!(is_installed(fixture.tree().root()));
    }
}
