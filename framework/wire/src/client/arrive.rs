//! What a server sends, in every phase.
//!
//! *Responsible for*: which frame is allowed when, what overtook the Welcome, stale frames. *Not responsible for*: what
//! the client does with the events.

use bytes::Bytes;
use lightmoon_contract::{CallError, Lane, Mono, Priority};

use super::{ClientEvent, ClientLink, Phase};
use crate::close::{CloseCode, ClosedBy, Violation};
use crate::frame::{
    self, Answer, Attach, Delta, Describing, Detach, Fault, Frame, LaneAck, Pong, Push, Sender, State, View,
    Welcome,
};
use crate::kept::KeptLanes;
use crate::stream::{IncomingStream, StreamKey};
use crate::window::is_newer_than;
use crate::{MINOR, VIEW_LANE, is_understood, limits};

impl ClientLink {
    pub(super) fn read_stream(
        &mut self,
        now: Mono,
        key: StreamKey,
        mut rest: &[u8],
    ) -> Result<(), Violation> {
        loop {
            let count = frame::count(rest.len());
            let stream = self.streams.take(key, &mut rest)?;
            let Some(lane) = stream.lane() else {
                self.streams.put(key, stream);
                return Ok(());
            };
            if !stream.is_solo() {
                self.arrived.bytes(now, lane, count);
                return self.read_frames(now, key, stream, lane, rest);
            }
            rest = self.read_solo(key, stream, lane, rest)?;
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// Reads a stream of one frame, and gives what follows that: it is read as another stream.
    fn read_solo<'a>(
        &mut self,
        key: StreamKey,
        mut stream: IncomingStream,
        lane: Lane,
        mut rest: &'a [u8],
    ) -> Result<&'a [u8], Violation> {
        if matches!(self.phase, Phase::Greeting | Phase::Described) {
            self.streams.put(key, stream);
            self.keep_early(key, rest)?;
            return Ok(&[]);
        }
        if !self.keeps_lanes() {
            return Err(Violation::protocol(format!("a stream of one frame of lane {lane} below minor 2")));
        }
        match stream.next(Sender::Server, &mut rest)? {
            Some(Frame::Answer(answer)) => {
                self.counters.frames_in += 1;
                self.on_answer(answer)?;
                Ok(rest)
            }
            Some(other) => Err(Violation::protocol(format!("{} on a stream of its own", other.name()))),
            None => {
                self.streams.put(key, stream);
                Ok(&[])
            }
        }
    }

    fn read_frames(
        &mut self,
        now: Mono,
        key: StreamKey,
        mut stream: IncomingStream,
        lane: Lane,
        mut rest: &[u8],
    ) -> Result<(), Violation> {
        if self.phase != Phase::Open && lane != Lane::CONTROL {
            self.streams.put(key, stream);
            return self.keep_early(key, rest);
        }
        while let Some(frame) = stream.next(Sender::Server, &mut rest)? {
            self.counters.frames_in += 1;
            if !matches!(frame, Frame::LaneAck(_)) {
                self.arrived.frame(now, lane);
            }
            self.on_frame(lane, frame)?;
            if self.is_ending() {
                return Ok(());
            }
        }
        self.streams.put(key, stream);
        if self.phase == Phase::Open { self.read_early(now) } else { Ok(()) }
    }

    /// Reads what overtook the Welcome; its bytes were counted when they arrived.
    fn read_early(&mut self, now: Mono) -> Result<(), Violation> {
        for (key, bytes) in std::mem::take(&mut self.early) {
            let stream = self.streams.take(key, &mut &bytes[..0])?;
            let rest = match stream.lane() {
                Some(lane) if stream.is_solo() => self.read_solo(key, stream, lane, &bytes)?,
                Some(lane) => {
                    self.read_frames(now, key, stream, lane, &bytes)?;
                    continue;
                }
                // It followed the frame of a stream of one.
                None => &bytes,
            };
            if !rest.is_empty() {
                self.read_stream(now, key, rest)?;
            }
        }
        Ok(())
    }

