//! Several owners of one actor: activations after each other, generations at once.

use lightmoon_contract::{ActorId, Kind};
use lightmoon_durable::layout::{self, Section};
use lightmoon_durable::{Commit, Event, Keeper, LoadFailure, Mail};
use lightmoon_store::Area;

use crate::desk::{ACTOR, Desk, Lies, commit, entry, number, state};

#[test]
fn a_former_generation_commits_nothing_and_is_fenced() {
    let mut desk = Desk::new(1);
    let mut old = Keeper::new(1);
    desk.load(&mut old, ACTOR);
    commit(&mut old, 1, true, state(1), Vec::new());
    desk.settle(&mut old);
    let mut new = Keeper::new(2);
    assert_eq!(number(&desk.load(&mut new, ACTOR)), 1);
    commit(&mut old, 2, true, state(666), Vec::new());
    let events = desk.settle(&mut old);
    assert!(events.iter().any(|event| matches!(event, Event::Lost { actor: ACTOR, .. })), "{events:?}");
    assert!(events.iter().any(|event| matches!(event, Event::Fenced { .. })), "{events:?}");
    assert!(old.poll_request(desk.now).is_none(), "a fenced keeper asks nothing any more");
    commit(&mut new, 1, true, state(2), Vec::new());
    let events = desk.settle(&mut new);
    assert!(matches!(events[..], [Event::Committed { .. }]), "{events:?}");
    assert_eq!(number(&desk.load(&mut Keeper::new(3), ACTOR)), 2);
}

#[test]
fn a_former_generation_cannot_claim() {
    let mut desk = Desk::new(1);
    desk.load(&mut Keeper::new(5), ACTOR);
    let mut old = Keeper::new(4);
    old.load(desk.now, ACTOR);
    let events = desk.settle(&mut old);
    assert!(events.iter().any(|event| matches!(event, Event::Fenced { .. })), "{events:?}");
    let failed = |event: &Event| matches!(event, Event::LoadFailed { error: LoadFailure::Away, .. });
    assert!(events.iter().any(failed), "{events:?}");
}

#[test]
fn each_activation_has_a_higher_epoch_also_within_a_generation() {
    let mut desk = Desk::new(1);
    let mut epochs = Vec::new();
    for generation in [1, 1, 1, 2, 2, 9] {
        desk.load(&mut Keeper::new(generation), ACTOR);
        epochs.push(desk.head(ACTOR).unwrap().get(layout::EPOCH).unwrap());
    }
    assert!(epochs.windows(2).all(|pair| pair[0] < pair[1]), "{epochs:?}");
}

/// A commit that was handed in.
struct Told {
    /// Which keeper.
    by: usize,
    commit: u64,
    /// What it says in the log.
    number: u64,
    /// Whether its keeper was told that it is durable.
    is_durable: bool,
}

/// Notes which commits a keeper was told to be durable.
fn note(keeper: &mut Keeper, by: usize, told: &mut [Told]) {
    while let Some(event) = keeper.poll_event() {
        let Event::Committed { number, .. } = event else { continue };
        let one = told.iter_mut().find(|one| (one.by, one.commit) == (by, number));
        one.unwrap().is_durable = true;
    }
}

/// The numbers in the operation log.
fn logged(desk: &mut Desk) -> Vec<u64> {
    let (_, rows) = desk.page(Area::Commits, &layout::actor(ACTOR));
    let log = rows.iter().filter(|row| layout::numbers(&row.key).unwrap().0 == Section::Log as u8);
    log.map(|row| {
        let entry = lightmoon_durable::log_entry(&row.value).unwrap();
        u64::from_le_bytes(entry.reply[..].try_into().unwrap())
    })
    .collect()
}

/// Generations take over from each other at random moments, the store lies, and every commit that was told to be durable
/// is there at the end, once.
#[test]
fn what_was_told_to_be_durable_is_there_whoever_took_over_meanwhile() {
    for seed in 0..300 {
        let mut desk = Desk::new(seed);
        let mut keepers = Vec::new();
        let (mut told, mut next) = (Vec::new(), 0u64);
        for generation in 1..=6 {
            let mut keeper = Keeper::new(generation);
            desk.lies = Lies { unknown: 0.2, unavailable: 0.1 };
            desk.load(&mut keeper, ACTOR);
            keepers.push((keeper, 0u64));
            for _ in 0..desk.random.usize(..30) {
                // Any of them may act, also those whose time is over.
                let by = desk.random.usize(..keepers.len());
                let (keeper, last) = &mut keepers[by];
                if desk.random.bool() {
                    (*last, next) = (*last + 1, next + 1);
                    commit(keeper, *last, true, state(next), vec![entry(next)]);
                    told.push(Told { by, commit: *last, number: next, is_durable: false });
                }
                desk.carry(keeper);
                note(keeper, by, &mut told);
            }
        }
        desk.lies = Lies::default();
        let numbers = logged(&mut desk);
        for Told { number, is_durable, .. } in &told {
            let times = numbers.iter().filter(|there| *there == number).count();
            assert!(times <= 1, "seed {seed}: commit {number} happened {times} times");
            assert!(!is_durable || times == 1, "seed {seed}: commit {number} was told and is not there");
        }
        let seq = desk.head(ACTOR).unwrap().get(layout::SEQ).unwrap();
        assert_eq!(seq, numbers.len() as u64, "seed {seed}: numbers of commits are dense");
    }
}

#[test]
fn what_is_read_in_pages_is_of_one_moment() {
    let mut desk = Desk::new(1);
    let mut former = Keeper::new(1);
    desk.load(&mut former, ACTOR);
    let senders = (1..=100).map(|key| (ActorId::new(Kind(9), key), 1));
    let mail = Mail { taken: senders.collect(), ..Mail::default() };
    former.commit(ACTOR, Commit { number: 1, saved: state(1), mail, ..Commit::default() });
    desk.settle(&mut former);
    // The next node has read the first page, with the state, when the former one commits once more.
    let mut keeper = Keeper::new(2);
    keeper.load(desk.now, ACTOR);
    assert!(desk.carry(&mut keeper));
    commit(&mut former, 2, true, state(2), vec![]);
    desk.settle(&mut former);
    let loaded = desk.settle(&mut keeper).into_iter().find_map(|event| {
        let Event::Loaded { loaded, .. } = event else { return None };
        Some(loaded)
    });
    let loaded = loaded.expect("nobody else claims it");
    assert_eq!((number(&loaded), loaded.inbox.len()), (2, 100));
}
