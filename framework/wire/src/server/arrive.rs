//! What a client sends, in every phase.
//!
//! *Responsible for*: which frame is allowed when, bounds of the handshake, open requests, doubled and stale calls.
//! *Not responsible for*: whether the operation may be called (the node asks the contract).

use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Kind, Lane, Mono, Priority, Reliability};

use super::{IncomingCall, Phase, ServerEvent, ServerLink, Way};
use crate::close::{CloseCode, ClosedBy, Closing, Violation};
use crate::frame::{self, Aimed, Call, Frame, Goodbye, Input, LaneAck, Pong, Sender, UnreliableCall};
use crate::limits;
use crate::stream::StreamKey;

impl ServerLink {
    pub(super) fn read_stream(
        &mut self,
        now: Mono,
        key: StreamKey,
        mut bytes: &[u8],
    ) -> Result<(), Violation> {
        if !self.is_open() {
            self.handshake_bytes += bytes.len();
            if self.handshake_bytes > limits::HANDSHAKE_BYTES_MAX {
                return Err(Violation::too_large("too much before the Welcome"));
            }
        }
        let mut count = frame::count(bytes.len());
        let mut stream = self.streams.take(key, &mut bytes)?;
        while let Some(lane) = stream.lane().filter(|_| stream.is_solo()) {
            self.check_solo(lane)?;
            let Some(frame) = stream.next(Sender::Client, &mut bytes)? else { break };
            self.counters.frames_in += 1;
            self.on_solo(lane, frame)?;
            if bytes.is_empty() {
                return Ok(());
            }
            count = frame::count(bytes.len());
            stream = self.streams.take(key, &mut bytes)?;
        }
        let Some(lane) = stream.lane().filter(|_| !stream.is_solo()) else {
            self.streams.put(key, stream);
            return Ok(());
        };
        if !self.is_open() && lane != Lane::CONTROL {
            return Err(Violation::protocol(format!("lane {lane} before the Welcome")));
        }
        self.arrived.bytes(now, lane, count);
        while let Some(frame) = stream.next(Sender::Client, &mut bytes)? {
            self.counters.frames_in += 1;
            if !matches!(frame, Frame::LaneAck(_)) {
                self.arrived.frame(now, lane);
            }
            self.on_frame(now, lane, frame)?;
            if self.is_ending() {
                return Ok(());
            }
        }
        self.streams.put(key, stream);
        Ok(())
    }

    fn check_solo(&self, lane: Lane) -> Result<(), Violation> {
        if self.keeps_lanes() {
            return Ok(());
        }
        Err(Violation::protocol(format!(
            "a stream of one frame of lane {lane}, before the Welcome or below minor 2"
        )))
    }

    /// The frame of a stream of its own.
    fn on_solo(&mut self, lane: Lane, frame: Frame) -> Result<(), Violation> {
        let Frame::Call(call) = frame else {
            return Err(Violation::protocol(format!("{} on a stream of its own", frame.name())));
        };
        if call.request == 0 {
            return Err(Violation::protocol("a one-way call on a stream of its own"));
        }
        if self.requests.values().filter(|way| way.is_solo).count() == limits::SOLO_STREAMS_MAX {
            let max = limits::SOLO_STREAMS_MAX;
            return Err(Violation::protocol(format!("more than {max} requests on streams of their own")));
        }
        self.on_call(Way { lane, is_solo: true }, call)
    }

    fn on_frame(&mut self, now: Mono, lane: Lane, frame: Frame) -> Result<(), Violation> {
        match (frame, lane == Lane::CONTROL) {
            (Frame::Hello(hello), true) => self.on_hello(now, hello),
            (Frame::Describing(describing), true) => self.on_describing(describing),
            (Frame::Goodbye(goodbye), true) => {
                self.on_goodbye(goodbye);
                Ok(())
            }
            (Frame::LaneAck(ack), true) if self.keeps_lanes() => self.on_lane_ack(ack),
            (Frame::Call(call), _) if self.is_open() => {
                if self.keeps_lanes() {
                    self.kept.receive(lane);
                }
                self.on_call(Way { lane, is_solo: false }, call)
            }
            (other, _) => Err(Violation::protocol(format!("{} is not allowed here", other.name()))),
        }
    }

