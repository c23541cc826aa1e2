//! Sequences that go wrong easily: letters that die while a commit is late, commits that outgrow a store, looks that fail.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::{ActorId, Kind, OperationNumber, Priority};
use lightmoon_durable::{Commit, Event, Keeper, Mail, Posted, Saved, Undelivered, layout, limits};
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

/// What is delivered: number, the one before it, receiver.
fn delivered(events: &[Event]) -> Vec<(u64, u64, ActorId)> {
    let one = |event: &Event| {
        let Event::Deliver { number, after, posted, .. } = event else { return None };
        Some((*number, *after, posted.to))
    };
    events.iter().filter_map(one).collect()
}

/// Carries all requests over but commits of Ann, which are late.
fn carry_but_ann(desk: &mut Desk, keeper: &mut Keeper, late: &mut VecDeque<(Ticket, Request)>) {
    while let Some((ticket, request)) = keeper.poll_request(desk.now) {
        if matches!(&request, Request::Commit { partition, .. } if *partition == layout::actor(ANN)) {
            late.push_back((ticket, request));
            continue;
        }
        let outcome = desk.ask(request);
        keeper.outcome(desk.now, ticket, outcome);
    }
}

#[test]
fn nothing_overtakes_a_dying_letter_before_a_commit_says_that_it_is_dead() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    desk.load(&mut keeper, BOB);
    let letters = ["poison", "sound"].map(|text| posted(BOB, Bytes::from_static(text.as_bytes())));
    hand_in(&mut keeper, ANN, 1, Mail { posted: letters.to_vec(), ..Mail::default() });
    let mut there = delivered(&desk.settle(&mut keeper));
    let poison = there[0].0;
    // Its failures are told to a store that is late with Ann's commits.
    let mut late = VecDeque::new();
    for _ in 0..200 {
        for (number, after, _) in std::mem::take(&mut there) {
            assert!(
                number == poison || after == poison,
                "{number} would be taken, and the poison known by its mark"
            );
            let end = if number == poison { Undelivered::Failed } else { Undelivered::Gap };
            keeper.delivered(desk.now, BOB, ANN, number, end);
        }
        carry_but_ann(&mut desk, &mut keeper, &mut late);
        there = delivered(&events(&mut keeper));
        if let (true, Some(at)) = (there.is_empty(), keeper.next_deadline()) {
            desk.now = desk.now.max(at);
            keeper.on_deadline(desk.now);
            there = delivered(&events(&mut keeper));
        }
    }
    assert_eq!(keeper.dead_letters().len(), 1, "it had all its tries");
    // The node dies with the commits of Ann: the poison has tries left, and comes first again.
    let mut keeper = Keeper::new(2);
    keeper.load(desk.now, ANN);
    assert_eq!(delivered(&desk.settle(&mut keeper))[0].0, poison);
}

#[test]
fn no_manifest_overtakes_a_commit_that_its_snapshot_shows() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    // The first copy is too large and given up. Then the zone shrinks, and takes a message.
    keeper.snapshot(ACTOR, 0, copy(1, limits::SNAPSHOT_PARTS_MAX + 1));
    desk.settle(&mut keeper);
    assert_eq!(keeper.counters().snapshots_given_up, 1);
    let saved = Saved { snapshot: Some(copy(2, 1)), ..entity(1, Some("effect of the message")) };
    let mail = Mail { taken: vec![(ANN, 99)], ..Mail::default() };
    keeper.commit(ACTOR, Commit { number: 1, is_urgent: true, saved, mail, ..Commit::default() });
    for _ in 0..100 {
        desk.encode_one(&mut keeper);
        desk.carry(&mut keeper);
        let (_, rows) = desk.page(Area::Commits, &layout::actor(ACTOR));
        let has = |section: u8| rows.iter().any(|row| layout::numbers(&row.key).unwrap().0 == section);
        assert!(!has(0) || has(3), "a snapshot has the effect, and no mark says that the message was taken");
    }
}

