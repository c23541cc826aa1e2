//! One session: whose it is, what it looks at, what it may still call.
//!
//! *Responsible for*: the facts of a session and its limits. *Not responsible for*: links, routing (the gateway).
//!
//! Invariants:
//! - I1: a session belongs to one player for life.
//! - I2: generations of attachments only grow, so that an older packet is told from a newer one.

use std::collections::BTreeMap;

use lightmoon_contract::operation::{OperationSpec, Rate};
use lightmoon_contract::{ActorId, Kind, Mono, NetId, OperationNumber};

use super::rate::Bucket;
use crate::LinkId;

/// What a session looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Attachment {
    pub(crate) zone: ActorId,
    pub(crate) avatar: NetId,
    pub(crate) generation: u32,
}

/// A client that was let in.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) link: LinkId,
    pub(crate) player: u64,
    pub(crate) attached: Option<Attachment>,
    pub(crate) requests_in_flight: usize,
    generation: u32,
    buckets: BTreeMap<(Kind, OperationNumber), Bucket>,
    refusals_in_a_row: u32,
}

impl Session {
    pub(crate) const fn new(link: LinkId, player: u64) -> Self {
        Self {
            link,
            player,
            attached: None,
            requests_in_flight: 0,
            generation: 0,
            buckets: BTreeMap::new(),
            refusals_in_a_row: 0,
        }
    }

    /// Looks at `zone` from now on.
    pub(crate) fn attach(&mut self, zone: ActorId, avatar: NetId) -> Attachment {
        self.generation = self.generation.wrapping_add(1);
        let attachment = Attachment { zone, avatar, generation: self.generation };
        self.attached = Some(attachment);
        attachment
    }

    /// Takes one call of `spec` out of its rate; `false`: too fast.
    pub(crate) fn take_call(&mut self, kind: Kind, spec: &OperationSpec, now: Mono) -> bool {
        let rate: Rate = spec.rate;
        let bucket = self.buckets.entry((kind, spec.number)).or_insert_with(|| Bucket::full(rate, now));
        let taken = bucket.take(rate, now);
        self.refusals_in_a_row = if taken { 0 } else { self.refusals_in_a_row.saturating_add(1) };
        taken
    }

    /// Calls refused for their rate since one passed.
    pub(crate) const fn refusals_in_a_row(&self) -> u32 {
        self.refusals_in_a_row
    }
}
