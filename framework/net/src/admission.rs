//! Who may begin a handshake.
//!
//! *Responsible for*: counting handshakes and links, in all and per source, and deciding on each attempt. *Not responsible for*:
//! who the client is (`node`).
//!
//! An address in a first packet may be anybody's. What is decided against a source for such packets is therefore only that it
//! must show that the address is its own, which costs us no memory; what it may begin then is counted apart.
//!
//! Invariants:
//! - I1: handshakes in progress and links open are never more than their limits, in all and per source; both are given back when
//!   dropped.
//! - I2: whoever shows that an address is his finds a place for his handshake, however many others are silent: the oldest handshake
//!   of the source that holds the most gives way.
//! - I3: nobody can use up what a source may begin by writing its address on his packets.

use crate::counters::Tally;
use crate::limits;
use crate::source::{Bucket, Source};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// What to do with an attempt.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Go on; hold the place until the link is gone.
    Accept(Place),
    /// Ask the client to show that it owns its address, which costs us no memory.
    Retry,
    /// Full.
    Refuse,
}

/// How many there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) handshakes_max: usize,
    pub(crate) links_max: usize,
    pub(crate) source_handshakes_max: usize,
    pub(crate) source_links_max: usize,
}

/// The limits of one endpoint and what is taken of them.
#[derive(Debug)]
pub(crate) struct Admission {
    bounds: Bounds,
    taken: Mutex<Taken>,
    tally: Arc<Tally>,
}

/// Whom an attempt is counted for. Links are counted for the one who is proved: whose handshake is done got our packets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Party {
    source: Source,
    /// Whether it showed that the address is its own.
    is_proved: bool,
}

#[derive(Debug, Default)]
struct Taken {
    /// Those in progress, oldest first.
    handshakes: BTreeMap<u64, Party>,
    /// Those that had to give way and were not taken out yet.
    evicted: Vec<u64>,
    links: usize,
    parties: HashMap<Party, Holding>,
    next: u64,
}

/// What one party has.
#[derive(Debug)]
struct Holding {
    handshakes: usize,
    links: usize,
    /// What it may begin.
    bucket: Bucket,
}

impl Admission {
    pub(crate) fn new(bounds: Bounds, tally: Arc<Tally>) -> Arc<Self> {
        let bounds = Bounds {
            handshakes_max: bounds.handshakes_max.max(1),
            links_max: bounds.links_max.max(1),
            source_handshakes_max: bounds.source_handshakes_max.max(1),
            source_links_max: bounds.source_links_max.max(1),
        };
        Arc::new(Self { bounds, taken: Mutex::default(), tally })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().expect("nothing panics while it is held")
    }

    /// Decides on an attempt from `remote`, who did (or did not yet) show that it owns that address.
    pub(crate) fn decide(self: &Arc<Self>, remote: SocketAddr, is_proved: bool, now: Instant) -> Verdict {
        let bounds = self.bounds;
        let party = Party { source: Source::of(remote), is_proved };
        let mut taken = self.taken();
        // One of the handshakes gives way to a new one when all places are taken.
        let handshakes = taken.handshakes.len().min(bounds.handshakes_max - 1);
        if taken.links + handshakes >= bounds.links_max {
            self.tally.refused.add(1);
            return Verdict::Refuse;
        }
        let is_crowded = taken.handshakes.len() * 2 >= bounds.handshakes_max;
        if !is_proved && is_crowded {
            self.tally.retried.add(1);
            return Verdict::Retry;
        }
        let links = taken.links_of(party.source);
        let holding = taken.holding(party, now);
        let is_over = links + holding.handshakes >= bounds.source_links_max
            || holding.handshakes >= bounds.source_handshakes_max
            || !holding.bucket.take(now);
        if is_over && is_proved {
            self.tally.refused_source.add(1);
            return Verdict::Refuse;
        }
        if is_over {
            self.tally.retried.add(1);
            return Verdict::Retry;
        }
        holding.handshakes += 1;
        if taken.handshakes.len() >= bounds.handshakes_max {
            // Its place counts as given back at once; the task that holds it ends a moment later.
            taken.evict();
            self.tally.handshakes.sub(1);
            self.tally.handshakes_evicted.add(1);
        }
        let number = taken.next;
        taken.next += 1;
        taken.handshakes.insert(number, party);
        self.tally.handshakes.add(1);
        Verdict::Accept(Place { admission: Arc::clone(self), party, number, is_link: false })
    }

