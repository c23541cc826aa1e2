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
//!   [`limits::REPLIES_KEPT_FOR`].
//! - I2: a request below the oldest kept reply is served only if none was ever forgotten.

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

#[derive(Clone, PartialEq, Eq, Debug)]
struct Kept {
    operation: OperationNumber,
    check: u64,
    reply: Bytes,
}

#[derive(Debug, Default)]
struct Session {
    replies: BTreeMap<u64, Kept>,
    used: Mono,
}

/// All replies of one actor.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    sessions: BTreeMap<SessionId, Session>,
    count: usize,
    /// Those that no commit holds yet.
    fresh: BTreeSet<RequestKey>,
    /// Bytes of those that were added since the last commit.
    bytes: usize,
    /// Those that stand in the store and are to leave it.
    stale: Vec<RequestKey>,
}

impl Replies {
    /// What was stored, at `now`.
    pub(crate) fn of(now: Mono, stored: Vec<Replied>) -> Self {
        let mut replies = Self::default();
        for Replied { key, operation, check, reply } in stored {
            replies.insert(now, key, Kept { operation, check, reply });
        }
        replies
    }

    fn insert(&mut self, now: Mono, key: RequestKey, kept: Kept) {
        let session = self.sessions.entry(key.session).or_default();
        session.used = now;
        self.count += usize::from(session.replies.insert(key.request, kept).is_none());
    }

