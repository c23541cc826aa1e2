//! What the fuzz targets of the wire protocol do with their input; ordinary tests run the same over the seeds.
//!
//! An input is a list of steps: `op u8 | count u16 little-endian | count bytes`. Whatever comes: no panic, bounded memory, one
//! end, nothing after it.

use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{
    ActorId, CallError, Descriptor, Kind, Lane, Mono, NetId, OperationNumber, SessionId,
};
use lightmoon_wire::{
    Attach, ClientConfig, ClientEvent, ClientLink, CloseCode, Compatibility, Grant, OutgoingCall, Path,
    ServerConfig, ServerEvent, ServerLink, StreamKey, Transmit, limits,
};

/// Most that a link may hold besides what it was just given: an unfinished frame per lane and stream of one, early bytes, writes.
const HELD_BYTES_MAX: usize = limits::STREAMS_MAX * (limits::DESCRIPTOR_BYTES_MAX + 128)
    + 2 * limits::SOLO_STREAMS_MAX * (limits::SOLO_FRAME_BYTES_MAX + 64)
    + limits::EARLY_BYTES_MAX
    + limits::LANE_BACKLOG_BYTES_MAX
    + limits::STREAMS_MAX * limits::KEPT_BYTES_MAX;

/// One step of an input.
struct Step<'a> {
    op: u8,
    bytes: &'a [u8],
}

fn steps(mut input: &[u8]) -> impl Iterator<Item = Step<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = input.split_first_chunk::<3>()?;
        let count = usize::from(u16::from_le_bytes([head[1], head[2]])).min(rest.len());
        let (bytes, rest) = rest.split_at(count);
        input = rest;
        Some(Step { op: head[0], bytes })
    })
}

fn descriptor() -> Descriptor {
    Descriptor { game: "fuzz".to_owned(), contracts: Vec::new(), components: Vec::new(), types: Vec::new() }
}

fn config() -> ClientConfig {
    let descriptor = descriptor();
    ClientConfig::new(descriptor.fingerprint(), descriptor.to_bytes().into(), Bytes::from_static(b"token"))
}

/// A client with a foul mouth against the server's side.
pub(crate) fn server(input: &[u8]) {
    let mut now = Mono::from_millis(1);
    let mut link = ServerLink::new(ServerConfig::default(), now);
    let mut known = Compatibility::new(descriptor());
    let mut ended = false;
    for step in steps(input) {
        match step.op {
            0..=127 => link.on_stream(now, StreamKey(u64::from(step.op % 12)), step.bytes),
            128..=199 => link.on_datagram(now, step.bytes),
            200 => {
                // An honest client's first words.
                let mut client = ClientLink::new(config(), now);
                while let Some(Transmit::Stream { bytes, .. }) = client.poll_transmit() {
                    link.on_stream(now, StreamKey(100), &bytes);
                }
            }
            201 => drop(link.welcome(now, Grant { session: SessionId(1), player: 2, tick_hz: 20 })),
            202 => link.refuse(now, CloseCode::Overloaded, "full"),
            203 => {
                let generation = step.bytes.first().map_or(1, |byte| u32::from(*byte));
                let zone = ActorId::new(Kind(1), 1);
                let _ = link.attach(Attach { generation, zone, avatar: NetId(1), tick_hz: 20 });
                let _ = link.view(generation, Bytes::copy_from_slice(step.bytes));
                let _ = link.state(generation, Bytes::copy_from_slice(step.bytes));
            }
            204 => link.close(now, CloseCode::ShuttingDown, String::from_utf8_lossy(step.bytes)),
            205 => {
                link.on_closed(now, step.bytes.first().map(|code| CloseCode::from_number(u32::from(*code))))
            }
            206 => {
                let room = step.bytes.first().map(|byte| usize::from(*byte) * 20);
                link.on_path(now, Path { datagram_room: room, ..Path::default() });
                let lane =
                    Lane::from_number(step.bytes.get(1).copied().unwrap_or(0x33)).unwrap_or(Lane::CONTROL);
                let args = Bytes::copy_from_slice(step.bytes);
                let _ = link.push(lane, ActorId::new(Kind(1), 1), OperationNumber(1), args);
            }
            207..=255 => {
                now = now + Duration::from_millis(u64::from(step.op) * 10);
                link.on_deadline(now);
            }
        }
        assert!(link.held_bytes() <= HELD_BYTES_MAX + 200 * limits::PUSHES_AT_ONCE_MAX + step.bytes.len());
        while let Some(event) = link.poll_event() {
            assert!(!ended, "an event after the end");
            match event {
                ServerEvent::Hello(_) => drop(link.settle(now, &mut known)),
                ServerEvent::Call(call) => {
                    if let Some(request) = call.request {
                        let _ = link.answer(request, Err(CallError::TooFast));
                    }
                }
                ServerEvent::Received(received) => {
                    let _ = link.delta(received.generation, Bytes::copy_from_slice(step.bytes));
                }
                ServerEvent::Closed(_) => ended = true,
            }
        }
        while link.poll_transmit().is_some() {}
        assert!(!ended || link.next_deadline().is_none());
    }
}

