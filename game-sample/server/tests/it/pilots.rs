//! Pilots: entering, names, coming back, leaving.

use std::time::Duration;

use game_sample::world_map::{MURK, SHIPS_MAX};
use game_sample_contracts::{EnterRefused, Entry, Place, SpawnRefused, Steer, pilot, sector};
use lightmoon::actor::reserved::ToActor;
use lightmoon::contract::{Caller, NetId, SessionId};

use crate::sky::{Sky, client, pilot_id, sector_id, session_of};

#[test]
fn entering_again_gives_the_same_ship() {
    let mut sky = Sky::new(1);
    let first = sky.enter(4, "Ada").unwrap();
    let again = sky.ask(client(4), pilot_id(4), pilot::Enter { name: "Eve".to_owned(), hue: 3 }).unwrap();
    assert_eq!(first, again);
    assert_eq!(sky.ships().len(), 1);
}

#[test]
fn a_pilot_that_enters_another_sector_by_its_choice_leaves_the_one_it_was_in() {
    let mut sky = Sky::new(1);
    let home = sky.enter(4, "Ada").unwrap();
    let mut enter_at = |sector| {
        let name = String::new();
        sky.ask(client(4), pilot_id(4), pilot::EnterAt { name, hue: 0, sector })
    };
    assert_eq!(enter_at(MURK + 1), Err(EnterRefused::NoSector));
    assert_eq!(enter_at(home.sector).unwrap(), home, "it is there already");
    let there = enter_at(MURK).unwrap();
    assert_eq!(there.sector, MURK);
    assert_ne!(there.avatar, home.avatar);
    sky.run(Duration::from_millis(100), |_| {});
    let ships = sky.ships();
    assert_eq!(ships.len(), 1, "one pilot has one ship");
    assert_eq!((ships[0].label.name.as_str(), ships[0].sector), ("Ada", MURK));
    let again = sky.enter(4, "Ada").unwrap();
    assert_eq!(again, there, "it stays where it wanted to be");
}

#[test]
fn names_are_cleaned_and_bad_ones_refused() {
    let mut sky = Sky::new(1);
    assert_eq!(sky.enter(1, " \u{202e}\t "), Err(EnterRefused::BadName));
    assert!(sky.ships().is_empty(), "a refused pilot has no ship");
    sky.enter(1, "  Ada \n Lovelace, countess of everything  ").unwrap();
    assert_eq!(sky.ships()[0].label.name, "Ada Lovelace, countess o");
}

#[test]
fn only_a_client_enters() {
    let mut sky = Sky::new(1);
    let refused = sky.ask(Caller::Node, pilot_id(1), pilot::Enter { name: "Nobody".to_owned(), hue: 0 });
    assert_eq!(refused, Err(EnterRefused::Other));
}

#[test]
fn a_pilot_whose_session_ends_leaves_and_comes_back_to_where_it_was() {
    let mut sky = Sky::new(1);
    let first = sky.enter(4, "Ada").unwrap();
    let steer = Steer { thrust: 1.0, turn: 0.3, boost: false };
    sky.call(4, sector_id(first.sector), sector::Steer { steer });
    sky.run(Duration::from_secs(2), |_| {});
    let left = sky.ship("Ada").unwrap();
    sky.tell(pilot_id(4), ToActor::Disconnected { session: session_of(4) });
    sky.run(Duration::from_millis(20), |_| {});
    assert!(sky.ships().is_empty());
    let second = sky.enter(4, "Ada").unwrap();
    assert_ne!(first.avatar, second.avatar, "an id is never used twice");
    let back = sky.ship("Ada").unwrap();
    let moved = (back.pose.x - left.pose.x).hypot(back.pose.y - left.pose.y);
    assert!(second.sector == first.sector && moved < 20.0, "{left:?} {back:?}");
}

#[test]
fn who_is_known_may_leave_out_its_name_and_may_change_it() {
    let mut sky = Sky::new(1);
    for (said, shown) in [("Ada", "Ada"), ("", "Ada"), ("Eve", "Eve")] {
        sky.enter(4, said).unwrap();
        assert_eq!(sky.ships()[0].label.name, shown);
        sky.tell(pilot_id(4), ToActor::Disconnected { session: session_of(4) });
        sky.run(Duration::from_millis(100), |_| {});
    }
}

#[test]
fn a_client_that_is_back_at_once_keeps_its_ship() {
    let mut sky = Sky::new(1);
    let first = sky.enter(4, "Ada").unwrap();
    sky.tell(pilot_id(4), ToActor::Disconnected { session: session_of(4) });
    sky.tell(pilot_id(4), ToActor::Connected { session: session_of(4) });
    sky.run(Duration::from_millis(100), |_| {});
    assert_eq!(sky.enter(4, "Ada").unwrap(), first);
}

#[test]
fn the_end_of_an_older_session_takes_nothing_away() {
    let mut sky = Sky::new(1);
    sky.enter(4, "Ada").unwrap();
    sky.tell(pilot_id(4), ToActor::Connected { session: SessionId(77) });
    sky.tell(pilot_id(4), ToActor::Disconnected { session: session_of(4) });
    sky.run(Duration::from_millis(100), |_| {});
    assert_eq!(sky.ships().len(), 1);
}

#[test]
fn a_full_sector_takes_no_more_and_gives_known_pilots_their_ship() {
    let mut sky = Sky::new(1);
    let mut spawn = |player: u64| {
        let message = sector::Spawn { player, name: format!("ship {player}"), hue: 0, entry: Entry::Fresh };
        sky.ask(Caller::Node, sector_id(1), message)
    };
    let most = u64::try_from(SHIPS_MAX).unwrap();
    let first = spawn(1).unwrap();
    for player in 2..=most {
        spawn(player).unwrap();
    }
    assert_eq!(spawn(most + 1), Err(SpawnRefused::Full));
    assert_eq!(spawn(1), Ok(first));
    assert_eq!(sky.ships().len(), SHIPS_MAX);
}

#[test]
fn a_ship_that_a_crash_brought_back_is_not_taken_for_the_one_that_its_pilot_flies() {
    let mut sky = Sky::new(1);
    let at = |x| Place { x, y: 100.0, yaw: 0.0 };
    let spawn = |entry| sector::Spawn { player: 4, name: "Ada".to_owned(), hue: 100, entry };
    let mut ask = |entry| sky.ask(Caller::Node, sector_id(2), spawn(entry)).unwrap();
    let strayed = ask(Entry::Berth { at: at(-300.0), ship: NetId::NONE });
    let ship = NetId(strayed.avatar.0 + 1_000);
    let own = ask(Entry::Berth { at: at(300.0), ship });
    assert_ne!(own.avatar, strayed.avatar);
    assert!((own.place.x - 300.0).abs() < 1.0, "{own:?}");
    let again = ask(Entry::Berth { at: at(0.0), ship: own.avatar });
    assert_eq!(again.avatar, own.avatar, "its own ship is where it is");
    let through = ask(Entry::Gate { from: 1 });
    assert_ne!(through.avatar, own.avatar, "who comes through a gate was not here");
    assert_eq!(sky.ships().len(), 1);
}
