//! Promises of the client's side, and of both together.

use lightmoon_contract::{ActorId, NetId, Priority, Reliability};

use super::*;
use crate::VIEW_LANE;
use crate::compatibility::Compatibility;
use crate::frame::{Goodbye, Layout, Pong, Refuse, View, write_datagram, write_stream};
use crate::pair::{Faults, Pair, UNKNOWN, client_config, descriptor, key};
use crate::server::{Grant, ServerEvent, Settled};
use lightmoon_contract::SessionId;

const HIGH: Lane = VIEW_LANE;
const FAULTS: Faults = Faults { cut: true, double: true, reorder: true };

fn call(request: Option<u64>, lane: Lane, args: &[u8]) -> OutgoingCall {
    let args = Bytes::copy_from_slice(args);
    OutgoingCall { request, lane, target: Target::Own, kind: Kind(2), number: OperationNumber(1), args }
}

fn attach(generation: u32) -> Attach {
    Attach { generation, zone: ActorId::new(Kind(1), 1), avatar: NetId(1), tick_hz: 20 }
}

fn first<F: Layout>(lane: Lane, frame: &F) -> Vec<u8> {
    let mut bytes = vec![lane.number()];
    write_stream(frame, &mut bytes);
    bytes
}

fn closing(events: &[ClientEvent]) -> &Closing {
    match events.last() {
        Some(ClientEvent::Closed(closing)) => closing,
        other => panic!("{other:?} instead of the end"),
    }
}

#[test]
fn a_good_handshake_opens_both_sides_however_bytes_are_cut() {
    for seed in 0..50 {
        let mut pair = Pair::new(seed, FAULTS);
        pair.handshake();
        assert!(pair.client.is_open() && pair.server.is_open(), "seed {seed}");
    }
}

#[test]
fn an_unknown_fingerprint_is_settled_by_the_descriptor() {
    // The same game seen by a server that was told to know nothing about it: another name is another fingerprint.
    let theirs = descriptor("theirs");
    let mut pair = Pair::of(client_config(&theirs), Compatibility::new(descriptor("ours")), 1, FAULTS);
    pair.carry_to_server();
    assert!(matches!(pair.server.poll_event(), Some(ServerEvent::Hello(_))));
    assert_eq!(pair.server.settle(pair.now, &mut pair.known), Settled::Asked);
    pair.carry_to_client();
    pair.carry_to_server();
    let Some(ServerEvent::Hello(hello)) = pair.server.poll_event() else { panic!("no second Hello") };
    assert_eq!(hello.fingerprint, theirs.fingerprint());
    let settled = pair.server.settle(pair.now, &mut pair.known);
    assert_eq!(pair.known.learned(), 1);
    let verdict = pair.known.verdict(hello.fingerprint);
    assert_eq!(settled == Settled::Compatible, verdict == Some(crate::Verdict::Compatible));
    assert_ne!(settled, Settled::Asked, "it asks once");
}

#[test]
fn a_descriptor_that_is_not_the_claimed_one_is_refused() {
    let config = ClientConfig { fingerprint: UNKNOWN, ..client_config(&descriptor("liar")) };
    let mut pair = Pair::of(config, Compatibility::new(descriptor("ours")), 1, FAULTS);
    for _ in 0..3 {
        pair.carry_to_server();
        while pair.server.poll_event().is_some() {
            pair.server.settle(pair.now, &mut pair.known);
        }
        pair.carry_to_client();
    }
    let events = pair.client_events();
    assert_eq!(closing(&events).code, CloseCode::Incompatible);
    assert_eq!(closing(&events).by, ClosedBy::Peer);
    assert!(closing(&events).reason.contains("fingerprint"), "{events:?}");
}

#[test]
fn a_refused_client_learns_why_and_closes_so_that_the_server_need_not_wait() {
    let mut pair = Pair::new(1, FAULTS);
    pair.carry_to_server();
    pair.server_events();
    pair.server.refuse(pair.now, CloseCode::Unauthenticated, "who are you");
    pair.carry_to_client();
    let events = pair.client_events();
    let expected =
        Closing { code: CloseCode::Unauthenticated, reason: "who are you".into(), by: ClosedBy::Peer };
    assert_eq!(events, [ClientEvent::Closed(expected)]);
    pair.carry_to_server();
    assert!(matches!(pair.server_events()[..], [ServerEvent::Closed(_)]));
}