/// A server with a foul mouth against the client's side.
pub(crate) fn client(input: &[u8]) {
    let mut now = Mono::from_millis(1);
    let mut link = ClientLink::new(config(), now);
    let mut ended = false;
    for step in steps(input) {
        match step.op {
            0..=127 => link.on_stream(now, StreamKey(u64::from(step.op % 12)), step.bytes),
            128..=199 => link.on_datagram(now, step.bytes),
            200 => {
                let mut host = ServerLink::new(ServerConfig::default(), now);
                let mut guest = ClientLink::new(config(), now);
                while let Some(Transmit::Stream { bytes, .. }) = guest.poll_transmit() {
                    host.on_stream(now, StreamKey(100), &bytes);
                }
                let _ = host.welcome(now, Grant { session: SessionId(1), player: 2, tick_hz: 20 });
                while let Some(Transmit::Stream { bytes, .. }) = host.poll_transmit() {
                    link.on_stream(now, StreamKey(100), &bytes);
                }
            }
            201 => {
                let lane =
                    Lane::from_number(step.bytes.first().copied().unwrap_or(3)).unwrap_or(Lane::CONTROL);
                let request = step.bytes.get(1).map(|byte| u64::from(*byte) + 1);
                let target = if step.bytes.len() > 2 { Target::Zone } else { Target::Own };
                let args = Bytes::copy_from_slice(step.bytes);
                let _ = link.call(OutgoingCall {
                    request,
                    lane,
                    target,
                    kind: Kind(1),
                    number: OperationNumber(1),
                    args,
                });
            }
            202 => link.close(now, "bye"),
            203 => link.on_closed(now, None),
            204 => link.abort(CloseCode::ProtocolViolation, String::from_utf8_lossy(step.bytes)),
            205..=255 => {
                now = now + Duration::from_millis(u64::from(step.op) * 10);
                link.on_deadline(now);
            }
        }
        assert!(link.held_bytes() <= HELD_BYTES_MAX + 200 * limits::PUSHES_AT_ONCE_MAX + step.bytes.len());
        while let Some(event) = link.poll_event() {
            assert!(!ended, "an event after the end");
            ended = matches!(event, ClientEvent::Closed(_));
        }
        while link.poll_transmit().is_some() {}
        assert!(!ended || link.next_deadline().is_none());
    }
}

/// The same bytes whole and cut: the events have to be equal. The first byte seeds the cuts.
pub(crate) fn cuts(input: &[u8]) {
    let Some((seed, bytes)) = input.split_first() else { return };
    let now = Mono::from_millis(1);
    let play = |cut: bool| {
        let mut link = ServerLink::new(ServerConfig::default(), now);
        let mut client = ClientLink::new(config(), now);
        while let Some(Transmit::Stream { bytes, .. }) = client.poll_transmit() {
            link.on_stream(now, StreamKey(1), &bytes);
        }
        let mut events = Vec::new();
        events.extend(std::iter::from_fn(|| link.poll_event()));
        let _ = link.welcome(now, Grant { session: SessionId(1), player: 2, tick_hz: 20 });
        let (mut rest, mut size) = (bytes, usize::from(*seed) % 7 + 1);
        while cut && rest.len() > size {
            let (piece, more) = rest.split_at(size);
            link.on_stream(now, StreamKey(2), piece);
            rest = more;
            size = size * 5 % 11 + 1;
        }
        link.on_stream(now, StreamKey(2), rest);
        events.extend(std::iter::from_fn(|| link.poll_event()));
        events
    };
    assert_eq!(play(true), play(false));
}
