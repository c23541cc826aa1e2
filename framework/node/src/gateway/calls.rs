//! Calls of clients on their way to actors, and the answers back.
//!
//! *Responsible for*: limits of sessions, handing calls over, matching answers. *Not responsible for*: whether a call is
//! allowed by its contract ([`super::routing`]), what is remembered of requests ([`super::repeats`]).

use bytes::Bytes;
use lightmoon_actor::{Envelope, MessageId, ReplyTo};
use lightmoon_contract::call::{Answer, Body};
use lightmoon_contract::operation::{Durability, OperationSpec};
use lightmoon_contract::{ActorId, CallError, Caller, Kind, Mono, SessionId};
use lightmoon_wire::limits::ANSWER_BYTES_MAX;
use lightmoon_wire::{CloseCode, IncomingCall, SendError};

use super::operator::Refused;
use super::repeats::{Content, Verdict};
use super::session::Session;
use super::{Gateway, PendingCall, routing};
use crate::game::Operations;
use crate::{LinkId, limits};

impl Gateway {
    pub(super) fn call(&mut self, now: Mono, link: LinkId, call: IncomingCall) {
        let Some(id) = self.links.get(&link).and_then(|entry| entry.session) else { return };
        if let Some(request) = call.request
            && self.answer_repeat(now, link, id, request, &call)
        {
            return;
        }
        match self.admit(now, id, &call) {
            Ok(admitted) => self.hand_over(id, admitted, call),
            Err(error) => {
                self.counters.calls_refused += 1;
                self.counters.calls_too_fast += u64::from(error == CallError::TooFast);
                self.answer_at_once(now, link, id, call.request, Err(error));
            }
        }
    }

    /// Deals with a request whose number was used before; `false`: it was not.
    fn answer_repeat(
        &mut self,
        now: Mono,
        link: LinkId,
        id: SessionId,
        request: u64,
        call: &IncomingCall,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(&id).filter(|session| session.takes_tickets) else {
            return false;
        };
        let result = match session.repeats.look(now, request, &Content::of(call)) {
            Verdict::New => return false,
            Verdict::InFlight => {
                // Its one answer goes to the link of then, where the request is open now.
                self.counters.requests_rejoined += 1;
                return true;
            }
            Verdict::Answered(result) => {
                self.counters.answers_repeated += 1;
                result
            }
            Verdict::Reused => {
                self.counters.requests_reused += 1;
                Err(CallError::RequestReused)
            }
            Verdict::Forgotten => {
                self.counters.answers_forgotten += 1;
                Err(CallError::AnswerForgotten)
            }
        };
        // An honest client does this a few times after a reconnect; for ever, it costs as much as what is refused.
        self.answer_at_once(now, link, id, Some(request), result);
        true
    }

    /// The operation and its actor, if the session may call it now.
    fn admit(&mut self, now: Mono, id: SessionId, call: &IncomingCall) -> Result<Admitted, CallError> {
        let session = self.sessions.get_mut(&id).ok_or(CallError::Gone)?;
        let is_of_before = call.request.is_some_and(|request| request < session.anew_below);
        admit_to(&self.operations, self.player, session, now, call, is_of_before)
            .map_err(|error| if is_of_before { uncertain(error) } else { error })
    }

    fn hand_over(&mut self, id: SessionId, admitted: Admitted, call: IncomingCall) {
        let Admitted { spec, to, is_of_before } = admitted;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let mut message_id = MessageId::None;
        let reply_to = match call.request {
            None => ReplyTo::Nobody,
            Some(request) => {
                if session.takes_tickets {
                    session.repeats.handed_over(request, Content::of(&call));
                    message_id = MessageId::Request(request);
                }
                let token = self.next_token;
                self.next_token += 1;
                session.pending.insert(token);
                self.pending.insert(token, PendingCall { session: id, request, is_of_before });
                ReplyTo::Outside(token)
            }
        };
        self.counters.calls += 1;
        self.to_actors.push(Envelope {
            to,
            from: Caller::Client { session: id, player: session.player },
            number: call.number,
            priority: spec.lane.priority,
            reliability: spec.lane.reliability,
            reply_to,
            timeout_ms: spec.timeout_ms,
            id: message_id,
            body: Body::Bytes(call.args),
        });
    }

