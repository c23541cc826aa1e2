//! Promises of the server's side.

use std::time::Duration;

use lightmoon_contract::operation::Target;
use lightmoon_contract::{NetId, Priority, Reliability, SessionId};

use super::*;
use crate::compatibility::{Compatibility, Verdict};
use crate::frame::{
    Aimed, Call, Describing, Layout, Ping, Pong, UnreliableCall, write_datagram, write_stream,
};
use crate::pair::{UNKNOWN, client_config, descriptor, key};

const HIGH: Lane = VIEW_LANE;
const NOW: Mono = Mono::from_millis(1_000);

fn later(millis: u64) -> Mono {
    NOW + Duration::from_millis(millis)
}

fn fresh() -> ServerLink {
    ServerLink::new(ServerConfig::default(), NOW)
}

fn hello() -> Hello {
    let config = client_config(&descriptor("pair"));
    Hello {
        minor: 1,
        features: 0b11,
        fingerprint: config.fingerprint,
        token: config.token,
        ticket: Bytes::from_static(b"ticket"),
        first_request: 1,
        held: Vec::new(),
    }
}

/// The bytes of a lane that begins with `frame`.
fn first<F: Layout>(lane: Lane, frame: &F) -> Vec<u8> {
    let mut bytes = vec![lane.number()];
    write_stream(frame, &mut bytes);
    bytes
}

fn more<F: Layout>(frame: &F) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_stream(frame, &mut bytes);
    bytes
}

/// A link in play, with the handshake's transmits and events taken.
fn open() -> ServerLink {
    opened_by(&hello())
}

fn opened_by(hello: &Hello) -> ServerLink {
    let mut link = fresh();
    link.on_stream(NOW, key(Lane::CONTROL), &first(Lane::CONTROL, hello));
    assert!(matches!(link.poll_event(), Some(ServerEvent::Hello(_))));
    link.welcome(NOW, Grant { session: SessionId(1), player: 2, tick_hz: 20 }).unwrap();
    while link.poll_transmit().is_some() {}
    link
}

fn call(request: u64) -> Call {
    Call {
        request,
        target: Aimed::Own,
        kind: Kind(2),
        number: OperationNumber(1),
        args: Bytes::from_static(b"args"),
    }
}

fn attach(generation: u32) -> Attach {
    Attach { generation, zone: ActorId::new(Kind(1), 1), avatar: NetId(1), tick_hz: 20 }
}

fn steer(sequence: u32, generation: u32) -> Bytes {
    let lane = Lane { priority: Priority::High, reliability: Reliability::UnreliableLatest };
    let target = Aimed::Zone { generation };
    let args = Bytes::copy_from_slice(&sequence.to_le_bytes());
    write_datagram(&UnreliableCall {
        sequence,
        lane,
        target,
        kind: Kind(1),
        number: OperationNumber(1),
        args,
    })
}

fn shot(sequence: u32) -> Bytes {
    let lane = Lane { priority: Priority::High, reliability: Reliability::Unreliable };
    let args = Bytes::copy_from_slice(&sequence.to_le_bytes());
    write_datagram(&UnreliableCall {
        sequence,
        lane,
        target: Aimed::Own,
        kind: Kind(1),
        number: OperationNumber(2),
        args,
    })
}

/// The sequence numbers of the calls that arrived.
fn arrived(link: &mut ServerLink) -> Vec<u32> {
    std::iter::from_fn(|| link.poll_event())
        .map(|event| match event {
            ServerEvent::Call(call) => u32::from_le_bytes(call.args[..].try_into().unwrap()),
            other @ (ServerEvent::Hello(_) | ServerEvent::Received(_) | ServerEvent::Closed(_)) => {
                panic!("{other:?}")
            }
        })
        .collect()
}

fn closing(link: &mut ServerLink) -> Option<Closing> {
    std::iter::from_fn(|| link.poll_event()).find_map(|event| match event {
        ServerEvent::Closed(closing) => Some(closing),
        ServerEvent::Hello(_) | ServerEvent::Call(_) | ServerEvent::Received(_) => None,
    })
}

fn close_code(link: &mut ServerLink) -> Option<CloseCode> {
    std::iter::from_fn(|| link.poll_transmit()).find_map(|transmit| match transmit {
        Transmit::Close { code, .. } => Some(code),
        Transmit::Stream { .. } | Transmit::Solo { .. } | Transmit::Datagram(_) => None,
    })
}

