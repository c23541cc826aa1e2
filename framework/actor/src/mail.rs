//! What one kept actor remembers of messages that take effect exactly once: those it sends, those it took.
//!
//! *Responsible for*: which message of a sender is the next one, what goes into the next commit, how much may be sent.
//! *Not responsible for*: keeping and delivering messages (`durable`), serving them ([`crate::worker`]).
//!
//! A message is numbered by its sender; the numbers grow. It names the one that has to be taken before it, so a receiver sees
//! a gap although numbers are not dense.
//!
//! Invariants:
//! - I1: a message is taken once: a number at or below the mark of its sender is known.
//! - I2: messages of one sender are taken in the order of their numbers.
//! - I3: what an operation sends stands in no commit before the operation has ended.

use std::collections::BTreeMap;

use lightmoon_contract::ActorId;

use crate::keep::{Load, Memory, Posted, Taken};
use crate::{Delivery, limits};

/// What a message is to its receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arrival {
    /// The next one of its sender.
    Next,
    /// One that was taken before.
    Known,
    /// One before it is missing.
    Gap,
}

/// The mail of one actor.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// The last message taken of each sender, also those that no commit holds yet.
    marks: BTreeMap<ActorId, u64>,
    /// Taken since the last commit.
    taken: Vec<Taken>,
    /// Sent by operations that have ended, since the last commit.
    posted: Vec<Posted>,
    /// Sent by the operation that waits.
    open: Vec<Posted>,
    /// Bytes of the arguments of `posted` and `open`.
    bytes: usize,
    /// Messages in commits that no receiver has taken yet.
    unacknowledged: Load,
}

impl Mail {
    /// That of an actor as it is loaded.
    pub(crate) fn of(memory: Memory) -> Self {
        let Memory { inbox, outbox, .. } = memory;
        Self { marks: inbox.into_iter().collect(), unacknowledged: outbox, ..Self::default() }
    }

    /// What a message of `from` is.
    pub(crate) fn arrival(&self, from: ActorId, delivery: Delivery) -> Arrival {
        let mark = self.marks.get(&from).copied().unwrap_or(0);
        if delivery.number <= mark {
            Arrival::Known
        } else if mark < delivery.after {
            Arrival::Gap
        } else {
            Arrival::Next
        }
    }

    /// A message took effect.
    pub(crate) fn take(&mut self, from: ActorId, number: u64) {
        self.marks.insert(from, number);
        self.taken.push(Taken { from, number });
    }

    /// Keeps what an operation sent until it has ended.
    pub(crate) fn send(&mut self, posted: Posted) {
        self.bytes += posted.arguments.len();
        self.open.push(posted);
    }

    /// The operation has ended: what it sent goes with its effect.
    pub(crate) fn seal(&mut self) {
        self.posted.append(&mut self.open);
    }

    /// Whether the next commit has to hold something.
    pub(crate) fn has_news(&self) -> bool {
        !self.taken.is_empty() || !self.posted.is_empty()
    }

    /// Whether so much waits for a commit that nothing more is served.
    pub(crate) fn is_full(&self) -> bool {
        self.taken.len() >= limits::TAKEN_PER_COMMIT_MAX
            || self.posted.len() >= limits::POSTED_PER_COMMIT_MAX
            // So that what is served next may send as much.
            || self.bytes >= limits::POSTED_BYTES_PER_COMMIT_MAX / 2
    }

    /// How many messages may still be sent, and bytes of their arguments.
    pub(crate) fn room(&self) -> (usize, usize) {
        (self.messages_left(), self.bytes_left())
    }

    fn messages_left(&self) -> usize {
        let waiting = self.posted.len() + self.open.len();
        let in_commit = limits::POSTED_PER_COMMIT_MAX.saturating_sub(waiting);
        limits::OUTBOX_MAX.saturating_sub(self.unacknowledged.messages + waiting).min(in_commit)
    }

    fn bytes_left(&self) -> usize {
        let in_commit = limits::POSTED_BYTES_PER_COMMIT_MAX.saturating_sub(self.bytes);
        limits::OUTBOX_BYTES_MAX.saturating_sub(self.unacknowledged.bytes + self.bytes).min(in_commit)
    }

    /// What the next commit holds.
    pub(crate) fn commit(&mut self) -> (Vec<Posted>, Vec<Taken>) {
        let (posted, taken) = (std::mem::take(&mut self.posted), std::mem::take(&mut self.taken));
        self.unacknowledged.messages += posted.len();
        self.unacknowledged.bytes += posted.iter().map(|posted| posted.arguments.len()).sum::<usize>();
        self.bytes = self.open.iter().map(|posted| posted.arguments.len()).sum();
        (posted, taken)
    }

