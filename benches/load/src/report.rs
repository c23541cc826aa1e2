//! Reports: Markdown with plots beside it.
//!
//! *Responsible for*: what a report says and shows. *Not responsible for*: how plots look ([`plot`](crate::plot)).
//!
//! Invariants:
//! - I1: a report names command, commit, machine, and what shared the machine's cores.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::figure::Figure;
use crate::figures::PARTS;
use crate::phase::{Game, Raw, Times};
use crate::plot::{Axis, Line, Plot, Series, nines};
use crate::sample::{Sample, quantile};
use crate::soak::{self, Outcome};

/// Writes the report of a bench.
pub(crate) fn of_bench(
    path: &Path,
    commit: &str,
    times: Times,
    measured: &[(Game, Raw)],
    figures: &[Figure],
) -> Result<()> {
    let mut text = head("Load: a thousand bots on a core", "cargo xtask bench load --report", commit)?;
    writeln!(
        text,
        "- how: the sample's server on one core, `game-sample bots --script crowd` on another, both of one machine over loopback; {} s warm-up, \
         {} s measured. Each bot answers each state packet with its controls, unreliable; nothing waits for a commit. Beside it in the same \
         run: a server that is nothing but quinn, with the same settings, packet counts and sizes\n",
        times.warm_up.as_secs(),
        times.measured.as_secs()
    )?;
    writeln!(text, "## Figures\n\n| figure | value | beside | goal | |\n|---|---:|---:|---|---|")?;
    for figure in figures {
        let Figure { name, value, unit, ratio, beside, .. } = figure;
        let (goal, verdict) = goal_of(figure);
        writeln!(text, "| {name} | {value:.2} {unit} | {ratio:.2} x {beside} | {goal} | {verdict} |")?;
    }
    writeln!(text, "\n## What the bots saw\n")?;
    percentiles(&mut text, measured)?;
    let (largest, _) = measured.last().context("nothing was measured")?;
    for (name, alt, plot) in [
        ("ticks", "Time of ticks by percentile", ticks(measured)),
        ("intervals", "Time between state packets by percentile", intervals(measured)),
        ("cpu", "CPU of the server's parts over time", cpu(&largest.samples, &[])),
        ("memory", "Memory of the server over time", memory(&largest.samples, &[])),
    ] {
        picture(&mut text, path, name, alt, &plot)?;
    }
    write(path, &text)
}

fn goal_of(figure: &Figure) -> (String, &'static str) {
    use crate::figure::Goal;
    let goal = match figure.goal {
        None => return (String::new(), ""),
        Some(Goal::Ratio(goal)) => format!("≤ {goal} x"),
        Some(Goal::Aim(goal)) => format!("≤ {goal} x (informs)"),
        Some(Goal::Value(goal)) => format!("≤ {goal} {} (informs)", figure.unit),
        Some(Goal::Count(goal)) => format!("≤ {goal} {}", figure.unit),
    };
    (goal, if figure.is_missed() { "missed" } else { "met" })
}

fn percentiles(text: &mut String, measured: &[(Game, Raw)]) -> Result<()> {
    writeln!(text, "| bots | what | p50 | p90 | p99 | p99.9 | most |\n|---:|---|---:|---:|---:|---:|---:|")?;
    for (game, _) in measured {
        let rows = [
            ("between two state packets, ms", &game.bots["state_interval_us"]),
            (
                "from a command to the packet that shows it, ms",
                &game.bots["operations"]["coast"]["latency_us"],
            ),
            ("smoothed round trip at the end, ms", &game.bots["rtt_us"]),
        ];
        for (what, row) in rows {
            let at = |name: &str| row[name].as_f64().unwrap_or(f64::NAN) / 1_000.0;
            let [p50, p90, p99, p999, max] = ["p50", "p90", "p99", "p999", "max"].map(at);
            writeln!(
                text,
                "| {} | {what} | {p50:.1} | {p90:.1} | {p99:.1} | {p999:.1} | {max:.1} |",
                game.count
            )?;
        }
    }
    writeln!(
        text,
        "\n| bots | in view | state packets | gaps | doubles | bytes/s to a bot | bytes/s from it | disconnects |"
    )?;
    writeln!(text, "|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for (game, _) in measured {
        let bot = |name: &str| game.bots[name].as_f64().unwrap_or(f64::NAN);
        let rate = |name: &str| bot(name) / bot("measured_seconds") / f64::from(game.count);
        writeln!(
            text,
            "| {} | {:.1} | {:.0} | {:.0} ({:.3} %) | {:.0} | {:.0} | {:.0} | {:.0} |",
            game.count,
            bot("visible_mean"),
            bot("state_packets"),
            bot("gaps"),
            100.0 * bot("gaps") / (bot("gaps") + bot("state_packets")),
            bot("doubles"),
            rate("bytes_in"),
            rate("bytes_out"),
            bot("disconnects")
        )?;
    }
    Ok(())
}

