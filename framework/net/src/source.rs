//! Where connections come from, for limits per source.
//!
//! *Responsible for*: what counts as one source, rates of handshakes. *Not responsible for*: what is decided
//! ([`crate::admission`]).
//!
//! Invariants:
//! - I1: over any span of t seconds one source begins at most `burst + per_second · t` handshakes that nobody vouched for, and as
//!   many for whose address it did (Source: token bucket, RFC 2697 §3).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// One source: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets at least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Source {
    V4(u32),
    V6(u64),
}

impl Source {
    pub(crate) fn of(address: SocketAddr) -> Self {
        // A socket on `[::]` shows IPv4 clients as IPv6 addresses: all of them lie in one network.
        match address.ip().to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64;
                Self::V6(u64::try_from(network).expect("64 bits are left"))
            }
        }
    }
}

/// How many handshakes may begin now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    burst: f64,
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    pub(crate) fn full(burst: u32, per_second: u32, now: Instant) -> Self {
        let [burst, per_second] = [burst, per_second].map(|count| f64::from(count.max(1)));
        Self { burst, per_second, left: burst, at: now }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.burst);
        self.at = self.at.max(now);
    }

    /// Takes one out; `false`: there is none.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }

    /// Puts back what was taken for nothing.
    pub(crate) fn give_back(&mut self) {
        self.left = (self.left + 1.0).min(self.burst);
    }

    /// When it has one.
    pub(crate) fn next(&mut self, now: Instant) -> Instant {
        self.fill(now);
        now + Duration::from_secs_f64((1.0 - self.left).max(0.0) / self.per_second)
    }

    /// Whether it holds no more than a new one would.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.left >= self.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    #[test]
    fn a_source_is_what_one_customer_has() {
        let of = |address: &str| Source::of(address.parse().unwrap());
        assert_eq!(of("10.0.0.1:1"), of("10.0.0.1:2"));
        assert_ne!(of("10.0.0.1:1"), of("10.0.0.2:1"));
        assert_eq!(of("[2001:db8:1:2::1]:1"), of("[2001:db8:1:2:ffff::9]:7"));
        assert_ne!(of("[2001:db8:1:2::1]:1"), of("[2001:db8:1:3::1]:1"));
        assert_eq!(of("[::ffff:10.0.0.1]:1"), of("10.0.0.1:1"), "as a socket on [::] shows it");
        assert_ne!(of("[::ffff:10.0.0.1]:1"), of("[::ffff:10.0.0.2]:1"));
    }

    #[test]
    fn a_steady_source_gets_its_rate_and_no_more() {
        let start = Instant::now();
        let mut bucket =
            Bucket::full(limits::SOURCE_HANDSHAKES_BURST, limits::SOURCE_HANDSHAKES_PER_SECOND, start);
        let mut passed = 0;
        for ms in 0..20_000 {
            passed += u32::from(bucket.take(start + Duration::from_millis(ms)));
        }
        let most = limits::SOURCE_HANDSHAKES_BURST + 20 * limits::SOURCE_HANDSHAKES_PER_SECOND;
        assert!(passed <= most && passed + 2 >= most, "{passed} of {most}");
        assert!(!bucket.is_full(start + Duration::from_secs(20)));
        assert!(bucket.is_full(start + Duration::from_secs(60)));
    }
}
