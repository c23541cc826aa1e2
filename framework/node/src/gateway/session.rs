//! One session: whose it is, by which way it is reached, what it looks at, what it may still call.
//!
//! *Responsible for*: the facts of a session and its limits. *Not responsible for*: links, routing (the gateway).
//!
//! Invariants:
//! - I1: a session belongs to one player for life.
//! - I2: generations of attachments only grow, so that an older packet is told from a newer one.

use std::collections::{BTreeMap, BTreeSet};

use lightmoon_contract::operation::{OperationSpec, Rate};
use lightmoon_contract::{ActorId, Kind, Mono, NetId, OperationNumber};
use lightmoon_wire::KeptLanes;
use lightmoon_wire::limits::STATE_BYTES_MAX;

use super::crowd::Source;
use super::rate::Bucket;
use super::repeats::Repeats;
use crate::{LinkId, Transport, limits};

/// How often calls of a session may be refused.
const REFUSALS: Rate = Rate { per_second: limits::REFUSALS_PER_SECOND, burst: limits::REFUSALS_MAX };

/// What a session looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Attachment {
    pub(crate) zone: ActorId,
    pub(crate) avatar: NetId,
    pub(crate) generation: u32,
    /// Bytes of a state packet that were promised to the zone.
    pub(crate) budget_bytes: usize,
}

/// How a session's client is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// Over this link.
    Link(LinkId),
    /// Not at all: the session waits for its client to come back.
    Waits,
}

/// A client that was let in.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) way: Way,
    /// Where the client came from last, and by what.
    pub(crate) remote: String,
    /// As what of its source it is counted; `None`: it had no link yet.
    pub(super) source: Option<Source>,
    pub(crate) transport: Transport,
    pub(crate) player: u64,
    /// The serial of its login.
    pub(crate) login: u64,
    /// Whether the client can come back, and keeps the numbers of its requests.
    pub(crate) takes_tickets: bool,
    /// Whether the client acknowledges lanes: what is promised to it survives its connections.
    pub(crate) keeps_lanes: bool,
    /// What is kept of its lanes while it has no link; a link has them else.
    pub(crate) kept: KeptLanes,
    /// The next ticket, or the end of waiting: as it stands among those of all sessions.
    pub(crate) due: Option<Mono>,
    pub(crate) repeats: Repeats,
    /// Requests with numbers below may have been served by a process before this one; 0: none.
    pub(crate) anew_below: u64,
    pub(crate) attached: Option<Attachment>,
    /// Tokens of its requests that wait for their answer.
    pub(crate) pending: BTreeSet<u64>,
    /// Requests of before that may still come again beyond the rates.
    repeats_left: usize,
    generation: u32,
    buckets: BTreeMap<(Kind, OperationNumber), Bucket>,
    refusals: Bucket,
}

impl Session {
    /// A session that waits for its first link.
    pub(crate) fn new(player: u64, login: u64, now: Mono) -> Self {
        Self {
            way: Way::Waits,
            remote: String::new(),
            source: None,
            transport: Transport::Native,
            player,
            login,
            takes_tickets: false,
            keeps_lanes: false,
            kept: KeptLanes::default(),
            due: None,
            repeats: Repeats::default(),
            anew_below: 0,
            attached: None,
            pending: BTreeSet::new(),
            repeats_left: limits::REQUESTS_IN_FLIGHT_MAX,
            generation: 0,
            buckets: BTreeMap::new(),
            refusals: Bucket::full(REFUSALS, now),
        }
    }

    /// Looks at `zone` from now on.
    pub(crate) fn attach(&mut self, zone: ActorId, avatar: NetId) -> Attachment {
        self.generation = self.generation.wrapping_add(1);
        let attachment =
            Attachment { zone, avatar, generation: self.generation, budget_bytes: STATE_BYTES_MAX };
        self.attached = Some(attachment);
        attachment
    }

    /// Takes one call of `spec` out of its rate; `false`: too fast.
    pub(crate) fn take_call(&mut self, kind: Kind, spec: &OperationSpec, now: Mono) -> bool {
        let rate: Rate = spec.rate;
        let bucket = self.buckets.entry((kind, spec.number)).or_insert_with(|| Bucket::full(rate, now));
        bucket.take(rate, now)
    }

    /// Takes a request that comes again from a process before this one; `false`: more than could have been open there.
    pub(crate) fn take_repeat(&mut self) -> bool {
        let is_left = self.repeats_left > 0;
        self.repeats_left = self.repeats_left.saturating_sub(1);
        is_left
    }

    /// Counts a refused call; `false`: too many of them.
    pub(crate) fn take_refusal(&mut self, now: Mono) -> bool {
        self.refusals.take(REFUSALS, now)
    }
}