    fn keep_early(&mut self, key: StreamKey, bytes: &[u8]) -> Result<(), Violation> {
        if bytes.is_empty() {
            return Ok(());
        }
        let kept: usize = self.early.iter().map(|(_, bytes)| bytes.len()).sum();
        // Each piece counts with its own cost, so that many pieces of a byte are bounded too.
        let pieces = self.early.len() * size_of::<(StreamKey, Bytes)>();
        if kept + pieces + bytes.len() > limits::EARLY_BYTES_MAX {
            return Err(Violation::protocol("too much before the Welcome"));
        }
        self.early.push((key, Bytes::copy_from_slice(bytes)));
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever is not allowed here is refused, also kinds to come"
    )]
    fn on_frame(&mut self, lane: Lane, frame: Frame) -> Result<(), Violation> {
        let control = lane == Lane::CONTROL;
        let open = self.phase == Phase::Open;
        match frame {
            Frame::Describe(_) if control && self.phase == Phase::Greeting => self.describe(),
            Frame::Welcome(welcome) if control && !open => self.on_welcome(welcome),
            Frame::Refuse(refuse) if control && !open => self.dismissed(refuse.code, refuse.reason),
            Frame::Ticket(ticket) if control && open => self.event(ClientEvent::Ticket(ticket)),
            Frame::Goodbye(goodbye) if control => self.dismissed(goodbye.code, goodbye.reason),
            Frame::Answer(answer) if open => self.on_answer(answer),
            Frame::LaneAck(ack) if control && self.keeps_lanes() => self.on_lane_ack(ack),
            Frame::Push(push) if open => self.on_push(lane, push),
            Frame::Attach(attach) if open && lane == VIEW_LANE => self.on_attach(attach),
            Frame::Detach(detach) if open && lane == VIEW_LANE => self.on_detach(detach),
            Frame::View(view) if open && lane == VIEW_LANE => self.on_view(view),
            other => Err(Violation::protocol(format!("{} is not allowed here", other.name()))),
        }
    }

    /// The server said its last word: close, so that it need not wait.
    fn dismissed(&mut self, code: CloseCode, reason: String) -> Result<(), Violation> {
        self.close_now(code, reason, ClosedBy::Peer);
        Ok(())
    }

    fn describe(&mut self) -> Result<(), Violation> {
        let descriptor = self.config.descriptor.clone();
        if descriptor.len() > limits::DESCRIPTOR_BYTES_MAX {
            return Err(Violation::too_large("the client's own descriptor"));
        }
        self.phase = Phase::Described;
        let _ = self.send(Lane::CONTROL, &Describing { descriptor });
        Ok(())
    }

    fn on_welcome(&mut self, welcome: Welcome) -> Result<(), Violation> {
        if welcome.minor > MINOR || !is_understood(welcome.minor) {
            return Err(Violation {
                code: CloseCode::Incompatible,
                reason: format!("the server speaks protocol 1.{}, not 1.{MINOR}", welcome.minor),
            });
        }
        self.phase = Phase::Open;
        self.minor = welcome.minor;
        if self.keeps_lanes() {
            self.outbox.expect_acknowledgements();
        }
        self.go_on(&welcome)?;
        self.event(ClientEvent::Welcome(welcome))
    }

    /// Sends again what the server lacks of a session that goes on, or forgets what was kept for another one.
    fn go_on(&mut self, welcome: &Welcome) -> Result<(), Violation> {
        if !welcome.goes_on {
            self.kept = KeptLanes::default();
            return Ok(());
        }
        if !self.kept.fits(&welcome.held) {
            return Err(Violation::protocol("the server holds frames that cannot be"));
        }
        for (lane, frame) in self.kept.resume(&welcome.held) {
            self.counters.frames_resent += 1;
            self.requests.extend(frame::request_of(&frame));
            // A lane that overflows closes the link by itself.
            let _ = self.send_bytes(lane, &frame);
        }
        Ok(())
    }

    fn on_lane_ack(&mut self, ack: LaneAck) -> Result<(), Violation> {
        self.counters.lane_acks_in += 1;
        self.outbox.acknowledged(ack)?;
        self.kept.acknowledged(ack.lane, ack.frames)
    }

    fn on_push(&mut self, lane: Lane, push: Push) -> Result<(), Violation> {
        if self.keeps_lanes() {
            self.kept.receive(lane);
        }
        self.event(ClientEvent::Push(push))
    }

    fn on_answer(&mut self, answer: Answer) -> Result<(), Violation> {
        let Answer { request, result } = answer;
        self.solos.end(request);
        if !self.requests.remove(&request) {
            self.counters.unasked += 1;
            return Ok(());
        }
        let result = result.map_err(|Fault { code, .. }| CallError::from_code(code));
        self.event(ClientEvent::Answer { request, result })
    }

    fn on_attach(&mut self, attach: Attach) -> Result<(), Violation> {
        if self.generation.is_some_and(|newest| !is_newer_than(attach.generation, newest)) {
            return Err(Violation::protocol(format!("attachment {} is not new", attach.generation)));
        }
        self.end_inputs();
        self.generation = Some(attach.generation);
        self.attached = true;
        self.event(ClientEvent::Attached(attach))
    }

    fn on_detach(&mut self, detach: Detach) -> Result<(), Violation> {
        if self.attached() != Some(detach.generation) {
            self.counters.stale += 1;
            return Ok(());
        }
        self.end_inputs();
        self.attached = false;
        self.event(ClientEvent::Detached { generation: detach.generation })
    }

    fn on_view(&mut self, view: View) -> Result<(), Violation> {
        let View { generation, payload } = view;
        if self.attached() != Some(generation) {
            self.counters.stale += 1;
            return Ok(());
        }
        self.event(ClientEvent::View { generation, payload })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever is not allowed here is refused, also kinds to come"
    )]
    pub(super) fn read_datagram(&mut self, now: Mono, bytes: &[u8]) -> Result<(), Violation> {
        let frame = frame::read_datagram(Sender::Server, bytes)?;
        if self.phase != Phase::Open {
            self.counters.early += 1;
            return Ok(());
        }
        self.counters.frames_in += 1;
        match frame {
            Frame::State(State { generation, payload }) => {
                if self.attached() != Some(generation) {
                    // Either of a zone we left, or of one whose Attach is still on its way: the next one is newer.
                    self.counters.stale += 1;
                    return Ok(());
                }
                self.event(ClientEvent::State { generation, payload })
            }
            Frame::Delta(Delta { generation, payload }) => {
                if self.attached() != Some(generation) {
                    self.counters.stale += 1;
                    return Ok(());
                }
                self.event(ClientEvent::Delta { generation, payload })
            }
            Frame::Ping(ping) => {
                let pong = Pong { nonce: ping.nonce };
                self.outbox.datagram(Priority::Critical, None, &pong, &mut self.counters);
                Ok(())
            }
            Frame::Pong(pong) => {
                self.pulse.pong(now, pong.nonce);
                Ok(())
            }
            other => Err(Violation::protocol(format!("{} as a datagram", other.name()))),
        }
    }

    fn event(&mut self, event: ClientEvent) -> Result<(), Violation> {
        if self.events.len() >= limits::PUSHES_AT_ONCE_MAX {
            let reason = "too many frames at once".to_owned();
            return Err(Violation { code: CloseCode::RateExceeded, reason });
        }
        self.events.push_back(event);
        Ok(())
    }
}
