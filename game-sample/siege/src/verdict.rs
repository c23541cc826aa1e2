//! What came of a trial, held to its promise, in words and as a row of a table.
//!
//! *Responsible for*: judging, the words. *Not responsible for*: measuring ([`crate::run`]).

use std::time::Duration;

use game_sample_rig::Metrics;

use crate::attack::{Attack, Fought};
use crate::calm::{Calm, fewest, together};
use crate::honest::Seen;
use crate::limits::{
    ANSWERS_MIN, DEPARTED_BYTES, NEWCOMER_WITHIN, P99_FLOOR_US, P99_RISE_MAX, REST_WITHIN, SECOND_WAVE_MAX,
};
use crate::memory::{Memory, mib, mib_of};
use crate::peer::Ending;
use crate::run::Plan;

/// What one trial came to.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) name: &'static str,
    pub(crate) lines: Vec<String>,
    pub(crate) broken: Vec<String>,
    /// A row of [`TABLE`].
    pub(crate) row: String,
}

/// The head of the table, in Markdown.
pub(crate) const TABLE: [&str; 2] = [
    "| attack | close code promised | seen | counted | answers of honest bots, p50 / p99 | p99 above all quiet ones | above what chance makes of those | server's memory before / most / at rest | slope | |",
    "|---|---|---|---|---|---|---|---|---|---|",
];

/// All that was seen of one attack.
pub(crate) struct Trial {
    pub(crate) attack: &'static Attack,
    pub(crate) fought: Fought,
    /// How long somebody who came meanwhile took until it was in play.
    pub(crate) came: Option<Duration>,
    pub(crate) quiet: Vec<Seen>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) memory: Memory,
    pub(crate) rested: u64,
    pub(crate) is_at_rest: bool,
    pub(crate) lives: bool,
    pub(crate) before: Metrics,
    pub(crate) after: Metrics,
}

impl Trial {
    /// How it went, before it is judged.
    pub(crate) fn progress(&self) -> String {
        let [p50, p99] = [50, 99].map(|percent| together(&self.seen).percentile_us(percent));
        format!("{}: over; honest bots' answers p50 {} p99 {} ms", self.attack.name, millis(p50), millis(p99))
    }

    pub(crate) fn judge(&self, plan: &Plan, calm: &Calm) -> Verdict {
        let mut broken = self.fought.broken.clone();
        self.judge_server(plan, &mut broken);
        self.judge_honest(plan, calm, &mut broken);
        let seen = together(&self.seen);
        let [p50, p99] = [50, 99].map(|percent| seen.percentile_us(percent));
        let [quiet_p50, quiet_p99] = [50, 99].map(|percent| calm.percentile_us(percent));
        let ((rise, beyond), came) = (
            calm.rise(p99),
            self.came.map_or_else(|| "not let in".to_owned(), |took| format!("{} ms", took.as_millis())),
        );
        let answers = seen.answers_us.len();
        let (seen, counted, verdict) =
            (self.endings(), self.counted(), if broken.is_empty() { "held" } else { "**broken**" });
        let memory = &self.memory;
        let lines = vec![
            format!("{}: {}", self.attack.name, if broken.is_empty() { "held" } else { "BROKEN" }),
            format!("  did       {}", or_none(&self.fought.notes)),
            format!("  closed    {seen}; promised: {}", self.attack.promise),
            format!("  counted   {counted}"),
            format!(
                "  memory    {} before, {} at most, {} at rest, {:+.1} MiB/min; {:.0} % of a core",
                mib(memory.first),
                mib(memory.most),
                mib(self.rested),
                memory.slope,
                memory.cpu_percent
            ),
            format!(
                "  honest    p50 {p50} p99 {p99} µs of {answers} answers; quiet p50 {quiet_p50} p99 {quiet_p99} µs of {}, by chance up to {} µs ({rise:+.0} %, {beyond:+.0} %); who came meanwhile was in play after {came}",
                calm.answers(),
                calm.by_chance_us(),
            ),
        ];
        let row = format!(
            "| {} | {} | {seen} | {counted} | {} / {} ms | {rise:+.0} % | {beyond:+.0} % | {:.1} / {:.1} / {:.1} MiB | {:+.1} MiB/min | {verdict} |",
            self.attack.name,
            self.attack.promise,
            millis(p50),
            millis(p99),
            mib_of(memory.first),
            mib_of(memory.most),
            mib_of(self.rested),
            memory.slope,
        );
        Verdict { name: self.attack.name, lines, broken, row }
    }

    fn judge_server(&self, plan: &Plan, broken: &mut Vec<String>) {
        if !self.lives {
            broken.push("the server is gone".to_owned());
        }
        for count in &self.fought.counts {
            if !count.is_right(&self.before, &self.after) {
                broken.push(format!(
                    "{} grew by {}, promised was {} {}",
                    count.metrics.join(" + "),
                    count.grown(&self.before, &self.after),
                    if count.is_most { "at most" } else { "at least" },
                    count.by
                ));
            }
        }
        if !self.is_at_rest {
            broken.push(format!("sessions of attackers are still there after {REST_WITHIN:?}"));
        }
        let growth = self.memory.most.saturating_sub(self.memory.first);
        let growth_max = plan.growth_max + if self.attack.leaves_players { DEPARTED_BYTES } else { 0 };
        if growth > growth_max {
            broken.push(format!(
                "the server grew by {}, at most {} are allowed",
                mib(growth),
                mib(growth_max)
            ));
        }
    }

