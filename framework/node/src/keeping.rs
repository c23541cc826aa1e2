//! The node's side of what is kept: the generation, the keeper, and what the worker has to know of the store.
//!
//! *Responsible for*: taking a generation before actors run, carrying commits and loads between worker and keeper.
//! *Not responsible for*: commits (`durable`), when to save (`actor`), the store itself (the shell).
//!
//! Invariants:
//! - I1: no actor runs before the generation is taken.
//! - I2: a node that is fenced asks nothing of the store any more.

use std::time::Duration;

use bytes::Bytes;
use lightmoon_actor::{
    Commit, Delivery, DeliveryEnd, Envelope, In, Load, LoadError, Logged, Memory, MessageId, Parcel, Replied,
    ReplyTo, RequestKey, StoreState, Stored, Taken, Unreadable,
};
use lightmoon_contract::{ActorId, Body, Caller, Mono, Reliability};
use lightmoon_durable::generation::{OPENING_TICKET, Opening, SINGLE_NODE, Step};
use lightmoon_durable::{
    DeadLetter, Event, Keeper, LoadFailure, Loaded, LogEntry, Mail, Posted, Reply, Saved, SnapshotJob,
    Undelivered,
};
use lightmoon_store::{Outcome, Ticket};

use crate::report::StoreReport;
use crate::{Output, limits};

/// How long to wait before the store is asked again for a generation.
const OPEN_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// A copy of a zone's world, to be encoded on another thread.
#[derive(Debug)]
pub struct EncodeJob {
    actor: ActorId,
    id: u64,
    job: SnapshotJob,
}

impl EncodeJob {
    /// Encodes it. Blocks for milliseconds for each megabyte: not on the node's thread.
    #[must_use]
    pub fn run(self) -> Encoded {
        Encoded { actor: self.actor, id: self.id, parts: (self.job.encode)() }
    }
}

/// An encoded copy, for [`crate::Input::Encoded`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    actor: ActorId,
    id: u64,
    parts: Vec<Bytes>,
}

/// What a node keeps, and how far it is.
#[derive(Debug)]
pub(crate) enum Keeping {
    /// The game keeps nothing.
    Nothing,
    /// The generation is being taken.
    Opening(Box<Booting>),
    /// Actors run.
    Open(Box<Open>),
}

#[derive(Debug)]
pub(crate) struct Booting {
    opening: Opening,
    /// When to ask; `None`: the store was asked.
    ask_at: Option<Mono>,
    #[cfg(feature = "flaws")]
    flaw: Option<lightmoon_durable::Flaw>,
}

#[derive(Debug)]
pub(crate) struct Open {
    generation: u64,
    keeper: Keeper,
    told: StoreState,
}

impl Keeping {
    /// Of a node that starts at `now`; `keeps`: whether any kind of its game keeps anything.
    pub(crate) fn new(keeps: bool, now: Mono, options: &crate::NodeOptions) -> Self {
        let _ = options;
        if !keeps {
            return Self::Nothing;
        }
        Self::Opening(Box::new(Booting {
            opening: Opening::new(SINGLE_NODE),
            ask_at: Some(now),
            #[cfg(feature = "flaws")]
            flaw: options.keeper_flaw,
        }))
    }

    /// Whether actors may run.
    pub(crate) const fn is_open(&self) -> bool {
        !matches!(self, Self::Opening(_))
    }

    /// The store answered.
    pub(crate) fn stored(&mut self, now: Mono, ticket: Ticket, outcome: Outcome) {
        match self {
            Self::Nothing => {}
            Self::Opening(_) => self.opened(now, &outcome),
            Self::Open(open) => open.keeper.outcome(now, ticket, outcome),
        }
    }

    fn opened(&mut self, now: Mono, outcome: &Outcome) {
        let Self::Opening(booting) = self else { return };
        match booting.opening.outcome(outcome) {
            Step::Ask => booting.ask_at = Some(now),
            Step::AskLater => booting.ask_at = Some(now + OPEN_AGAIN_AFTER),
            Step::Taken(generation) => {
                #[cfg_attr(not(feature = "flaws"), expect(unused_mut, reason = "a flaw is set on it"))]
                let mut keeper = Keeper::new(generation);
                #[cfg(feature = "flaws")]
                if let Some(flaw) = booting.flaw {
                    keeper.set_flaw(flaw);
                }
                *self = Self::Open(Box::new(Open { generation, keeper, told: StoreState::default() }));
            }
        }
    }

    /// A copy was encoded.
    pub(crate) fn encoded(&mut self, encoded: Encoded) {
        if let Self::Open(open) = self {
            open.keeper.encoded(encoded.actor, encoded.id, encoded.parts);
        }
    }