#[test]
fn many_large_letters_that_fail_together_do_not_cost_their_sender_its_activation() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    for commit in 0..2u64 {
        let to = |n| ActorId::new(Kind(8), commit * 36 + n);
        let posted = (0..36).map(|n| posted(to(n), Bytes::from(vec![7; 60 * 1024]))).collect();
        hand_in(&mut keeper, ANN, commit + 1, Mail { posted, ..Mail::default() });
    }
    let mut there = delivered(&desk.settle(&mut keeper));
    assert_eq!(there.len(), 72);
    while !there.is_empty() {
        for (number, _, to) in std::mem::take(&mut there) {
            keeper.delivered(desk.now, to, ANN, number, Undelivered::Failed);
        }
        there = delivered(&desk.settle(&mut keeper));
    }
    assert_eq!((keeper.counters().lost, keeper.dead_letters().len()), (0, 72));
    for dead in keeper.dead_letters() {
        assert!(keeper.replay(desk.now, ANN, dead.number));
    }
    assert_eq!(delivered(&desk.settle(&mut keeper)).len(), 72, "all are sent again");
    assert_eq!(keeper.counters().lost, 0);
}

#[test]
fn who_has_something_to_send_is_found_however_long_looking_fails() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    let mail = Mail { posted: vec![posted(BOB, Bytes::from_static(b"a"))], ..Mail::default() };
    hand_in(&mut keeper, ANN, 1, mail);
    desk.settle(&mut keeper);
    let mut keeper = Keeper::new(2);
    let (began, mut is_woken) = (desk.now, false);
    for _ in 0..10_000 {
        let Some((ticket, request)) = keeper.poll_request(desk.now) else {
            let Some(at) = keeper.next_deadline() else { break };
            desk.now = desk.now.max(at);
            keeper.on_deadline(desk.now);
            continue;
        };
        let is_look = matches!(&request, Request::Read { area: Area::Commits, .. });
        let fails = is_look && desk.now.since(began) < Duration::from_secs(70);
        let outcome = if fails { Outcome::Unknown } else { desk.ask(request) };
        keeper.outcome(desk.now, ticket, outcome);
        is_woken |= events(&mut keeper).iter().any(|event| matches!(event, Event::Wake(_)));
    }
    assert!(is_woken, "at {:?}, next {:?}", desk.now, keeper.next_deadline());
}

#[test]
fn an_actor_without_messages_leaves_the_list_only_with_a_claim_that_bars_a_former_node() {
    let mut desk = Desk::new(1);
    let mut old = Keeper::new(1);
    desk.load(&mut old, ANN);
    desk.load(&mut old, BOB);
    let one = |text: &'static str| Mail {
        posted: vec![posted(BOB, Bytes::from_static(text.as_bytes()))],
        ..Mail::default()
    };
    hand_in(&mut old, ANN, 1, one("a"));
    let [(number, ..)] = delivered(&desk.settle(&mut old))[..] else { panic!("one message") };
    hand_in(&mut old, BOB, 1, Mail { taken: vec![(ANN, number)], ..Mail::default() });
    desk.settle(&mut old);
    // Another node begins, finds that Ann has nothing to send, and takes her out of the list after its minute.
    let mut new = Keeper::new(2);
    desk.settle(&mut new);
    assert!(desk.page(Area::Log, &layout::outboxes()).1.is_empty());
    // The old one never noticed. What it wants to send now would be found by nobody.
    hand_in(&mut old, ANN, 2, one("late"));
    let events = desk.settle(&mut old);
    assert!(events.iter().any(|event| matches!(event, Event::Lost { actor: ANN, .. })), "{events:?}");
    assert_eq!(desk.load(&mut new, ANN).outbox, (0, 0));
}

#[test]
fn a_store_that_was_away_for_one_load_is_found_again_though_nobody_asks_for_anything() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ANN);
    desk.settle(&mut keeper);
    keeper.load(desk.now, BOB);
    let (ticket, _) = keeper.poll_request(desk.now).unwrap();
    keeper.outcome(desk.now, ticket, Outcome::Unavailable);
    assert!(keeper.is_away());
    desk.settle(&mut keeper);
    assert!(!keeper.is_away(), "next deadline {:?}", keeper.next_deadline());
}
