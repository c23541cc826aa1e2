//! Requests on their way to the store and back.
//!
//! *Responsible for*: tickets, what waits while too much is under way or the store is away, repeats after a while.
//! *Not responsible for*: what requests are for.
//!
//! Invariants:
//! - I1: a ticket is given once; a request is under way under one ticket at a time.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use lightmoon_contract::{ActorId, Mono};
use lightmoon_store::{Request, Ticket};

use crate::limits;

/// What a request is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// A step of loading an actor.
    Load(ActorId),
    /// A commit of an actor.
    Commit(ActorId),
    /// Finding out whether a commit happened.
    Ask(ActorId),
    /// A part of the snapshot of this number.
    Chunk(ActorId, u64),
    /// Looking for parts that belong to no snapshot.
    Sweep(ActorId),
    /// Writing an actor into the list of outboxes.
    List(ActorId),
    /// Reading that list.
    Outboxes,
    /// Looking whether an actor of that list, which stands there under this key, has a message.
    Holds(ActorId, Bytes),
    /// A look at what is stored of an actor, by its number.
    Peek(u64),
    /// Taking an actor of that list, which stands there under this key, away from a former node.
    Bar(Bytes),
    /// Something whose outcome does not matter.
    Forget,
}

/// All requests of a keeper.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    last_ticket: u64,
    under_way: BTreeMap<Ticket, (Purpose, Request)>,
    urgent: VecDeque<(Purpose, Request)>,
    waiting: VecDeque<(Purpose, Request)>,
    /// To be sent again, at a time.
    later: BTreeMap<(Mono, u64), (Purpose, Request)>,
    /// When to try again; `None`: the store is there.
    away: Option<Mono>,
}

impl Traffic {
    /// Sends a request as soon as possible.
    pub(super) fn send(&mut self, purpose: Purpose, request: Request, is_urgent: bool) {
        let queue = if is_urgent { &mut self.urgent } else { &mut self.waiting };
        queue.push_back((purpose, request));
    }

    /// Sends a request before all others.
    pub(super) fn send_first(&mut self, purpose: Purpose, request: Request) {
        self.urgent.push_front((purpose, request));
    }

    /// Sends a request again in a moment.
    pub(super) fn send_later(&mut self, now: Mono, purpose: Purpose, request: Request) {
        self.last_ticket += 1;
        self.later.insert((now + limits::PROBE_EVERY, self.last_ticket), (purpose, request));
    }

    /// What was under way under this ticket.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<(Purpose, Request)> {
        self.under_way.remove(&ticket)
    }

    /// The next request to be sent now.
    pub(super) fn poll(&mut self, now: Mono) -> Option<(Ticket, Request)> {
        if self.under_way.len() >= limits::REQUESTS_IN_FLIGHT_MAX {
            return None;
        }
        if let Some(at) = self.away {
            if at > now || !self.under_way.is_empty() {
                return None;
            }
            self.away = Some(now + limits::PROBE_EVERY);
        }
        let (purpose, request) = self.urgent.pop_front().or_else(|| self.waiting.pop_front())?;
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.under_way.insert(ticket, (purpose, request.clone()));
        Some((ticket, request))
    }

    pub(super) fn on_deadline(&mut self, now: Mono) {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let (purpose, request) = entry.remove();
            self.send(purpose, request, true);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Mono> {
        let later = self.later.keys().next().map(|(at, _)| *at);
        let probe = self.away.filter(|_| self.under_way.is_empty());
        later.into_iter().chain(probe).min()
    }

    /// The store did not take a request. Whether that is news.
    pub(super) fn went_away(&mut self, now: Mono) -> bool {
        self.away.replace(now + limits::PROBE_EVERY).is_none()
    }

    /// The store answered.
    pub(super) const fn came_back(&mut self) {
        self.away = None;
    }

    pub(super) const fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// Whether a request may be sent to see whether the store is there again.
    pub(super) fn may_probe(&self, now: Mono) -> bool {
        self.away.is_some_and(|at| at <= now) && self.under_way.is_empty()
    }

    /// Whether no request waits to be sent.
    pub(super) fn is_idle(&self) -> bool {
        self.urgent.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.under_way.len() + self.urgent.len() + self.waiting.len() + self.later.len()
    }
}