#[test]
fn frames_that_overtake_the_welcome_wait_for_it() {
    let mut pair = Pair::new(3, Faults::default());
    pair.carry_to_server();
    pair.server_events();
    pair.server.welcome(pair.now, Grant { session: SessionId(1), player: 1, tick_hz: 20 }).unwrap();
    pair.server.attach(attach(1)).unwrap();
    pair.server.view(1, Bytes::from_static(b"view")).unwrap();
    pair.server.state(1, Bytes::from_static(b"state")).unwrap();
    let transmits: Vec<_> = std::iter::from_fn(|| pair.server.poll_transmit()).collect();
    // The control lane is first; it arrives last, and the view lane in single bytes.
    for transmit in transmits.into_iter().rev() {
        match transmit {
            Transmit::Datagram(bytes) => pair.client.on_datagram(pair.now, &bytes),
            Transmit::Stream { lane, bytes } => {
                for byte in bytes {
                    assert!(lane == Lane::CONTROL || pair.client_events().is_empty());
                    pair.client.on_stream(pair.now, key(lane), &[byte]);
                }
            }
            Transmit::Solo { .. } | Transmit::Close { .. } => panic!("closed, or a request's answer"),
        }
    }
    let events = pair.client_events();
    assert!(
        matches!(&events[..], [ClientEvent::Welcome(_), ClientEvent::Attached(_), ClientEvent::View { .. }]),
        "{events:?}"
    );
    assert_eq!(pair.client.counters().early, 1, "the datagram is lost, the next is newer");
}

#[test]
fn what_overtakes_the_welcome_is_bounded() {
    let mut link = ClientLink::new(client_config(&descriptor("pair")), Mono(0));
    let view = first(HIGH, &View { generation: 1, payload: vec![0; 60_000].into() });
    link.on_stream(Mono(0), key(HIGH), &view);
    for _ in 0..20 {
        link.on_stream(Mono(0), key(HIGH), &view[1..]);
        assert!(link.held_bytes() <= limits::EARLY_BYTES_MAX + 2_000);
    }
    assert!(matches!(link.poll_event(), Some(ClientEvent::Closed(_))));

    let mut link = ClientLink::new(client_config(&descriptor("pair")), Mono(0));
    link.on_stream(Mono(0), key(HIGH), &[HIGH.number()]);
    let fed = (0..1_000_000).take_while(|_| {
        link.on_stream(Mono(0), key(HIGH), &[1]);
        link.phase != Phase::Closed
    });
    assert!(fed.count() < 20_000, "single bytes cost more than themselves");
}

#[test]
fn the_order_of_attach_and_view_is_kept() {
    for seed in 0..50 {
        let mut pair = Pair::open(seed, FAULTS);
        for generation in 1..6u32 {
            pair.server.attach(attach(generation)).unwrap();
            for number in 0..20u8 {
                pair.server.view(generation, vec![number; usize::from(number) * 20].into()).unwrap();
                pair.server.state(generation, Bytes::from_static(b"state")).unwrap();
            }
            if generation % 2 == 0 {
                pair.server.detach(generation).unwrap();
            }
        }
        pair.carry_to_client();
        let mut expected = Vec::new();
        for generation in 1..6u32 {
            expected.push((generation, "attach".to_owned()));
            expected.extend((0..20).map(|number| (generation, format!("view {}", number * 20))));
            if generation % 2 == 0 {
                expected.push((generation, "detach".to_owned()));
            }
        }
        let mut attached = None;
        let seen = pair.client_events().into_iter().filter_map(|event| match event {
            ClientEvent::Attached(attach) => {
                attached = Some(attach.generation);
                Some((attach.generation, "attach".to_owned()))
            }
            ClientEvent::View { generation, payload } => {
                Some((generation, format!("view {}", payload.len())))
            }
            ClientEvent::Detached { generation } => Some((generation, "detach".to_owned())),
            ClientEvent::State { generation, .. } => {
                assert_eq!(attached, Some(generation), "a state of another zone");
                None
            }
            other @ (ClientEvent::Welcome(_)
            | ClientEvent::Ticket(_)
            | ClientEvent::Answer { .. }
            | ClientEvent::Push(_)
            | ClientEvent::Delta { .. }
            | ClientEvent::Closed(_)) => panic!("{other:?}"),
        });
        assert_eq!(seen.collect::<Vec<_>>(), expected, "seed {seed}");
    }
}

