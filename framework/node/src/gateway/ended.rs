//! Sessions that ended while their tickets may still be shown.
//!
//! *Responsible for*: remembering them, within a bound and for as long as it matters. *Not responsible for*: what follows.

use std::collections::{BTreeSet, VecDeque};

use lightmoon_contract::{Mono, SessionId};

use crate::limits;

/// Sessions that ended in this process.
#[derive(Debug, Default)]
pub(super) struct Ended {
    known: BTreeSet<SessionId>,
    /// The same, oldest first.
    order: VecDeque<(Mono, SessionId)>,
}

impl Ended {
    /// A session ended now.
    pub(super) fn add(&mut self, now: Mono, id: SessionId) {
        while let Some((at, oldest)) = self.order.front().copied()
            && (now.since(at) > limits::TICKET_VALID || self.order.len() >= limits::SESSIONS_ENDED_MAX)
        {
            self.order.pop_front();
            self.known.remove(&oldest);
        }
        if self.known.insert(id) {
            self.order.push_back((now, id));
        }
    }

    /// Whether a session ended not long ago.
    pub(super) fn has(&self, id: SessionId) -> bool {
        self.known.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_remembered_as_long_as_a_ticket_is_valid_and_within_a_bound() {
        let mut ended = Ended::default();
        ended.add(Mono(0), SessionId(1));
        ended.add(Mono(0) + limits::TICKET_VALID, SessionId(2));
        assert!(ended.has(SessionId(1)) && ended.has(SessionId(2)));
        ended.add(Mono(1) + limits::TICKET_VALID, SessionId(3));
        assert!(!ended.has(SessionId(1)) && ended.has(SessionId(2)));
        let most = u64::try_from(limits::SESSIONS_ENDED_MAX).unwrap();
        for id in 10..10 + most {
            ended.add(Mono(1) + limits::TICKET_VALID, SessionId(id));
        }
        assert_eq!(
            (ended.known.len(), ended.order.len()),
            (limits::SESSIONS_ENDED_MAX, limits::SESSIONS_ENDED_MAX)
        );
        assert!(!ended.has(SessionId(3)) && ended.has(SessionId(10)));
    }
}
