//! How often the node's thread takes a turn.
//!
//! *Responsible for*: gathering events under load. *Not responsible for*: waiting for the first one.
//!
//! A turn for each event is the quickest answer and the dearest: with a thousand clients each of their datagrams would wake the
//! thread, and two threads on one core would do little but change places. So turns come from a bucket: while it has some, a turn
//! begins at once; when it is empty, one comes in each [`limits::TURN_EVERY`], and what arrives in between shares it.
//!
//! Invariants:
//! - I1: in any time there begin at most [`limits::TURNS_AT_ONCE`] turns and one more for each [`limits::TURN_EVERY`].
//! - I2: after a quiet time of both multiplied, a turn waits for nothing.

use std::time::Duration;

use lightmoon_contract::Mono;

use crate::limits;

/// The bucket: full when its time is as long ago as it may be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// When the next turn may begin.
    next: Mono,
}

impl Pace {
    /// How long the next turn has to wait.
    pub(crate) fn wait(self, now: Mono) -> Duration {
        self.next.since(now)
    }

    /// A turn begins.
    pub(crate) fn turn(&mut self, now: Mono) {
        let full = limits::TURN_EVERY * limits::TURNS_AT_ONCE;
        let oldest = Mono(now.0.saturating_sub(u64::try_from(full.as_nanos()).unwrap_or(u64::MAX)));
        self.next = self.next.max(oldest) + limits::TURN_EVERY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns that begin within a second when there is always something to do.
    fn turns(pace: &mut Pace, from: Mono) -> u32 {
        let (mut now, mut count) = (from, 0);
        while now < from + Duration::from_secs(1) {
            let wait = pace.wait(now);
            now = now + wait;
            pace.turn(now);
            count += 1;
            // A turn takes a while.
            now = now + Duration::from_micros(10);
        }
        count
    }

    #[test]
    fn under_load_turns_come_one_by_one() {
        let mut pace = Pace::default();
        let many = turns(&mut pace, Mono::from_millis(5_000));
        assert!((500..=501 + limits::TURNS_AT_ONCE).contains(&many), "{many}");
    }

    #[test]
    fn after_a_quiet_time_nothing_waits() {
        let mut pace = Pace::default();
        turns(&mut pace, Mono::from_millis(5_000));
        let mut now = Mono::from_millis(6_000) + limits::TURN_EVERY * (limits::TURNS_AT_ONCE + 1);
        for _ in 0..limits::TURNS_AT_ONCE {
            assert_eq!(pace.wait(now), Duration::ZERO);
            pace.turn(now);
            now = now + Duration::from_micros(1);
        }
    }
}
