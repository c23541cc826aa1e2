//! Promises of requests on streams of their own.

use std::collections::BTreeSet;

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{CallError, Kind, Lane, Mono, OperationNumber, Priority, Reliability, SessionId};

use crate::frame::{Aimed, Answer, Call, Layout, Welcome, write_stream};
use crate::pair::{Faults, Pair, client_config, descriptor, key};
use crate::{ClientEvent, ClientLink, CloseCode, OutgoingCall, ServerEvent, StreamKey, Transmit, limits};

const LANE: Lane = Lane::new(Priority::Normal, Reliability::ReliableUnordered);
const ORDERED: Lane = Lane::new(Priority::Normal, Reliability::ReliableOrdered);

fn ask(request: Option<u64>, lane: Lane, size: usize) -> OutgoingCall {
    let args = vec![0; size].into();
    OutgoingCall { request, lane, target: Target::Own, kind: Kind(1), number: OperationNumber(1), args }
}

/// The requests that arrived, in order.
fn asked(pair: &mut Pair) -> Vec<u64> {
    let requests = pair.server_events().into_iter().filter_map(|event| match event {
        ServerEvent::Call(call) => call.request,
        ServerEvent::Hello(_) | ServerEvent::Received(_) | ServerEvent::Closed(_) => None,
    });
    requests.collect()
}

fn answered(pair: &mut Pair) -> Vec<u64> {
    let mut requests = Vec::new();
    for event in pair.client_events() {
        let ClientEvent::Answer { request, .. } = event else { panic!("{event:?}") };
        requests.push(request);
    }
    requests
}

fn alone(request: u64, size: usize) -> Vec<u8> {
    let call = Call {
        request,
        target: Aimed::Own,
        kind: Kind(1),
        number: OperationNumber(1),
        args: vec![0; size].into(),
    };
    stream(&call)
}

fn stream<F: Layout>(frame: &F) -> Vec<u8> {
    let mut bytes = vec![0x80 | LANE.number()];
    write_stream(frame, &mut bytes);
    bytes
}

#[test]
fn requests_and_answers_that_travel_alone_arrive_once_in_any_order() {
    let mut mixed = false;
    for seed in 0..30 {
        let mut pair = Pair::open(seed, Faults { cut: true, double: true, reorder: true });
        for request in 1..=40 {
            pair.client.call(ask(Some(request), LANE, 100)).unwrap();
        }
        pair.carry_to_server();
        let came = asked(&mut pair);
        mixed |= !came.is_sorted();
        assert_eq!(came.iter().copied().collect::<BTreeSet<_>>(), (1..=40).collect());
        assert_eq!((came.len(), pair.solos), (40, 40));
        for request in came {
            pair.server.answer(request, Ok(Bytes::from_static(b"yes"))).unwrap();
        }
        pair.carry_to_client();
        let mut back = answered(&mut pair);
        back.sort_unstable();
        assert_eq!((back, pair.solos), ((1..=40).collect(), 80));
        assert_eq!(pair.server.held_bytes() + pair.client.held_bytes(), 0, "nothing is kept of them");
    }
    assert!(mixed, "none overtook another");
}

#[test]
fn the_sixty_fifth_request_goes_on_the_lane_until_one_is_answered() {
    let mut pair = Pair::open(1, Faults::default());
    for request in 1..=65 {
        pair.client.call(ask(Some(request), LANE, 10)).unwrap();
    }
    pair.carry_to_server();
    assert_eq!((asked(&mut pair).len(), pair.solos), (65, 64));
    pair.server.answer(65, Ok(Bytes::new())).unwrap();
    pair.carry_to_client();
    assert_eq!(pair.solos, 64, "it is answered where it came");
    pair.client.call(ask(Some(66), LANE, 10)).unwrap();
    pair.carry_to_server();
    assert_eq!(pair.solos, 64);
    // Whether anybody waits for it or not.
    pair.client.forget(1);
    pair.server.answer(1, Err(CallError::TooFast)).unwrap();
    pair.carry_to_client();
    pair.client.call(ask(Some(67), LANE, 10)).unwrap();
    pair.carry_to_server();
    assert_eq!((asked(&mut pair), pair.solos), (vec![66, 67], 66));
}

#[test]
fn large_requests_and_those_that_promise_order_or_no_answer_go_on_their_lane() {
    let mut pair = Pair::open(1, Faults::default());
    pair.client.call(ask(Some(1), LANE, limits::SOLO_FRAME_BYTES_MAX)).unwrap();
    pair.client.call(ask(Some(2), ORDERED, 10)).unwrap();
    pair.client.call(ask(None, LANE, 10)).unwrap();
    pair.carry_to_server();
    assert_eq!((asked(&mut pair), pair.solos), (vec![1, 2], 0));
    // Each fits, and together they do not.
    for request in 10..40 {
        pair.client.call(ask(Some(request), LANE, 4_000)).unwrap();
    }
    pair.carry_to_server();
    assert_eq!(
        pair.solos,
        u64::try_from(limits::SOLO_BYTES_MAX / (4_000 + limits::HEADER_BYTES_MAX)).unwrap()
    );
    let before = pair.solos;
    pair.server.answer(10, Ok(vec![0; limits::SOLO_FRAME_BYTES_MAX].into())).unwrap();
    pair.carry_to_client();
    assert_eq!((answered(&mut pair), pair.solos), (vec![10], before), "a long answer takes the lane");
}

