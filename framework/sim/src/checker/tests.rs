//! Each checker passes what is right and catches what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use lightmoon_contract::{ActorId, Kind, Mono, NetId, SessionId, Tick};

use super::*;
use crate::truth::{EntityState, HeldEntity, HeldView, History, ZoneTruth};

const ZONE: ActorId = ActorId::new(Kind(1), 1);
const SESSION: SessionId = SessionId(7);
const CLIENT: ClientNumber = ClientNumber(3);
const BOUNDS: Bounds = Bounds { in_flight: Duration::from_millis(500) };

fn state(value: u32) -> EntityState {
    EntityState { state: BTreeMap::from([(0, vec![value])]), sticky: BTreeMap::from([(1, vec![9])]) }
}

/// A zone whose entities have their value by id and tick.
fn truth(nets: &[u64], tick: u64) -> ZoneTruth {
    let ids: BTreeSet<NetId> = nets.iter().map(|net| NetId(*net)).collect();
    ZoneTruth {
        entities: ids.iter().map(|net| (*net, Rc::new(value_at(net.0, tick)))).collect(),
        visible: BTreeMap::from([(SESSION, ids)]),
    }
}

fn value_at(net: u64, tick: u64) -> EntityState {
    state(u32::try_from(net * 1_000 + tick).unwrap())
}

/// Ticks each 50 ms, with entities 1 and 2 up to tick 10, only 1 after it.
fn history(ticks: u64) -> History {
    let mut history = History::default();
    for tick in 1..=ticks {
        let nets: &[u64] = if tick <= 10 { &[1, 2] } else { &[1] };
        history.note(Mono::from_millis(tick * 50), ZONE, Tick(tick), truth(nets, tick));
    }
    history
}

fn held(nets: &[u64], tick: u64) -> HeldView {
    let entities = nets
        .iter()
        .map(|net| (NetId(*net), HeldEntity { tick: Tick(tick), state: value_at(*net, tick) }))
        .collect();
    HeldView { session: SESSION, zone: ZONE, generation: 1, tick: Tick(tick), entities }
}

#[test]
fn what_is_right_passes_every_checker() {
    let (history, held, now) = (history(10), held(&[1, 2], 10), Mono::from_millis(520));
    assert_eq!(Ghosts::default().check(now, CLIENT, &held, &history, BOUNDS), Ok(()));
    assert_eq!(Presence::default().check(now, CLIENT, &held, &history, BOUNDS), Ok(()));
    let mut values = Values::default();
    assert_eq!(values.check(now, CLIENT, &held, &history, BOUNDS), Ok(()));
    assert_eq!(values.compared, 2);
}

#[test]
fn a_ghost_is_allowed_for_the_time_of_a_packet_and_no_longer() {
    let (history, held) = (history(30), held(&[1, 2], 10));
    let removed = Mono::from_millis(550);
    let check = |now| Ghosts::default().check(now, CLIENT, &held, &history, BOUNDS);
    assert_eq!(check(removed + BOUNDS.in_flight), Ok(()));
    assert!(check(removed + BOUNDS.in_flight + Duration::from_millis(1)).is_err());
}

#[test]
fn an_entity_that_never_was_is_a_ghost_at_once() {
    let (history, held) = (history(10), held(&[1, 99], 10));
    let found = Ghosts::default().check(Mono::from_millis(501), CLIENT, &held, &history, BOUNDS);
    assert!(found.unwrap_err().what.contains("never was"));
}

#[test]
fn an_entity_out_of_sight_must_go_within_the_bound() {
    let mut history = history(10);
    let mut blind = truth(&[1], 11);
    blind.visible.insert(SESSION, BTreeSet::new());
    history.note(Mono::from_millis(550), ZONE, Tick(11), blind);
    let (mut ghosts, held) = (Ghosts::default(), held(&[1], 11));
    assert_eq!(ghosts.check(Mono::from_millis(560), CLIENT, &held, &history, BOUNDS), Ok(()));
    assert!(ghosts.check(Mono::from_millis(1_070), CLIENT, &held, &history, BOUNDS).is_err());
}

