//! Pings, the round-trip time, and whether the server is still there.
//!
//! *Responsible for*: when to ping, what a pong says, when silence is too long. *Not responsible for*: what follows.

use std::collections::VecDeque;
use std::time::Duration;

use lightmoon_contract::Mono;

use crate::limits;

/// The pulse of one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    every: Duration,
    silence_max: Duration,
    heard_at: Mono,
    next_ping: Mono,
    nonce: u64,
    /// Pings without a pong yet, oldest first.
    open: VecDeque<(u64, Mono)>,
    rtt: Option<Duration>,
}

impl Pulse {
    pub(super) const fn new(now: Mono, every: Duration, silence_max: Duration) -> Self {
        Self { every, silence_max, heard_at: now, next_ping: now, nonce: 0, open: VecDeque::new(), rtt: None }
    }

    /// Something arrived.
    pub(super) const fn heard(&mut self, now: Mono) {
        self.heard_at = now;
    }

    /// The nonce of a ping to send now.
    pub(super) fn beat(&mut self, now: Mono) -> Option<u64> {
        if now < self.next_ping {
            return None;
        }
        self.next_ping = now + self.every;
        self.nonce += 1;
        if self.open.len() == limits::PINGS_OPEN_MAX {
            self.open.pop_front();
        }
        self.open.push_back((self.nonce, now));
        Some(self.nonce)
    }

    /// A pong arrived; one that was not asked for, or came twice, says nothing.
    pub(super) fn pong(&mut self, now: Mono, nonce: u64) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == nonce) else { return };
        let Some((_, sent)) = self.open.remove(at) else { return };
        let sample = now.since(sent);
        // Source: RFC 9002 section 5.3, smoothed_rtt.
        self.rtt = Some(self.rtt.map_or(sample, |rtt| (rtt * 7 + sample) / 8));
    }

    /// Whether nothing was heard for too long.
    pub(super) fn is_silent(&self, now: Mono) -> bool {
        now >= self.heard_at + self.silence_max
    }

    pub(super) fn next_deadline(&self) -> Mono {
        self.next_ping.min(self.heard_at + self.silence_max)
    }

    pub(super) const fn rtt(&self) -> Option<Duration> {
        self.rtt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Mono {
        Mono::from_millis(millis)
    }

    fn pulse() -> Pulse {
        Pulse::new(at(0), Duration::from_secs(1), Duration::from_secs(5))
    }

    #[test]
    fn a_pong_gives_the_round_trip_time_once() {
        let mut pulse = pulse();
        let nonce = pulse.beat(at(0)).unwrap();
        assert_eq!(pulse.beat(at(999)), None);
        pulse.pong(at(80), nonce);
        pulse.pong(at(500), nonce);
        pulse.pong(at(500), 77);
        assert_eq!(pulse.rtt(), Some(Duration::from_millis(80)));
        let nonce = pulse.beat(at(1_000)).unwrap();
        pulse.pong(at(1_160), nonce);
        assert_eq!(pulse.rtt(), Some(Duration::from_millis(90)));
    }

    #[test]
    fn silence_counts_from_what_was_heard_last() {
        let mut pulse = pulse();
        pulse.heard(at(2_000));
        assert!(!pulse.is_silent(at(6_999)));
        assert!(pulse.is_silent(at(7_000)));
    }

    #[test]
    fn unanswered_pings_are_bounded() {
        let mut pulse = pulse();
        for second in 0..100 {
            pulse.beat(at(second * 1_000)).unwrap();
        }
        assert_eq!(pulse.open.len(), limits::PINGS_OPEN_MAX);
    }
}
