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
    staleness: Staleness { behind: Duration::from_millis(150), unheard: Duration::from_millis(1_000) },
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
        heard: Tick(tick),
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

/// As [`history`], but entity 2 stands still from tick 5 on, and everything from tick 20 on.
fn resting_history(ticks: u64) -> History {
    let mut history = History::default();
    for tick in 1..=ticks {
        let of = |net: u64, until: u64| (NetId(net), value(net, tick.min(until)));
        let entities = [of(1, 20), of(2, 5), of(900, 20)].into_iter().collect();
        history.note(Mono::from_millis(tick * 50), ZONE, ZoneLook { tick: Tick(tick), entities });
    }
    history
}

/// A client that heard of `heard` and holds the value of entity 2 of tick `of`.
fn heard(heard: u64, of: u64, fields_of: u64) -> HeldView {
    let mut held = held(&[1, 2], heard);
    let fields = value(2, fields_of).state.remove(&0).unwrap();
    held.entities.get_mut(&NetId(2)).unwrap().state = BTreeMap::from([(0, (Tick(of), fields))]);
    held
}

#[test]
fn a_value_may_be_behind_as_long_as_a_packet_and_no_longer() {
    let (mut stale, history) = (Stale::default(), history(10));
    assert_eq!(stale.check(CLIENT, &heard(4, 4, 4), &history, &RULES), Ok(()));
    // Changed at tick 5; at tick 8 that is 150 ms ago.
    assert_eq!(stale.check(CLIENT, &heard(8, 4, 4), &history, &RULES), Ok(()));
    let found = stale.check(CLIENT, &heard(9, 4, 4), &history, &RULES).unwrap_err();
    assert!(found.what.contains("200ms behind"), "{found}");
    assert_eq!(stale.check(CLIENT, &heard(9, 9, 9), &history, &RULES), Ok(()));
    stale.forget(CLIENT);
    assert_eq!(stale.check(CLIENT, &heard(9, 4, 4), &history, &RULES), Ok(()), "what entered late is new");
}

#[test]
fn a_value_at_rest_may_be_unheard_until_it_is_sent_again_and_no_longer() {
    let (mut stale, history) = (Stale::default(), resting_history(40));
    assert_eq!(stale.check(CLIENT, &heard(6, 6, 5), &history, &RULES), Ok(()));
    assert_eq!(stale.check(CLIENT, &heard(26, 6, 5), &history, &RULES), Ok(()));
    let found = stale.check(CLIENT, &heard(27, 6, 5), &history, &RULES).unwrap_err();
    assert!(found.what.contains("0ns behind and 1.05s unheard"), "{found}");
    assert_eq!(stale.check(CLIENT, &heard(27, 26, 5), &history, &RULES), Ok(()));
}

#[test]
fn what_is_out_of_sight_may_be_as_old_as_it_likes() {
    let (mut stale, history) = (Stale::default(), history(40));
    let far = |tick: u64| {
        let mut held = held(&[1, 900], tick);
        held.entities.get_mut(&NetId(900)).unwrap().state =
            value(900, 4).state.into_iter().map(|(number, fields)| (number, (Tick(4), fields))).collect();
        held
    };
    assert_eq!(stale.check(CLIENT, &far(4), &history, &RULES), Ok(()));
    assert_eq!(stale.check(CLIENT, &far(40), &history, &RULES), Ok(()));
}

#[test]
fn a_zone_at_rest_is_shown_as_it_is_two_seconds_later() {
    let history = resting_history(100);
    let settled = Mono::from_millis(20 * 50) + quiet::SETTLES_WITHIN + RULES.in_flight;
    let check = |held: &HeldView, now: Mono| {
        let mut quiet = Quiet::default();
        quiet.check(Mono(0), CLIENT, held, &history, &RULES)?;
        quiet.check(now, CLIENT, held, &history, &RULES)
    };
    let late = settled + Duration::from_millis(1);
    let mut right = heard(100, 100, 5);
    right.entities.get_mut(&NetId(1)).unwrap().state =
        held(&[1], 20).entities.remove(&NetId(1)).unwrap().state;
    assert_eq!(check(&right, late), Ok(()));
    let mut wrong = right.clone();
    wrong.entities.get_mut(&NetId(2)).unwrap().state = heard(100, 4, 4).entities[&NetId(2)].state.clone();
    assert_eq!(check(&wrong, settled), Ok(()));
    assert!(check(&wrong, late).unwrap_err().what.contains("shows 0:2 as"));
    let mut wrong = right.clone();
    wrong.entities.remove(&NetId(2));
    assert!(check(&wrong, late).unwrap_err().what.contains("does not show 0:2"));
    let mut wrong = right.clone();
    wrong.entities.insert(NetId(7), right.entities[&NetId(2)].clone());
    assert!(check(&wrong, late).unwrap_err().what.contains("shows 0:7, which is gone"));
    let mut wrong = right;
    wrong.entities.get_mut(&NetId(2)).unwrap().sticky.clear();
    assert!(check(&wrong, late).is_err(), "a sticky value is missing");
}

#[test]
fn a_worse_network_makes_values_older_and_a_crowd_more_so() {
    use crate::link::LinkOptions;
    let bounds = |links| (Staleness::of(&links), Staleness::of_crowds(&links));
    let (clean, clean_crowd) = bounds(LinkOptions::CLEAN);
    let (lossy, lossy_crowd) = bounds(LinkOptions::LOSSY);
    assert_eq!(clean.unheard, Duration::from_millis(2_150));
    assert_eq!(clean_crowd.unheard, Duration::from_millis(3_150));
    assert!(lossy.unheard > clean.unheard && lossy_crowd.behind > clean_crowd.behind);
    assert_eq!(lossy.behind, clean.behind, "each packet has everything, whatever was lost before it");
}
