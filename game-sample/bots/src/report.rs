//! What a run of bots measured.
//!
//! *Responsible for*: counting and the JSON form that scripts and CI read. *Not responsible for*: judging the figures.
//!
//! Invariants:
//! - I1: fields are only added; a name keeps its meaning and unit.

use std::collections::BTreeMap;
use std::time::Duration;

use lightmoon_bots::limits::ERRORS_KEPT;
use lightmoon_bots::{Latency, Percentiles};
use lightmoon_client::ClientStats;
use serde::Serialize;

/// Measured while bots play; [`Tally::report`] makes it readable.
#[derive(Debug, Default)]
pub struct Tally {
    /// Sessions that came up, first ones and later ones.
    pub connects: u64,
    /// Sessions that ended although their bot wanted to play on.
    pub disconnects: u64,
    /// Sessions that came up after one of the same bot had ended.
    pub reconnects: u64,
    /// Attempts to connect that failed.
    pub connect_failures: u64,
    /// Attachments to a sector, the first included.
    pub attaches: u64,
    /// State packets received.
    pub state_packets: u64,
    /// Ticks of the attached sector of which no state packet came.
    pub gaps: u64,
    /// State packets of a tick that had come before.
    pub doubles: u64,
    /// Bytes of datagrams and streams received, without QUIC's own.
    pub bytes_in: u64,
    /// Bytes of datagrams and streams sent, without QUIC's own.
    pub bytes_out: u64,
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Datagrams sent.
    pub datagrams_out: u64,
    /// Bytes in them.
    pub datagram_bytes_in: u64,
    /// Bytes in them.
    pub datagram_bytes_out: u64,
    /// Crystals that were acknowledged.
    pub mined: u64,
    /// Ore in them.
    pub ore: u64,
    /// Those among them that were asked for again, because an earlier answer never came.
    pub mined_after_doubt: u64,
    /// Crystals that were refused: somebody else was quicker, or they were too far away.
    pub refusals: u64,
    visible: Mean,
    state_intervals: Latency,
    rtt: Latency,
    trades: BTreeMap<&'static str, u64>,
    back: Latency,
    out_of_play: Latency,
    operations: BTreeMap<&'static str, Operation>,
    last_errors: Vec<String>,
}

/// A mean and how it is made.
#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

#[derive(Debug, Default)]
struct Operation {
    sent: u64,
    done: u64,
    failed: u64,
    latency: Latency,
}

impl Tally {
    /// An operation was sent.
    pub fn sent(&mut self, kind: &'static str) {
        self.operations.entry(kind).or_default().sent += 1;
    }

    /// An operation came to its end `after` it was sent: answered, echoed or heard.
    pub fn done(&mut self, kind: &'static str, after: Duration) {
        let operation = self.operations.entry(kind).or_default();
        operation.done += 1;
        operation.latency.record(after);
    }

    /// A bot sees its ship again, so long after its session ended, and after its sector was last heard of.
    pub fn back(&mut self, after_end: Duration, after_silence: Duration) {
        self.back.record(after_end);
        self.out_of_play.record(after_silence);
    }

    /// A state packet came so long after the one before it.
    pub fn state_interval(&mut self, after: Duration) {
        self.state_intervals.record(after);
    }

    /// A client saw so many things at once.
    pub fn visible(&mut self, count: usize) {
        self.visible.sum += f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.visible.count = self.visible.count.saturating_add(1);
    }

    /// A client's smoothed round-trip time at the end of its run.
    pub fn rtt(&mut self, rtt: Duration) {
        self.rtt.record(rtt);
    }

    /// Forgets all that was measured: what comes from now on counts. Connections and errors stay.
    pub fn begin_measuring(&mut self) {
        self.visible = Mean::default();
        self.state_intervals = Latency::default();
        self.rtt = Latency::default();
        self.operations.clear();
    }

