//! Calls of clients on their way to actors, and the answers back.
//!
//! *Responsible for*: limits of sessions, handing calls over, matching answers. *Not responsible for*: whether a call is
//! allowed by its contract ([`super::routing`]).

use bytes::Bytes;
use lightmoon_actor::{Envelope, MessageId, ReplyTo};
use lightmoon_contract::call::{Answer, Body};
use lightmoon_contract::operation::OperationSpec;
use lightmoon_contract::{ActorId, CallError, Caller, Mono, SessionId};
use lightmoon_wire::{CloseCode, IncomingCall};

use super::{Gateway, PendingCall, routing};
use crate::{LinkId, limits};

impl Gateway {
    pub(super) fn call(&mut self, now: Mono, link: LinkId, call: IncomingCall) {
        let Some(id) = self.links.get(&link).and_then(|entry| entry.session) else { return };
        match self.admit(now, id, &call) {
            Ok((spec, to)) => self.hand_over(id, spec, to, call),
            Err(error) => {
                self.counters.calls_refused += 1;
                self.refuse_call(now, link, id, call.request, error);
            }
        }
    }

    /// The operation and its actor, if the session may call it now.
    fn admit(
        &mut self,
        now: Mono,
        id: SessionId,
        call: &IncomingCall,
    ) -> Result<(&'static OperationSpec, ActorId), CallError> {
        let session = self.sessions.get_mut(&id).ok_or(CallError::Gone)?;
        let (spec, to) = routing::route(&self.operations, self.player, session, call)?;
        if !session.take_call(to.kind, spec, now) {
            return Err(CallError::TooFast);
        }
        if call.request.is_some() && session.pending.len() >= limits::REQUESTS_IN_FLIGHT_MAX {
            return Err(CallError::Busy);
        }
        Ok((spec, to))
    }

    fn hand_over(&mut self, id: SessionId, spec: &'static OperationSpec, to: ActorId, call: IncomingCall) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let reply_to = match call.request {
            None => ReplyTo::Nobody,
            Some(request) => {
                let token = self.next_token;
                self.next_token += 1;
                session.pending.insert(token);
                self.pending.insert(token, PendingCall { session: id, request });
                ReplyTo::Outside(token)
            }
        };
        self.counters.calls += 1;
        self.to_actors.push(Envelope {
            to,
            from: Caller::Client { session: id, player: session.player },
            number: call.number,
            priority: spec.lane.priority,
            reply_to,
            timeout_ms: spec.timeout_ms,
            id: MessageId::None,
            body: Body::Bytes(call.args),
        });
    }

    /// Answers a refused request; a refused one-way call is only counted. Too many of them end the session, whatever they
    /// were refused for: a call that is not allowed costs us as much as one that is too fast.
    fn refuse_call(
        &mut self,
        now: Mono,
        link: LinkId,
        id: SessionId,
        request: Option<u64>,
        error: CallError,
    ) {
        if let (Some(request), Some(entry)) = (request, self.links.get_mut(&link)) {
            // The request was just read from this link, so it is open; a full lane closes the link by itself.
            let _ = entry.server.answer(request, Err(error));
        }
        if self.sessions.get_mut(&id).is_some_and(|session| !session.take_refusal(now)) {
            self.counters.sessions_closed_for_rate += 1;
            self.close_session(
                now,
                id,
                CloseCode::RateExceeded,
                "calls kept coming that the contract does not allow, or not so fast",
            );
        }
    }

    /// Brings an actor's answer to the client that asked.
    pub(crate) fn answer(&mut self, token: u64, result: Result<Answer, CallError>) {
        let Some(PendingCall { session, request }) = self.pending.remove(&token) else {
            self.counters.answers_late += 1;
            return;
        };
        let Some(entry) = self.sessions.get_mut(&session).and_then(|session| {
            session.pending.remove(&token);
            self.touched.insert(session.link);
            self.links.get_mut(&session.link)
        }) else {
            self.counters.answers_late += 1;
            return;
        };
        let result = result.and_then(into_bytes);
        if entry.server.answer(request, result).is_err() {
            // Too large a value: the client learns that its request failed, the game's author from the counter.
            self.counters.answers_refused += 1;
            let _ = entry.server.answer(request, Err(CallError::Panicked));
        }
    }
}

/// The bytes of an answer for the wire: asked for as bytes, so anything else is a fault of ours.
fn into_bytes(answer: Answer) -> Result<Bytes, CallError> {
    match answer {
        Some(Body::Bytes(bytes)) => Ok(bytes),
        Some(Body::Typed(_)) | None => Err(CallError::WrongType("encoded answer")),
    }
}