/// Asserts that the link is over for this reason, told once to both sides, and takes nothing any more.
fn assert_closed(mut link: ServerLink, code: CloseCode) {
    assert_eq!(close_code(&mut link), Some(code));
    let closing = closing(&mut link).expect("the end is an event");
    assert_eq!((closing.code, closing.by), (code, ClosedBy::Us), "{closing:?}");
    link.on_stream(NOW, key(HIGH), &first(HIGH, &call(1)));
    link.on_closed(NOW, None);
    link.on_deadline(later(100_000));
    assert_eq!((link.poll_event(), link.poll_transmit()), (None, None), "nothing follows the end");
    assert_eq!(link.held_bytes(), 0);
}

#[test]
fn data_before_hello_closes() {
    let mut link = fresh();
    link.on_stream(NOW, key(HIGH), &first(HIGH, &call(1)));
    assert_closed(link, CloseCode::ProtocolViolation);

    let mut link = fresh();
    link.on_stream(NOW, key(Lane::CONTROL), &first(Lane::CONTROL, &call(1)));
    assert_closed(link, CloseCode::ProtocolViolation);

    let mut link = fresh();
    link.on_datagram(NOW, &write_datagram(&Ping { nonce: 1 }));
    assert_closed(link, CloseCode::ProtocolViolation);
}

#[test]
fn calls_between_hello_and_welcome_close() {
    let mut link = fresh();
    let mut bytes = first(Lane::CONTROL, &hello());
    write_stream(&call(1), &mut bytes);
    link.on_stream(NOW, key(Lane::CONTROL), &bytes);
    assert_closed(link, CloseCode::ProtocolViolation);
}

#[test]
fn a_second_hello_closes() {
    let mut link = open();
    link.on_stream(NOW, key(Lane::CONTROL), &more(&hello()));
    assert_closed(link, CloseCode::ProtocolViolation);
}

#[test]
fn a_handshake_that_takes_too_long_closes() {
    let mut link = fresh();
    link.on_stream(later(4_000), key(Lane::CONTROL), &first(Lane::CONTROL, &hello())[..5]);
    let deadline = link.next_deadline().unwrap();
    assert_eq!(deadline, later(5_000), "bytes do not prolong it");
    link.on_deadline(later(4_999));
    assert_eq!(link.poll_transmit(), None);
    link.on_deadline(deadline);
    assert_closed(link, CloseCode::HandshakeTimeout);
}

#[test]
fn more_than_a_handshake_before_the_welcome_closes() {
    let mut link = fresh();
    let asked = hello();
    link.on_stream(NOW, key(Lane::CONTROL), &first(Lane::CONTROL, &Hello { fingerprint: UNKNOWN, ..asked }));
    assert_eq!(link.settle(NOW, &mut Compatibility::new(descriptor("pair"))), Settled::Asked);
    let descriptor = Bytes::from(vec![0; limits::DESCRIPTOR_BYTES_MAX]);
    link.on_stream(NOW, key(Lane::CONTROL), &more(&Describing { descriptor }));
    assert!(matches!(link.poll_event(), Some(ServerEvent::Hello(_))), "the largest handshake fits");
    link.on_stream(NOW, key(Lane::CONTROL), &[250; 4_000]);
    assert_closed(link, CloseCode::TooLarge);
}

#[test]
fn an_oversized_frame_closes_before_its_bytes_arrive() {
    let mut link = open();
    link.on_stream(NOW, key(HIGH), &[HIGH.number(), 0xFC, 0, 0, 1, 0, 16]);
    assert_closed(link, CloseCode::TooLarge);

    let mut link = open();
    link.on_datagram(NOW, &[49; limits::DATAGRAM_BYTES_MAX + 1]);
    assert_closed(link, CloseCode::TooLarge);
}

#[test]
fn malformed_unknown_and_truncated_frames_close() {
    let truncated = &more(&call(1))[..5];
    let mut cut = vec![HIGH.number(), 4];
    cut.extend_from_slice(&truncated[1..]);
    let hostile: [&[u8]; 6] = [
        &[HIGH.number(), 1, 200],
        &[HIGH.number(), 1, 17],
        &[HIGH.number(), 0],
        &cut,
        &[0x10, 1, 16],
        &[0x77],
    ];
    for bytes in hostile {
        let mut link = open();
        link.on_stream(NOW, key(HIGH), bytes);
        assert_closed(link, CloseCode::ProtocolViolation);
    }
    let mut link = open();
    link.on_datagram(NOW, &shot(1)[..4]);
    assert_closed(link, CloseCode::ProtocolViolation);
}

