//! A run: a quiet phase before each attack, then the attack while honest bots play.
//!
//! *Responsible for*: the order, windows of what honest bots see, waiting for counts and for rest. *Not responsible for*: attacking
//! ([`crate::attack`]), judging ([`crate::verdict`]).
//!
//! ```text
//! quiet:   window window …
//! attack:  window window … ─ over ─ closed ─ counted ─ sessions are those of honest bots again ─ memory
//!                 └ somebody comes
//! ```
//!
//! Invariants:
//! - I1: an attack goes on until all windows are full.
//! - I2: attackers are nicer than honest bots, whose machine they share, so that what bots measure is the server.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use game_sample_bots::Location;
use game_sample_rig::{Console, Metrics, Server, process};

use crate::attack::{self, Attack, Fought, Ground};
use crate::honest::{Honest, Seen, newcomer};
use crate::limits::{
    ANSWERS_MIN, ANSWERS_SHORT_MIN, COUNTED_WITHIN, LOOK_EVERY, MEMORY_EVERY, NEWCOMER_WITHIN, REST_WITHIN,
    WAVE, WAVE_SHORT, WINDOW_WITHIN, WINDOWS,
};
use crate::memory::{self, Watch};
use crate::verdict::{Trial, Verdict, Waves};

/// What a run is held to.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) ground: Ground,
    pub(crate) growth_max: u64,
    /// Least time of a window.
    pub(crate) window: Duration,
    /// Whether times count. Not where other programs share the machine.
    pub(crate) is_timed: bool,
    /// Honest bots.
    pub(crate) count: usize,
}

impl Plan {
    /// Windows of an attack.
    pub(crate) const fn windows(&self) -> usize {
        windows(self.ground.is_short)
    }
}

/// Windows of each attack.
pub(crate) const fn windows(is_short: bool) -> usize {
    if is_short { 1 } else { WINDOWS }
}

/// Everything that takes part.
pub(crate) struct Field<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) server: &'a mut Server,
    pub(crate) console: Console,
    pub(crate) location: &'a Location,
    pub(crate) honest: &'a Honest,
}

/// The sessions that there are, and those that wait for their clients: a gauge of the server.
const SESSIONS: &str = "lightmoon_session_open";

impl Field<'_> {
    /// What honest bots see in so much time that it says something.
    fn window(&self) -> Seen {
        let enough = if self.plan.ground.is_short { ANSWERS_SHORT_MIN } else { ANSWERS_MIN };
        let (began, mut seen) = (Instant::now(), self.honest.take());
        seen = Seen { answers_us: Vec::new(), ..seen };
        while (began.elapsed() < self.plan.window || seen.answers_us.len() < enough)
            && began.elapsed() < WINDOW_WITHIN
        {
            std::thread::sleep(LOOK_EVERY);
            seen.add(self.honest.take());
        }
        seen
    }

    fn windows(&self) -> Vec<Seen> {
        (0..self.plan.windows()).map(|_| self.window()).collect()
    }

    /// One attack.
    pub(crate) fn fight(&mut self, number: u8, attack: &'static Attack) -> Result<Trial> {
        let pid = self.server.pid()?;
        let quiet = self.windows();
        let ground = self.plan.ground.of_attack(number);
        let (before, watch) = (self.console.metrics()?, Watch::start(pid));
        let (fought, came, seen) = std::thread::scope(|threads| {
            let attacking = threads.spawn(|| as_attacker(&ground, attack.fight));
            let coming = threads.spawn(|| newcomer(self.location, &format!("new-{number}"), NEWCOMER_WITHIN));
            let seen = self.windows();
            ground.is_over.store(true, Ordering::Relaxed);
            (attacking.join(), coming.join(), seen)
        });
        let fought = fought.map_err(|_| anyhow::anyhow!("the attack panicked"))?;
        let fought = fought.with_context(|| format!("the attack itself failed: {}", attack.name))?;
        let came = came.map_err(|_| anyhow::anyhow!("the newcomer panicked"))?;
        let memory = watch.stop()?;
        let after = self.await_counts(&fought, &before)?;
        let is_at_rest = self.await_rest()?;
        let rested = memory::resident(pid)?;
        let lives = self.server.lives();
        Ok(Trial { attack, fought, came, quiet, seen, memory, rested, is_at_rest, lives, before, after })
    }

    /// Two crowds of one size that come and go: the second one must find all the memory that the first one left.
    pub(crate) fn waves(&mut self) -> Result<Verdict> {
        let size = if self.plan.ground.is_short { WAVE_SHORT } else { WAVE };
        let pid = self.server.pid()?;
        let mut waves = Waves { size, is_at_rest: self.await_rest()?, ..Waves::default() };
        waves.before = memory::resident(pid)?;
        for number in 1..=2u8 {
            let ground = self.plan.ground.of_attack(number);
            waves.entered.push(as_attacker(&ground, |ground| {
                Box::pin(async move { attack::wave(ground, &format!("wave-{number}"), size).await })
            })?);
            waves.full.push(memory::resident(pid)?);
            waves.is_at_rest &= self.await_rest()?;
            waves.rested.push(memory::resident(pid)?);
        }
        Ok(waves.judge(self.plan))
    }

    /// Metrics are copied a few times a second, and some offences end late: waits until what has to be counted is.
    fn await_counts(&self, fought: &Fought, before: &Metrics) -> Result<Metrics> {
        let began = Instant::now();
        loop {
            let after = self.console.metrics()?;
            let is_right = fought.counts.iter().all(|count| count.is_most || count.is_right(before, &after));
            if is_right || began.elapsed() > COUNTED_WITHIN {
                return Ok(after);
            }
            std::thread::sleep(MEMORY_EVERY);
        }
    }

    /// Until there are no sessions but those of honest bots; `false`: there still are.
    fn await_rest(&self) -> Result<bool> {
        let began = Instant::now();
        // A copy of the metrics from before the end shows fewer of them than there are.
        std::thread::sleep(MEMORY_EVERY * 2);
        #[expect(clippy::cast_precision_loss, reason = "hundreds of bots")]
        let honest = self.plan.count as f64;
        while self.console.metrics()?.get(SESSIONS).is_none_or(|sessions| *sessions > honest) {
            if began.elapsed() > REST_WITHIN {
                return Ok(false);
            }
            std::thread::sleep(MEMORY_EVERY);
        }
        Ok(true)
    }
}

/// Runs an attack on this thread, and closes what it left open. The thread gives way to others from now on.
fn as_attacker<'a, T>(
    ground: &'a Ground,
    fight: impl FnOnce(&'a Ground) -> std::pin::Pin<Box<dyn Future<Output = Result<T>> + 'a>>,
) -> Result<T> {
    process::give_way()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let done = fight(ground).await;
        ground.clear().await;
        done
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}
