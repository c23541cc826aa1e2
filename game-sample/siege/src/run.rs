//! A run: a quiet phase, then one attack after the other while honest bots play.
//!
//! *Responsible for*: the order, watching memory and metrics, holding everything to its promise. *Not responsible for*: attacking
//! ([`crate::attack`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::attack::{Attack, Fought, Ground, camp_of};
use crate::honest::{Honest, Seen, newcomer};
use crate::limits::{MEMORY_EVERY, NEWCOMER_WITHIN, P99_FLOOR_US, P99_RISE_MAX, SESSION_BYTES};
use crate::peer::Ending;
use crate::server::{Gauge, Metrics, Server};

/// What a run is held to.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) ground: Ground,
    pub(crate) growth_max: u64,
    /// Whether times count. Not where other programs share the machine.
    pub(crate) is_timed: bool,
}

/// What one attack came to.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) lines: Vec<String>,
    pub(crate) broken: Vec<String>,
}

/// What the process held, over a time.
#[derive(Debug)]
struct Memory {
    first: u64,
    most: u64,
    last: u64,
    took: Duration,
    cpu: Duration,
}

impl Memory {
    /// Bytes a second.
    fn slope_kib(&self) -> f64 {
        let grown = i64::try_from(self.last).unwrap_or(0) - i64::try_from(self.first).unwrap_or(0);
        grown as f64 / 1_024.0 / self.took.as_secs_f64().max(0.001)
    }
}

/// Watches the server's memory until told to stop.
fn watch(gauge: Gauge, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<Result<Memory>> {
    std::thread::spawn(move || {
        let began = Instant::now();
        let (first, cpu) = (gauge.resident()?, gauge.cpu()?);
        let (mut most, mut last) = (first, first);
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(MEMORY_EVERY);
            last = gauge.resident()?;
            most = most.max(last);
        }
        let cpu = gauge.cpu()?.saturating_sub(cpu);
        Ok(Memory { first, most, last, took: began.elapsed(), cpu })
    })
}

/// Honest bots for a while, undisturbed.
pub(crate) fn quiet(honest: &Honest, time: Duration) -> Seen {
    honest.take();
    std::thread::sleep(time);
    honest.take()
}

/// One attack.
pub(crate) fn fight(
    (number, attack): (u8, &Attack),
    plan: &Plan,
    server: &mut Server,
    honest: &Honest,
    quiet: &Seen,
) -> Result<Verdict> {
    let gauge = server.gauge();
    let before = gauge.metrics()?;
    honest.take();
    let stop = Arc::new(AtomicBool::new(false));
    let memory = watch(gauge.clone(), Arc::clone(&stop));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let name = format!("newcomer-{}", attack.name);
    let ground = Ground { from: camp_of(number), ..plan.ground.clone() };
    let location = server.location.clone();
    let (fought, came) = runtime.block_on(async {
        let look_in = async {
            // In the midst of it.
            tokio::time::sleep(plan.ground.time / 2).await;
            newcomer(&location, &name, NEWCOMER_WITHIN).await
        };
        tokio::join!((attack.fight)(&ground), look_in)
    });
    let seen = honest.take();
    // Connections of attackers that are still open end here, without a word.
    runtime.shutdown_timeout(Duration::from_secs(1));
    stop.store(true, Ordering::Relaxed);
    let memory = memory.join().map_err(|_| anyhow::anyhow!("the watch panicked"))??;
    let fought = fought.with_context(|| format!("the attack itself failed: {}", attack.name))?;
    let after = await_count(&gauge, attack, &before)?;
    Ok(judge(attack, plan, server.lives(), &fought, came, &seen, quiet, &memory, (&before, &after)))
}

/// Metrics are copied a few times a second: waits until what has to be counted is.
fn await_count(gauge: &Gauge, attack: &Attack, before: &Metrics) -> Result<Metrics> {
    let began = Instant::now();
    loop {
        let after = gauge.metrics()?;
        if is_counted(attack, before, &after) || began.elapsed() > Duration::from_secs(7) {
            return Ok(after);
        }
        std::thread::sleep(MEMORY_EVERY);
    }
}

fn grown(name: &str, before: &Metrics, after: &Metrics) -> f64 {
    after.get(name).copied().unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0)
}

