//! Replies that one kept actor remembers, so that a request which comes again is answered and not served again.
//!
//! *Responsible for*: which requests of which session were served, what was answered, for how long that is kept.
//! *Not responsible for*: storing replies (`durable`), requests whose session is still connected to the same gateway (`node`).
//!
//! A reply goes with the next commit of its actor. That is the commit of its effect, if it had one; a request without effect
//! may be served again after a crash.
//!
//! Invariants:
//! - I1: of a session the last [`limits::REPLIES_PER_SESSION`] replies are kept while it is not silent for
//!   [`limits::REPLIES_KEPT_FOR`]; fewer, but at least [`limits::REPLIES_PER_SESSION_MIN`], while an actor has too many.
//! - I2: a request that was served is not served again as long as anything of its session is kept: below the floor of a
//!   session, the highest number that was forgotten, everything is refused.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use lightmoon_contract::{CallError, Mono, OperationNumber, SessionId};

use crate::keep::{Replied, RequestKey};
use crate::limits;

/// What is known of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Known {
    /// Nothing: it is to be served.
    No,
    /// It was answered with this.
    Answered(Bytes),
    /// It must not be served, for this reason.
    Refused(CallError),
}

/// A request that was served.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Kept {
    operation: OperationNumber,
    check: u64,
    /// `None`: it was too long to keep.
    reply: Option<Bytes>,
}

#[derive(Debug, Default)]
struct Session {
    /// By request, ascending. An array, no tree: a node of a tree has room for eleven, while most sessions that are remembered
    /// asked once or twice and never came back.
    replies: Vec<(u64, Kept)>,
    /// The highest number that was forgotten.
    floor: u64,
    used: Mono,
}

impl Session {
    fn get(&self, request: u64) -> Option<&Kept> {
        let at = self.replies.binary_search_by_key(&request, |(request, _)| *request).ok()?;
        Some(&self.replies[at].1)
    }

    /// Whether the request is new.
    fn insert(&mut self, request: u64, kept: Kept) -> bool {
        match self.replies.binary_search_by_key(&request, |(request, _)| *request) {
            Ok(at) => {
                self.replies[at].1 = kept;
                false
            }
            Err(at) => {
                if self.replies.len() == self.replies.capacity() {
                    // From one on: a vector would begin with four.
                    self.replies.reserve_exact(self.replies.len().max(1));
                }
                self.replies.insert(at, (request, kept));
                true
            }
        }
    }

    /// The floor as a row is needed only if the replies that are left do not say it: see [`Replies::of`].
    fn floor_says_more(&self) -> bool {
        self.floor > 0 && self.replies.len() < limits::REPLIES_PER_SESSION
    }
}

/// The number under which the floor of a session is stored; requests count from 1.
const FLOOR: u64 = 0;

/// All replies of one actor.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    sessions: BTreeMap<SessionId, Session>,
    /// Sessions by the time of their last request.
    silence: BTreeSet<(Mono, SessionId)>,
    count: usize,
    /// Those that no commit holds yet; under [`FLOOR`] a floor.
    fresh: BTreeSet<RequestKey>,
    /// Bytes of those that were added since the last commit.
    bytes: usize,
    /// Those that stand in the store and are to leave it.
    stale: BTreeSet<RequestKey>,
}

impl Replies {
    /// What was stored, at `now`.
    pub(crate) fn of(now: Mono, stored: Vec<Replied>) -> Self {
        let mut replies = Self::default();
        for Replied { key, operation, check, reply } in stored {
            if key.request == FLOOR {
                replies.used(now, key.session).floor = check;
            } else {
                replies.insert(now, key, Kept { operation, check, reply });
            }
        }
        // Of a session with all its replies the oldest says what was forgotten.
        for session in replies.sessions.values_mut() {
            if session.replies.len() >= limits::REPLIES_PER_SESSION {
                let oldest = session.replies.first().map_or(0, |(request, _)| *request);
                session.floor = session.floor.max(oldest.saturating_sub(1));
            }
        }
        replies
    }

    /// A session, used now.
    fn used(&mut self, now: Mono, id: SessionId) -> &mut Session {
        let session = self.sessions.entry(id).or_default();
        self.silence.remove(&(session.used, id));
        session.used = now;
        self.silence.insert((now, id));
        session
    }

