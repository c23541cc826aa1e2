//! How much of a node one source takes: links that have not said who they are, and sessions.
//!
//! *Responsible for*: counting both by source, naming the link that gives way. *Not responsible for*: closing it, what a source may
//! have (the gateway).
//!
//! Invariants:
//! - I1: what gives way is the oldest silent link of the source that has the most of them: an honest client speaks within a round
//!   trip, so those of one who only takes places are older, or more.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::LinkId;

/// One source: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets at least.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Source {
    V4(u32),
    V6(u64),
    /// Of a transport whose addresses are no socket's.
    Named(String),
}

impl Source {
    pub(super) fn of(remote: &str) -> Self {
        match remote.parse::<SocketAddr>().map(|address| address.ip().to_canonical()) {
            Ok(IpAddr::V4(address)) => Self::V4(address.to_bits()),
            Ok(IpAddr::V6(address)) => {
                Self::V6(u64::try_from(address.to_bits() >> 64).expect("64 bits are left"))
            }
            Err(_) => Self::Named(remote.to_owned()),
        }
    }
}

/// How many of something each source has.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(BTreeMap<Source, usize>);

impl Counts {
    pub(super) fn of(&self, source: &Source) -> usize {
        self.0.get(source).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, source: Source) {
        *self.0.entry(source).or_insert(0) += 1;
    }

    pub(super) fn remove(&mut self, source: &Source) {
        if let Some(count) = self.0.get_mut(source) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(source);
            }
        }
    }
}

/// Links that have not said who they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Silent {
    /// Oldest first: numbers of links grow.
    links: BTreeMap<LinkId, Source>,
    counts: Counts,
}

impl Silent {
    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    pub(super) fn add(&mut self, link: LinkId, source: Source) {
        self.counts.add(source.clone());
        if let Some(before) = self.links.insert(link, source) {
            self.counts.remove(&before);
        }
    }

    pub(super) fn remove(&mut self, link: LinkId) {
        if let Some(source) = self.links.remove(&link) {
            self.counts.remove(&source);
        }
    }

    /// Who gives way when there is no room for one more.
    pub(super) fn gives_way(&self) -> Option<LinkId> {
        let most = self.counts.0.values().max()?;
        self.links.iter().find(|(_, source)| self.counts.of(source) == *most).map(|(link, _)| *link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_what_one_customer_has() {
        assert_eq!(Source::of("10.0.0.1:1"), Source::of("10.0.0.1:2"));
        assert_ne!(Source::of("10.0.0.1:1"), Source::of("10.0.0.2:1"));
        assert_eq!(Source::of("[2001:db8::1]:1"), Source::of("[2001:db8::2]:1"));
        assert_ne!(Source::of("[2001:db8::1]:1"), Source::of("[2001:db8:0:1::1]:1"));
        assert_eq!(Source::of("[::ffff:10.0.0.1]:1"), Source::of("10.0.0.1:9"));
        assert_eq!(Source::of("pipe"), Source::Named("pipe".to_owned()));
    }

    #[test]
    fn the_oldest_of_the_source_with_the_most_gives_way() {
        let mut silent = Silent::default();
        silent.add(LinkId(1), Source::V4(1));
        for link in 2..5 {
            silent.add(LinkId(link), Source::V4(66));
        }
        silent.add(LinkId(5), Source::V4(2));
        assert_eq!(silent.gives_way(), Some(LinkId(2)));
        silent.remove(LinkId(2));
        silent.remove(LinkId(2));
        assert_eq!((silent.gives_way(), silent.len()), (Some(LinkId(3)), 4));
        silent.remove(LinkId(3));
        assert_eq!(silent.gives_way(), Some(LinkId(1)), "of equals the oldest");
    }
}