    pub(crate) fn on_deadline(&mut self, now: Mono) {
        if let Self::Open(open) = self {
            open.keeper.on_deadline(now);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        match self {
            Self::Nothing => None,
            Self::Opening(booting) => booting.ask_at,
            Self::Open(open) => open.keeper.next_deadline(),
        }
    }

    /// The worker wants an actor.
    pub(crate) fn load(&mut self, now: Mono, actor: ActorId) {
        if let Self::Open(open) = self {
            open.keeper.load(now, actor);
        }
    }

    /// The worker wants to show what is stored of an actor that does not live.
    pub(crate) fn peek(&mut self, now: Mono, actor: ActorId) {
        if let Self::Open(open) = self {
            open.keeper.peek(now, actor);
        }
    }

    /// The worker hands out a commit.
    pub(crate) fn commit(&mut self, commit: Commit) {
        let Self::Open(open) = self else { return };
        let Commit { actor, number, is_urgent, parcel, log, posted, taken, replies, forgotten } = commit;
        let saved = parcel
            .and_then(|parcel| parcel.downcast::<Saved>().ok())
            .map_or_else(Saved::default, |saved| *saved);
        let mail = Mail {
            posted: posted.into_iter().map(letter).collect(),
            taken: taken.into_iter().map(|Taken { from, number }| (from, number)).collect(),
            replies: replies.into_iter().map(reply).collect(),
            forgotten: forgotten.into_iter().map(|key| (key.session, key.request)).collect(),
        };
        let log = log.into_iter().map(entry).collect();
        open.keeper.commit(actor, lightmoon_durable::Commit { number, is_urgent, saved, log, mail });
    }

    /// The worker hands out a copy of a world.
    pub(crate) fn snapshot(&mut self, actor: ActorId, parcel: Parcel) {
        let Self::Open(open) = self else { return };
        if let Ok(saved) = parcel.downcast::<Saved>()
            && let Saved { snapshot: Some(job), ids, .. } = *saved
        {
            open.keeper.snapshot(actor, ids, job);
        }
    }

    /// A delivery ended without a commit.
    pub(crate) fn delivered(&mut self, now: Mono, to: ActorId, message: Taken, end: DeliveryEnd) {
        if let Self::Open(open) = self {
            let end = match end {
                DeliveryEnd::Known => Undelivered::Known,
                DeliveryEnd::Gap => Undelivered::Gap,
                DeliveryEnd::Failed => Undelivered::Failed,
                DeliveryEnd::Unserved => Undelivered::Unserved,
            };
            open.keeper.delivered(now, to, message.from, message.number, end);
        }
    }

    /// Messages that are tried no more.
    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        match self {
            Self::Nothing | Self::Opening(_) => Vec::new(),
            Self::Open(open) => open.keeper.dead_letters(),
        }
    }

    /// Sends a dead letter again; false: there is none.
    pub(crate) fn replay(&mut self, now: Mono, from: ActorId, number: u64) -> bool {
        match self {
            Self::Nothing | Self::Opening(_) => false,
            Self::Open(open) => open.keeper.replay(now, from, number),
        }
    }

    /// The worker needs an actor no more.
    pub(crate) fn release(&mut self, actor: ActorId) {
        if let Self::Open(open) = self {
            open.keeper.release(actor);
        }
    }

    /// Whether something happened that the worker does not know.
    pub(crate) fn has_events(&self) -> bool {
        matches!(self, Self::Open(open) if open.keeper.has_events())
    }

    /// Hands what happened to the worker, in its order. Gives the reason if the node is fenced.
    pub(crate) fn tell_worker(&mut self, unsaved_bytes: usize, to: &mut Vec<In>) -> Option<String> {
        let Self::Open(open) = self else { return None };
        while let Some(event) = open.keeper.poll_event() {
            match event {
                Event::Loaded { actor, loaded } => to.push(loaded_input(actor, loaded)),
                Event::LoadFailed { actor, error } => {
                    to.push(In::Loaded { actor, result: Err(load_error(error)) });
                }
                Event::Peeked { actor, state } => to.push(peeked_input(actor, state)),
                Event::Committed { actor, number } => to.push(In::Committed { actor, number }),
                Event::Deliver { from, number, after, posted } => {
                    to.push(In::Envelope(delivery(from, Delivery { number, after }, posted)));
                }
                Event::Acknowledged { actor, count, bytes } => {
                    to.push(In::Acknowledged { actor, load: Load { messages: count, bytes } });
                }
                Event::Settled { actor, from, number } => {
                    to.push(In::Settled { actor, last: Taken { from, number } });
                }
                Event::Wake(actor) => to.push(In::Wake(actor)),
                Event::Snapshotted { actor } => to.push(In::Snapshotted { actor }),
                Event::Lost { actor, message } => to.push(In::Lost { actor, message }),
                Event::Fenced { reason } => return Some(reason),
            }
        }
        let is_full = open.keeper.bytes() + unsaved_bytes > limits::UNSAVED_BYTES_MAX;
        let state = StoreState { is_away: open.keeper.is_away(), is_full };
        if std::mem::replace(&mut open.told, state) != state {
            to.push(In::Store(state));
        }
        None
    }

