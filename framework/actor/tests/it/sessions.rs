//! Messages between actors and sessions.

use lightmoon_actor::reserved::{ToActor, ToSession};
use lightmoon_contract::{ActorId, Caller, Limits, Operation, SessionId, codec};

use crate::harness::{Bench, client, probe_id};
use crate::probe::{probe, take_trace};

#[test]
fn a_push_leaves_for_the_session_with_its_lane_and_bytes() {
    let mut bench = Bench::new();
    bench.tell_from(client(9), 1, probe::Greet {});
    bench.settle();
    let envelope = bench.left.pop().expect("a message to the session");
    assert_eq!((envelope.to, envelope.from), (ActorId::session(SessionId(9)), Caller::Actor(probe_id(1))));
    let lightmoon_contract::Body::Typed(body) = envelope.body else { panic!("typed") };
    let ToSession::Push { number, lane, bytes } = body.take::<ToSession>().expect("a message to a session")
    else {
        panic!("a push")
    };
    assert_eq!((number, lane), (probe::Greeting::SPEC.number, probe::Greeting::SPEC.lane));
    let greeting: probe::Greeting = codec::decode(&bytes, Limits::NODE).expect("a greeting");
    assert_eq!(greeting.text, "hello");
}

#[test]
fn a_player_learns_of_its_session_in_order_also_while_it_waits() {
    let mut bench = Bench::new();
    bench.ask(1, probe::Wait { ms: 10, value: 0 });
    bench.settle();
    for session in 1..4 {
        bench.framework(1, ToActor::Connected { session: SessionId(session) });
        bench.framework(1, ToActor::Disconnected { session: SessionId(session) });
    }
    bench.settle();
    take_trace();
    bench.pass(10);
    let told: Vec<String> = take_trace().into_iter().filter(|line| line.contains("connected")).collect();
    let expected: Vec<String> = (1..4)
        .flat_map(|session| [format!("1 connected {session}"), format!("1 disconnected {session}")])
        .collect();
    assert_eq!(told, expected);
}
