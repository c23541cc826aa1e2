//! Commits of one owner over a store that lies about outcomes.

use std::time::Duration;

use lightmoon_contract::ActorId;
use lightmoon_durable::layout::{self, Section};
use lightmoon_durable::{Event, Keeper, LoadFailure};
use lightmoon_store::{Area, Outcome};

use crate::desk::{ACTOR, Desk, Lies, commit, entry, number, state};

#[test]
fn what_is_committed_is_loaded_again() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    assert!(desk.load(&mut keeper, ACTOR).is_new);
    commit(&mut keeper, 1, true, state(5), vec![entry(5)]);
    let events = desk.settle(&mut keeper);
    assert!(matches!(events[..], [Event::Committed { actor: ACTOR, number: 1 }]), "{events:?}");
    let mut next = Keeper::new(2);
    let loaded = desk.load(&mut next, ACTOR);
    assert_eq!((loaded.is_new, number(&loaded)), (false, 5));
}

#[test]
fn the_time_of_a_commit_is_that_between_its_sending_and_the_answer() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    keeper.on_deadline(desk.now);
    assert_eq!(keeper.commit_times().count(), 0, "a load is no commit");
    commit(&mut keeper, 1, true, state(5), Vec::new());
    let (ticket, request) = keeper.poll_request(desk.now).unwrap();
    let outcome = desk.ask(request);
    let took = Duration::from_millis(7);
    keeper.outcome(desk.now + took, ticket, outcome);
    assert_eq!((keeper.commit_times().count(), keeper.commit_times().total()), (1, took));
}

#[test]
fn a_state_of_many_parts_is_put_together_and_a_shorter_one_leaves_no_rest() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    let state = |bytes: usize| lightmoon_durable::Saved {
        state: Some(lightmoon_durable::record::seal("long", 1, &vec![3; bytes])),
        ..lightmoon_durable::Saved::default()
    };
    for (number, bytes) in (1..).zip([900_000, 10, 500_000, 96 * 1024]) {
        commit(&mut keeper, number, false, state(bytes), Vec::new());
        desk.settle(&mut keeper);
        keeper = Keeper::new(number + 1);
        let loaded = desk.load(&mut keeper, ACTOR);
        let record = lightmoon_durable::record::open_as("long", &loaded.state.unwrap()).unwrap();
        assert_eq!(record.body.len(), bytes);
    }
}

/// The numbers in an actor's operation log, in order.
fn log(desk: &mut Desk, actor: ActorId) -> Vec<u64> {
    let (_, rows) = desk.page(Area::Commits, &layout::actor(actor));
    let is_log = |key: &[u8]| layout::numbers(key).unwrap().0 == Section::Log as u8;
    rows.iter()
        .filter(|row| is_log(&row.key))
        .map(|row| {
            let entry = lightmoon_durable::log_entry(&row.value).unwrap();
            u64::from_le_bytes(entry.reply[..].try_into().unwrap())
        })
        .collect()
}

#[test]
fn each_commit_happens_once_and_in_order_whatever_the_store_says() {
    for seed in 0..300 {
        let mut desk = Desk::new(seed);
        let mut keeper = Keeper::new(1);
        desk.load(&mut keeper, ACTOR);
        desk.lies = Lies { unknown: 0.3, unavailable: 0.2 };
        for next in 1..=40u64 {
            commit(&mut keeper, next, next % 2 == 0, state(next), vec![entry(next)]);
            let events = desk.settle(&mut keeper);
            assert!(
                matches!(events[..], [Event::Committed { number, .. }] if number == next),
                "seed {seed}: {events:?}"
            );
        }
        desk.lies = Lies::default();
        assert_eq!(desk.head(ACTOR).unwrap().get(layout::SEQ), Some(40), "seed {seed}");
        assert_eq!(log(&mut desk, ACTOR), (1..=40).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(keeper.bytes(), 0, "seed {seed}: nothing waits any more");
        assert!(keeper.counters().unknown > 0, "seed {seed}: the store lied");
    }
}

#[test]
fn an_actor_is_read_only_after_its_last_commits_are_through() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    commit(&mut keeper, 1, true, state(1), Vec::new());
    // The activation ends: its last commit follows at once, and somebody wants the actor again.
    commit(&mut keeper, 2, false, state(2), Vec::new());
    keeper.release(ACTOR);
    let loaded = desk.load(&mut keeper, ACTOR);
    assert_eq!(number(&loaded), 2);
}

#[test]
fn while_the_store_is_away_loads_fail_at_once_and_commits_wait() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    commit(&mut keeper, 1, true, state(1), Vec::new());
    let (ticket, _) = keeper.poll_request(desk.now).unwrap();
    keeper.outcome(desk.now, ticket, Outcome::Unavailable);
    assert!(keeper.is_away());
    assert!(keeper.poll_request(desk.now).is_none(), "one probe at a time, and not at once");
    let other = ActorId::new(ACTOR.kind, 1);
    keeper.load(desk.now, other);
    let event = keeper.poll_event();
    assert!(matches!(event, Some(Event::LoadFailed { actor, .. }) if actor == other), "{event:?}");
    let events = desk.settle(&mut keeper);
    assert!(matches!(events[..], [Event::Committed { number: 1, .. }]), "{events:?}");
    assert!(!keeper.is_away());
}

#[test]
fn a_damaged_actor_is_unreadable_and_touches_no_other() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    keeper.load(desk.now, ACTOR);
    let (ticket, _) = keeper.poll_request(desk.now).unwrap();
    keeper.outcome(desk.now, ticket, Outcome::Damaged);
    let event = keeper.poll_event();
    let unreadable =
        |event| matches!(event, Some(Event::LoadFailed { error: LoadFailure::Unreadable(_), .. }));
    assert!(unreadable(event));
    assert!(!keeper.is_away());
    desk.load(&mut keeper, ActorId::new(ACTOR.kind, 1));
}

#[test]
fn a_commit_that_meets_damage_is_lost_and_not_repeated() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    commit(&mut keeper, 1, true, state(1), Vec::new());
    let (ticket, _) = keeper.poll_request(desk.now).unwrap();
    keeper.outcome(desk.now, ticket, Outcome::Damaged);
    assert!(matches!(keeper.poll_event(), Some(Event::Lost { actor: ACTOR, .. })));
    assert!(keeper.poll_request(desk.now).is_none());
    assert_eq!(keeper.bytes(), 0);
}