    /// A trade came to this end, or a request about one was refused.
    pub fn trade(&mut self, end: &'static str) {
        *self.trades.entry(end).or_default() += 1;
    }

    /// So many trades came to this end.
    #[must_use]
    pub fn trades(&self, end: &str) -> u64 {
        self.trades.get(end).copied().unwrap_or(0)
    }

    /// An operation was refused or not answered.
    pub fn failed(&mut self, kind: &'static str, why: &impl std::fmt::Display) {
        self.operations.entry(kind).or_default().failed += 1;
        self.error(format!("{kind}: {why}"));
    }

    /// Adds what a bot's client counted over all its connections since `before`.
    pub fn absorb(&mut self, stats: &ClientStats, before: &ClientStats) {
        let stats = &stats.since(before);
        self.connect_failures += stats.tries.saturating_sub(stats.sessions);
        self.state_packets += stats.states;
        // A packet that was overtaken fills a gap that was counted when it was missing.
        self.gaps += stats.gaps.saturating_sub(stats.overtaken);
        self.doubles += stats.doubles;
        self.datagrams_in += stats.datagrams_in;
        self.datagrams_out += stats.datagrams_out;
        self.datagram_bytes_in += stats.datagram_bytes_in;
        self.datagram_bytes_out += stats.datagram_bytes_out;
        self.bytes_in += stats.bytes_in;
        self.bytes_out += stats.bytes_out;
    }

    /// Keeps the text of an error, the first few of a run.
    pub fn error(&mut self, text: String) {
        if self.last_errors.len() < ERRORS_KEPT && !self.last_errors.contains(&text) {
            self.last_errors.push(text);
        }
    }

    /// The readable form.
    #[must_use]
    pub fn report(&self, bots: usize, played: Duration, warm_up: Duration, seed: u64) -> Report {
        let operations =
            self.operations.iter().map(|(kind, operation)| ((*kind).to_owned(), operation.report()));
        Report {
            bots,
            seconds: played.as_secs_f64(),
            measured_seconds: played.saturating_sub(warm_up).as_secs_f64(),
            seed,
            connects: self.connects,
            disconnects: self.disconnects,
            reconnects: self.reconnects,
            connect_failures: self.connect_failures,
            attaches: self.attaches,
            state_packets: self.state_packets,
            gaps: self.gaps,
            doubles: self.doubles,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            datagrams_in: self.datagrams_in,
            datagrams_out: self.datagrams_out,
            datagram_bytes_in: self.datagram_bytes_in,
            datagram_bytes_out: self.datagram_bytes_out,
            visible_mean: self.visible.value(),
            state_interval_us: self.state_intervals.percentiles(),
            state_interval_curve: self.state_intervals.curve(),
            rtt_us: self.rtt.percentiles(),
            mined: self.mined,
            ore: self.ore,
            mined_after_doubt: self.mined_after_doubt,
            refusals: self.refusals,
            trades: self.trades.iter().map(|(end, count)| ((*end).to_owned(), *count)).collect(),
            back_in_play_us: self.back.percentiles(),
            out_of_play_us: self.out_of_play.percentiles(),
            operations: operations.collect(),
            errors: self.last_errors.clone(),
        }
    }
}

impl Operation {
    fn report(&self) -> OperationReport {
        OperationReport {
            sent: self.sent,
            done: self.done,
            failed: self.failed,
            latency_us: self.latency.percentiles(),
        }
    }
}

