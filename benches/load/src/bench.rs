//! `bench`: a crowd of each size beside raw QUIC, then sessions that do nothing.
//!
//! *Responsible for*: arguments, the order, printing, the exit code. *Not responsible for*: one measurement ([`phase`]).

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use game_sample_rig::Cores;

use crate::figure::{self, Figure};
use crate::limits::CLIENTS_MAX;
use crate::phase::{self, Game, Raw, Times};
use crate::{figures, place, report, watching};

/// How the measurement goes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Bots in the crowd; each count is measured. The largest one decides
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [500, 1_000])]
    counts: Vec<u32>,
    /// Seconds measured for each count
    #[arg(long, value_name = "S", default_value_t = 20)]
    seconds: u64,
    /// Seconds before that, while bots come and spread out
    #[arg(long, value_name = "S", default_value_t = 20)]
    warm_up: u64,
    /// Sessions that do nothing, for their memory; 0: not measured
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    idle: u32,
    /// Leave out what it costs to be watched, of the largest count
    #[arg(long)]
    unwatched: bool,
    /// Also write the figures to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also write a report with plots: this Markdown file, and SVG files beside it
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What the report says of the commit
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    commit: String,
    /// The sample's program; without it the one beside this program
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Whether all goals that decide are met.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let known = arguments.counts.iter().chain([&arguments.idle]).all(|count| *count <= CLIENTS_MAX);
    ensure!(
        known && !arguments.counts.is_empty() && !arguments.counts.contains(&0),
        "counts are 1 to {CLIENTS_MAX}"
    );
    ensure!((2..=3_600).contains(&arguments.seconds), "--seconds must be 2 to 3600");
    ensure!(arguments.warm_up <= 600, "--warm-up must be at most 600");
    let binary = arguments.binary.as_ref();
    let cores = Cores::choose()?;
    let times = Times {
        warm_up: Duration::from_secs(arguments.warm_up),
        measured: Duration::from_secs(arguments.seconds),
    };
    figure::line(
        "# load: the sample's server on one core under a crowd at 20 Hz, beside raw quinn under the same packets",
    );
    let mut counts = arguments.counts.clone();
    counts.sort_unstable();
    let (mut measured, mut all) = (Vec::new(), Vec::new());
    for (at, count) in counts.iter().enumerate() {
        let (game, raw) = one(binary, cores, *count, times)?;
        let figures = figures::of_game(&game, &raw, at + 1 == counts.len());
        figures.iter().for_each(|figure| figure::line(&figure.to_string()));
        all.extend(figures);
        measured.push((game, raw));
    }
    if let Some(count) = counts.last().filter(|_| !arguments.unwatched) {
        let place = place(binary, "watched")?;
        let figures = figures::of_watching(&watching::measure(&place, cores, *count, times)?);
        figures.iter().for_each(|figure| figure::line(&figure.to_string()));
        all.extend(figures);
        std::fs::remove_dir_all(&place.folder).context("cannot remove the folder of the run")?;
    }
    if arguments.idle > 0 {
        let place = place(binary, "idle")?;
        let figures = figures::of_idle(arguments.idle, phase::idle(&place, cores, arguments.idle)?);
        figures.iter().for_each(|figure| figure::line(&figure.to_string()));
        all.extend(figures);
        std::fs::remove_dir_all(&place.folder).context("cannot remove the folder of the run")?;
    }
    if let Some(path) = &arguments.json {
        let lines: String = all.iter().map(|figure| format!("{}\n", figure.to_json())).collect();
        std::fs::write(path, lines).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &arguments.report {
        report::of_bench(path, &arguments.commit, times, &measured, &all)?;
    }
    let missed = all.iter().filter(|figure| figure.is_missed()).count();
    figure::line(&format!("{} figures, {missed} goals missed", all.len()));
    Ok(!all.iter().any(Figure::is_failure))
}

/// The game, then raw QUIC with the packets of the game.
fn one(binary: Option<&PathBuf>, cores: Cores, count: u32, times: Times) -> Result<(Game, Raw)> {
    let place = place(binary, &count.to_string())?;
    let game = phase::game(&place, cores, count, times)?;
    let raw = phase::raw(&place, cores, count, times, game.shape())?;
    std::fs::remove_dir_all(&place.folder).context("cannot remove the folder of the run")?;
    Ok((game, raw))
}
