//! The time of a zone: which tick it is, how long one takes, when the next is due.
//!
//! *Responsible for*: [`ZoneTime`] and [`TickRate`] for systems, and the clock without drift behind them.
//! *Not responsible for*: reading a clock; the worker passes the time in.
//!
//! Invariants:
//! - I1: tick `n` after a start is due at start + n / rate, computed from n: at 30 or 60 Hz nothing adds up.
//! - I2: at most [`BURST_TICKS_MAX`] ticks run at once; a zone later than [`LATE_TICKS_MAX`] skips, and counts what it skipped.

use std::time::Duration;

use bevy_ecs::resource::Resource;
use lightmoon_contract::{Mono, Tick};

use crate::limits::{BURST_TICKS_MAX, LATE_TICKS_MAX, RATE_HZ_MAX};

/// The present tick.
#[derive(Resource, Clone, Copy, Debug)]
pub struct ZoneTime {
    tick: Tick,
    rate_hz: u16,
    now: Mono,
}

impl ZoneTime {
    pub(crate) const fn new(tick: Tick, rate_hz: u16, now: Mono) -> Self {
        Self { tick, rate_hz, now }
    }

    pub(crate) const fn begin_tick(&mut self, rate_hz: u16, now: Mono) {
        self.tick = self.tick.next();
        self.rate_hz = rate_hz;
        self.now = now;
    }

    /// The present tick; between two ticks the last one.
    #[must_use]
    pub const fn tick(&self) -> Tick {
        self.tick
    }

    /// Ticks per second.
    #[must_use]
    pub const fn rate_hz(&self) -> u16 {
        self.rate_hz
    }

    /// Seconds of game time that one tick advances: always 1 / rate, however late it runs.
    #[must_use]
    pub fn step_seconds(&self) -> f32 {
        1.0 / f32::from(self.rate_hz)
    }

    /// When the present tick began to run.
    #[must_use]
    pub const fn now(&self) -> Mono {
        self.now
    }
}

/// Ticks per second from the next tick on. A system may change it.
#[derive(Resource, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickRate {
    hz: u16,
}

impl TickRate {
    pub(crate) fn new(hz: u16) -> Self {
        Self { hz: hz.clamp(1, RATE_HZ_MAX) }
    }

    /// Ticks per second.
    #[must_use]
    pub const fn hz(&self) -> u16 {
        self.hz
    }

    /// Sets the rate, clamped to 1 ..= 60. It holds from the next tick on; clients follow with its state packet.
    pub fn set_hz(&mut self, hz: u16) {
        *self = Self::new(hz);
    }
}

/// When ticks are due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickClock {
    /// From where ticks are counted: the activation, or the last change of rate.
    start: Mono,
    ticks: u64,
    rate_hz: u16,
}

impl TickClock {
    pub(crate) const fn new(start: Mono, rate_hz: u16) -> Self {
        Self { start, ticks: 0, rate_hz }
    }

    /// When the next tick is due.
    pub(crate) fn next_due(&self) -> Mono {
        self.due(self.ticks + 1)
    }

    fn due(&self, ticks: u64) -> Mono {
        let rate = u64::from(self.rate_hz);
        self.start
            + Duration::from_secs(ticks / rate)
            + Duration::from_nanos(ticks % rate * 1_000_000_000 / rate)
    }

    /// Whether a tick is due at `now`, as the `already`-th of this call of the worker; counts it if so.
    pub(crate) fn take_due(&mut self, now: Mono, already: u32) -> bool {
        let is_due = already < BURST_TICKS_MAX && self.next_due() <= now;
        self.ticks += u64::from(is_due);
        is_due
    }

    /// Gives up all that is due if it is too much to catch up; how many ticks that were.
    pub(crate) fn skip_late(&mut self, now: Mono) -> u64 {
        if self.next_due() > now {
            return 0;
        }
        // Three centuries of nanoseconds fit 64 bits, times 60 they need a few more.
        let behind = now.since(self.next_due()).as_nanos() * u128::from(self.rate_hz) / 1_000_000_000;
        let due = u64::try_from(behind).unwrap_or(u64::MAX).saturating_add(1);
        if due <= LATE_TICKS_MAX {
            return 0;
        }
        self.ticks += due;
        due
    }

    /// Goes on at another rate, from the tick that ran last.
    pub(crate) fn set_rate(&mut self, rate_hz: u16) {
        if rate_hz != self.rate_hz {
            *self = Self { start: self.due(self.ticks), ticks: 0, rate_hz };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn no_rate_drifts() {
        for rate in 1..=RATE_HZ_MAX {
            let start = Mono(123_456_789);
            let mut clock = TickClock::new(start, rate);
            let mut last = start;
            for tick in 1..=u64::from(rate) * 1_000 {
                let due = clock.next_due();
                let exact = start.0
                    + u64::try_from(u128::from(tick) * u128::from(SECOND) / u128::from(rate)).unwrap();
                assert_eq!(due, Mono(exact), "tick {tick} at {rate} Hz");
                assert!(due > last);
                last = due;
                assert!(clock.take_due(due, 0));
            }
            assert_eq!(last, Mono(start.0 + 1_000 * SECOND), "{rate} Hz");
        }
    }

    #[test]
    fn a_late_zone_catches_up_by_two_and_skips_what_is_hopeless() {
        let mut clock = TickClock::new(Mono(0), 20);
        // 240 ms: ticks 1 to 4 are due; two run, two remain for the next turn.
        let now = Mono::from_millis(240);
        assert!(clock.take_due(now, 0) && clock.take_due(now, 1) && !clock.take_due(now, 2));
        assert_eq!(clock.skip_late(now), 0);
        assert!(clock.take_due(now, 0) && clock.take_due(now, 1));
        assert_eq!(clock.next_due(), Mono::from_millis(250));
        // 10 s later nearly 200 are missing.
        let now = Mono::from_millis(10_000);
        assert!(clock.take_due(now, 0) && clock.take_due(now, 1));
        assert_eq!(clock.skip_late(now), 194);
        assert_eq!(clock.next_due(), Mono::from_millis(10_050));
    }

    #[test]
    fn a_change_of_rate_starts_where_the_last_tick_was_due() {
        let mut clock = TickClock::new(Mono(0), 20);
        assert!(clock.take_due(Mono::from_millis(51), 0));
        clock.set_rate(50);
        assert_eq!(clock.next_due(), Mono::from_millis(70));
        clock.set_rate(1);
        assert_eq!(clock.next_due(), Mono::from_millis(1_050));
    }
}