#[test]
fn a_request_that_travelled_alone_into_a_broken_connection_is_asked_again_and_answered_once() {
    let mut pair = Pair::open(1, Faults::default());
    pair.client.call(ask(None, LANE, 10)).unwrap();
    pair.client.call(ask(Some(1), LANE, 10)).unwrap();
    while pair.client.poll_transmit().is_some() {}
    let kept = pair.client.take_kept();
    assert_eq!(kept.waiting(), 1, "the one-way call");
    let next = ClientLink::resuming(client_config(&descriptor("pair")), kept, pair.now);
    assert!(!next.has_asked(1), "whoever asked has to ask again");
}

#[test]
fn peers_of_older_minors_see_no_stream_of_one_frame() {
    let mut link = ClientLink::new(client_config(&descriptor("pair")), Mono(0));
    let welcome = Welcome {
        minor: 1,
        features: 0,
        session: SessionId(1),
        player: 1,
        tick_hz: 20,
        goes_on: false,
        held: Vec::new(),
    };
    let mut bytes = vec![Lane::CONTROL.number()];
    write_stream(&welcome, &mut bytes);
    link.on_stream(Mono(0), key(Lane::CONTROL), &bytes);
    link.call(ask(Some(1), LANE, 10)).unwrap();
    let mut left = std::iter::from_fn(|| link.poll_transmit());
    assert!(left.all(|transmit| matches!(transmit, Transmit::Stream { .. })));
    link.on_stream(Mono(0), StreamKey(9), &stream(&Answer { request: 1, result: Ok(Bytes::new()) }));
    let last = std::iter::from_fn(|| link.poll_event()).last();
    let Some(ClientEvent::Closed(closing)) = last else { panic!("{last:?}") };
    assert_eq!(closing.code, CloseCode::ProtocolViolation);
}

/// Feeds streams to a server, and says how it ended.
fn fed(streams: &[Vec<u8>]) -> Option<CloseCode> {
    let mut pair = Pair::open(1, Faults::default());
    for (at, bytes) in streams.iter().enumerate() {
        pair.server.on_stream(pair.now, StreamKey(500 + u64::try_from(at).unwrap()), bytes);
        assert!(pair.server.held_bytes() <= limits::SOLO_STREAMS_MAX * limits::SOLO_FRAME_BYTES_MAX * 2);
    }
    pair.server_events().into_iter().find_map(|event| match event {
        ServerEvent::Closed(closing) => Some(closing.code),
        ServerEvent::Hello(_) | ServerEvent::Call(_) | ServerEvent::Received(_) => None,
    })
}

#[test]
fn what_does_not_belong_on_a_stream_of_one_frame_ends_the_link() {
    let with_lane = |lane: u8| [&[lane][..], &alone(1, 3)[1..]].concat();
    let violation = Some(CloseCode::ProtocolViolation);
    assert_eq!(fed(&[alone(1, 10)]), None);
    assert_eq!(fed(&[alone(0, 10)]), violation, "one-way");
    assert_eq!(fed(&[with_lane(0x80 | ORDERED.number())]), violation, "it promises order");
    assert_eq!(fed(&[with_lane(0xF2)]), violation, "no lane");
    let ack = crate::frame::LaneAck { lane: LANE, bytes: 0, frames: 0 };
    assert_eq!(fed(&[stream(&ack)]), violation, "an acknowledgement away from its lane");
    assert_eq!(fed(&[alone(1, 10), alone(1, 10)]), violation, "a number that is open");
    assert_eq!(fed(&[alone(1, 4_090)[..20].to_vec()]), Some(CloseCode::TooLarge), "before it arrived");
}

#[test]
fn more_unfinished_or_unanswered_streams_than_may_be_end_the_link() {
    let most = u64::try_from(limits::SOLO_STREAMS_MAX).unwrap();
    let cut = |count: u64| -> Vec<_> {
        (1..=count).map(|request| alone(request, 4_000)[..4_000].to_vec()).collect()
    };
    assert_eq!(fed(&cut(most)), None);
    assert_eq!(fed(&cut(most + 1)), Some(CloseCode::ProtocolViolation));
    let whole = |count: u64| (1..=count).map(|request| alone(request, 10)).collect::<Vec<_>>();
    assert_eq!(fed(&whole(most)), None);
    assert_eq!(fed(&whole(most + 1)), Some(CloseCode::ProtocolViolation));
}

#[test]
fn what_follows_the_frame_is_another_stream_however_it_is_cut() {
    let bytes: Vec<u8> = (1..=5).flat_map(|request| alone(request, 30)).collect();
    for size in [1, 2, 7, 36, 37, 1_000] {
        let mut pair = Pair::open(1, Faults::default());
        for piece in bytes.chunks(size) {
            pair.server.on_stream(pair.now, StreamKey(500), piece);
        }
        assert_eq!(asked(&mut pair), [1, 2, 3, 4, 5], "{size}");
    }
}

#[test]
fn an_answer_that_overtakes_the_welcome_waits_for_it() {
    let mut link = ClientLink::new(client_config(&descriptor("pair")), Mono(0));
    let answers = [1, 2].map(|request| stream(&Answer { request, result: Ok(Bytes::new()) })).concat();
    for piece in answers.chunks(3) {
        link.on_stream(Mono(0), StreamKey(9), piece);
    }
    assert_eq!(link.poll_event(), None);
    let welcome = Welcome {
        minor: 2,
        features: 0,
        session: SessionId(1),
        player: 1,
        tick_hz: 20,
        goes_on: false,
        held: Vec::new(),
    };
    let mut bytes = vec![Lane::CONTROL.number()];
    write_stream(&welcome, &mut bytes);
    link.on_stream(Mono(0), key(Lane::CONTROL), &bytes);
    assert!(matches!(link.poll_event(), Some(ClientEvent::Welcome(_))));
    assert_eq!((link.poll_event(), link.counters().unasked), (None, 2));
}