#[test]
fn two_streams_for_one_lane_close() {
    let mut link = open();
    link.on_stream(NOW, StreamKey(1_000), &[Lane::CONTROL.number()]);
    assert_closed(link, CloseCode::ProtocolViolation);
}

#[test]
fn streams_without_a_byte_are_bounded() {
    let mut link = open();
    for number in 0..100 {
        link.on_stream(NOW, StreamKey(1_000 + number), &[]);
    }
    assert_closed(link, CloseCode::ProtocolViolation);
}

#[test]
fn a_request_is_answered_once_on_its_lane() {
    let mut link = open();
    link.on_stream(NOW, key(HIGH), &first(HIGH, &call(77)));
    let Some(ServerEvent::Call(call)) = link.poll_event() else { panic!("no call") };
    assert_eq!((call.request, call.lane, call.target), (Some(77), HIGH, Target::Own));
    link.answer(77, Ok(Bytes::from_static(b"yes"))).unwrap();
    assert_eq!(link.answer(77, Ok(Bytes::new())), Err(SendError::Unasked));
    let sent = link.poll_transmit().unwrap();
    let result = Ok(Bytes::from_static(b"yes"));
    assert_eq!(
        sent,
        Transmit::Stream { lane: HIGH, bytes: first(HIGH, &Answer { request: 77, result }).into() }
    );
}

#[test]
fn a_request_number_in_use_closes() {
    let mut link = open();
    link.on_stream(NOW, key(HIGH), &first(HIGH, &call(77)));
    link.on_stream(NOW, key(HIGH), &more(&call(77)));
    assert_closed(link, CloseCode::ProtocolViolation);
}

#[test]
fn a_number_that_was_answered_may_come_again() {
    let mut link = open();
    link.on_stream(NOW, key(HIGH), &first(HIGH, &call(7)));
    link.answer(7, Ok(Bytes::new())).unwrap();
    link.on_stream(NOW, key(HIGH), &more(&call(7)));
    let calls: Vec<_> = std::iter::from_fn(|| link.poll_event()).collect();
    assert_eq!(calls.len(), 2, "what to say to the repeat is for the node to decide: {calls:?}");
    assert_eq!(link.answer(7, Ok(Bytes::new())), Ok(()));
}

#[test]
fn tickets_go_to_clients_that_know_them() {
    let old = Hello { minor: 0, ticket: Bytes::new(), first_request: 0, ..hello() };
    for (hello, frames) in [(old, 0), (hello(), 1), (Hello { minor: 9, ..hello() }, 1)] {
        let mut link = opened_by(&hello);
        assert_eq!(link.takes_tickets(), frames == 1, "{hello:?}");
        link.ticket(Bytes::from_static(b"resume me")).unwrap();
        assert_eq!(std::iter::from_fn(|| link.poll_transmit()).count(), frames, "{hello:?}");
        let long = vec![0; limits::TICKET_BYTES_MAX + 1];
        assert!(matches!(link.ticket(long.into()), Err(SendError::TooLarge { .. })));
    }
}

#[test]
fn the_end_says_who_closed_and_why() {
    let ends = [
        (None, CloseCode::Idle, ClosedBy::Transport),
        (Some(CloseCode::Normal), CloseCode::Normal, ClosedBy::Peer),
        (Some(CloseCode::Idle), CloseCode::Idle, ClosedBy::Peer),
    ];
    for (peer, code, by) in ends {
        let mut link = open();
        link.on_closed(later(10), peer);
        let closing = closing(&mut link).expect("the end is an event");
        assert_eq!((closing.code, closing.by), (code, by), "{peer:?}");
    }
}

#[test]
fn too_many_open_requests_are_answered_busy() {
    let mut link = open();
    let mut bytes = vec![HIGH.number()];
    let most = u64::try_from(limits::REQUESTS_OPEN_MAX).unwrap();
    for request in 1..=most + 3 {
        write_stream(&call(request), &mut bytes);
    }
    link.on_stream(NOW, key(HIGH), &bytes);
    assert_eq!(std::iter::from_fn(|| link.poll_event()).count(), limits::REQUESTS_OPEN_MAX);
    assert_eq!(link.counters().busy, 3);
    assert!(link.poll_transmit().is_some(), "the others have their answer");
    link.answer(1, Ok(Bytes::new())).unwrap();
    assert_eq!(link.answer(most + 1, Ok(Bytes::new())), Err(SendError::Unasked));
}

