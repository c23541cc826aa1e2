//! Promises of lanes between a server's link and a client's.

use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, Kind, Lane, NetId, OperationNumber, Priority, Reliability};

use crate::frame::{Ping, write_datagram};
use crate::pair::{Faults, Pair, client_config, descriptor};
use crate::{
    Attach, ClientEvent, ClientLink, CloseCode, OutgoingCall, Path, SendError, ServerEvent, Transmit,
    VIEW_LANE, limits,
};

const LOW: Lane = Lane::new(Priority::Low, Reliability::ReliableOrdered);
const ACTOR: ActorId = ActorId::new(Kind(1), 1);

fn push(pair: &mut Pair, size: usize) -> Result<(), SendError> {
    pair.server.push(LOW, ACTOR, OperationNumber(1), vec![0; size].into())
}

fn attached() -> Pair {
    let mut pair = Pair::open(1, Faults::default());
    pair.server.attach(Attach { generation: 1, zone: ACTOR, avatar: NetId(1), tick_hz: 20 }).unwrap();
    pair
}

/// What the server hands out now, per kind, without anybody who reads it.
fn handed(pair: &mut Pair) -> (usize, usize) {
    let (mut streams, mut datagrams) = (0, 0);
    let now = pair.now;
    pair.server.advance(now);
    while let Some(transmit) = pair.server.poll_transmit() {
        match transmit {
            Transmit::Stream { bytes, .. } | Transmit::Solo { bytes, .. } => streams += bytes.len(),
            Transmit::Datagram(_) => datagrams += 1,
            Transmit::Close { .. } => {}
        }
    }
    (streams, datagrams)
}

#[test]
fn a_lane_hands_out_its_window_and_more_only_when_the_client_has_some_of_it() {
    let mut pair = Pair::open(1, Faults::default());
    for _ in 0..3 {
        push(&mut pair, 60_000).unwrap();
    }
    let first: Vec<_> = std::iter::from_fn(|| pair.server.poll_transmit()).collect();
    let size = |transmits: &[Transmit]| -> usize {
        let bytes = transmits.iter().map(|transmit| match transmit {
            Transmit::Stream { bytes, .. } => bytes.len(),
            Transmit::Solo { .. } | Transmit::Datagram(_) | Transmit::Close { .. } => 0,
        });
        bytes.sum()
    };
    assert_eq!(size(&first), limits::WINDOW_LOW_BYTES);
    assert_eq!(pair.server.counters().lanes_held_back, 1);
    for transmit in first {
        if let Transmit::Stream { lane, bytes } = transmit {
            pair.client.on_stream(pair.now, crate::pair::key(lane), &bytes);
        }
    }
    // The client's word comes at once, since much arrived.
    pair.carry_to_server();
    assert_eq!(pair.client_events().len(), 1);
    pair.carry_to_client();
    assert_eq!(pair.client_events().len(), 1);
    pair.carry_to_server();
    pair.carry_to_client();
    assert_eq!(pair.client_events().len(), 1);
}

#[test]
fn a_client_that_does_not_read_is_told_why_it_is_disconnected_within_ten_seconds() {
    let mut pair = attached();
    let view = || Bytes::from(vec![0; 60_000]);
    while pair.server.held_bytes() < limits::WINDOW_HIGH_BYTES / 2 {
        pair.server.view(1, view()).unwrap();
    }
    for _ in 0..4 {
        pair.server.view(1, view()).unwrap();
    }
    let (streams, _) = handed(&mut pair);
    assert!(streams <= limits::WINDOW_HIGH_BYTES + 200, "{streams}");
    let began = pair.now;
    let mut ended = None;
    while ended.is_none() && pair.now.since(began) < Duration::from_secs(20) {
        pair.now = pair.now + Duration::from_millis(100);
        // It lives, and pings.
        pair.server.on_datagram(pair.now, &write_datagram(&Ping { nonce: 1 }));
        pair.server.on_deadline(pair.now);
        pair.server.state(1, Bytes::from_static(b"s")).ok();
        ended = pair.server_events().into_iter().find_map(|event| match event {
            ServerEvent::Closed(closing) => Some(closing),
            ServerEvent::Hello(_) | ServerEvent::Call(_) | ServerEvent::Received(_) => None,
        });
        assert!(pair.server.held_bytes() <= limits::LINK_BACKLOG_BYTES_MAX);
    }
    let ended = ended.expect("it was disconnected");
    assert_eq!(ended.code, CloseCode::Overloaded);
    assert!(ended.reason.contains("does not read"), "{}", ended.reason);
    assert!(pair.now.since(began) <= Duration::from_secs(10));
}

#[test]
fn what_waits_for_one_client_is_bounded_over_all_its_lanes() {
    let mut pair = attached();
    let mut written = 0;
    while pair.server.view(1, vec![0; 10_000].into()).is_ok() {
        written += 10_000;
        handed(&mut pair);
        assert!(written < 1 << 20);
    }
    assert!(written >= limits::WINDOW_HIGH_BYTES + limits::LINK_BACKLOG_BYTES_MAX - 20_000, "{written}");
    assert!(written <= limits::WINDOW_HIGH_BYTES + limits::LINK_BACKLOG_BYTES_MAX + 20_000, "{written}");
    let ended = pair.server_events();
    assert!(matches!(&ended[..], [ServerEvent::Closed(closing)] if closing.code == CloseCode::Overloaded));
}

