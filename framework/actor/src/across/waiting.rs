//! What waits in one class for one other worker, and what gives way when it is too much.
//!
//! *Responsible for*: order, room, who gives way by its reliability. *Not responsible for*: saying no to who sends
//! ([`crate::port`] asks [`Waiting::has_room`] before), rings.
//!
//! ```text
//! reliable            stays; refused before it is sent when there is no room
//! unreliable          gives way, the oldest first, of the lower priority before those of the higher
//! unreliable_latest   the same, and the newest of a key (sender, receiver, operation) takes the place of the one that waits
//! ```
//!
//! While the rings have room nothing of this is looked at: all that is sent stands in one queue. Only what is sent under
//! *pressure* (more waits than is carried at once, or a ring was full) is kept apart, so that one that gives way is found at once.
//!
//! Invariants:
//! - I1: what leaves, leaves in the order in which it was put; only the newest of a key leaves in the place of the one that it
//!   replaced: behind everything that was put since, one that is replaced again and again would never leave.
//! - I2: of what may be lost no more is here than fits [`limits::ACROSS_MAX`] together with all else.
//! - I3: no value of a user is dropped here: what gives way is handed out.

use std::collections::{BTreeMap, VecDeque};

use lightmoon_contract::{ActorId, Caller, OperationNumber, Priority, Reliability};

use super::Crossing;
use crate::{Envelope, limits};

/// Whose newest message counts.
type Key = (ActorId, ActorId, OperationNumber);

/// Messages of one priority that may be lost, by when they were put.
#[derive(Debug, Default)]
struct Loose {
    any: VecDeque<(u64, Crossing)>,
    latest: BTreeMap<u64, Crossing>,
}

impl Loose {
    /// When the oldest was put, and whether it is one of [`Self::latest`].
    fn oldest(&self) -> Option<(u64, bool)> {
        let any = self.any.front().map(|(put, _)| (*put, false));
        let latest = self.latest.first_key_value().map(|(put, _)| (*put, true));
        any.into_iter().chain(latest).min()
    }
}

/// What gave way.
#[derive(Debug)]
pub(crate) struct GaveWay {
    /// It; may be the one that was put.
    pub(crate) crossing: Crossing,
    /// Whether a newer one of its key took its place; else there was no room.
    pub(crate) is_replaced: bool,
}

impl GaveWay {
    const fn for_room(crossing: Crossing) -> Self {
        Self { crossing, is_replaced: false }
    }
}

/// What waits in one class for one other worker.
#[derive(Debug)]
pub struct Waiting {
    /// How much may wait.
    most: usize,
    /// How many were put so far.
    put: u64,
    /// All that was put without pressure, and what may not be lost.
    firm: VecDeque<(u64, Crossing)>,
    /// What may be lost, of the higher and the lower priority of the class.
    loose: [Loose; 2],
    loose_count: usize,
    /// Where the one of each key waits.
    keys: BTreeMap<Key, u64>,
    is_pressed: bool,
}

impl Default for Waiting {
    fn default() -> Self {
        Self::with_room_for(limits::ACROSS_MAX)
    }
}

impl Waiting {
    fn with_room_for(most: usize) -> Self {
        Self {
            most,
            put: 0,
            firm: VecDeque::new(),
            loose: Default::default(),
            loose_count: 0,
            keys: BTreeMap::new(),
            is_pressed: false,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.firm.len() + self.loose_count
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether one more message that may not be lost has room, if need be of one that may.
    pub(crate) fn has_room(&self) -> bool {
        self.len() < self.most || self.loose_count > 0
    }

    /// A ring was full, or has taken everything.
    pub(super) fn carried(&mut self) {
        self.is_pressed = !self.is_empty();
    }

    /// Puts one behind the others. What had to give way is handed out; it may be the one that was put.
    pub(super) fn put(&mut self, crossing: Crossing) -> Option<GaveWay> {
        let Some((priority, key)) = self.may_be_lost(&crossing) else {
            let gives_way = if self.len() >= self.most { self.drop_oldest(0) } else { None };
            let put = self.next();
            self.firm.push_back((put, crossing));
            return gives_way.map(GaveWay::for_room);
        };
        if let Some(key) = key
            && let Some(waits) = self.keys.get(&key).and_then(|put| self.loose[priority].latest.get_mut(put))
        {
            let older = std::mem::replace(waits, crossing);
            return Some(GaveWay { crossing: older, is_replaced: true });
        }
        let gives_way = if self.len() >= self.most {
            match self.drop_oldest(priority) {
                None => return Some(GaveWay::for_room(crossing)),
                older => older,
            }
        } else {
            None
        };
        let put = self.next();
        self.loose_count += 1;
        match key {
            Some(key) => {
                self.keys.insert(key, put);
                self.loose[priority].latest.insert(put, crossing);
            }
            None => self.loose[priority].any.push_back((put, crossing)),
        }
        gives_way.map(GaveWay::for_room)
    }

    const fn next(&mut self) -> u64 {
        self.put += 1;
        self.put
    }

    /// Of one that is kept apart: 0 for the higher priority of the class and 1 for the lower, and its key.
    fn may_be_lost(&self, crossing: &Crossing) -> Option<(usize, Option<Key>)> {
        let Crossing::Message { envelope, asked: None } = crossing else { return None };
        if envelope.reliability.is_reliable()
            || !(self.is_pressed || self.firm.len() >= limits::CARRIED_AT)
            || envelope.number.is_reserved()
        {
            return None;
        }
        let lower = usize::from(matches!(envelope.priority, Priority::High | Priority::Low));
        Some((lower, key(envelope)))
    }

    /// Takes the oldest out of those that may be lost, of the lower priority if there are any; those of the higher give way to
    /// their like and to what may not be lost.
    fn drop_oldest(&mut self, for_priority: usize) -> Option<Crossing> {
        let (priority, is_latest) = (for_priority..2).rev().find_map(|priority| {
            let (_, is_latest) = self.loose[priority].oldest()?;
            Some((priority, is_latest))
        })?;
        self.take_loose(priority, is_latest)
    }

    fn take_loose(&mut self, priority: usize, is_latest: bool) -> Option<Crossing> {
        let loose = &mut self.loose[priority];
        let crossing = if is_latest {
            let (_, crossing) = loose.latest.pop_first()?;
            if let Crossing::Message { envelope, .. } = &crossing
                && let Some(key) = key(envelope)
            {
                self.keys.remove(&key);
            }
            crossing
        } else {
            loose.any.pop_front()?.1
        };
        self.loose_count -= 1;
        Some(crossing)
    }

    /// Takes the one that was put first.
    pub fn pop(&mut self) -> Option<Crossing> {
        if self.loose_count == 0 {
            return self.firm.pop_front().map(|(_, crossing)| crossing);
        }
        let firm = self.firm.front().map_or(u64::MAX, |(put, _)| *put);
        let oldest = |priority: usize| {
            let (put, is_latest) = self.loose[priority].oldest()?;
            Some((put, priority, is_latest))
        };
        match oldest(0).into_iter().chain(oldest(1)).min() {
            Some((put, priority, is_latest)) if put < firm => self.take_loose(priority, is_latest),
            Some(_) | None => self.firm.pop_front().map(|(_, crossing)| crossing),
        }
    }
}

/// Whose newest message this is; `None`: each counts. What no actor sent comes from one place, and is not repeated.
fn key(envelope: &Envelope) -> Option<Key> {
    let Caller::Actor(from) = envelope.from else { return None };
    (envelope.reliability == Reliability::UnreliableLatest).then_some((from, envelope.to, envelope.number))
}

#[cfg(test)]
mod tests;