    fn judge_honest(&self, plan: &Plan, calm: &Calm, broken: &mut Vec<String>) {
        let sum = |of: fn(&Seen) -> u64| self.seen.iter().map(of).sum::<u64>();
        let (lost, failed) = (sum(|seen| seen.broken), sum(|seen| seen.failed));
        if lost + failed > 0 {
            broken.push(format!("of honest bots {lost} lost their session, {failed} questions failed"));
        }
        if self.seen.iter().any(|seen| seen.answers_us.is_empty()) {
            broken.push("honest bots got no answer".to_owned());
        }
        if self.came.is_none() {
            broken.push(format!("who came meanwhile was not in play within {NEWCOMER_WITHIN:?}"));
        }
        if !plan.is_timed {
            return;
        }
        if calm.fewest().min(fewest(&self.seen)) < ANSWERS_MIN {
            broken.push(format!("a window has fewer than {ANSWERS_MIN} answers: too few to judge times"));
        }
        let p99 = together(&self.seen).percentile_us(99);
        let (rise, beyond) = calm.rise(p99);
        if beyond > P99_RISE_MAX && p99 > P99_FLOOR_US {
            broken.push(format!(
                "answers of honest bots: p99 rose by {rise:.0} %, which is {beyond:.0} % above what chance explains; at most {P99_RISE_MAX} % are allowed"
            ));
        }
    }

    fn endings(&self) -> String {
        let mut endings: Vec<String> =
            self.fought.endings.iter().map(|(ending, count)| said(*ending, *count)).collect();
        if self.fought.refused > 0 {
            endings.push(format!("{} refused before TLS", self.fought.refused));
        }
        or_none(&endings)
    }

    fn counted(&self) -> String {
        let counts = self.fought.counts.iter().map(|count| {
            let names: Vec<&str> =
                count.metrics.iter().map(|name| name.trim_start_matches("lightmoon_")).collect();
            let grown = count.grown(&self.before, &self.after);
            format!("{} +{grown} ({} {})", names.join(" + "), if count.is_most { "≤" } else { "≥" }, count.by)
        });
        or_none(&counts.collect::<Vec<_>>())
    }
}

/// What two equal crowds left behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waves {
    pub(crate) size: u32,
    pub(crate) before: u64,
    pub(crate) entered: Vec<u64>,
    /// Memory when the last of each was gone, and once it had come to rest.
    pub(crate) full: Vec<u64>,
    pub(crate) rested: Vec<u64>,
    pub(crate) is_at_rest: bool,
}

impl Waves {
    pub(crate) fn judge(&self, plan: &Plan) -> Verdict {
        let name = "two crowds that come and go";
        let mut broken = Vec::new();
        let (before, rested) = (self.before, &self.rested);
        let second = mib_of(rested[1]) - mib_of(rested[0]);
        if self.entered.iter().any(|entered| *entered * 10 < u64::from(self.size) * 9) {
            broken.push(format!(
                "of {} clients each only {:?} were let in: no equal crowds",
                self.size, self.entered
            ));
        }
        if !self.is_at_rest {
            broken.push(format!("sessions of a crowd are still there after {REST_WITHIN:?}"));
        }
        if second > mib_of(SECOND_WAVE_MAX) {
            broken.push(format!(
                "the second crowd left {second:+.1} MiB, at most {} are allowed",
                mib(SECOND_WAVE_MAX)
            ));
        }
        let first_max = plan.growth_max + DEPARTED_BYTES;
        if rested[0].saturating_sub(before) > first_max {
            broken.push(format!(
                "the first crowd left {}, at most {} are allowed",
                mib(rested[0] - before),
                mib(first_max)
            ));
        }
        let verdict = if broken.is_empty() { "held" } else { "BROKEN" };
        let lines = vec![
            format!("{name}: {verdict}"),
            format!("  did       {} clients each, let in: {:?}", self.size, self.entered),
            format!(
                "  memory    {} before, {} after the first, {} at rest, {} after the second, {} at rest: {second:+.1} MiB for each further one",
                mib(before),
                mib(self.full[0]),
                mib(rested[0]),
                mib(self.full[1]),
                mib(rested[1])
            ),
        ];
        let row = format!(
            "| {name}, {} each | none: they say goodbye | {} and {} let in | | | | | {:.1} / {:.1} / {:.1}, then {:.1} / {:.1} MiB | {second:+.1} MiB/crowd | {} |",
            self.size,
            self.entered[0],
            self.entered[1],
            mib_of(before),
            mib_of(self.full[0]),
            mib_of(rested[0]),
            mib_of(self.full[1]),
            mib_of(rested[1]),
            if broken.is_empty() { "held" } else { "**broken**" }
        );
        Verdict { name, lines, broken, row }
    }
}

fn said(ending: Ending, count: u64) -> String {
    match ending {
        Ending::Code(code) => format!("{count} × code {code}"),
        Ending::Lost => format!("{count} × by the transport"),
        Ending::Open => format!("{count} × served on"),
    }
}

fn or_none(list: &[String]) -> String {
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

/// Milliseconds for people.
#[expect(clippy::cast_precision_loss, reason = "microseconds of answers")]
fn millis(micros: u64) -> String {
    format!("{:.1}", micros as f64 / 1_000.0)
}
