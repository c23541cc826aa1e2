//! Looks at what is stored of actors that nobody owns, or somebody else.

use lightmoon_contract::{ActorId, Kind};
use lightmoon_durable::{Event, Keeper, LoadFailure, Saved, limits, record};
use lightmoon_store::Outcome;

use crate::desk::{ACTOR, Desk, commit, state};

const NOBODY: ActorId = ActorId::new(Kind(7), 43);

/// What a look at an actor shows.
fn peek(desk: &mut Desk, keeper: &mut Keeper, actor: ActorId) -> Result<Option<bytes::Bytes>, LoadFailure> {
    keeper.peek(desk.now, actor);
    let events = desk.settle(keeper);
    let found = events.into_iter().find_map(|event| {
        let Event::Peeked { actor: of, state } = event else { return None };
        (of == actor).then_some(state)
    });
    found.expect("each look has an answer")
}

#[test]
fn a_look_shows_the_last_commit_and_leaves_nothing_behind() {
    let mut desk = Desk::new(1);
    let mut owner = Keeper::new(1);
    desk.load(&mut owner, ACTOR);
    for number in [5, 6] {
        commit(&mut owner, number - 4, true, state(number), Vec::new());
        desk.settle(&mut owner);
    }
    let head = desk.head(ACTOR);
    // Another node, of a newer generation: a load of it would take the actor away.
    let mut other = Keeper::new(2);
    assert_eq!(peek(&mut desk, &mut other, ACTOR), Ok(state(6).state));
    assert_eq!(peek(&mut desk, &mut other, NOBODY), Ok(None));
    assert_eq!((desk.head(ACTOR), desk.head(NOBODY)), (head, None));
    commit(&mut owner, 3, true, state(7), Vec::new());
    let events = desk.settle(&mut owner);
    assert!(matches!(events[..], [Event::Committed { number: 3, .. }]), "{events:?}");
    assert_eq!(peek(&mut desk, &mut other, ACTOR), Ok(state(7).state));
}

#[test]
fn the_largest_state_is_shown_whole() {
    let mut desk = Desk::new(1);
    let mut owner = Keeper::new(1);
    desk.load(&mut owner, ACTOR);
    let body: Vec<u8> = (0..limits::STATE_BYTES_MAX - 64).map(|at| at.to_le_bytes()[0]).collect();
    let large = record::seal("large", 1, &body);
    commit(&mut owner, 1, true, Saved { state: Some(large.clone()), ..Saved::default() }, Vec::new());
    desk.settle(&mut owner);
    assert_eq!(peek(&mut desk, &mut owner, ACTOR), Ok(Some(large)));
}

#[test]
fn a_look_at_another_takes_the_place_of_the_one_before() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.load(&mut keeper, ACTOR);
    commit(&mut keeper, 1, true, state(5), Vec::new());
    desk.settle(&mut keeper);
    keeper.peek(desk.now, ACTOR);
    keeper.peek(desk.now, NOBODY);
    let events = desk.settle(&mut keeper);
    assert!(matches!(events[..], [Event::Peeked { actor: NOBODY, state: Ok(None) }]), "{events:?}");
}

#[test]
fn a_look_while_the_store_is_away_or_damaged_says_so_and_is_not_tried_again() {
    let mut desk = Desk::new(1);
    let mut keeper = Keeper::new(1);
    desk.settle(&mut keeper);
    keeper.peek(desk.now, ACTOR);
    let (ticket, _) = keeper.poll_request(desk.now).unwrap();
    keeper.outcome(desk.now, ticket, Outcome::Damaged);
    let damaged = keeper.poll_event();
    assert!(
        matches!(damaged, Some(Event::Peeked { state: Err(LoadFailure::Unreadable(_)), .. })),
        "{damaged:?}"
    );
    for _ in 0..2 {
        keeper.peek(desk.now, ACTOR);
        if let Some((ticket, _)) = keeper.poll_request(desk.now) {
            keeper.outcome(desk.now, ticket, Outcome::Unavailable);
        }
        let away = keeper.poll_event();
        assert!(matches!(away, Some(Event::Peeked { state: Err(LoadFailure::Away), .. })), "{away:?}");
    }
}