    /// Receivers have taken so many messages.
    pub(crate) const fn acknowledged(&mut self, load: Load) {
        self.unacknowledged.messages = self.unacknowledged.messages.saturating_sub(load.messages);
        self.unacknowledged.bytes = self.unacknowledged.bytes.saturating_sub(load.bytes);
    }

    /// Whether anything was taken since the last commit.
    pub(crate) const fn has_taken(&self) -> bool {
        !self.taken.is_empty()
    }

    /// A sender has nothing left to send: its mark protects nothing any more, unless it has moved on.
    pub(crate) fn forget(&mut self, from: ActorId, number: u64) {
        if self.marks.get(&from) == Some(&number) {
            self.marks.remove(&from);
        }
    }

    /// The activation ended: what no commit holds did not happen. What was taken in it is to be delivered again.
    pub(crate) fn undo(&mut self) -> Vec<Taken> {
        self.posted.clear();
        self.open.clear();
        self.bytes = 0;
        std::mem::take(&mut self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::{Kind, OperationNumber, Priority};

    fn actor(key: u64) -> ActorId {
        ActorId::new(Kind(3), key)
    }

    fn posted() -> Posted {
        let (to, operation, priority) = (actor(9), OperationNumber(1), Priority::Normal);
        Posted { to, operation, priority, arguments: bytes::Bytes::new() }
    }

    #[test]
    fn a_message_is_taken_once_and_in_order() {
        let mut mail = Mail::default();
        let arrival = |mail: &Mail, number, after| mail.arrival(actor(1), Delivery { number, after });
        assert_eq!(arrival(&mail, 20, 10), Arrival::Gap, "10 is missing");
        assert_eq!(arrival(&mail, 10, 0), Arrival::Next);
        mail.take(actor(1), 10);
        assert_eq!(arrival(&mail, 10, 0), Arrival::Known);
        assert_eq!(arrival(&mail, 20, 10), Arrival::Next);
        mail.take(actor(1), 20);
        assert_eq!((arrival(&mail, 10, 0), arrival(&mail, 30, 0)), (Arrival::Known, Arrival::Next));
        assert_eq!(mail.arrival(actor(2), Delivery { number: 5, after: 0 }), Arrival::Next, "each sender");
        let taken: Vec<u64> = mail.commit().1.iter().map(|taken| taken.number).collect();
        assert_eq!(taken, [10, 20]);
    }

    #[test]
    fn what_an_operation_sends_goes_into_no_commit_before_it_has_ended() {
        let mut mail = Mail::default();
        mail.send(posted());
        assert!(!mail.has_news());
        assert!(mail.commit().0.is_empty());
        mail.seal();
        assert!(mail.has_news());
        assert_eq!(mail.commit().0.len(), 1);
        assert!(!mail.has_news());
    }

    #[test]
    fn the_end_of_an_activation_undoes_what_no_commit_holds() {
        let mut mail = Mail::default();
        mail.take(actor(1), 10);
        mail.send(posted());
        mail.commit();
        mail.take(actor(1), 11);
        mail.seal();
        assert_eq!(mail.undo(), [Taken { from: actor(1), number: 11 }]);
        assert!(!mail.has_news());
    }

    #[test]
    fn an_outbox_is_bounded_until_receivers_have_taken() {
        let mut mail = Mail::default();
        let mut sent = 0;
        while mail.room().0 > 0 {
            mail.send(posted());
            mail.seal();
            sent += 1;
            if mail.is_full() {
                mail.commit();
            }
        }
        mail.commit();
        assert_eq!((sent, mail.room().0), (limits::OUTBOX_MAX, 0));
        mail.acknowledged(Load { messages: 3, bytes: 0 });
        assert_eq!(mail.room().0, 3);
    }

    #[test]
    fn a_mark_is_forgotten_only_if_its_sender_has_not_moved_on() {
        let mut mail = Mail::default();
        mail.take(actor(1), 10);
        mail.forget(actor(1), 9);
        assert_eq!(mail.arrival(actor(1), Delivery { number: 10, after: 0 }), Arrival::Known);
        mail.forget(actor(1), 10);
        assert_eq!(mail.arrival(actor(1), Delivery { number: 10, after: 0 }), Arrival::Next);
    }
}
