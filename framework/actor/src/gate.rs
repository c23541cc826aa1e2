//! The gate of an actor: what it sends waits until the effects that it may tell of are durable.
//!
//! *Responsible for*: which commit a message waits for, in which order messages leave. *Not responsible for*: making
//! commits ([`crate::worker`]), what a commit holds.
//!
//! Commits are numbered. What is sent while effects of `sync` operations are not durable waits for the commit that holds
//! the last of them. Effects of `behind` operations hold nothing.
//!
//! Invariants:
//! - I1: nothing leaves before a message that was sent earlier.
//! - I2: nothing leaves before every `sync` effect that was there when it was sent is durable.
//! - I3: numbers of commits are dense and never given twice, also over lives of the actor.
//!
//! Source: `persistence.md` of the design, "the gate"; the rule that output waits for the log goes back to DeWitt et al.,
//! *Implementation techniques for main memory database systems*, 1984 (group commit).

use std::collections::VecDeque;

use lightmoon_contract::CallError;
use lightmoon_contract::call::Answer;

use crate::{Envelope, Posted, ReplyTo};

/// Something that an actor sends.
#[derive(Debug)]
pub(crate) enum Sent {
    /// To an actor of this worker.
    Message(Envelope),
    /// To a session.
    Out(Envelope),
    /// A message that takes effect exactly once. It leaves with a commit, not through the gate.
    Posted(Posted),
    /// An answer.
    Answer(ReplyTo, Result<Answer, CallError>),
}

/// The gate of one actor.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Number of the last commit that was handed out.
    made: u64,
    /// Number of the last one among them that holds `sync` effects.
    made_sync: u64,
    /// All commits up to this one are durable.
    durable: u64,
    /// Whether there are `sync` effects that no commit holds yet.
    is_dirty: bool,
    held: VecDeque<(u64, Sent)>,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self { made: 0, made_sync: 0, durable: 0, is_dirty: false, held: VecDeque::new() }
    }

    /// A `sync` operation had its effect.
    pub(crate) const fn dirtied(&mut self) {
        self.is_dirty = true;
    }

    /// Whether `sync` effects wait for a commit.
    pub(crate) const fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// Takes something that is sent now. Gives it back if it may leave at once.
    pub(crate) fn pass(&mut self, sent: Sent) -> Option<Sent> {
        match self.waits_for() {
            Some(number) => {
                self.held.push_back((number, sent));
                None
            }
            None => Some(sent),
        }
    }

    /// The commit that what is sent now waits for.
    const fn waits_for(&self) -> Option<u64> {
        if self.is_dirty {
            Some(self.made + 1)
        } else if self.made_sync > self.durable {
            Some(self.made_sync)
        } else {
            None
        }
    }

    /// A commit of everything so far is handed out; its number.
    pub(crate) const fn commit(&mut self) -> u64 {
        self.made += 1;
        if std::mem::replace(&mut self.is_dirty, false) {
            self.made_sync = self.made;
        }
        self.made
    }

    /// The `sync` operations since the last commit changed nothing: nothing waits for the next one. What may leave now.
    pub(crate) fn nothing_to_commit(&mut self) -> Vec<Sent> {
        self.is_dirty = false;
        let next = self.made + 1;
        for (number, _) in &mut self.held {
            if *number == next {
                *number = self.made_sync;
            }
        }
        self.release()
    }

    /// The commit `number` is durable, and with it all before. What may leave now, in its order.
    pub(crate) fn committed(&mut self, number: u64) -> Vec<Sent> {
        self.durable = self.durable.max(number);
        self.release()
    }

    fn release(&mut self) -> Vec<Sent> {
        let ready = self.held.iter().take_while(|(number, _)| *number <= self.durable).count();
        self.held.drain(..ready).map(|(_, sent)| sent).collect()
    }

    /// The activation ended and with it the effects that no commit holds. What told of them, never to leave.
    pub(crate) fn forget_uncommitted(&mut self) -> Vec<Sent> {
        self.is_dirty = false;
        let kept = self.held.iter().take_while(|(number, _)| *number <= self.made).count();
        self.held.drain(kept..).map(|(_, sent)| sent).collect()
    }

    /// The actor is another's, and commits that were handed out will never be. What told of them, never to leave.
    pub(crate) fn lose(&mut self) -> Vec<Sent> {
        self.is_dirty = false;
        self.durable = self.made;
        self.held.drain(..).map(|(_, sent)| sent).collect()
    }

    /// How much waits.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether every commit that was handed out is durable and nothing waits.
    pub(crate) fn is_quiet(&self) -> bool {
        self.durable == self.made && !self.is_dirty && self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(token: u64) -> Sent {
        Sent::Answer(ReplyTo::Outside(token), Ok(None))
    }

    fn token(sent: &Sent) -> u64 {
        match sent {
            Sent::Answer(ReplyTo::Outside(token), _) => *token,
            Sent::Answer(..) | Sent::Message(_) | Sent::Out(_) | Sent::Posted(_) => {
                panic!("only answers are sent here")
            }
        }
    }

    fn tokens(sent: &[Sent]) -> Vec<u64> {
        sent.iter().map(token).collect()
    }

    #[test]
    fn nothing_waits_without_sync_effects() {
        let mut gate = Gate::default();
        assert!(gate.pass(answer(1)).is_some());
        gate.commit();
        assert!(gate.pass(answer(2)).is_some(), "a commit of behind effects holds nothing");
    }

    #[test]
    fn what_is_sent_after_a_sync_effect_waits_for_its_commit() {
        let mut gate = Gate::default();
        gate.dirtied();
        assert!(gate.pass(answer(1)).is_none());
        assert_eq!(gate.commit(), 1);
        assert!(gate.pass(answer(2)).is_none(), "the commit is under way");
        gate.dirtied();
        assert!(gate.pass(answer(3)).is_none());
        assert_eq!(tokens(&gate.committed(1)), [1, 2]);
        assert!(gate.pass(answer(4)).is_none());
        assert_eq!(gate.commit(), 2);
        assert_eq!(tokens(&gate.committed(2)), [3, 4]);
        assert!(gate.pass(answer(5)).is_some());
        assert!(gate.is_quiet());
    }

    #[test]
    fn sync_operations_that_changed_nothing_hold_nothing() {
        let mut gate = Gate::default();
        gate.dirtied();
        gate.pass(answer(1));
        assert_eq!(tokens(&gate.nothing_to_commit()), [1]);
        // But what waits for an earlier commit goes on waiting.
        gate.dirtied();
        gate.pass(answer(2));
        gate.commit();
        gate.dirtied();
        gate.pass(answer(3));
        assert!(gate.nothing_to_commit().is_empty());
        assert_eq!(tokens(&gate.committed(1)), [2, 3]);
    }

    #[test]
    fn an_end_keeps_what_tells_of_handed_out_commits_and_forgets_the_rest() {
        let mut gate = Gate::default();
        gate.dirtied();
        gate.pass(answer(1));
        gate.commit();
        gate.dirtied();
        gate.pass(answer(2));
        assert_eq!(tokens(&gate.forget_uncommitted()), [2]);
        assert_eq!(tokens(&gate.committed(1)), [1]);
        gate.dirtied();
        gate.pass(answer(3));
        assert_eq!(gate.commit(), 2);
        assert_eq!(tokens(&gate.lose()), [3]);
        assert!(gate.is_quiet());
    }
}
