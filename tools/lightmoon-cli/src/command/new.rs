//! `lightmoon new`: a folder with a small game in it.
//!
//! *Responsible for*: where it goes, where Lightmoon is. *Not responsible for*: what is in it ([`lightmoon_cli::template`]).
//!
//! Invariants:
//! - I1: nothing that is there is changed: the folder is new, or nothing is written.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use lightmoon_cli::template::{self, Name};

use super::{say, write_whole};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Name of the game and of its folder: lower-case letters, digits and dashes, a letter first
    name: Name,
    /// The folder to put it in
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
    /// A checkout of Lightmoon that the game is built on; without it the one that this tool was built from
    #[arg(long, value_name = "DIR")]
    lightmoon: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let checkout = match &arguments.lightmoon {
        Some(given) => given.clone(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
    };
    let checkout = checkout.canonicalize().unwrap_or(checkout);
    ensure!(
        checkout.join("framework/lightmoon/Cargo.toml").is_file(),
        "there is no checkout of Lightmoon at {}; name one with --lightmoon DIR",
        checkout.display()
    );
    let checkout = checkout.to_str().context("the checkout's path is no text that a Cargo.toml can hold")?;
    let folder = arguments.into.join(arguments.name.as_str());
    ensure!(!folder.exists(), "{} is there already; choose another name", folder.display());
    for (path, text) in template::render(&arguments.name, checkout) {
        write_whole(&folder.join(path), &text)?;
    }
    // The versions that Lightmoon was tested with; cargo leaves out what the game does not need.
    let lock = Path::new(checkout).join("Cargo.lock");
    if lock.is_file() {
        std::fs::copy(&lock, folder.join("Cargo.lock"))
            .with_context(|| format!("cannot copy {} into the game", lock.display()))?;
    }
    let folder = folder.display();
    say(&format!(
        "made {folder}\n\n  cd {folder}\n  cargo run\n\nThen open the page whose address it prints. Its rules are in src/game.rs; README.md says what else there is."
    ));
    Ok(())
}