fn is_counted(attack: &Attack, before: &Metrics, after: &Metrics) -> bool {
    attack.counted.is_empty() || attack.counted.iter().any(|name| grown(name, before, after) > 0.0)
}

#[expect(clippy::too_many_arguments, reason = "all that was seen of one attack, looked at once")]
fn judge(
    attack: &Attack,
    plan: &Plan,
    lives: bool,
    fought: &Fought,
    came: Option<Duration>,
    seen: &Seen,
    quiet: &Seen,
    memory: &Memory,
    (before, after): (&Metrics, &Metrics),
) -> Verdict {
    let mut broken = fought.broken.clone();
    if !lives {
        broken.push("the server is gone".to_owned());
    }
    if !is_counted(attack, before, after) {
        broken.push(format!("it was not counted: none of {} grew", attack.counted.join(", ")));
    }
    if seen.broken > 0 || seen.failed > 0 {
        broken.push(format!(
            "of honest bots {} lost their session, {} questions failed",
            seen.broken, seen.failed
        ));
    }
    if seen.answers_us.is_empty() {
        broken.push("honest bots got no answer".to_owned());
    }
    let growth = memory.most.saturating_sub(memory.first);
    let growth_max = plan.growth_max + attack.sessions_left * SESSION_BYTES;
    if growth > growth_max {
        broken.push(format!("the server grew by {}, at most {} are allowed", mib(growth), mib(growth_max)));
    }
    let came = match came {
        Some(took) => format!("in play after {} ms", took.as_millis()),
        None => {
            broken.push(format!("who came meanwhile was not in play within {NEWCOMER_WITHIN:?}"));
            "not let in".to_owned()
        }
    };
    let (p99, p99_quiet) = (seen.p99_us(), quiet.p99_us());
    let rise = (p99 as f64 / p99_quiet.max(1) as f64 - 1.0) * 100.0;
    if plan.is_timed && rise > P99_RISE_MAX && p99 > P99_FLOOR_US {
        broken.push(format!(
            "answers of honest bots: p99 rose by {rise:.0} %, at most {P99_RISE_MAX} % are allowed"
        ));
    }
    let endings: Vec<String> = fought.endings.iter().map(|(ending, count)| said(*ending, *count)).collect();
    let counted = after.keys().map(|name| (name, grown(name, before, after)));
    let counted = counted.filter(|(name, by)| *by > 0.0 && is_of_attacks(name));
    let counted: Vec<String> = counted.map(|(name, by)| format!("{name} +{by}")).collect();
    let or_none = |list: Vec<String>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let lines = vec![
        format!("{}: {}", attack.name, if broken.is_empty() { "held" } else { "BROKEN" }),
        format!("  did       {}", or_none(fought.notes.clone())),
        format!("  closed    {}; refused before: {}", or_none(endings), fought.refused),
        format!("  counted   {}", or_none(counted)),
        format!(
            "  memory    {} before, {} at most, {:+.0} KiB/s; {:.0} % of a core",
            mib(memory.first),
            mib(memory.most),
            memory.slope_kib(),
            100.0 * memory.cpu.as_secs_f64() / memory.took.as_secs_f64().max(0.001)
        ),
        format!(
            "  honest    p99 {p99} µs of {} answers, quiet {p99_quiet} µs ({rise:+.0} %); who came meanwhile: {came}",
            seen.answers_us.len()
        ),
    ];
    Verdict { lines, broken }
}

/// Metrics that tell of attacks, not of play.
fn is_of_attacks(name: &str) -> bool {
    [
        "refused",
        "closed_for",
        "violating",
        "too_large",
        "timed_out",
        "evicted",
        "retried",
        "overloaded",
        "failed",
    ]
    .iter()
    .any(|part| name.contains(part))
        || name == "lightmoon_link_opened_total"
}

fn said(ending: Ending, count: u64) -> String {
    match ending {
        Ending::Code(code) => {
            let code = u32::try_from(code).unwrap_or(u32::MAX);
            format!("{count} × code {code}")
        }
        Ending::Lost => format!("{count} × by the transport"),
        Ending::Open => format!("{count} × not at all"),
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
}
