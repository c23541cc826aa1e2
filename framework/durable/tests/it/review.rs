use std::collections::VecDeque;

use bytes::Bytes;
use lightmoon_contract::{ActorId, Kind, OperationNumber, Priority, SessionId};
use lightmoon_durable::{Commit, Event, Keeper, Mail, Posted, Reply, Undelivered, layout, limits};
use lightmoon_store::{Area, Outcome, Request, Ticket};

use crate::desk::{ACTOR, Desk, copy, entity};

const ANN: ActorId = ActorId::new(Kind(7), 1);
const BOB: ActorId = ActorId::new(Kind(7), 2);

fn posted(to: ActorId, arguments: Bytes) -> Posted {
    Posted { to, operation: OperationNumber(3), priority: Priority::Normal, arguments }
}
fn hand_in(keeper: &mut Keeper, actor: ActorId, number: u64, mail: Mail) {
    keeper.commit(actor, Commit { number, is_urgent: true, mail, ..Commit::default() });
}
fn events(keeper: &mut Keeper) -> Vec<Event> {
    std::iter::from_fn(|| keeper.poll_event()).collect()
}
fn delivered(events: &[Event]) -> Vec<(u64, u64, ActorId)> {
    events
        .iter()
        .filter_map(|event| {
            let Event::Deliver { number, after, posted, .. } = event else { return None };
            Some((*number, *after, posted.to))
        })
        .collect()
}

/// Carries all but commits of ANN.
fn carry_but_ann(desk: &mut Desk, keeper: &mut Keeper, held: &mut VecDeque<(Ticket, Request)>) {
    while let Some((ticket, request)) = keeper.poll_request(desk.now) {
        if matches!(&request, Request::Commit { partition, .. } if *partition == layout::actor(ANN)) {
            held.push_back((ticket, request));
            continue;
        }
        let outcome = desk.ask(request);
        keeper.outcome(desk.now, ticket, outcome);
    }
}

#[test]
fn r1_a_dying_letter_is_lost_if_the_node_dies_before_its_tries_are_stored() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    desk.load(&mut keeper, BOB);
    let mail = Mail {
        posted: vec![posted(BOB, Bytes::from_static(b"poison")), posted(BOB, Bytes::from_static(b"sound"))],
        ..Mail::default()
    };
    hand_in(&mut keeper, ANN, 1, mail);
    let mut there = delivered(&desk.settle(&mut keeper));
    let (poison, sound) = (there[0].0, there[1].0);
    let mut held = VecDeque::new();
    let mut sound_is_alone = false;
    for _ in 0..1000 {
        for (number, after, _) in std::mem::take(&mut there) {
            if number == poison {
                keeper.delivered(desk.now, BOB, ANN, number, Undelivered::Failed);
            } else if after == 0 {
                sound_is_alone = true;
            } else {
                keeper.delivered(desk.now, BOB, ANN, number, Undelivered::Gap);
            }
        }
        if sound_is_alone {
            break;
        }
        carry_but_ann(&mut desk, &mut keeper, &mut held);
        there = delivered(&events(&mut keeper));
        if there.is_empty() {
            let Some(at) = keeper.next_deadline() else { break };
            desk.now = desk.now.max(at);
            keeper.on_deadline(desk.now);
            there = delivered(&events(&mut keeper));
        }
    }
    if !sound_is_alone {
        let mut keeper = Keeper::new(2);
        assert_eq!(desk.load(&mut keeper, BOB).inbox, []);
        keeper.load(desk.now, ANN);
        assert_eq!(delivered(&desk.settle(&mut keeper))[0].0, poison, "tried once more, before the sound one");
        return;
    }
    assert_eq!(keeper.dead_letters().len(), 1);
    // BOB takes the one behind it.
    hand_in(&mut keeper, BOB, 1, Mail { taken: vec![(ANN, sound)], ..Mail::default() });
    carry_but_ann(&mut desk, &mut keeper, &mut held);
    println!("held commits of ANN: {}", held.len());
    // Crash.
    let mut keeper = Keeper::new(2);
    let mark = desk.load(&mut keeper, BOB).inbox[0].1;
    assert_eq!(mark, sound);
    keeper.load(desk.now, ANN);
    let mut there = delivered(&desk.settle(&mut keeper));
    println!("delivered again: {there:?} poison {poison} mark {mark}");
    while !there.is_empty() {
        for (number, ..) in std::mem::take(&mut there) {
            assert!(number <= mark, "what the worker of BOB says: Known");
            keeper.delivered(desk.now, BOB, ANN, number, Undelivered::Known);
        }
        there = delivered(&desk.settle(&mut keeper));
    }
    assert!(keeper.dead_letters().iter().any(|dead| dead.number == poison), "the poison is gone: neither taken nor dead");
}