#[test]
fn how_streams_are_cut_changes_no_event() {
    let play = |seed, faults| {
        let mut pair = Pair::open(seed, faults);
        let low = Lane { priority: Priority::Low, reliability: Reliability::ReliableUnordered };
        let mut events = (Vec::new(), Vec::new());
        let mut sizes = fastrand::Rng::with_seed(99);
        for round in 1..40u64 {
            let args = vec![7; sizes.usize(..900)];
            pair.client.call(call(Some(round), if round % 3 == 0 { low } else { HIGH }, &args)).unwrap();
            pair.client.call(call(None, low, &args)).unwrap();
            pair.carry_to_server();
            for event in pair.server_events() {
                if let ServerEvent::Call(call) = &event
                    && let Some(request) = call.request
                {
                    pair.server.answer(request, Ok(call.args.clone())).unwrap();
                }
                events.0.push(event);
            }
            pair.server
                .push(low, ActorId::new(Kind(1), round), OperationNumber(1), vec![1; 500].into())
                .unwrap();
            pair.carry_to_client();
            events.1.extend(pair.client_events());
        }
        events
    };
    let whole = play(1, Faults::default());
    assert_eq!(whole.0.len(), 78);
    for seed in 0..30 {
        assert_eq!(play(seed, Faults { cut: true, ..Faults::default() }), whole, "seed {seed}");
    }
}

#[test]
fn a_burst_of_small_pushes_is_no_offence() {
    let mut pair = Pair::open(1, Faults::default());
    for number in 0..5_000 {
        pair.server.push(HIGH, ActorId::new(Kind(1), number), OperationNumber(1), Bytes::new()).unwrap();
    }
    pair.carry_to_client();
    assert_eq!(pair.client_events().len(), 5_000);
}

#[test]
fn answers_come_once_and_only_to_open_requests() {
    let mut pair = Pair::open(1, FAULTS);
    pair.client.call(call(Some(1), HIGH, b"a")).unwrap();
    pair.client.call(call(Some(2), HIGH, b"b")).unwrap();
    assert_eq!(pair.client.call(call(Some(2), HIGH, b"b")), Err(SendError::Busy));
    pair.client.forget(1);
    pair.carry_to_server();
    pair.server.answer(1, Ok(Bytes::new())).unwrap();
    pair.server.answer(2, Err(CallError::TooFast)).unwrap();
    pair.carry_to_client();
    assert_eq!(pair.client_events(), [ClientEvent::Answer { request: 2, result: Err(CallError::TooFast) }]);
    assert_eq!(pair.client.counters().unasked, 1);
}

#[test]
fn calls_are_refused_before_the_welcome_without_zone_and_over_their_size() {
    let mut link = ClientLink::new(client_config(&descriptor("pair")), Mono(0));
    assert_eq!(link.call(call(None, HIGH, b"")), Err(SendError::NotOpen));
    let mut pair = Pair::open(1, FAULTS);
    let zone = OutgoingCall { target: Target::Zone, ..call(None, HIGH, b"") };
    assert_eq!(pair.client.call(zone.clone()), Err(SendError::Stale));
    let large = vec![0; limits::ARGS_BYTES_MAX + 1];
    assert!(matches!(pair.client.call(call(None, HIGH, &large)), Err(SendError::TooLarge { .. })));
    let unreliable = Lane { priority: Priority::High, reliability: Reliability::Unreliable };
    assert!(matches!(
        pair.client.call(call(None, unreliable, &large[..1_200])),
        Err(SendError::TooLarge { .. })
    ));
    pair.server.attach(attach(4)).unwrap();
    pair.carry_to_client();
    pair.client.call(zone).unwrap();
    pair.carry_to_server();
    assert!(matches!(&pair.server_events()[..], [ServerEvent::Call(call)] if call.target == Target::Zone));
}