    fn insert(&mut self, now: Mono, key: RequestKey, kept: Kept) {
        let is_new = self.used(now, key.session).insert(key.request, kept);
        self.count += usize::from(is_new);
    }

    /// What is known of a request.
    pub(crate) fn find(&self, key: RequestKey, operation: OperationNumber, check: u64) -> Known {
        let Some(session) = self.sessions.get(&key.session) else { return Known::No };
        match session.get(key.request) {
            Some(kept) if (kept.operation, kept.check) != (operation, check) => {
                Known::Refused(CallError::RequestReused)
            }
            Some(Kept { reply: Some(reply), .. }) => Known::Answered(reply.clone()),
            Some(Kept { reply: None, .. }) => Known::Refused(CallError::AnswerForgotten),
            None if key.request <= session.floor => Known::Refused(CallError::AnswerForgotten),
            None => Known::No,
        }
    }

    /// Whether so many wait for a commit that nothing more is served.
    pub(crate) fn is_full(&self) -> bool {
        self.fresh.len() >= limits::REPLIES_PER_COMMIT_MAX || self.bytes >= limits::REPLY_BYTES_PER_COMMIT_MAX
    }

    /// A request was served.
    pub(crate) fn served(
        &mut self,
        now: Mono,
        key: RequestKey,
        operation: OperationNumber,
        check: u64,
        reply: Bytes,
    ) {
        let reply = (reply.len() <= limits::REPLY_BYTES_MAX).then_some(reply);
        self.bytes += reply.as_ref().map_or(0, Bytes::len);
        self.insert(now, key, Kept { operation, check, reply });
        self.comes(key);
        self.shorten(key.session, limits::REPLIES_PER_SESSION);
        if self.count > limits::REPLIES_MAX {
            self.make_room(key.session);
        }
    }

    fn comes(&mut self, key: RequestKey) {
        self.stale.remove(&key);
        self.fresh.insert(key);
    }

    fn leaves(&mut self, key: RequestKey) {
        // It may stand in the store although it is to be written again.
        self.fresh.remove(&key);
        self.stale.insert(key);
    }