fn ticks(measured: &[(Game, Raw)]) -> Plot {
    let curve = |game: &Game| {
        let histogram = game.tick_times();
        shares().map(|share| (nines(share), quantile(&histogram, share) / 1_000.0)).collect()
    };
    Plot {
        title: "Time of a tick",
        x: "share of ticks that were quicker",
        y: "ms",
        axis: Axis::Nines,
        is_stacked: false,
        series: named(measured, curve),
        lines: vec![Line::Across(25.0, "goal of 99 % of ticks: 25 ms".to_owned())],
    }
}

fn intervals(measured: &[(Game, Raw)]) -> Plot {
    let curve = |game: &Game| {
        let pairs = game.bots["state_interval_curve"].as_array();
        let point = |pair: &Value| Some((nines(pair[0].as_f64()?.min(HIGHEST)), pair[1].as_f64()? / 1_000.0));
        pairs.into_iter().flatten().filter_map(point).collect()
    };
    Plot {
        title: "Time between two state packets of a bot",
        x: "share of packets that came sooner",
        y: "ms",
        axis: Axis::Nines,
        is_stacked: false,
        series: named(measured, curve),
        lines: vec![Line::Across(50.0, "20 Hz: 50 ms".to_owned())],
    }
}

/// The end of plots of percentiles: beyond it lie single events.
const HIGHEST: f64 = 0.999_9;

fn shares() -> impl Iterator<Item = f64> {
    (0..=40_u32).map(|step| 1.0 - 10.0_f64.powf(-f64::from(step) / 10.0)).map(|share| share.min(HIGHEST))
}

fn named(measured: &[(Game, Raw)], curve: impl Fn(&Game) -> Vec<(f64, f64)>) -> Vec<Series> {
    measured
        .iter()
        .map(|(game, _)| Series { name: format!("{} bots", game.count), points: curve(game) })
        .collect()
}

/// CPU of the parts between two samples each, in percent of a core.
fn cpu(samples: &[Sample], kills: &[f64]) -> Plot {
    let part = |(name, is): &crate::figures::Part| {
        let sum = |sample: &Sample| -> f64 {
            sample.threads.iter().filter(|(thread, _)| is(thread)).map(|(_, seconds)| seconds).sum()
        };
        let step = samples.len().div_ceil(POINTS_MAX).max(1);
        let thinned: Vec<&Sample> = samples.iter().step_by(step).collect();
        let between = |pair: &[&Sample]| {
            let (before, after) = (pair[0], pair[1]);
            let share = (sum(after) - sum(before)) / (after.at - before.at).max(1.0e-3) * 100.0;
            // A node that was killed takes its times with it.
            (after.at, if before.life == after.life { share } else { 0.0 })
        };
        let points = thinned.windows(2).map(between).collect();
        Series { name: (*name).to_owned(), points }
    };
    Plot {
        title: "CPU of the server, by part",
        x: "seconds",
        y: "% of a core",
        axis: Axis::Plain,
        is_stacked: true,
        series: PARTS.iter().map(part).collect(),
        lines: moments(kills),
    }
}

/// Points of a line: more than this many no screen shows.
const POINTS_MAX: usize = 400;

