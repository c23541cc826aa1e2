//! Messages that take effect exactly once, and requests that come again.
//!
//! *Responsible for*: telling what was served before from what is new, remembering what was served, what an operation sent
//! with its commit. *Not responsible for*: what is remembered ([`crate::mail`], [`crate::replies`]), storing and delivering it
//! (`durable`).
//!
//! ```text
//! delivery ─► known? ─► served ─► effect and mark in one commit          request ─► known? ─► served ─► effect and reply in one
//!               └► said again that it was taken                                       └► the reply of the first time
//! ```
//!
//! Invariants:
//! - I1: each delivery ends once: in [`crate::Commit::taken`], or by an [`Out::Delivered`].
//! - I2: what was served and is in no commit is forgotten with its activation, and so served again.

use lightmoon_contract::call::{Answer, Body};
use lightmoon_contract::operation::Durability;
use lightmoon_contract::{ActorId, CallError, Caller, OperationNumber};
use xxhash_rust::xxh3::xxh3_64;

use super::Worker;
use crate::gate::Sent;
use crate::keep::{Load, RequestKey, Taken};
use crate::mail::Arrival;
use crate::replies::Known;
use crate::{Delivery, DeliveryEnd, Envelope, MessageId, Out};

/// What has to be remembered of a message when it was served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trace {
    /// Nothing.
    Nothing,
    /// That it was taken.
    Taken(Taken),
    /// What was replied to a request with arguments of this hash.
    Request(RequestKey, u64),
}

impl Worker {
    /// A message that was not served before, and what has to be remembered of it; `None`: it was, or it is not its turn.
    pub(super) fn news(&mut self, index: u32, envelope: Envelope) -> Option<(Envelope, Trace)> {
        match (envelope.id, envelope.from) {
            (MessageId::Posted(delivery), Caller::Actor(from)) => {
                self.news_of_delivery(index, envelope, from, delivery)
            }
            (MessageId::Request(request), Caller::Client { session, .. }) => {
                self.news_of_request(index, envelope, RequestKey { session, request })
            }
            (MessageId::None | MessageId::Posted(_) | MessageId::Request(_), _) => {
                Some((envelope, Trace::Nothing))
            }
        }
    }

    fn news_of_delivery(
        &mut self,
        index: u32,
        envelope: Envelope,
        from: ActorId,
        delivery: Delivery,
    ) -> Option<(Envelope, Trace)> {
        let arrival = self.places.at(index).keep.as_ref().map(|keep| keep.mail.arrival(from, delivery));
        #[cfg(feature = "flaws")]
        let arrival = match (self.flaw, arrival) {
            (Some(super::Flaw::NoDedup), Some(Arrival::Known)) => Some(Arrival::Next),
            (_, arrival) => arrival,
        };
        let waits = self.places.at(index).keep.as_ref().is_some_and(|keep| keep.waits(envelope.number));
        let end = match arrival {
            // The contract made it `async` since the message was sent: what waits is in no one commit.
            Some(Arrival::Next) if waits => {
                self.port.count(|counters| counters.deliveries_failed += 1);
                DeliveryEnd::Failed
            }
            Some(Arrival::Next) => {
                return Some((envelope, Trace::Taken(Taken { from, number: delivery.number })));
            }
            Some(Arrival::Known) => {
                self.port.count(|counters| counters.deliveries_known += 1);
                DeliveryEnd::Known
            }
            Some(Arrival::Gap) => {
                self.port.count(|counters| counters.deliveries_gap += 1);
                DeliveryEnd::Gap
            }
            // Kinds may keep nothing any more since the message was sent.
            None => DeliveryEnd::Unserved,
        };
        self.port.delivered(envelope.to, envelope.from, envelope.id, end);
        self.port.contain(|| drop(envelope));
        None
    }