    /// What is known of a request.
    pub(crate) fn find(&self, key: RequestKey, operation: OperationNumber, check: u64) -> Known {
        let Some(session) = self.sessions.get(&key.session) else { return Known::No };
        match session.replies.get(&key.request) {
            Some(kept) if kept.operation == operation && kept.check == check => {
                Known::Answered(kept.reply.clone())
            }
            Some(_) => Known::Refused(CallError::RequestReused),
            None if session.replies.len() >= limits::REPLIES_PER_SESSION
                && session.replies.keys().next().is_some_and(|oldest| key.request < *oldest) =>
            {
                Known::Refused(CallError::AnswerForgotten)
            }
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
        if reply.len() > limits::REPLY_BYTES_MAX {
            return;
        }
        self.bytes += reply.len();
        self.insert(now, key, Kept { operation, check, reply });
        self.fresh.insert(key);
        if let Some(session) = self.sessions.get_mut(&key.session)
            && session.replies.len() > limits::REPLIES_PER_SESSION
            && let Some((request, _)) = session.replies.pop_first()
        {
            self.count -= 1;
            self.leave(RequestKey { request, ..key });
        }
        if self.count > limits::REPLIES_MAX {
            self.forget_longest_silent(key.session);
        }
    }

    fn leave(&mut self, key: RequestKey) {
        // What no commit holds needs no removal.
        if !self.fresh.remove(&key) {
            self.stale.push(key);
        }
    }

    fn forget_longest_silent(&mut self, but: SessionId) {
        let others = self.sessions.iter().filter(|(id, _)| **id != but);
        if let Some(id) = others.min_by_key(|(id, session)| (session.used, **id)).map(|(id, _)| *id) {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.count -= session.replies.len();
        session.replies.into_keys().for_each(|request| self.leave(RequestKey { session: id, request }));
    }

    /// What the next commit holds: replies to be stored, and those to be removed. Sessions that are silent for long are
    /// forgotten now.
    pub(crate) fn commit(&mut self, now: Mono) -> (Vec<Replied>, Vec<RequestKey>) {
        let is_silent = |session: &Session| now.since(session.used) > limits::REPLIES_KEPT_FOR;
        let silent: Vec<SessionId> =
            self.sessions.iter().filter(|(_, session)| is_silent(session)).map(|(id, _)| *id).collect();
        silent.into_iter().for_each(|id| self.forget(id));
        let fresh = std::mem::take(&mut self.fresh).into_iter().filter_map(|key| {
            let kept = self.sessions.get(&key.session)?.replies.get(&key.request)?.clone();
            let Kept { operation, check, reply } = kept;
            Some(Replied { key, operation, check, reply })
        });
        self.bytes = 0;
        let gone = self.stale.len().min(limits::FORGOTTEN_PER_COMMIT_MAX);
        (fresh.collect(), self.stale.drain(..gone).collect())
    }

    /// The activation ended: what no commit holds did not happen.
    pub(crate) fn undo(&mut self) {
        self.bytes = 0;
        for key in std::mem::take(&mut self.fresh) {
            let session = self.sessions.get_mut(&key.session);
            self.count -=
                usize::from(session.is_some_and(|session| session.replies.remove(&key.request).is_some()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const OPERATION: OperationNumber = OperationNumber(4);

    fn key(session: u64, request: u64) -> RequestKey {
        RequestKey { session: SessionId(session), request }
    }

    fn serve(replies: &mut Replies, now: Mono, key: RequestKey) {
        replies.served(now, key, OPERATION, 7, Bytes::from(key.request.to_le_bytes().to_vec()));
    }

    #[test]
    fn a_request_that_comes_again_gets_its_reply_and_another_one_under_its_number_is_refused() {
        let mut replies = Replies::default();
        assert_eq!(replies.find(key(1, 5), OPERATION, 7), Known::No);
        serve(&mut replies, Mono(0), key(1, 5));
        assert!(matches!(replies.find(key(1, 5), OPERATION, 7), Known::Answered(_)));
        for (operation, check) in [(OPERATION, 8), (OperationNumber(5), 7)] {
            let known = replies.find(key(1, 5), operation, check);
            assert_eq!(known, Known::Refused(CallError::RequestReused));
        }
        assert_eq!(replies.find(key(2, 5), OPERATION, 7), Known::No, "another session");
        assert_eq!(replies.find(key(1, 4), OPERATION, 7), Known::No, "it may have been lost on its way");
    }

    #[test]
    fn a_request_older_than_all_that_is_kept_is_not_served_once_more() {
        let mut replies = Replies::default();
        let served = u64::try_from(limits::REPLIES_PER_SESSION).unwrap() + 3;
        (1..=served).for_each(|request| serve(&mut replies, Mono(0), key(1, request)));
        assert_eq!(replies.find(key(1, 3), OPERATION, 7), Known::Refused(CallError::AnswerForgotten));
        assert!(matches!(replies.find(key(1, 4), OPERATION, 7), Known::Answered(_)));
        let (stored, removed) = replies.commit(Mono(0));
        assert_eq!((stored.len(), removed), (limits::REPLIES_PER_SESSION, Vec::new()), "never stored");
        // The same after a restart.
        let mut again = Replies::of(Mono(0), stored);
        assert_eq!(again.find(key(1, 3), OPERATION, 7), Known::Refused(CallError::AnswerForgotten));
        serve(&mut again, Mono(0), key(1, served + 1));
        assert_eq!(again.commit(Mono(0)).1, [key(1, 4)]);
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
        assert!(matches!(replies.find(key(2, 1), OPERATION, 7), Known::Answered(_)));
    }

    #[test]
    fn all_replies_together_are_bounded() {
        let mut replies = Replies::default();
        for session in 1..=u64::try_from(limits::REPLIES_MAX).unwrap() + 50 {
            serve(&mut replies, Mono(session), key(session, 1));
        }
        assert_eq!(replies.count, limits::REPLIES_MAX);
        assert_eq!(replies.find(key(1, 1), OPERATION, 7), Known::No, "the one that was silent for longest");
    }

    #[test]
    fn what_no_commit_holds_is_undone_with_the_activation() {
        let mut replies = Replies::default();
        serve(&mut replies, Mono(0), key(1, 1));
        replies.commit(Mono(0));
        serve(&mut replies, Mono(0), key(1, 2));
        replies.undo();
        assert_eq!(replies.find(key(1, 2), OPERATION, 7), Known::No);
        assert!(matches!(replies.find(key(1, 1), OPERATION, 7), Known::Answered(_)));
    }
}