    /// The numbers of the handshakes that had to give way since it was asked the last time.
    pub(crate) fn take_evicted(&self) -> Vec<u64> {
        std::mem::take(&mut self.taken().evicted)
    }
}

impl Taken {
    fn holding(&mut self, party: Party, now: Instant) -> &mut Holding {
        if self.parties.len() >= limits::SOURCES_MAX && !self.parties.contains_key(&party) {
            self.parties.retain(|_, holding| !holding.is_as_new(now));
            if self.parties.len() >= limits::SOURCES_MAX {
                // Those that hold something are bounded by handshakes and links.
                self.parties.retain(|_, holding| holding.handshakes + holding.links > 0);
            }
        }
        self.parties.entry(party).or_insert_with(|| Holding {
            handshakes: 0,
            links: 0,
            bucket: Bucket::full(limits::SOURCE_HANDSHAKES_BURST, limits::SOURCE_HANDSHAKES_PER_SECOND, now),
        })
    }

    fn links_of(&self, source: Source) -> usize {
        self.parties.get(&Party { source, is_proved: true }).map_or(0, |holding| holding.links)
    }

    fn handshakes_of(&self, party: Party) -> usize {
        self.parties.get(&party).map_or(0, |holding| holding.handshakes)
    }

    /// Ends the oldest handshake of the party that has the most.
    fn evict(&mut self) {
        let most = self.handshakes.values().map(|party| self.handshakes_of(*party)).max();
        let oldest = self.handshakes.iter().find(|(_, party)| Some(self.handshakes_of(**party)) == most);
        if let Some(number) = oldest.map(|(number, _)| *number) {
            self.evicted.push(number);
            self.give_back(number);
        }
    }

    /// A handshake is over; `None`: it was evicted before.
    fn give_back(&mut self, number: u64) -> Option<Party> {
        let party = self.handshakes.remove(&number)?;
        if let Some(holding) = self.parties.get_mut(&party) {
            holding.handshakes -= 1;
        }
        Some(party)
    }
}

impl Holding {
    /// Whether forgetting it changes nothing.
    fn is_as_new(&mut self, now: Instant) -> bool {
        self.handshakes + self.links == 0 && self.bucket.is_full(now)
    }
}

/// One handshake or one link; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    party: Party,
    number: u64,
    is_link: bool,
}

impl Place {
    /// Whether it had to give way to another.
    pub(crate) fn is_evicted(&self) -> bool {
        !self.is_link && !self.admission.taken().handshakes.contains_key(&self.number)
    }

    /// The number of the handshake, never used twice.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// The handshake is done: the place counts as a link from now on. `None`: it had to give way just before, or its source has all
    /// links that it may have.
    pub(crate) fn into_link(mut self) -> Option<Self> {
        let admission = Arc::clone(&self.admission);
        let source = self.party.source;
        let mut taken = admission.taken();
        if taken.links_of(source) >= admission.bounds.source_links_max {
            admission.tally.refused_source.add(1);
            drop(taken);
            return None;
        }
        taken.give_back(self.number)?;
        self.party.is_proved = true;
        taken.links += 1;
        taken.holding(self.party, Instant::now()).links += 1;
        drop(taken);
        admission.tally.links.add(1);
        admission.tally.links_opened.add(1);
        admission.tally.handshakes.sub(1);
        self.is_link = true;
        Some(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A panic elsewhere must not make this one a second.
        let Ok(mut taken) = self.admission.taken.lock() else { return };
        if self.is_link {
            taken.links -= 1;
            if let Some(holding) = taken.parties.get_mut(&self.party) {
                holding.links -= 1;
            }
            self.admission.tally.links.sub(1);
        } else if taken.give_back(self.number).is_some() {
            self.admission.tally.handshakes.sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