#[test]
fn pings_measure_the_round_trip_and_keep_both_sides_awake() {
    let mut pair = Pair::open(1, FAULTS);
    for _ in 0..60 {
        pair.client.on_deadline(pair.now);
        pair.carry_to_server();
        pair.now = pair.now + Duration::from_millis(40);
        pair.carry_to_client();
        pair.now = pair.now + Duration::from_millis(960);
        pair.server.on_deadline(pair.now);
    }
    assert_eq!(pair.client.rtt(), Some(Duration::from_millis(40)));
    assert!(pair.client.is_open() && pair.server.is_open());
}

#[test]
fn a_silent_server_is_given_up() {
    let mut pair = Pair::open(1, FAULTS);
    let end = pair.now + limits::SILENCE_TIME_MAX;
    while let Some(deadline) = pair.client.next_deadline() {
        assert!(deadline <= end);
        pair.client.on_deadline(deadline);
    }
    assert_eq!(closing(&pair.client_events()).code, CloseCode::Idle);

    let mut link = ClientLink::new(client_config(&descriptor("pair")), Mono(0));
    link.on_deadline(link.next_deadline().unwrap());
    assert!(matches!(
        link.poll_event(),
        Some(ClientEvent::Closed(Closing { code: CloseCode::HandshakeTimeout, .. }))
    ));
}

#[test]
fn hostile_servers_are_closed() {
    let refuse = Refuse { code: CloseCode::Normal, reason: String::new() };
    let low = Lane { priority: Priority::Low, reliability: Reliability::ReliableOrdered };
    let hostile: [(Lane, Vec<u8>); 6] = [
        (low, first(low, &attach(1))),
        (low, first(low, &View { generation: 1, payload: Bytes::new() })),
        (HIGH, first(HIGH, &Goodbye { code: CloseCode::Normal, reason: String::new() })),
        (HIGH, vec![HIGH.number(), 1, 2]),
        (HIGH, vec![HIGH.number(), 1, 99]),
        (Lane::CONTROL, first(Lane::CONTROL, &refuse)[1..].to_vec()),
    ];
    for (lane, bytes) in hostile {
        let mut pair = Pair::open(1, FAULTS);
        pair.client.on_stream(pair.now, key(lane), &bytes);
        let events = pair.client_events();
        assert_eq!(closing(&events).code, CloseCode::ProtocolViolation, "{bytes:?}");
        pair.carry_to_server();
        assert_eq!(pair.client_closed, Some(CloseCode::ProtocolViolation));
    }
}

#[test]
fn a_goodbye_of_either_side_ends_both() {
    let mut pair = Pair::open(1, FAULTS);
    pair.client.close(pair.now, "bye");
    pair.carry_to_server();
    let expected = Closing { code: CloseCode::Normal, reason: "bye".into(), by: ClosedBy::Peer };
    assert_eq!(pair.server_events(), [ServerEvent::Closed(expected)]);
    pair.carry_to_client();
    assert_eq!(closing(&pair.client_events()).by, ClosedBy::Us);

    let mut pair = Pair::open(1, FAULTS);
    pair.server.close(pair.now, CloseCode::Replaced, "elsewhere");
    pair.carry_to_client();
    assert_eq!(closing(&pair.client_events()).code, CloseCode::Replaced);
    pair.carry_to_server();
    assert!(matches!(pair.server_events()[..], [ServerEvent::Closed(_)]));
    assert_eq!(pair.client_closed, Some(CloseCode::Replaced));
}

#[test]
fn a_client_that_nobody_hears_says_goodbye_and_goes() {
    let mut pair = Pair::open(1, FAULTS);
    pair.client.close(pair.now, "bye");
    pair.client.on_datagram(pair.now, &write_datagram(&Pong { nonce: 1 }));
    pair.client.on_deadline(pair.client.next_deadline().unwrap());
    assert_eq!(closing(&pair.client_events()).code, CloseCode::Normal);
    pair.carry_to_server();
    assert_eq!(pair.client_closed, Some(CloseCode::Normal));
}

#[test]
fn a_token_that_is_too_long_never_leaves() {
    let config = ClientConfig { token: vec![0; 1_025].into(), ..client_config(&descriptor("pair")) };
    let mut link = ClientLink::new(config, Mono(0));
    assert!(matches!(link.poll_transmit(), Some(Transmit::Close { code: CloseCode::TooLarge, .. })));
    assert!(matches!(link.poll_event(), Some(ClientEvent::Closed(_))));
}

