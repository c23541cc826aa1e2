//! What a run showed, for people.
//!
//! *Responsible for*: counting, percentiles, the printed form. *Not responsible for*: judging ([`crate::trail`], the audit).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::audit::Audit;
use crate::limits::{BACK_P95_MS, GOOD_LIFE};
use crate::plan::Kind;
use crate::trail::Judged;

/// Violations that are printed; all are counted.
const SHOWN_MAX: usize = 40;

/// What a run showed.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Report {
    pub(crate) head: String,
    pub(crate) kills: BTreeMap<Kind, u64>,
    /// Kills right after an acknowledged operation.
    pub(crate) at_lines: u64,
    pub(crate) ready_ms: Vec<u64>,
    pub(crate) back_ms: BTreeMap<Kind, Vec<u64>>,
    /// Of kills of a node alone that had served for a while.
    pub(crate) back_first_ms: Vec<u64>,
    pub(crate) cut_short: u64,
    pub(crate) places: u64,
    /// How long the stops in order took.
    pub(crate) stop_ms: Vec<u64>,
    pub(crate) audits: u64,
    /// What the network did, if it was a bad one.
    pub(crate) network: Option<String>,
    /// The last audit.
    pub(crate) audit: Audit,
    /// The bots' own.
    pub(crate) bots: Value,
    pub(crate) violations: Vec<String>,
}

impl Report {
    /// Adds what the trail says of an end; `kind`: `None` for a stop in order.
    pub(crate) fn judged(&mut self, kind: Option<Kind>, is_first: bool, judged: Judged) {
        self.places += judged.places;
        self.cut_short += judged.cut_short;
        self.violations.extend(judged.violations);
        if is_first {
            self.back_first_ms.extend(&judged.back_ms);
        }
        if let Some(kind) = kind {
            self.back_ms.entry(kind).or_default().extend(judged.back_ms);
        }
    }
}

/// Half, 95 and 99 of 100, and the most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Spread([u64; 4]);

impl Spread {
    fn of(values: &[u64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100).clamp(1, sorted.len()) - 1];
        Some(Self([at(50), at(95), at(99), sorted[last]]))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99, max] = self.0;
        write!(f, "p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, most {max} ms")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.head)?;
        let kinds: Vec<String> =
            Kind::ALL.iter().map(|kind| format!("{} {kind}", self.kills.get(kind).unwrap_or(&0))).collect();
        writeln!(f, "kills: {} ({})", self.kills.values().sum::<u64>(), kinds.join(", "))?;
        writeln!(f, "kills in the millisecond after an acknowledged operation: {}", self.at_lines)?;
        writeln!(f, "stops in order: {}, audits: {}", self.stop_ms.len(), self.audits)?;
        if let Some(spread) = Spread::of(&self.stop_ms) {
            writeln!(f, "from SIGTERM to the end: {spread}")?;
        }
        if let Some(spread) = Spread::of(&self.ready_ms) {
            writeln!(f, "from kill to ready: {spread}")?;
        }
        for (kind, back) in &self.back_ms {
            if let Some(spread) = Spread::of(back) {
                writeln!(f, "from kill ({kind}) to back in play, {} times: {spread}", back.len())?;
            }
        }
        let all: Vec<u64> = self.back_ms.values().flatten().copied().collect();
        if let Some(spread) = Spread::of(&all) {
            writeln!(
                f,
                "from kill to back in play, {} times in all, with the pauses between deaths: {spread}",
                all.len()
            )?;
        }
        if let Some(spread) = Spread::of(&self.back_first_ms) {
            let met = if spread.0[1] <= BACK_P95_MS { "met" } else { "missed" };
            let count = self.back_first_ms.len();
            writeln!(
                f,
                "from kill (node that had served {} s) to back in play, {count} times: {spread}; goal p95 {BACK_P95_MS} ms: {met}",
                GOOD_LIFE.as_secs()
            )?;
        }
        writeln!(f, "killed again before they were back: {}", self.cut_short)?;
        if let Some(network) = &self.network {
            writeln!(f, "network: {network}")?;
        }
        self.bots(f)?;
        let audit = |name| self.audit.count(name);
        writeln!(f, "lines of the ledger: {}", audit("lines of the ledger"))?;
        writeln!(
            f,
            "crystals logged: {} by {} pilots; trades settled: {}",
            audit("crystals in operation logs"),
            audit("pilots stored"),
            audit("trades settled")
        )?;
        let (minted, destroyed) = (audit("coins minted"), audit("coins destroyed"));
        let [held, escrow, on_way] = ["coins in holds", "coins in escrow", "coins on their way"].map(audit);
        writeln!(
            f,
            "coins: {minted} minted - {destroyed} destroyed = {held} held + {escrow} in escrow + {on_way} on their way: {}",
            equal(minted, destroyed + held + escrow + on_way)
        )?;
        let logged = audit("ore in operation logs");
        let [held, escrow, on_way] = ["ore in holds", "ore in escrow", "ore on its way"].map(audit);
        writeln!(
            f,
            "ore: {logged} mined = {held} held + {escrow} in escrow + {on_way} on its way: {}",
            equal(logged, held + escrow + on_way)
        )?;
        writeln!(f, "places compared: {}", self.places)?;
        for violation in self.violations.iter().take(SHOWN_MAX) {
            writeln!(f, "VIOLATION failed: {violation}")?;
        }
        write!(f, "violations: {}", self.violations.len())
    }
}

const fn equal(one: u64, other: u64) -> &'static str {
    if one == other { "equal" } else { "DIFFERENT" }
}

impl Report {
    fn bots(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |name: &str| self.bots[name].as_u64().unwrap_or(0);
        let millis = |name: &str, at: &str| self.bots[name][at].as_u64().unwrap_or(0) / 1_000;
        writeln!(
            f,
            "bots: {} connects, {} reconnects, {} crystals acknowledged, {} of them asked for again, {} refused",
            count("connects"),
            count("reconnects"),
            count("mined"),
            count("mined_after_doubt"),
            count("refusals")
        )?;
        if let Some(trades) = self.bots["trades"].as_object().filter(|trades| !trades.is_empty()) {
            let ends: Vec<String> = trades.iter().map(|(end, count)| format!("{count} {end}")).collect();
            writeln!(f, "bots, of trades: {}", ends.join(", "))?;
        }
        let back = |at| millis("back_in_play_us", at);
        writeln!(
            f,
            "bots, from the end of a session to back in play, audits included: p50 {} ms, p90 {} ms, p99 {} ms",
            back("p50"),
            back("p90"),
            back("p99")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_there() {
        let values: Vec<u64> = (1..=200).rev().collect();
        assert_eq!(Spread::of(&values), Some(Spread([100, 190, 198, 200])));
        assert_eq!(Spread::of(&[7]), Some(Spread([7, 7, 7, 7])));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn every_violation_has_a_line_up_to_a_bound() {
        let report = Report { violations: vec!["lost".to_owned(); 60], ..Report::default() };
        let text = report.to_string();
        assert_eq!(text.matches("VIOLATION").count(), SHOWN_MAX);
        assert!(text.ends_with("violations: 60"), "{text}");
    }
}