    /// Answers a request that goes to no actor; a refused one-way call is only counted. Too many of them end the session, whatever
    /// they were refused for: a call that is not allowed costs us as much as one that is too fast.
    fn answer_at_once(
        &mut self,
        now: Mono,
        link: LinkId,
        id: SessionId,
        request: Option<u64>,
        result: Result<Bytes, CallError>,
    ) {
        if let (Some(request), Some(entry)) = (request, self.links.get_mut(&link)) {
            // The request was just read from this link, so it is open; a full lane closes the link by itself.
            let _ = entry.server.answer(request, result);
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

    /// Brings an actor's answer to the client that asked; if that is away, it is remembered for when the client asks again.
    pub(crate) fn answer(&mut self, token: u64, result: Result<Answer, CallError>) {
        if !self.asked.is_empty()
            && let Some(command) = self.asked.remove(&token)
        {
            let result = result.and_then(into_bytes).map_err(Refused::Call);
            return self.answer_operator(command, result);
        }
        let Some(PendingCall { session: id, request, is_of_before }) = self.pending.remove(&token) else {
            self.counters.answers_late += 1;
            return;
        };
        self.counters.calls_unreadable += u64::from(matches!(result, Err(CallError::BadArguments(_))));
        let mut result = result.and_then(into_bytes);
        if result.as_ref().is_ok_and(|value| value.len() > ANSWER_BYTES_MAX) {
            // The client learns that its request failed, the game's author from the counter.
            self.counters.answers_refused += 1;
            result = Err(CallError::Panicked);
        }
        if is_of_before {
            result = result.map_err(uncertain);
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.pending.remove(&token);
            if session.takes_tickets {
                session.repeats.answered(self.now, request, &result);
            }
        }
        match self.server_of(id).map(|server| server.answer(request, result)) {
            // It was asked over a link before, and the client has not asked again yet.
            Some(Err(SendError::Unasked)) | None => {}
            Some(Ok(())) => {}
            // The link is over.
            Some(Err(_)) => self.counters.answers_late += 1,
        }
    }
}

/// A call that may go to its actor.
struct Admitted {
    spec: &'static OperationSpec,
    to: ActorId,
    /// A process before this one may have served it.
    is_of_before: bool,
}

fn admit_to(
    operations: &Operations,
    player: Kind,
    session: &mut Session,
    now: Mono,
    call: &IncomingCall,
    is_of_before: bool,
) -> Result<Admitted, CallError> {
    let (spec, to) = routing::route(operations, player, session, call)?;
    if is_of_before && may_be_half_done(spec, operations.is_ticking(to.kind)) {
        return Err(CallError::Gone);
    }
    // What was in time when it was asked first must not be too fast because all of it comes again at once.
    let was_in_time = is_of_before && session.take_repeat();
    if !was_in_time && !session.take_call(to.kind, spec, now) {
        return Err(CallError::TooFast);
    }
    if call.request.is_some() && session.pending.len() >= limits::REQUESTS_IN_FLIGHT_MAX {
        return Err(CallError::Busy);
    }
    Ok(Admitted { spec, to, is_of_before })
}

/// Whether a process before this one may have done a part of it that its actor does not know of. All others are known to their actors
/// if their effect is there: both stand in one commit.
fn may_be_half_done(spec: &OperationSpec, is_ticking: bool) -> bool {
    // A snapshot of a world knows nothing of requests.
    let in_snapshot = is_ticking && spec.durability == Durability::Behind;
    // What an operation asked of others stands in their commits, before its own.
    in_snapshot || spec.waits
}

/// What an error says of a request that may have been served before: that nothing was done is true of this time only.
fn uncertain(error: CallError) -> CallError {
    let did_nothing = error.code().entry().is_some_and(|entry| entry.nothing_was_done);
    // That one is about the number, and no repeat of anything.
    if did_nothing && error != CallError::RequestReused { CallError::Gone } else { error }
}

/// The bytes of an answer for the wire: asked for as bytes, so anything else is a fault of ours.
fn into_bytes(answer: Answer) -> Result<Bytes, CallError> {
    match answer {
        Some(Body::Bytes(bytes)) => Ok(bytes),
        Some(Body::Typed(_)) | None => Err(CallError::WrongType("encoded answer")),
    }
}
