//! Mining: a crystal gives its ore once, to who is near and first, and the same answer to who asks again.

use std::time::Duration;

use game_sample::crystal;
use game_sample::purse::GRANT;
use game_sample::world_map::home_of;
use game_sample_contracts::{
    Entered, Hold, MineRefused, Mined, Pose, Role, TakeRefused, Taken, pilot, sector,
};
use lightmoon::contract::{Caller, NetId};

use crate::sky::{Seen, Sky, client, pilot_id, sector_id};

/// Two players of one home.
const ADA: u64 = 4;
const BO: u64 = 9;

fn mine(sky: &mut Sky, player: u64, crystal: NetId) -> Result<Mined, MineRefused> {
    sky.ask(client(player), pilot_id(player), pilot::Mine { crystal })
}

fn hold(sky: &mut Sky, player: u64) -> Hold {
    sky.ask(client(player), pilot_id(player), pilot::Hold {})
}

fn take(sky: &mut Sky, player: u64, crystal: NetId) -> Result<Taken, TakeRefused> {
    sky.ask(Caller::Node, sector_id(home_of(player)), sector::Take { player, crystal })
}

/// A sky in which Ada's ship is where a crystal is.
fn beside_a_crystal() -> (Sky, Seen, Entered) {
    let mut sky = Sky::new(1);
    let crystal = sky.things(home_of(ADA), Role::Crystal).remove(0);
    let ada = sky.enter_at(ADA, "Ada", crystal.pose);
    (sky, crystal, ada)
}

#[test]
fn a_crystal_in_reach_is_mined_and_counted_once_however_often_it_is_asked_for() {
    let (mut sky, crystal, _) = beside_a_crystal();
    let mined = mine(&mut sky, ADA, crystal.net).unwrap();
    assert!(mined.crystal == crystal.net && mined.ore > 0 && mined.total == u64::from(mined.ore));
    for _ in 0..3 {
        assert_eq!(mine(&mut sky, ADA, crystal.net), Ok(mined));
    }
    let hold = hold(&mut sky, ADA);
    assert_eq!((hold.total, hold.crystals, hold.stacks.len()), (mined.total, 1, 1));
    assert_eq!(hold.stacks[0].hue, mined.hue);
}

#[test]
fn what_the_sector_gave_before_a_crash_of_the_pilot_it_gives_again() {
    let (mut sky, crystal, _) = beside_a_crystal();
    // The sector's commit happened, the pilot's did not: the pilot knows of nothing.
    let taken = take(&mut sky, ADA, crystal.net).unwrap();
    assert_eq!(hold(&mut sky, ADA).crystals, 0);
    let mined = mine(&mut sky, ADA, crystal.net).unwrap();
    assert_eq!((mined.ore, mined.hue), (taken.ore, taken.hue));
    assert_eq!(hold(&mut sky, ADA).crystals, 1);
}

#[test]
fn a_repeated_take_has_the_same_answer_even_from_afar() {
    let (mut sky, crystal, ada) = beside_a_crystal();
    let taken = take(&mut sky, ADA, crystal.net);
    assert!(taken.is_ok());
    sky.ask(Caller::Node, sector_id(ada.sector), sector::Moor { player: ADA });
    assert_eq!(take(&mut sky, ADA, crystal.net), taken);
}

#[test]
fn of_two_ships_the_first_gets_the_crystal() {
    let (mut sky, crystal, _) = beside_a_crystal();
    sky.enter_at(BO, "Bo", crystal.pose);
    assert!(mine(&mut sky, BO, crystal.net).is_ok());
    assert_eq!(mine(&mut sky, ADA, crystal.net), Err(MineRefused::Spent));
    assert_eq!(hold(&mut sky, ADA), Hold { coins: GRANT, ..Hold::default() });
}

#[test]
fn what_is_out_of_reach_or_no_crystal_is_refused_and_changes_nothing() {
    let mut sky = Sky::new(1);
    let crystal = sky.things(home_of(ADA), Role::Crystal).remove(0);
    assert_eq!(mine(&mut sky, ADA, crystal.net), Err(MineRefused::NotAboard));
    assert_eq!(take(&mut sky, ADA, crystal.net), Err(TakeRefused::NoShip));
    let away = Pose { x: crystal.pose.x + crystal::REACH + 1.0, ..crystal.pose };
    let away = if away.x < 900.0 { away } else { Pose { x: crystal.pose.x - crystal::REACH - 1.0, ..away } };
    let ada = sky.enter_at(ADA, "Ada", away);
    assert_eq!(mine(&mut sky, ADA, crystal.net), Err(MineRefused::OutOfReach));
    for nothing in [NetId::NONE, NetId(u64::MAX), ada.avatar] {
        assert_eq!(mine(&mut sky, ADA, nothing), Err(MineRefused::Gone), "{nothing}");
    }
    assert_eq!(sky.things(ada.sector, Role::Crystal).len(), crystal::COUNT);
    assert_eq!(hold(&mut sky, ADA), Hold { coins: GRANT, ..Hold::default() });
}

#[test]
fn remains_are_seen_as_spent_and_another_crystal_grows_elsewhere_under_a_new_id() {
    let (mut sky, crystal, ada) = beside_a_crystal();
    let before = sky.things(ada.sector, Role::Crystal);
    mine(&mut sky, ADA, crystal.net).unwrap();
    sky.run(Duration::from_secs(crystal::REGROW_SECONDS - 1), |_| {});
    let remains = sky.things(ada.sector, Role::Spent);
    assert_eq!(
        remains.iter().map(|seen| (seen.net, seen.pose)).collect::<Vec<_>>(),
        [(crystal.net, crystal.pose)]
    );
    assert_eq!(sky.things(ada.sector, Role::Crystal).len(), crystal::COUNT - 1);
    sky.run(Duration::from_secs(2), |_| {});
    assert!(sky.things(ada.sector, Role::Spent).is_empty());
    let after = sky.things(ada.sector, Role::Crystal);
    let grown: Vec<&Seen> =
        after.iter().filter(|seen| !before.iter().any(|old| old.net == seen.net)).collect();
    assert_eq!((after.len(), grown.len()), (crystal::COUNT, 1));
    let away = (grown[0].pose.x - crystal.pose.x).hypot(grown[0].pose.y - crystal.pose.y);
    assert!(away > 50.0, "it grew {away} units away");
    assert_eq!(take(&mut sky, ADA, crystal.net), Err(TakeRefused::Gone));
}