#[test]
fn r2_a_manifest_overtakes_a_commit_that_it_shows() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    keeper.snapshot(ACTOR, 0, copy(1, limits::SNAPSHOT_PARTS_MAX + 1));
    desk.settle(&mut keeper);
    assert_eq!(keeper.counters().snapshots_given_up, 1);
    // The zone shrinks; a message is taken and its effect is in the copy made with the commit.
    keeper.commit(
        ACTOR,
        Commit {
            number: 1,
            is_urgent: true,
            saved: lightmoon_durable::Saved { snapshot: Some(copy(2, 1)), ..entity(1, Some("effect of the message")) },
            mail: Mail { taken: vec![(ANN, 99)], ..Mail::default() },
            ..Commit::default()
        },
    );
    for _ in 0..100 {
        desk.encode_one(&mut keeper);
        desk.carry(&mut keeper);
        let (_, rows) = desk.page(Area::Commits, &layout::actor(ACTOR));
        let has = |section: u8| rows.iter().any(|row| layout::numbers(&row.key).unwrap().0 == section);
        assert!(!has(0) || has(3), "a snapshot with the effect is published, the mark is not: {}", rows.len());
    }
}

#[test]
fn r3_many_that_fail_at_once_make_a_commit_that_no_store_takes() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    for commit in 0..2u64 {
        let letters = (0..36).map(|n| posted(ActorId::new(Kind(8), commit * 36 + n), Bytes::from(vec![7; 60 * 1024])));
        hand_in(&mut keeper, ANN, commit + 1, Mail { posted: letters.collect(), ..Mail::default() });
        // all in one
    }
    let there = delivered(&desk.settle(&mut keeper));
    assert_eq!(there.len(), 72);
    for (number, _, to) in there {
        keeper.delivered(desk.now, to, ANN, number, Undelivered::Failed);
    }
    let events = desk.settle(&mut keeper);
    let lost: Vec<_> = events.iter().filter(|event| matches!(event, Event::Lost { .. })).collect();
    println!("{lost:?}");
    // Again and again?
    for round in 0..12 {
        keeper.load(desk.now, ANN);
        let mut there = delivered(&desk.settle(&mut keeper));
        if there.is_empty() { let l = keeper.letters(); println!("round {round}: nothing, letters {l} dead {}", keeper.dead_letters().len()); break; }
        let n = there.len();
        for (number, _, to) in there.drain(..) {
            keeper.delivered(desk.now, to, ANN, number, Undelivered::Failed);
        }
        let more = desk.settle(&mut keeper); let redelivered = delivered(&more).len();
        for (number, _, to) in delivered(&more) { keeper.delivered(desk.now, to, ANN, number, Undelivered::Failed); }
        println!("round {round}: {n} delivered, lost {} so far, dead {}", keeper.counters().lost, keeper.dead_letters().len());
        println!("redelivered {redelivered}");
    }
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn r4_a_peek_that_fails_after_a_minute_is_never_repeated() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    hand_in(&mut keeper, ANN, 1, Mail { posted: vec![posted(BOB, Bytes::from_static(b"a"))], ..Mail::default() });
    desk.settle(&mut keeper);
    let mut keeper = Keeper::new(2);
    // For a minute the peeks fail, the list can be read.
    let began = desk.now;
    let mut woken = false;
    for _ in 0..10_000 {
        let Some((ticket, request)) = keeper.poll_request(desk.now) else {
            let Some(at) = keeper.next_deadline() else { break };
            desk.now = desk.now.max(at);
            keeper.on_deadline(desk.now);
            continue;
        };
        let is_peek = matches!(&request, Request::Read { area: Area::Commits, .. });
        let outcome = if is_peek && desk.now.since(began).as_secs() < 70 { Outcome::Unknown } else { desk.ask(request) };
        keeper.outcome(desk.now, ticket, outcome);
        woken |= events(&mut keeper).iter().any(|event| matches!(event, Event::Wake(_)));
    }
    desk.now = lightmoon_contract::Mono(desk.now.0 + 3_600_000_000_000);
    keeper.on_deadline(desk.now);
    woken |= desk.settle(&mut keeper).iter().any(|event| matches!(event, Event::Wake(_)));
    assert!(woken, "at {:?}, next {:?}", desk.now, keeper.next_deadline());
}

#[test]
fn r5_as_many_replies_as_an_actor_may_have_are_no_commit() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    let reply = |n: u64| Reply {
        session: SessionId(n / 64),
        request: n % 64,
        operation: OperationNumber(1),
        check: 1,
        reply: Bytes::from(vec![1; 4096]),
    };
    hand_in(&mut keeper, ANN, 1, Mail { replies: (0..1_100).map(reply).collect(), ..Mail::default() });
    let events = desk.settle(&mut keeper);
    let lost: Vec<_> = events.iter().filter(|event| matches!(event, Event::Lost { .. })).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn r10_a_store_that_was_away_for_a_load_is_away_for_ever() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    desk.settle(&mut keeper);
    desk.now = desk.now + std::time::Duration::from_secs(100);
    keeper.on_deadline(desk.now);
    desk.settle(&mut keeper);
    keeper.load(desk.now, BOB);
    let (ticket, _) = keeper.poll_request(desk.now).unwrap();
    keeper.outcome(desk.now, ticket, Outcome::Unavailable);
    desk.now = desk.now + std::time::Duration::from_secs(3600);
    keeper.on_deadline(desk.now);
    desk.settle(&mut keeper);
    assert!(!keeper.is_away(), "next deadline {:?}", keeper.next_deadline());
}