#[test]
fn of_states_only_the_newest_waits_when_the_path_takes_none() {
    let mut pair = attached();
    handed(&mut pair);
    let tight = Path { datagram_room: Some(0), ..Path::default() };
    pair.server.on_path(pair.now, tight);
    for state in 0..10_u8 {
        pair.server.state(1, vec![state].into()).unwrap();
    }
    assert_eq!(handed(&mut pair), (0, 0));
    pair.server.on_path(pair.now, Path::default());
    assert_eq!(handed(&mut pair), (0, 1));
    assert_eq!(pair.server.counters().datagrams_replaced, 9);
}

#[test]
fn the_budget_of_a_state_follows_the_path() {
    let mut pair = attached();
    assert_eq!(pair.server.state_bytes_max(), limits::STATE_BYTES_MAX);
    pair.server.on_path(pair.now, Path { datagram_bytes_max: 600, ..Path::default() });
    let budget = pair.server.state_bytes_max();
    handed(&mut pair);
    pair.server.state(1, vec![0; budget].into()).unwrap();
    assert_eq!(handed(&mut pair).1, 1);
    pair.server.state(1, vec![0; budget + 8].into()).unwrap();
    assert_eq!((handed(&mut pair).1, pair.server.counters().datagrams_too_large), (0, 1));
}

#[test]
fn links_that_are_silent_send_no_acknowledgements_to_and_fro() {
    let mut pair = attached();
    for _ in 0..200 {
        pair.carry_to_client();
        pair.carry_to_server();
        pair.now = pair.now + Duration::from_millis(100);
        pair.client.on_deadline(pair.now);
        pair.server.on_deadline(pair.now);
    }
    assert_eq!((pair.client.counters().lane_acks_out, pair.server.counters().lane_acks_out), (2, 1));
    assert_eq!(pair.client_events().len(), 1);
}

/// A resumed pair: the links of before are gone, a new pair of links goes on with what they kept.
fn again(mut before: Pair) -> Pair {
    let descriptor = descriptor("pair");
    let mut pair = Pair::new(2, Faults::default());
    pair.client = ClientLink::resuming(client_config(&descriptor), before.client.take_kept(), pair.now);
    let kept = before.server.take_kept();
    pair.carry_to_server();
    assert!(matches!(pair.server.poll_event(), Some(ServerEvent::Hello(_))));
    pair.server.settle(pair.now, &mut pair.known);
    assert!(pair.server.fits(&kept));
    let grant = crate::Grant { session: lightmoon_contract::SessionId(9), player: 7, tick_hz: 20 };
    pair.server.welcome_back(pair.now, grant, kept).unwrap();
    pair.carry_to_client();
    assert!(matches!(pair.client.poll_event(), Some(ClientEvent::Welcome(welcome)) if welcome.goes_on));
    pair
}

#[test]
fn frames_in_flight_at_a_break_arrive_once_and_in_order_on_the_next_connection() {
    let mut pair = Pair::open(1, Faults::default());
    let call = |number: u8| OutgoingCall {
        request: None,
        lane: LOW,
        target: Target::Own,
        kind: Kind(1),
        number: OperationNumber(1),
        args: vec![number].into(),
    };
    let mut random = fastrand::Rng::with_seed(4);
    let (mut called, mut heard, mut pushed, mut got) = (0..=255_u8, Vec::new(), 0..=255_u8, Vec::new());
    for _ in 0..60 {
        for _ in 0..random.usize(0..4) {
            pair.client.call(call(called.next().unwrap())).unwrap();
            let args = vec![pushed.next().unwrap()].into();
            pair.server.push(VIEW_LANE, ACTOR, OperationNumber(1), args).unwrap();
        }
        // Something arrives, in one direction or both, and perhaps the word of it; then the connection is gone.
        for _ in 0..random.usize(0..3) {
            if random.bool() {
                pair.carry_to_server();
            }
            if random.bool() {
                pair.carry_to_client();
            }
            pair.now = pair.now + Duration::from_millis(random.u64(0..1_500));
            pair.client.on_deadline(pair.now);
            pair.server.on_deadline(pair.now);
        }
        take(&mut pair, &mut heard, &mut got);
        pair = again(pair);
    }
    pair.carry_to_server();
    take(&mut pair, &mut heard, &mut got);
    assert_eq!(heard, (0..=255).take(heard.len()).collect::<Vec<u8>>());
    assert_eq!(got, heard, "as many were pushed as called");
    assert_eq!(called.next().map(usize::from), Some(heard.len()));
}

fn take(pair: &mut Pair, heard: &mut Vec<u8>, got: &mut Vec<u8>) {
    heard.extend(pair.server_events().into_iter().filter_map(|event| match event {
        ServerEvent::Call(call) => Some(call.args[0]),
        ServerEvent::Hello(_) | ServerEvent::Received(_) | ServerEvent::Closed(_) => None,
    }));
    got.extend(pair.client_events().into_iter().filter_map(|event| match event {
        ClientEvent::Push(push) => Some(push.args[0]),
        ClientEvent::Welcome(_)
        | ClientEvent::Ticket(_)
        | ClientEvent::Answer { .. }
        | ClientEvent::Attached(_)
        | ClientEvent::Detached { .. }
        | ClientEvent::View { .. }
        | ClientEvent::State { .. }
        | ClientEvent::Delta { .. }
        | ClientEvent::Closed(_) => None,
    }));
}