#[test]
fn doubled_and_reordered_datagrams_arrive_once() {
    for seed in 0..50 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut link = open();
        let mut sent: Vec<u32> = (0..60).chain(0..60).collect();
        rng.shuffle(&mut sent);
        for sequence in sent {
            link.on_datagram(NOW, &shot(sequence));
        }
        let mut all = arrived(&mut link);
        all.sort_unstable();
        assert_eq!(all, (0..60).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(link.counters().doubled, 60, "seed {seed}");
    }
}

#[test]
fn a_latest_call_older_than_one_seen_is_dropped() {
    let mut link = open();
    link.attach(attach(1)).unwrap();
    for sequence in [3, 1, 5, 4, 6] {
        link.on_datagram(NOW, &steer(sequence, 1));
    }
    assert_eq!(arrived(&mut link), [3, 5, 6]);
    assert_eq!(link.counters().stale, 2);
}

#[test]
fn steering_for_a_zone_that_was_left_is_dropped() {
    let mut link = open();
    link.on_datagram(NOW, &steer(1, 1));
    link.attach(attach(1)).unwrap();
    link.on_datagram(NOW, &steer(2, 1));
    link.attach(attach(2)).unwrap();
    link.on_datagram(NOW, &steer(3, 1));
    link.on_datagram(NOW, &steer(4, 2));
    link.detach(2).unwrap();
    link.on_datagram(NOW, &steer(5, 2));
    assert_eq!(arrived(&mut link), [2, 4]);
}

#[test]
fn a_reliable_call_for_a_zone_that_was_left_still_arrives() {
    let mut link = open();
    link.attach(attach(2)).unwrap();
    let late = Call { target: Aimed::Zone { generation: 1 }, ..call(0) };
    link.on_stream(NOW, key(HIGH), &first(HIGH, &late));
    let Some(ServerEvent::Call(call)) = link.poll_event() else { panic!("no call") };
    assert_eq!((call.request, call.target), (None, Target::Zone));
}

#[test]
fn views_of_an_older_attachment_are_not_sent() {
    let mut link = open();
    assert_eq!(link.view(1, Bytes::new()), Err(SendError::Stale));
    link.attach(attach(1)).unwrap();
    link.attach(attach(2)).unwrap();
    assert_eq!(link.view(1, Bytes::new()), Err(SendError::Stale));
    assert_eq!(link.state(1, Bytes::new()), Err(SendError::Stale));
    assert_eq!(link.detach(1), Err(SendError::Stale));
    assert_eq!(link.attach(attach(1)), Err(SendError::Stale));
    link.view(2, Bytes::new()).unwrap();
    let large = SendError::TooLarge { bytes: 1_101, max: 1_100 };
    assert_eq!(link.state(2, vec![0; 1_101].into()), Err(large));
}

#[test]
fn a_refused_client_is_told_why_and_closed_a_moment_later() {
    let mut link = fresh();
    link.on_stream(NOW, key(Lane::CONTROL), &first(Lane::CONTROL, &hello()));
    link.refuse(NOW, CloseCode::Unauthenticated, "token is too old");
    assert!(matches!(link.poll_transmit(), Some(Transmit::Stream { lane: Lane::CONTROL, .. })));
    assert_eq!(link.poll_transmit(), None, "the close waits until Refuse is read");
    assert_eq!(
        link.welcome(NOW, Grant { session: SessionId(1), player: 2, tick_hz: 20 }),
        Err(SendError::NotOpen)
    );
    assert_eq!(link.next_deadline(), Some(later(1_000)));
    link.on_deadline(later(1_000));
    assert_closed(link, CloseCode::Unauthenticated);
}

#[test]
fn an_orderly_end_flushes_and_ends_at_once_when_the_client_closes() {
    let mut link = open();
    link.push(HIGH, ActorId::new(Kind(1), 1), OperationNumber(1), Bytes::from_static(b"last")).unwrap();
    link.close(NOW, CloseCode::ShuttingDown, "restart");
    let lanes: Vec<_> = std::iter::from_fn(|| link.poll_transmit()).collect();
    assert_eq!(lanes.len(), 2, "{lanes:?}");
    link.on_stream(NOW, key(HIGH), &first(HIGH, &call(1)));
    assert_eq!(link.poll_event(), None, "no calls after Goodbye");
    link.on_closed(later(50), Some(CloseCode::ShuttingDown));
    let expected = Closing { code: CloseCode::ShuttingDown, reason: "restart".to_owned(), by: ClosedBy::Us };
    assert_eq!(link.poll_event(), Some(ServerEvent::Closed(expected)));
    assert_eq!(link.next_deadline(), None);
}

