//! Figures of what was measured.
//!
//! *Responsible for*: which figures there are, their goals. *Not responsible for*: measuring ([`phase`](crate::phase)).

use crate::figure::{Figure, Goal};
use crate::phase::{Game, Idle, Raw};
use crate::sample::{quantile, quantile_within};
use crate::watching::{Cost, Watching};

/// Server CPU of a client, beside raw QUIC.
const CPU_RATIO: f64 = 2.0;
/// 99 of 100 ticks take at most half of their time at 20 Hz.
const TICK_MICROS: f64 = 25_000.0;
/// Bytes of state packets for each moving thing in view, all of the packet included.
const BYTES_PER_MOVING: f64 = 4.0;
/// Memory of a session that does nothing.
const IDLE_KIB: f64 = 48.0;

/// A part of the server: name, and which threads are its.
pub(crate) type Part = (&'static str, fn(&str) -> bool);

/// The parts of a server by its threads; together they are all of it.
pub(crate) const PARTS: [Part; 4] = [
    ("transport", |thread| thread == "lightmoon-io"),
    ("node", |thread| thread == "lightmoon-node"),
    ("persistence", is_persistence),
    ("other", |thread| thread != "lightmoon-io" && thread != "lightmoon-node" && !is_persistence(thread)),
];

fn is_persistence(thread: &str) -> bool {
    // The system cuts names of threads after 15 letters.
    thread == "lightmoon-store" || thread.starts_with("lightmoon-encod") || thread.starts_with("fjall")
}

/// Figures of a crowd and the raw run beside it.
pub(crate) fn of_game(game: &Game, raw: &Raw, is_decisive: bool) -> Vec<Figure> {
    let name = |what: &str| format!("load.{}.{what}", game.count);
    let all = game.cpu_micros(|_| true);
    let cpu = Figure {
        name: name("cpu"),
        value: all,
        unit: "us",
        ratio: all / raw.micros,
        beside: "raw quinn",
        goal: Some(if is_decisive { Goal::Ratio(CPU_RATIO) } else { Goal::Aim(CPU_RATIO) }),
    };
    let share = |what: &str, micros: f64| plain(name(what), micros, "us", micros / all, "all");
    let mut figures = vec![cpu, plain(name("raw"), raw.micros, "us", 1.0, "raw quinn")];
    figures.extend(PARTS.iter().map(|(part, is)| share(&format!("cpu.{part}"), game.cpu_micros(is))));
    figures.extend(PHASES.iter().map(|phase| {
        let micros = game.zones_grown(&format!("/totalMicros/{phase}"));
        share(&format!("zone.{phase}"), micros / game.seconds() / f64::from(game.count))
    }));
    let ticks = game.tick_times();
    for (what, quantile_of) in [("tick.p50", 0.5), ("tick.p99", 0.99)] {
        let micros = quantile(&ticks, quantile_of);
        let goal = (quantile_of > 0.9).then_some(Goal::Value(TICK_MICROS));
        let ratio = micros / TICK_PERIOD_MICROS;
        figures.push(Figure {
            name: name(what),
            value: micros,
            unit: "us",
            ratio,
            beside: "the period",
            goal,
        });
    }
    figures.extend(of_traffic(game, raw));
    figures
}

/// Phases of a tick, by their names in the console's answer.
pub(crate) const PHASES: [&str; 5] = ["schedules", "collect", "grid", "replication", "send"];
/// At 20 Hz.
const TICK_PERIOD_MICROS: f64 = 50_000.0;

fn of_traffic(game: &Game, raw: &Raw) -> Vec<Figure> {
    let name = |what: &str| format!("load.{}.{what}", game.count);
    let bytes = game.zones_grown("/stateBytes") / game.zones_grown("/stateRecords");
    let visible = game.bots["visible_mean"].as_f64().unwrap_or(f64::NAN);
    let states = game.zones_grown("/states") / game.seconds() / f64::from(game.count);
    let came = game.bots["state_packets"].as_f64().unwrap_or(f64::NAN)
        / game.bots["measured_seconds"].as_f64().unwrap_or(f64::NAN)
        / f64::from(game.count);
    let net = |name: &str| {
        (game.last().net(name) - game.first().net(name)) / game.seconds() / f64::from(game.count)
    };
    vec![
        plain(name("visible"), visible, "", visible / 50.0, "50"),
        Figure {
            name: name("bytes-per-moving"),
            value: bytes,
            unit: "B",
            ratio: bytes / POSE_BYTES,
            beside: "a whole pose",
            goal: Some(Goal::Count(BYTES_PER_MOVING)),
        },
        plain(name("states-sent"), states, "/s", states / 20.0, "20 Hz"),
        plain(name("datagrams-left"), net("datagrams_sent"), "/s", net("datagrams_sent") / 20.0, "20 Hz"),
        plain(
            name("datagrams-dropped"),
            net("datagrams_dropped"),
            "/s",
            net("datagrams_dropped") / 20.0,
            "20 Hz",
        ),
        plain(name("states-came"), came, "/s", came / 20.0, "20 Hz"),
        plain(name("raw-came"), raw.rate, "/s", raw.rate / 20.0, "20 Hz"),
    ]
}

/// Bits of the sample's pose, whole, in bytes.
const POSE_BYTES: f64 = 44.0 / 8.0;

/// Memory of sessions that do nothing, and of their players.
pub(crate) fn of_idle(count: u32, idle: Idle) -> Vec<Figure> {
    let name = |what: &str| format!("load.idle-{count}.{what}");
    let Idle { session, player } = idle;
    vec![
        Figure {
            name: name("session"),
            value: session,
            unit: "KiB",
            ratio: session / QUINN_KIB,
            beside: "quinn alone",
            goal: Some(Goal::Count(IDLE_KIB)),
        },
        plain(name("player"), player, "KiB", player / session, "its session"),
    ]
}

/// Ticks of a server that is asked for its metrics.
const SCRAPED_TICK_RATIO: f64 = 1.1;
/// CPU of a server that can be watched.
const WATCHED_CPU_RATIO: f64 = 1.05;

/// Figures of what it costs to be watched.
pub(crate) fn of_watching(watching: &Watching) -> Vec<Figure> {
    let Watching { count, silent, watched, scraped } = watching;
    let figure = |what: &str, value: f64, than: f64, beside, goal| Figure {
        name: format!("load.{count}.{what}"),
        value,
        unit: "us",
        ratio: value / than,
        beside,
        goal: Some(Goal::Aim(goal)),
    };
    let p99 = |cost: &Cost| {
        let ticks: Vec<_> = cost.ticks.iter().map(|(upper, count)| (*upper, *count)).collect();
        quantile_within(&ticks, 0.99)
    };
    vec![
        figure("watched.cpu", watched.micros, *silent, "not watched", WATCHED_CPU_RATIO),
        figure("scraped.cpu", scraped.micros, watched.micros, "not scraped", WATCHED_CPU_RATIO),
        figure("scraped.tick.p99", p99(scraped), p99(watched), "not scraped", SCRAPED_TICK_RATIO),
    ]
}

/// KiB of a connection of quinn with windows as small as ours, measured at 10,000.
const QUINN_KIB: f64 = 29.5;

fn plain(name: String, value: f64, unit: &'static str, ratio: f64, beside: &'static str) -> Figure {
    Figure { name, value, unit, ratio, beside, goal: None }
}

#[cfg(test)]
mod tests {
    use super::PARTS;

    #[test]
    fn every_thread_is_of_one_part() {
        for thread in
            ["lightmoon-io", "lightmoon-node", "lightmoon-store", "lightmoon-encod", "fjall:worker", "x"]
        {
            assert_eq!(PARTS.iter().filter(|(_, is)| is(thread)).count(), 1, "{thread}");
        }
    }
}
