//! `lightmoon contracts`: the numbers of a game's contracts, and the page's code for them.
//!
//! *Responsible for*: asking the game's own binary, writing what it answers. *Not responsible for*: computing the lock (the game's
//! verb `contracts`, from `lightmoon_contract::descriptor`).
//!
//! Invariants:
//! - I1: nothing is written of a game that clients in the field would not survive; the reason is said.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use lightmoon_cli::descriptor::Descriptor;
use lightmoon_cli::typescript;
use serde::Deserialize;
use serde_json::Value;

use super::{run_game, say, write_whole};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; exit 1 if a file is not up to date
    #[arg(long)]
    check: bool,
    /// Folder of the crate that has the contracts
    #[arg(long, value_name = "DIR", default_value = ".")]
    lock_in: PathBuf,
    /// The page's module; without it `page/contracts.js` where there is a folder `page`
    #[arg(long, value_name = "FILE")]
    ts: Option<PathBuf>,
}

/// What the game's binary writes.
#[derive(Deserialize)]
struct Written {
    lock: String,
    descriptor: Value,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        Path::new("Cargo.toml").is_file(),
        "there is no Cargo.toml here; run `lightmoon contracts` in the folder of the game"
    );
    let lock = arguments.lock_in.join("contracts.lock");
    let text = ask(&lock)?;
    let written: Written =
        serde_json::from_str(&text).context("the game's verb `contracts` wrote no such JSON")?;
    keep(arguments, &lock, &written.lock)?;
    let page = Path::new("page");
    let module = arguments.ts.clone().or_else(|| page.is_dir().then(|| page.join("contracts.js")));
    if let Some(module) = module {
        let descriptor =
            Descriptor::from_json(&written.descriptor.to_string()).context("cannot use the descriptor")?;
        let code = typescript::generate(&descriptor, &typescript::Options::default())?;
        keep(arguments, &module, &code)?;
    }
    Ok(())
}

/// Builds the game and asks it. Cargo's and the compiler's own words go to the terminal.
fn ask(lock: &Path) -> Result<String> {
    let mut command = run_game();
    command.args(["contracts", "--lock"]).arg(lock);
    // Numbers that are missing are what this is for.
    command.env_remove("LIGHTMOON_LOCKED").stderr(Stdio::inherit());
    let output = command.output().context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "the game could not be asked for its contracts (the reason stands above); this is to be run in the folder of a game"
    );
    String::from_utf8(output.stdout).context("the game's verb `contracts` wrote no text")
}

/// Writes a file, or checks it.
fn keep(arguments: &Arguments, path: &Path, text: &str) -> Result<()> {
    let name = path.display();
    if !arguments.check {
        let changed = write_whole(path, text)?;
        say(&if changed { format!("wrote {name}; commit it") } else { format!("{name} is up to date") });
    } else if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        say(&format!("{name} is up to date"));
    } else {
        bail!("{name} is not up to date; run `lightmoon contracts` and commit it");
    }
    Ok(())
}
