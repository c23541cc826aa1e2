//! Each checker passes what is right and catches what is wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use lightmoon_contract::{ActorId, Kind, Mono, NetId, SessionId, Tick};
use lightmoon_zone::{EntityLook, ZoneLook};

use super::*;
use crate::truth::{HeldEntity, HeldView, History};

const ZONE: ActorId = ActorId::new(Kind(1), 1);
const CLIENT: ClientNumber = ClientNumber(3);
/// Everybody stands at its id and sees 100 around.
const RULES: Rules = Rules {
    in_flight: Duration::from_millis(500),
    sight: Sight { place_of, radius: 100.0, radius_leave: 110.0, room: 1.0 },
};

fn place_of(look: &EntityLook) -> Option<[f64; 2]> {
    look.state.get(&0).map(|fields| [f64::from(fields[1]), 0.0])
}

/// The value of an entity at a tick.
fn value(net: u64, tick: u64) -> EntityLook {
    let fields = vec![u32::try_from(net * 1_000 + tick).unwrap(), u32::try_from(net).unwrap()];
    EntityLook { state: BTreeMap::from([(0, fields)]), sticky: BTreeMap::from([(1, vec![9])]) }
}

/// Ticks each 50 ms, with entities 1, 2 and the far 900 up to tick 10, without 2 after it.
fn history(ticks: u64) -> History {
    let mut history = History::default();
    for tick in 1..=ticks {
        let nets: &[u64] = if tick <= 10 { &[1, 2, 900] } else { &[1, 900] };
        let entities = nets.iter().map(|net| (NetId(*net), value(*net, tick))).collect();
        history.note(Mono::from_millis(tick * 50), ZONE, ZoneLook { tick: Tick(tick), entities });
    }
    history
}

/// What a client whose ship is entity 1 holds.
fn held(nets: &[u64], tick: u64) -> HeldView {
    let entity = |net: u64| {
        let EntityLook { state, sticky } = value(net, tick);
        let state = state.into_iter().map(|(number, fields)| (number, (Tick(tick), fields))).collect();
        HeldEntity { state, sticky }
    };
    HeldView {
        session: SessionId(7),
        zone: ZONE,
        avatar: NetId(1),
        generation: 1,
        tick: Tick(tick),
        entities: nets.iter().map(|net| (NetId(*net), entity(*net))).collect(),
    }
}

#[test]
fn what_is_right_passes_every_checker() {
    let (history, held, now) = (history(10), held(&[1, 2], 10), Mono::from_millis(520));
    assert_eq!(Ghosts::default().check(now, CLIENT, &held, &history, &RULES), Ok(()));
    assert_eq!(Presence::default().check(now, CLIENT, &held, &history, &RULES), Ok(()));
    let mut values = Values::default();
    assert_eq!(values.check(now, CLIENT, &held, &history, &RULES), Ok(()));
    assert_eq!(values, Values { compared: 2, skipped: 0 });
}

#[test]
fn a_ghost_is_allowed_for_the_time_of_a_packet_and_no_longer() {
    let (history, held) = (history(30), held(&[1, 2], 10));
    let latest = Mono::from_millis(550) + RULES.in_flight;
    let check = |now| Ghosts::default().check(now, CLIENT, &held, &history, &RULES);
    assert_eq!(check(latest), Ok(()));
    assert!(check(latest + Duration::from_millis(1)).is_err());
}

#[test]
fn an_entity_that_never_was_is_a_ghost_at_once() {
    let found =
        Ghosts::default().check(Mono::from_millis(501), CLIENT, &held(&[1, 99], 10), &history(10), &RULES);
    assert!(found.unwrap_err().what.contains("never was"));
}

#[test]
fn an_entity_out_of_sight_must_go_within_the_bound() {
    let (mut ghosts, held, history) = (Ghosts::default(), held(&[1, 900], 10), history(10));
    assert_eq!(ghosts.check(Mono::from_millis(510), CLIENT, &held, &history, &RULES), Ok(()));
    assert!(ghosts.check(Mono::from_millis(1_011), CLIENT, &held, &history, &RULES).is_err());
}

#[test]
fn an_entity_in_sight_that_is_never_shown_is_found() {
    let (history, held, mut presence) = (history(10), held(&[1], 10), Presence::default());
    assert_eq!(presence.check(Mono::from_millis(500), CLIENT, &held, &history, &RULES), Ok(()));
    assert_eq!(presence.check(Mono::from_millis(1_000), CLIENT, &held, &history, &RULES), Ok(()));
    let found = presence.check(Mono::from_millis(1_001), CLIENT, &held, &history, &RULES);
    assert!(found.unwrap_err().what.contains("0:2"));
}

#[test]
fn a_wrong_value_an_unknown_tick_and_a_foreign_tick_are_found() {
    let (history, now) = (history(12), Mono::from_millis(620));
    let check = |held: &HeldView| Values::default().check(now, CLIENT, held, &history, &RULES);
    let mut wrong = held(&[1, 2], 10);
    wrong.entities.get_mut(&NetId(2)).unwrap().state =
        held(&[1], 10).entities.remove(&NetId(1)).unwrap().state;
    assert!(check(&wrong).is_err(), "another entity's value");
    assert!(check(&held(&[1], 13)).is_err(), "a tick that has not been");
    assert!(check(&held(&[2], 12)).is_err(), "a tick at which it was gone");
    assert_eq!(check(&held(&[1, 2], 9)), Ok(()));
}

#[test]
fn a_value_that_becomes_older_is_found_and_one_that_comes_again_is_not() {
    let mut order = Order::default();
    assert_eq!(order.check(CLIENT, &held(&[1, 2], 9)), Ok(()));
    assert_eq!(order.check(CLIENT, &held(&[1, 2], 9)), Ok(()));
    assert_eq!(order.check(CLIENT, &held(&[1], 10)), Ok(()));
    assert_eq!(order.check(CLIENT, &held(&[1, 2], 10)), Ok(()));
    assert!(order.check(CLIENT, &held(&[1, 2], 9)).is_err());
    let again = HeldView { generation: 2, ..held(&[1], 3) };
    assert_eq!(order.check(CLIENT, &again), Ok(()), "another attachment counts anew");
}

#[test]
fn a_wrong_sticky_value_is_found() {
    let mut wrong = held(&[1], 10);
    wrong.entities.get_mut(&NetId(1)).unwrap().sticky = BTreeMap::from([(1, vec![8])]);
    let found = Values::default().check(Mono::from_millis(510), CLIENT, &wrong, &history(10), &RULES);
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
    assert!(history.at(ZONE, Tick(50)).is_none());
    assert!(history.at(ZONE, Tick(51)).is_some());
}