    /// Hands out requests and copies to be encoded.
    pub(crate) fn drain(&mut self, now: Mono, out: &mut Vec<Output>) {
        match self {
            Self::Nothing => {}
            Self::Opening(booting) => {
                if booting.ask_at.take_if(|at| *at <= now).is_some() {
                    out.push(Output::Store { ticket: OPENING_TICKET, request: booting.opening.request() });
                }
            }
            Self::Open(open) => {
                while let Some((ticket, request)) = open.keeper.poll_request(now) {
                    out.push(Output::Store { ticket, request });
                }
                while let Some(lightmoon_durable::Encode { actor, id, job }) = open.keeper.poll_encode() {
                    out.push(Output::Encode(EncodeJob { actor, id, job }));
                }
            }
        }
    }

    /// Whether everything that was handed in is stored.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Self::Nothing | Self::Opening(_) => true,
            Self::Open(open) => open.keeper.is_quiet(),
        }
    }

    pub(crate) fn report(&self, unsaved_bytes: usize, held: usize) -> StoreReport {
        let Self::Open(open) = self else {
            return StoreReport { is_opening: matches!(self, Self::Opening(_)), ..StoreReport::default() };
        };
        StoreReport {
            generation: open.generation,
            is_opening: false,
            is_away: open.keeper.is_away(),
            requests: open.keeper.requests(),
            waiting_bytes: open.keeper.bytes(),
            unsaved_bytes,
            held,
            letters: open.keeper.letters(),
            counters: open.keeper.counters(),
            commit_times: *open.keeper.commit_times(),
        }
    }
}

fn loaded_input(actor: ActorId, mut loaded: Loaded) -> In {
    let memory = Memory {
        inbox: std::mem::take(&mut loaded.inbox),
        outbox: Load { messages: loaded.outbox.0, bytes: loaded.outbox.1 },
        replies: std::mem::take(&mut loaded.replies).into_iter().map(replied).collect(),
    };
    In::Loaded { actor, result: Ok(Stored { parcel: Box::new(loaded), memory }) }
}

fn peeked_input(actor: ActorId, state: Result<Option<Bytes>, LoadFailure>) -> In {
    let parcel = |state| Box::new(Loaded { state: Some(state), ..Loaded::default() }) as Parcel;
    In::Peeked { actor, result: state.map(|state| state.map(parcel)).map_err(load_error) }
}

/// A message on its way to its receiver.
fn delivery(from: ActorId, delivery: Delivery, posted: Posted) -> Envelope {
    let Posted { to, operation, priority, arguments } = posted;
    Envelope {
        to,
        from: Caller::Actor(from),
        number: operation,
        priority,
        reliability: Reliability::ExactlyOnce,
        reply_to: ReplyTo::Nobody,
        timeout_ms: 0,
        id: MessageId::Posted(delivery),
        body: Body::Bytes(arguments),
    }
}

fn letter(posted: lightmoon_actor::Posted) -> Posted {
    let lightmoon_actor::Posted { to, operation, priority, arguments } = posted;
    Posted { to, operation, priority, arguments }
}

fn reply(replied: Replied) -> Reply {
    let Replied { key: RequestKey { session, request }, operation, check, reply } = replied;
    Reply { session, request, operation, check, reply }
}

fn replied(reply: Reply) -> Replied {
    let Reply { session, request, operation, check, reply } = reply;
    Replied { key: RequestKey { session, request }, operation, check, reply }
}

fn load_error(error: LoadFailure) -> LoadError {
    match error {
        LoadFailure::Unreadable(why) => LoadError::Unreadable(Unreadable(why)),
        // Whatever else keeps an actor from being loaded is as if the store were away: ask again.
        LoadFailure::Away | _ => LoadError::Away,
    }
}

/// What stands in the log of an operation.
fn entry(logged: Logged) -> LogEntry {
    let Logged { caller, number, arguments, reply } = logged;
    let player = match caller {
        Caller::Client { player, .. } => player,
        Caller::Actor(_) | Caller::Node => 0,
    };
    LogEntry { player, operation: number.0, arguments, reply }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_game_that_keeps_nothing_asks_nothing() {
        let mut keeping = Keeping::new(false, Mono(0), &crate::NodeOptions::default());
        let mut out = Vec::new();
        keeping.drain(Mono(0), &mut out);
        assert!(out.is_empty() && keeping.is_open() && keeping.is_quiet());
    }
}