    /// Forgets the oldest replies of a session until `left` are left.
    fn shorten(&mut self, id: SessionId, left: usize) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let over = session.replies.len().saturating_sub(left);
        let gone: Vec<u64> = session.replies.drain(..over).map(|(request, _)| request).collect();
        session.floor = session.floor.max(gone.last().copied().unwrap_or(0));
        let needs_floor = session.floor_says_more() && !gone.is_empty();
        self.count -= gone.len();
        gone.into_iter().for_each(|request| self.leaves(RequestKey { session: id, request }));
        if needs_floor {
            self.comes(RequestKey { session: id, request: FLOOR });
        }
    }

    /// There are too many replies in all: every session keeps a few, and then those go that were silent for longest.
    fn make_room(&mut self, but: SessionId) {
        let all: Vec<SessionId> = self.sessions.keys().copied().collect();
        all.into_iter().for_each(|id| self.shorten(id, limits::REPLIES_PER_SESSION_MIN));
        while self.count > limits::REPLIES_MAX / 4 * 3 {
            let silent = self.silence.iter().map(|(_, id)| *id).find(|id| *id != but);
            match silent {
                Some(id) => self.forget(id),
                None => return,
            }
        }
    }

    fn forget(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.silence.remove(&(session.used, id));
        self.count -= session.replies.len();
        if session.floor > 0 {
            self.leaves(RequestKey { session: id, request: FLOOR });
        }
        for (request, _) in session.replies {
            self.leaves(RequestKey { session: id, request });
        }
    }

    /// What the next commit holds: replies to be stored, and those to be removed. Sessions that are silent for long are
    /// forgotten now.
    pub(crate) fn commit(&mut self, now: Mono) -> (Vec<Replied>, Vec<RequestKey>) {
        while let Some((used, id)) = self.silence.first().copied()
            && now.since(used) > limits::REPLIES_KEPT_FOR
        {
            self.forget(id);
        }
        self.bytes = 0;
        let fresh: Vec<Replied> =
            std::mem::take(&mut self.fresh).into_iter().filter_map(|key| self.replied(key)).collect();
        let mut gone = Vec::new();
        while gone.len() < limits::FORGOTTEN_PER_COMMIT_MAX
            && let Some(key) = self.stale.pop_first()
        {
            gone.push(key);
        }
        (fresh, gone)
    }

    fn replied(&self, key: RequestKey) -> Option<Replied> {
        let session = self.sessions.get(&key.session)?;
        if key.request == FLOOR {
            return Some(Replied {
                key,
                operation: OperationNumber(0),
                check: session.floor,
                reply: Some(Bytes::new()),
            });
        }
        let Kept { operation, check, reply } = session.get(key.request)?.clone();
        Some(Replied { key, operation, check, reply })
    }

    /// The activation ended: what no commit holds did not happen.
    pub(crate) fn undo(&mut self) {
        // The next life begins from what is stored.
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const OPERATION: OperationNumber = OperationNumber(4);
    const FORGOTTEN: Known = Known::Refused(CallError::AnswerForgotten);

    fn key(session: u64, request: u64) -> RequestKey {
        RequestKey { session: SessionId(session), request }
    }

    fn serve(replies: &mut Replies, now: Mono, key: RequestKey) {
        replies.served(now, key, OPERATION, 7, Bytes::from(key.request.to_le_bytes().to_vec()));
    }

    fn find(replies: &Replies, session: u64, request: u64) -> Known {
        replies.find(key(session, request), OPERATION, 7)
    }

    #[test]
    fn a_request_that_comes_again_gets_its_reply_and_another_one_under_its_number_is_refused() {
        let mut replies = Replies::default();
        assert_eq!(find(&replies, 1, 5), Known::No);
        serve(&mut replies, Mono(0), key(1, 5));
        assert!(matches!(find(&replies, 1, 5), Known::Answered(_)));
        for (operation, check) in [(OPERATION, 8), (OperationNumber(5), 7)] {
            let known = replies.find(key(1, 5), operation, check);
            assert_eq!(known, Known::Refused(CallError::RequestReused));
        }
        assert_eq!(find(&replies, 2, 5), Known::No, "another session");
        assert_eq!(find(&replies, 1, 4), Known::No, "it may have been lost on its way");
    }

    #[test]
    fn a_request_older_than_all_that_is_kept_is_not_served_once_more() {
        let mut replies = Replies::default();
        let served = u64::try_from(limits::REPLIES_PER_SESSION).unwrap() + 3;
        (1..=served).for_each(|request| serve(&mut replies, Mono(0), key(1, request)));
        assert_eq!(find(&replies, 1, 3), FORGOTTEN);
        assert!(matches!(find(&replies, 1, 4), Known::Answered(_)));
        let (stored, _) = replies.commit(Mono(0));
        assert_eq!(stored.len(), limits::REPLIES_PER_SESSION, "no row for a floor that they say");
        // The same after a restart.
        let mut again = Replies::of(Mono(0), stored);
        assert_eq!(find(&again, 1, 3), FORGOTTEN);
        serve(&mut again, Mono(0), key(1, served + 1));
        assert_eq!(again.commit(Mono(0)).1, [key(1, 4)]);
    }

    #[test]
    fn a_reply_too_long_to_keep_is_remembered_as_served() {
        let mut replies = Replies::default();
        let long = Bytes::from(vec![0; limits::REPLY_BYTES_MAX + 1]);
        replies.served(Mono(0), key(1, 1), OPERATION, 7, long);
        assert_eq!(find(&replies, 1, 1), FORGOTTEN);
        let (stored, _) = replies.commit(Mono(0));
        assert_eq!(find(&Replies::of(Mono(0), stored), 1, 1), FORGOTTEN);
    }

    #[test]
    fn silent_sessions_are_forgotten_with_the_next_commit() {
        let mut replies = Replies::default();
        serve(&mut replies, Mono(0), key(1, 1));
        serve(&mut replies, Mono(0), key(2, 1));
        replies.commit(Mono(0));
        let later = Mono(0) + limits::REPLIES_KEPT_FOR;
        serve(&mut replies, later, key(2, 2));
        assert_eq!(replies.commit(later).1, []);
        let (_, removed) = replies.commit(later + Duration::from_millis(1));
        assert_eq!(removed, [key(1, 1)]);
        assert!(matches!(find(&replies, 2, 1), Known::Answered(_)));
    }

    #[test]
    fn a_session_that_was_forgotten_and_comes_again_keeps_its_new_reply() {
        let mut replies = Replies::default();
        serve(&mut replies, Mono(0), key(1, 1));
        replies.commit(Mono(0));
        replies.forget(SessionId(1));
        serve(&mut replies, Mono(0), key(1, 1));
        let (stored, removed) = replies.commit(Mono(0));
        assert_eq!((stored.len(), removed), (1, Vec::new()), "it is not removed after it was written");
    }

    #[test]
    fn with_too_many_replies_every_session_keeps_a_few_and_serves_none_of_the_others_again() {
        let mut replies = Replies::default();
        let (per, sessions) = (u64::try_from(limits::REPLIES_PER_SESSION).unwrap(), 260);
        for session in 1..=sessions {
            (1..=per).for_each(|request| serve(&mut replies, Mono(session), key(session, request)));
        }
        assert!(replies.count <= limits::REPLIES_MAX);
        for session in 1..=sessions {
            for request in 1..=per {
                assert_ne!(find(&replies, session, request), Known::No, "{session} {request}");
            }
        }
        // Also after a restart, from what commits of bounded size have stored.
        let mut stored: BTreeMap<RequestKey, Replied> = BTreeMap::new();
        loop {
            let (fresh, gone) = replies.commit(Mono(sessions));
            if fresh.is_empty() && gone.is_empty() {
                break;
            }
            assert!(gone.len() <= limits::FORGOTTEN_PER_COMMIT_MAX);
            stored.extend(fresh.into_iter().map(|replied| (replied.key, replied)));
            gone.iter().for_each(|key| drop(stored.remove(key)));
        }
        let again = Replies::of(Mono(0), stored.into_values().collect());
        assert!((1..=per).all(|request| find(&again, 1, request) != Known::No));
        assert_eq!(find(&again, 1, per + 1), Known::No);
    }

    #[test]
    fn a_session_takes_room_for_about_as_many_replies_as_it_has() {
        let mut replies = Replies::default();
        let mut rooms = Vec::new();
        for request in 1..=5 {
            serve(&mut replies, Mono(0), key(1, request));
            rooms.push(replies.sessions[&SessionId(1)].replies.capacity());
        }
        assert_eq!(
            rooms,
            [1, 2, 4, 4, 8],
            "thousands of sessions that asked once are remembered for minutes"
        );
    }

    #[test]
    fn requests_that_come_out_of_order_are_found_and_the_oldest_of_them_go_first() {
        let mut replies = Replies::default();
        let most = u64::try_from(limits::REPLIES_PER_SESSION).unwrap();
        for request in (2..=most + 1).rev() {
            serve(&mut replies, Mono(0), key(1, request));
        }
        assert!((2..=most + 1).all(|request| matches!(find(&replies, 1, request), Known::Answered(_))));
        serve(&mut replies, Mono(0), key(1, most + 2));
        assert_eq!(find(&replies, 1, 2), FORGOTTEN);
        assert!(matches!(find(&replies, 1, 3), Known::Answered(_)));
    }

    #[test]
    fn all_replies_together_are_bounded() {
        let mut replies = Replies::default();
        for session in 1..=u64::try_from(limits::REPLIES_MAX).unwrap() + 50 {
            serve(&mut replies, Mono(session), key(session, 1));
            assert!(replies.count <= limits::REPLIES_MAX);
        }
        assert_eq!(find(&replies, 1, 1), Known::No, "the one that was silent for longest");
    }

    #[test]
    fn a_commit_is_due_before_it_would_be_too_large() {
        let mut replies = Replies::default();
        let long = Bytes::from(vec![0; limits::REPLY_BYTES_MAX]);
        let mut bytes = 0;
        for request in 1.. {
            if replies.is_full() {
                break;
            }
            replies.served(Mono(0), key(1, request), OPERATION, 7, long.clone());
            bytes += long.len();
        }
        assert!(bytes <= limits::REPLY_BYTES_PER_COMMIT_MAX + limits::REPLY_BYTES_MAX);
        replies.commit(Mono(0));
        assert!(!replies.is_full());
    }
}