/// A client that looks at a zone and has applied the Delta of tick 9 just now.
fn looking() -> Pair {
    let mut pair = Pair::open(1, Faults { cut: false, double: false, reorder: false });
    pair.server.attach(attach(1)).unwrap();
    pair.server.delta(1, Bytes::from_static(&[1])).unwrap();
    pair.carry_to_client();
    pair.client_events();
    pair.client.applied(Received { generation: 1, tick: 9, received: 1, views: 0 });
    pair
}

fn steer(pair: &mut Pair, priority: Priority, reliability: Reliability, args: &[u8]) {
    pair.client.call(call(None, Lane { priority, reliability }, args)).unwrap();
}

/// What the server hears within so many milliseconds: (what arrived, calls).
fn heard(pair: &mut Pair, milliseconds: u64) -> (usize, Vec<Bytes>) {
    pair.now = pair.now + Duration::from_millis(milliseconds);
    pair.client.on_deadline(pair.now);
    pair.carry_to_server();
    let (mut told, mut calls) = (0, Vec::new());
    for event in pair.server_events() {
        match event {
            ServerEvent::Received(_) => told += 1,
            ServerEvent::Call(call) => calls.push(call.args),
            other @ (ServerEvent::Hello(_) | ServerEvent::Closed(_)) => panic!("{other:?}"),
        }
    }
    (told, calls)
}

#[test]
fn a_client_answers_a_delta_a_moment_later_with_its_calls_or_without() {
    let mut pair = looking();
    steer(&mut pair, Priority::High, Reliability::Unreliable, &[1]);
    steer(&mut pair, Priority::High, Reliability::UnreliableLatest, &[2]);
    steer(&mut pair, Priority::High, Reliability::UnreliableLatest, &[3]);
    assert_eq!(heard(&mut pair, 23), (0, Vec::new()), "never at once");
    let (told, calls) = heard(&mut pair, 1);
    assert_eq!((told, &calls[..]), (1, &[Bytes::from_static(&[1]), Bytes::from_static(&[3])][..]));
    pair.client.applied(Received { generation: 1, tick: 10, received: 3, views: 0 });
    assert_eq!(heard(&mut pair, 49), (1, Vec::new()), "without input too");
}

#[test]
fn a_client_answers_sooner_where_its_answer_reaches_the_tick_before() {
    let mut pair = looking();
    let mut delays = Vec::new();
    for tick in 10..60 {
        let mut delay = 0;
        while heard(&mut pair, 1).0 == 0 {
            delay += 1;
        }
        delays.push(delay + 1);
        // From a Delta to the end of what the next tick hears it takes 20 ms: who answers later waits for the tick behind it.
        let waited = (20 + 50 - delay - 1) % 50;
        pair.client.waited(Duration::from_millis(50), Duration::from_millis(waited));
        pair.client.applied(Received { generation: 1, tick, received: 3, views: 0 });
    }
    assert_eq!(delays[0], 24, "nothing is known: {delays:?}");
    assert!(delays[45..].iter().all(|delay| (4..=14).contains(delay)), "{delays:?}");
}

#[test]
fn a_call_does_not_wait_for_a_delta_that_does_not_come_and_a_critical_one_for_none() {
    let mut pair = looking();
    heard(&mut pair, 49);
    steer(&mut pair, Priority::High, Reliability::Unreliable, &[1]);
    assert_eq!(heard(&mut pair, 98).1.len(), 0);
    assert_eq!(heard(&mut pair, 2), (1, vec![Bytes::from_static(&[1])]));
    steer(&mut pair, Priority::Critical, Reliability::Unreliable, &[2]);
    assert_eq!(heard(&mut pair, 0).1, [Bytes::from_static(&[2])]);
}

#[test]
fn an_input_holds_what_fits_and_the_rest_follows() {
    let mut pair = looking();
    for nth in 0..40 {
        steer(&mut pair, Priority::High, Reliability::Unreliable, &[nth; 300]);
    }
    steer(&mut pair, Priority::High, Reliability::Unreliable, &[99; 1_100]);
    let (_, calls) = heard(&mut pair, 99);
    assert_eq!(calls.len(), 41);
}