    fn news_of_request(
        &mut self,
        index: u32,
        envelope: Envelope,
        key: RequestKey,
    ) -> Option<(Envelope, Trace)> {
        let number = envelope.number;
        let (Some(keep), Body::Bytes(arguments)) = (&self.places.at(index).keep, &envelope.body) else {
            return Some((envelope, Trace::Nothing));
        };
        if !keep.keeps_reply(number) {
            return Some((envelope, Trace::Nothing));
        }
        let check = xxh3_64(arguments);
        let known = keep.replies.find(key, number, check);
        #[cfg(feature = "flaws")]
        let known = if self.flaw == Some(super::Flaw::NoDedup) { Known::No } else { known };
        match known {
            Known::No => Some((envelope, Trace::Request(key, check))),
            Known::Answered(reply) => {
                self.port.count(|counters| counters.requests_repeated += 1);
                let answer = Sent::Answer(envelope.reply_to, Ok(Some(Body::Bytes(reply))));
                // Through the gate: the effect that it tells of may not be durable yet.
                self.send(index, answer);
                None
            }
            Known::Refused(error) => {
                self.port.count(|counters| counters.requests_stale += 1);
                self.port.refuse(envelope, error);
                None
            }
        }
    }

    /// Notes that a message was served and answered so; false if it failed without effect.
    pub(super) fn note_served(
        &mut self,
        index: u32,
        number: OperationNumber,
        trace: Trace,
        answer: &Result<Answer, CallError>,
    ) -> bool {
        let now = self.port.now();
        let place = self.places.at(index);
        let (to, Some(keep)) = (place.actor, &mut place.keep) else { return true };
        match (trace, answer) {
            (Trace::Taken(message), Ok(_)) => {
                keep.mail.take(message.from, message.number);
                self.port.count(|counters| counters.taken += 1);
            }
            (Trace::Taken(message), Err(_)) => {
                self.port.count(|counters| counters.deliveries_failed += 1);
                self.port.put_out(Out::Delivered { to, message, end: DeliveryEnd::Failed });
                return false;
            }
            (Trace::Request(key, check), Ok(Some(Body::Bytes(reply)))) => {
                keep.replies.served(now, key, number, check, reply.clone());
            }
            (Trace::Request(..), Ok(Some(Body::Typed(_)) | None) | Err(_)) | (Trace::Nothing, _) => {}
        }
        true
    }

    /// Takes out of a segment what goes with the commit; the rest goes through the gate.
    pub(super) fn keep_posted(&mut self, index: u32, segment: Vec<Sent>) -> Vec<Sent> {
        if segment.is_empty() {
            return segment;
        }
        let Some(keep) = &mut self.places.at(index).keep else { return segment };
        let through_gate = segment.into_iter().filter_map(|sent| match sent {
            Sent::Posted(posted) => {
                keep.mail.send(posted);
                None
            }
            sent @ (Sent::Message(_) | Sent::Out(_) | Sent::Answer(..)) => Some(sent),
        });
        through_gate.collect()
    }

    /// What was taken and is in no commit has not happened: it is to be delivered again.
    pub(super) fn undo_mail(&mut self, index: u32, end: DeliveryEnd) {
        let place = self.places.at(index);
        let (to, Some(keep)) = (place.actor, &mut place.keep) else { return };
        keep.replies.undo();
        for message in keep.mail.undo() {
            self.port.put_out(Out::Delivered { to, message, end });
        }
    }

    /// Receivers have taken messages of this actor.
    pub(super) fn acknowledged(&mut self, actor: ActorId, load: Load) {
        if let Some(index) = self.places.find(actor)
            && let Some(keep) = &mut self.places.at(index).keep
        {
            keep.mail.acknowledged(load);
        }
    }

    /// A sender has nothing left to send.
    pub(super) fn settled(&mut self, actor: ActorId, last: Taken) {
        if let Some(index) = self.places.find(actor)
            && let Some(keep) = &mut self.places.at(index).keep
        {
            keep.mail.forget(last.from, last.number);
        }
    }

    /// Brings an actor to life that may have messages to send.
    pub(super) fn wake_kept(&mut self, actor: ActorId) {
        if self.port.kinds().maker(actor.kind).is_some_and(|maker| maker.keeping().is_some()) {
            self.to_wake.insert(actor);
            self.wake_up(actor);
        } else {
            self.port.count(|counters| counters.unknown_kind += 1);
        }
    }
}

impl super::keep::Keep {
    /// Whether replies of an operation are kept with its effects. What ticks stands in snapshots, and a reply in a commit, so
    /// there only effects of `sync` operations have their replies beside them.
    fn keeps_reply(&self, number: OperationNumber) -> bool {
        match self.durability(number) {
            Durability::Sync => true,
            Durability::Behind => !self.has_snapshots(),
            Durability::None => false,
        }
    }
}