fn memory(samples: &[Sample], kills: &[f64]) -> Plot {
    let step = samples.len().div_ceil(POINTS_MAX).max(1);
    Plot {
        title: "Memory of the server",
        x: "seconds",
        y: "MiB resident",
        axis: Axis::Plain,
        is_stacked: false,
        series: [
            ("resident", (|sample: &Sample| sample.resident_kib) as fn(&Sample) -> f64),
            ("of it, buffers of the store", Sample::buffered_kib),
        ]
        .into_iter()
        .map(|(name, kib)| {
            let point = |sample: &Sample| (sample.at, kib(sample) / 1_024.0);
            Series { name: name.to_owned(), points: samples.iter().step_by(step).map(point).collect() }
        })
        .collect(),
        lines: moments(kills),
    }
}

fn moments(kills: &[f64]) -> Vec<Line> {
    let name = |at: usize| if at == 0 { "kill -9" } else { "" };
    kills.iter().enumerate().map(|(at, kill)| Line::Down(*kill, name(at).to_owned())).collect()
}

/// What a long run showed, a line each.
pub(crate) fn soak_lines(outcome: &Outcome) -> Vec<String> {
    let bots = |name: &str| outcome.bots[name].as_u64().unwrap_or(0);
    let most = outcome.ready_ms.iter().max().copied().unwrap_or(0);
    let mut lines = vec![
        format!(
            "bots: {} at a time, {} sessions in all, {} ended by kills and other breaks",
            outcome.count,
            bots("connects"),
            bots("disconnects")
        ),
        format!("kills: {}, ready again in {most} ms at most", outcome.kills.len()),
        format!("crystals acknowledged: {}", bots("mined")),
    ];
    lines.extend(outcome.slopes.iter().map(|slope| {
        format!(
            "memory of life {}, without buffers of the store: {:+.2} MiB/h, give or take {:.2}, over {:.1} min after its warm-up{}",
            slope.life,
            slope.mib_per_hour,
            slope.give_or_take,
            slope.minutes,
            if slope.give_or_take > soak::GROWTH_MAX { ": too short to tell" } else { "" }
        )
    }));
    if outcome.slopes.is_empty() {
        lines.push("memory: no life was long enough to be judged".to_owned());
    }
    lines.extend(outcome.audit.iter().map(|line| format!("audit: {line}")));
    lines.extend(outcome.violations.iter().map(|violation| format!("VIOLATION failed: {violation}")));
    lines.push(format!("violations: {}", outcome.violations.len()));
    lines
}

/// Writes the report of a long run.
pub(crate) fn of_soak(path: &Path, arguments: &soak::Arguments, outcome: &Outcome) -> Result<()> {
    let count = arguments.count.map(|count| format!(" --count {count}")).unwrap_or_default();
    let command = format!("cargo xtask soak load --hours {:.2}{count}", arguments.minutes / 60.0);
    let mut text = head("Soak: load", &command, &arguments.commit)?;
    writeln!(
        text,
        "- how: {} bots that mine, leave after 20 to 120 s and come back; the node killed by kill -9 now and then and started again by its \
         parent; seed {}; then the audit of everything stored\n",
        outcome.count, outcome.seed
    )?;
    writeln!(text, "```text\n{}\n```", soak_lines(outcome).join("\n"))?;
    for (name, alt, plot) in [
        ("memory", "Memory of the server over time", memory(&outcome.samples, &outcome.kills)),
        ("cpu", "CPU of the server's parts over time", cpu(&outcome.samples, &outcome.kills)),
    ] {
        picture(&mut text, path, name, alt, &plot)?;
    }
    write(path, &text)
}

fn head(title: &str, command: &str, commit: &str) -> Result<String> {
    let mut text = String::new();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    writeln!(text, "# {title}\n")?;
    writeln!(text, "- command: `{command}`")?;
    writeln!(text, "- commit: {commit}")?;
    writeln!(text, "- machine: {}, {cores} cores; {}", processor(), kernel())?;
    Ok(text)
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name"));
    name.map_or("unknown processor", |name| name.trim_start_matches([' ', '\t', ':'])).to_owned()
}

fn kernel() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", release.trim())
}

/// Writes a plot beside the report and shows it there.
fn picture(text: &mut String, report: &Path, name: &str, alt: &str, plot: &Plot) -> Result<()> {
    let stem = report.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let file = format!("{stem}-{name}.svg");
    plot.write(&report.with_file_name(&file))?;
    writeln!(text, "\n![{alt}]({file})")?;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    crate::figure::line(&format!("wrote {}", PathBuf::from(path).display()));
    Ok(())
}