#[test]
fn an_entity_that_is_never_shown_is_found() {
    let (history, held, mut presence) = (history(10), held(&[1], 10), Presence::default());
    assert_eq!(presence.check(Mono::from_millis(500), CLIENT, &held, &history, BOUNDS), Ok(()));
    assert_eq!(presence.check(Mono::from_millis(1_000), CLIENT, &held, &history, BOUNDS), Ok(()));
    let found = presence.check(Mono::from_millis(1_001), CLIENT, &held, &history, BOUNDS);
    assert!(found.unwrap_err().what.contains("0:2"));
}

#[test]
fn a_wrong_value_an_unknown_tick_and_a_foreign_tick_are_found() {
    let (history, now) = (history(12), Mono::from_millis(620));
    let check = |held: &HeldView| Values::default().check(now, CLIENT, held, &history, BOUNDS);
    let mut wrong = held(&[1, 2], 10);
    wrong.entities.get_mut(&NetId(2)).unwrap().state = value_at(1, 10);
    assert!(check(&wrong).is_err(), "another entity's value");
    assert!(check(&held(&[1], 13)).is_err(), "a tick that never was");
    assert!(check(&held(&[2], 11)).is_err(), "a tick at which it was gone");
    assert_eq!(check(&held(&[1, 2], 9)), Ok(()));
}

#[test]
fn a_wrong_sticky_value_is_found() {
    let mut wrong = held(&[1], 10);
    wrong.entities.get_mut(&NetId(1)).unwrap().state.sticky = BTreeMap::from([(1, vec![8])]);
    let found = Values::default().check(Mono::from_millis(510), CLIENT, &wrong, &history(10), BOUNDS);
    assert!(found.unwrap_err().what.contains("sticky"));
}

#[test]
fn answers_must_come_once_and_in_time() {
    let (mut answers, until) = (Answers::default(), Mono::from_millis(100));
    assert_eq!(answers.called(CLIENT, 1, until), Ok(()));
    assert_eq!(answers.check(until), Ok(()));
    assert!(answers.check(until + Duration::from_millis(1)).is_err(), "no answer");
    assert_eq!(answers.answered(CLIENT, 1), Ok(()));
    assert!(answers.answered(CLIENT, 1).is_err(), "a second answer");
    assert!(answers.answered(CLIENT, 2).is_err(), "an answer to nothing");
}

#[test]
fn a_client_that_does_not_come_back_after_healing_is_found() {
    let mut liveness = Liveness::new(Duration::from_secs(30), Duration::from_secs(2));
    assert_eq!(liveness.check(Mono::from_millis(90_000), CLIENT, None), Ok(()), "nothing is promised before");
    liveness.heal(Mono::from_millis(100_000));
    assert_eq!(liveness.check(Mono::from_millis(110_000), CLIENT, None), Ok(()));
    assert_eq!(liveness.check(Mono::from_millis(129_500), CLIENT, Some(&held(&[1], 10))), Ok(()));
    assert_eq!(liveness.check(Mono::from_millis(131_000), CLIENT, Some(&held(&[1], 10))), Ok(()));
    assert!(liveness.check(Mono::from_millis(131_600), CLIENT, Some(&held(&[1], 10))).is_err());
    assert_eq!(liveness.check(Mono::from_millis(131_700), CLIENT, Some(&held(&[1], 11))), Ok(()));
}

#[test]
fn a_history_keeps_a_bounded_number_of_ticks() {
    let history = history(crate::limits::TICKS_KEPT as u64 + 50);
    assert!(history.at(ZONE, Tick(10)).is_none());
    assert_eq!(history.oldest(ZONE), Some(Tick(51)));
}
