//! A worker of tills with a store in hand.

use std::collections::BTreeMap;
use std::time::Duration;

use lightmoon_actor::{
    DeliveryEnd, In, Kinds, Memory, Out, Parcel, Posted, Replied, Stored, Taken, WorkerOptions,
};
use lightmoon_contract::{ActorId, CallError, Contract, Operation};

use crate::harness::Bench;
use crate::till::{Stored as Money, TillContract, TillKind, client, take_told};

/// What of messages was in a commit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) posted: Vec<Posted>,
    pub(crate) taken: Vec<Taken>,
    pub(crate) replies: Vec<Replied>,
}

/// A worker of tills, and what is stored of them. Commits are durable when the test says so.
pub(crate) struct Bank {
    pub(crate) bench: Bench,
    pub(crate) stored: BTreeMap<ActorId, u64>,
    /// Commits handed out that are not durable yet: actor, number, state, log entries.
    pub(crate) commits: Vec<(ActorId, u64, Option<u64>, usize)>,
    /// What of messages was in each of them.
    pub(crate) mails: Vec<Mail>,
    /// What each actor remembers when it is loaded.
    pub(crate) memories: BTreeMap<ActorId, Memory>,
    /// Deliveries that ended without a commit.
    pub(crate) ends: Vec<(ActorId, Taken, DeliveryEnd)>,
    /// Copies handed out: what they show.
    pub(crate) copies: Vec<u64>,
    pub(crate) unreadable: Vec<ActorId>,
    pub(crate) released: Vec<ActorId>,
    /// How often the store was asked for what somebody looks at.
    pub(crate) peeks: usize,
}

pub(crate) const fn id(key: u64) -> ActorId {
    ActorId::new(TillContract::KIND, key)
}

impl Bank {
    pub(crate) fn new() -> Self {
        Self::of(TillKind::default())
    }

    /// Of tills that are copied every ten seconds.
    pub(crate) fn of_copied() -> Self {
        Self::of(TillKind { snapshot_every: Some(Duration::from_secs(10)) })
    }

    pub(crate) fn of(kind: TillKind) -> Self {
        take_told();
        let mut kinds = Kinds::default();
        kinds.register(TillContract::KIND, TillContract::NAME, kind);
        let bench = Bench::of(WorkerOptions { seed: 1, ..WorkerOptions::default() }, kinds);
        Self {
            bench,
            stored: BTreeMap::new(),
            commits: Vec::new(),
            mails: Vec::new(),
            memories: BTreeMap::new(),
            ends: Vec::new(),
            copies: Vec::new(),
            unreadable: Vec::new(),
            released: Vec::new(),
            peeks: 0,
        }
    }

    /// Lets everything happen but commits.
    pub(crate) fn settle(&mut self) {
        self.bench.settle();
        self.serve_loads();
    }

    pub(crate) fn serve_loads(&mut self) {
        loop {
            let to_store = std::mem::take(&mut self.bench.to_store);
            if to_store.is_empty() {
                return;
            }
            for out in to_store {
                match out {
                    Out::Load(actor) => {
                        let money: Money = self.stored.get(&actor).copied();
                        let memory = self.memories.get(&actor).cloned().unwrap_or_default();
                        let stored = Stored { parcel: Box::new(money), memory };
                        self.bench.put_in(In::Loaded { actor, result: Ok(stored) });
                    }
                    Out::Peek(actor) => {
                        self.peeks += 1;
                        let money = self.stored.get(&actor).map(|money| Box::new(Some(*money)) as Parcel);
                        self.bench.put_in(In::Peeked { actor, result: Ok(money) });
                    }
                    Out::Commit(commit) => {
                        let state = commit.parcel.map(|parcel| *parcel.downcast::<u64>().expect("a number"));
                        let (posted, taken, replies) = (commit.posted, commit.taken, commit.replies);
                        self.mails.push(Mail { posted, taken, replies });
                        self.commits.push((commit.actor, commit.number, state, commit.log.len()));
                    }
                    Out::Snapshot { parcel, .. } => {
                        self.copies.push(*parcel.downcast::<u64>().expect("a number"))
                    }
                    Out::Unreadable { actor, .. } => self.unreadable.push(actor),
                    Out::Delivered { to, message, end } => self.ends.push((to, message, end)),
                    Out::Released(actor) => self.released.push(actor),
                    out @ (Out::Envelope(_) | Out::Answer { .. } | Out::Failed { .. } | Out::Stopped) => {
                        panic!("{out:?}")
                    }
                }
            }
            self.bench.settle();
        }
    }

    /// Makes the oldest commit durable.
    pub(crate) fn commit(&mut self) -> (ActorId, u64) {
        let (actor, number, state, _) = self.commits.remove(0);
        if let Some(state) = state {
            self.stored.insert(actor, state);
        }
        self.bench.put_in(In::Committed { actor, number });
        self.settle();
        (actor, number)
    }

    pub(crate) fn ask<O: Operation>(&mut self, key: u64, message: O) -> u64 {
        let token = self.bench.ask_from(client(), key, message);
        self.settle();
        token
    }

    pub(crate) fn answer<O: Operation>(&mut self, token: u64) -> Option<Result<O::Reply, CallError>> {
        self.bench.answer::<O>(token)
    }
}