/// A run of bots, as it is written to the report file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How many bots there were.
    pub bots: usize,
    /// How long they played.
    pub seconds: f64,
    /// How much of it was measured: connections and errors are of the whole.
    pub measured_seconds: f64,
    /// Seed of their choices.
    pub seed: u64,
    /// See [`Tally::connects`].
    pub connects: u64,
    /// See [`Tally::disconnects`].
    pub disconnects: u64,
    /// See [`Tally::reconnects`].
    pub reconnects: u64,
    /// See [`Tally::connect_failures`].
    pub connect_failures: u64,
    /// See [`Tally::attaches`].
    pub attaches: u64,
    /// See [`Tally::state_packets`].
    pub state_packets: u64,
    /// See [`Tally::gaps`].
    pub gaps: u64,
    /// See [`Tally::doubles`].
    pub doubles: u64,
    /// See [`Tally::bytes_in`].
    pub bytes_in: u64,
    /// See [`Tally::bytes_out`].
    pub bytes_out: u64,
    /// See [`Tally::datagrams_in`].
    pub datagrams_in: u64,
    /// See [`Tally::datagrams_out`].
    pub datagrams_out: u64,
    /// See [`Tally::datagram_bytes_in`].
    pub datagram_bytes_in: u64,
    /// See [`Tally::datagram_bytes_out`].
    pub datagram_bytes_out: u64,
    /// Things in a client's view besides its own ship, on average; `None`: nobody looked (only crowds do).
    pub visible_mean: Option<f64>,
    /// Between two state packets of a client, as it saw them; `None`: nobody looked (only crowds do).
    pub state_interval_us: Option<Percentiles>,
    /// The same at many shares, for plots: share of 0 to 1, microseconds.
    pub state_interval_curve: Vec<(f64, u64)>,
    /// Smoothed round-trip times of the clients at the end of the run.
    pub rtt_us: Option<Percentiles>,
    /// See [`Tally::mined`].
    pub mined: u64,
    /// See [`Tally::ore`].
    pub ore: u64,
    /// See [`Tally::mined_after_doubt`].
    pub mined_after_doubt: u64,
    /// See [`Tally::refusals`].
    pub refusals: u64,
    /// How offers ended, each as both of its sides saw it, and which requests about them were refused.
    pub trades: BTreeMap<String, u64>,
    /// From the end of a session to the first sight of the own ship after it; `None`: none ended.
    pub back_in_play_us: Option<Percentiles>,
    /// The same from the last state packet before, to a tenth of a second: it includes the time in which the client did not
    /// know that nobody was there.
    pub out_of_play_us: Option<Percentiles>,
    /// By kind of operation.
    pub operations: BTreeMap<String, OperationReport>,
    /// The first few errors, as text.
    pub errors: Vec<String>,
}

impl Report {
    /// The report as JSON, one field a line.
    ///
    /// # Panics
    /// Never: its fields are numbers, texts and maps with text keys.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers, texts and maps with text keys are JSON")
    }
}

/// One kind of operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperationReport {
    /// Sent.
    pub sent: u64,
    /// Answered, echoed or heard.
    pub done: u64,
    /// Refused or not answered.
    pub failed: u64,
    /// From sending to the end; `None` if none came to its end.
    pub latency_us: Option<Percentiles>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_what_was_tallied() {
        let mut tally = Tally::default();
        for millis in 1..=100 {
            tally.sent("enter");
            tally.done("enter", Duration::from_millis(millis));
        }
        tally.sent("enter");
        tally.failed("enter", &"too busy");
        tally.sent("steer");
        let report = tally.report(3, Duration::from_secs(2), Duration::ZERO, 7);
        let enter = &report.operations["enter"];
        assert_eq!((enter.sent, enter.done, enter.failed), (101, 100, 1));
        let latency = enter.latency_us.unwrap();
        assert!(
            (49_000..=52_000).contains(&latency.p50) && (98_000..=101_000).contains(&latency.p99),
            "{latency:?}"
        );
        assert_eq!(report.operations["steer"].latency_us, None);
        assert_eq!(report.errors, ["enter: too busy"]);
    }

    #[test]
    fn the_first_errors_are_kept_and_no_more() {
        let mut tally = Tally::default();
        (0..100).for_each(|number| tally.error(format!("error {number}")));
        assert_eq!(tally.report(1, Duration::ZERO, Duration::ZERO, 0).errors.len(), ERRORS_KEPT);
    }
}