    fn on_goodbye(&mut self, goodbye: Goodbye) {
        self.phase = Phase::Closed;
        self.outbox.close(goodbye.code, goodbye.reason.clone());
        self.end(Closing { code: goodbye.code, reason: goodbye.reason, by: ClosedBy::Peer });
    }

    fn on_lane_ack(&mut self, ack: LaneAck) -> Result<(), Violation> {
        self.counters.lane_acks_in += 1;
        self.outbox.acknowledged(ack)?;
        self.kept.acknowledged(ack.lane, ack.frames)
    }

    fn on_call(&mut self, way: Way, call: Call) -> Result<(), Violation> {
        let Call { request, target, kind, number, args } = call;
        if request != 0 {
            if self.requests.contains_key(&request) {
                return Err(Violation::protocol(format!("request {request} is open already")));
            }
            self.requests.insert(request, way);
            if self.requests.len() > limits::REQUESTS_OPEN_MAX {
                self.counters.busy += 1;
                // The answer cannot be too large, and a full lane has closed the link by itself.
                let _ = self.answer(request, Err(CallError::Busy));
                return Ok(());
            }
        }
        // A reliable call arrives once, whatever happened to the attachment: it goes to the zone of now.
        let target = target_of(target, kind);
        let (request, lane) = ((request != 0).then_some(request), way.lane);
        self.event(ServerEvent::Call(IncomingCall { request, lane, target, kind, number, args }))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever is not allowed here is refused, also kinds to come"
    )]
    pub(super) fn read_datagram(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let frame = frame::read_datagram(Sender::Client, bytes)?;
        if !self.is_open() {
            return Err(Violation::protocol(format!("{} before the Welcome", frame.name())));
        }
        self.counters.frames_in += 1;
        match frame {
            Frame::UnreliableCall(call) => self.on_unreliable_call(call),
            Frame::Input(input) if self.takes_deltas() => self.on_input(input),
            Frame::Ping(ping) => {
                let pong = Pong { nonce: ping.nonce };
                self.outbox.datagram(Priority::Critical, None, &pong, &mut self.counters);
                Ok(())
            }
            // The server sends no pings yet; a pong does no harm.
            Frame::Pong(_) => Ok(()),
            other => Err(Violation::protocol(format!("{} as a datagram", other.name()))),
        }
    }

    fn on_input(&mut self, input: Input) -> Result<(), Violation> {
        let Input { received, calls } = input;
        if self.is_attached(received.generation) {
            self.event(ServerEvent::Received(received))?;
        } else {
            self.counters.stale += 1;
        }
        calls.into_iter().try_for_each(|call| self.on_unreliable_call(call))
    }

    fn on_unreliable_call(&mut self, call: UnreliableCall) -> Result<(), Violation> {
        let UnreliableCall { sequence, lane, target, kind, number, args } = call;
        if !self.doubles.accept(sequence) {
            self.counters.doubled += 1;
            return Ok(());
        }
        let another_zone = matches!(target, Aimed::Zone { generation } if !self.is_attached(generation));
        let target = target_of(target, kind);
        let overtaken = lane.reliability == Reliability::UnreliableLatest
            && !self.newest.accept((target, kind, number), sequence);
        if another_zone || overtaken {
            self.counters.stale += 1;
            return Ok(());
        }
        self.event(ServerEvent::Call(IncomingCall { request: None, lane, target, kind, number, args }))
    }

    pub(super) fn event(&mut self, event: ServerEvent) -> Result<(), Violation> {
        if self.events.len() >= limits::CALLS_AT_ONCE_MAX {
            let reason = "too many frames at once".to_owned();
            return Err(Violation { code: CloseCode::RateExceeded, reason });
        }
        self.events.push_back(event);
        Ok(())
    }
}

fn target_of(aimed: Aimed, kind: Kind) -> Target {
    match aimed {
        Aimed::Own => Target::Own,
        Aimed::Zone { .. } => Target::Zone,
        Aimed::Actor { key } => Target::Actor(ActorId::new(kind, key)),
    }
}