#[test]
fn a_silent_client_is_given_up() {
    let mut link = open();
    link.on_datagram(later(10_000), &write_datagram(&Ping { nonce: 4 }));
    assert_eq!(link.poll_transmit(), Some(Transmit::Datagram(write_datagram(&Pong { nonce: 4 }))));
    assert_eq!(link.next_deadline(), Some(later(100_000)));
    link.on_deadline(later(100_000));
    assert_closed(link, CloseCode::Idle);
}

#[test]
fn a_reader_that_takes_nothing_is_closed_as_overloaded() {
    let mut link = open();
    link.attach(attach(1)).unwrap();
    let payload = Bytes::from(vec![0; limits::VIEW_BYTES_MAX]);
    let sent = (0..100).take_while(|_| link.view(1, payload.clone()).is_ok()).count();
    assert!(sent < 17, "{sent}");
    assert_eq!(closing(&mut link).unwrap().code, CloseCode::Overloaded);
}

#[test]
fn tiny_frames_without_end_are_stopped() {
    let mut link = open();
    let mut bytes = vec![HIGH.number()];
    while bytes.len() < 64 * 1_024 {
        write_stream(&Call { args: Bytes::new(), ..call(0) }, &mut bytes);
    }
    link.on_stream(NOW, key(HIGH), &bytes);
    let events: Vec<_> = std::iter::from_fn(|| link.poll_event()).collect();
    assert_eq!(events.len(), limits::CALLS_AT_ONCE_MAX + 1);
    assert!(matches!(
        events.last(),
        Some(ServerEvent::Closed(Closing { code: CloseCode::RateExceeded, .. }))
    ));
}

#[test]
fn hostile_streams_hold_bounded_memory() {
    // The most that may be kept: one unfinished call for each lane, and what waits to leave.
    let most = limits::STREAMS_MAX * (limits::ARGS_BYTES_MAX + limits::HEADER_BYTES_MAX + 8) + 80 * 1_024;
    for seed in 0..100 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut link = open();
        for round in 0..300u64 {
            let lane = Lane::from_number(rng.u8(0..4) << 4 | rng.u8(2..4)).unwrap();
            let bytes: Vec<u8> = match rng.u8(0..20) {
                0 => (0..rng.usize(..2_000)).map(|_| rng.u8(..)).collect(),
                1 => vec![0xFB, 0x30, 0x40, 16, 0, 0, 0],
                2 => vec![0; 16_000],
                _ => more(&call(if rng.bool() { 0 } else { round + 1 })),
            };
            let mut stream = Vec::new();
            if round < 8 {
                stream.push(lane.number());
            }
            stream.extend(bytes);
            link.on_stream(NOW, key(lane), &stream);
            if rng.u8(0..4) == 0 {
                link.on_datagram(NOW, &(0..rng.usize(..40)).map(|_| rng.u8(..)).collect::<Vec<_>>());
            }
            assert!(link.held_bytes() <= most, "seed {seed}: {} bytes", link.held_bytes());
            while link.poll_event().is_some() {}
            while link.poll_transmit().is_some() {}
        }
    }
}

#[test]
fn an_unfinished_frame_keeps_only_what_arrived() {
    let mut link = open();
    link.on_stream(NOW, key(HIGH), &[HIGH.number(), 0xFB, 0x30, 0x40, 16, 0, 0, 0]);
    assert_eq!(link.held_bytes(), 7);
}

#[test]
fn a_claimed_fingerprint_spoils_no_verdict() {
    let (ours, other) = (descriptor("pair"), descriptor("another"));
    let mut known = Compatibility::new(ours);
    let claimed = known.learn(UNKNOWN, &other.to_bytes());
    assert!(matches!(claimed, Verdict::Incompatible(_)));
    assert_eq!(known.verdict(UNKNOWN), None, "the lie is not remembered");
    assert!(matches!(known.learn(UNKNOWN, &[1, 2, 3]), Verdict::Incompatible(_)));
    assert_eq!(known.learned(), 0);
}

#[test]
fn verdicts_are_bounded() {
    let mut known = Compatibility::new(descriptor("pair"));
    for number in 0..limits::VERDICTS_MAX + 10 {
        let theirs = descriptor(&format!("game {number}"));
        known.learn(theirs.fingerprint(), &theirs.to_bytes());
    }
    assert_eq!(known.forgotten(), 10);
    assert_eq!(known.verdict(descriptor("game 0").fingerprint()), None);
    assert!(known.verdict(descriptor("game 12").fingerprint()).is_some());
}
