//! Sectors: what is in them stays in them; who looks is greeted and hears what is said.

use std::time::Duration;

use game_sample::world_map::HALF_SIZE;
use game_sample::{crystal, drifter};
use game_sample_contracts::{Label, Role, Steer, sector};
use lightmoon::actor::reserved::{ToActor, ToSession};
use lightmoon::contract::codec::{self, Limits};
use lightmoon::contract::{Operation, SessionId};

use crate::sky::{Sky, sector_id, seen, session_of};

#[test]
fn every_sector_has_its_drifters_and_crystals_and_they_stay_inside() {
    let mut sky = Sky::new(5);
    let count = |sky: &Sky, role| {
        let all = sky.look(2).entities.into_iter().map(|(net, look)| seen(2, net, &look));
        all.filter(|seen| seen.label.role == role).count()
    };
    assert_eq!((count(&sky, Role::Drifter), count(&sky, Role::Crystal)), (drifter::COUNT, crystal::COUNT));
    let before = sky.look(2);
    sky.run(Duration::from_secs(60), |_| {});
    let after = sky.look(2);
    assert_eq!(after.entities.len(), before.entities.len());
    let (mut moved, mut rested) = (0, 0);
    for (net, look) in &after.entities {
        let (was, is) = (seen(2, *net, &before.entities[net]), seen(2, *net, look));
        assert!(is.pose.x.abs() <= HALF_SIZE && is.pose.y.abs() <= HALF_SIZE, "{is:?}");
        moved += usize::from(was.pose != is.pose);
        rested += usize::from(was.pose == is.pose);
    }
    assert_eq!((moved, rested), (drifter::COUNT, crystal::COUNT));
}

#[test]
fn controls_move_a_ship_and_nobody_elses() {
    let mut sky = Sky::new(1);
    let sector = sky.enter(1, "Ada").unwrap().sector;
    sky.enter(6, "Bo").unwrap();
    let (ada, bo) = (sky.ship("Ada").unwrap(), sky.ship("Bo").unwrap());
    assert_eq!(ada.sector, bo.sector, "the two have one home");
    sky.call(
        1,
        sector_id(sector),
        sector::Steer { steer: Steer { thrust: f32::NAN, turn: 7.0, boost: true } },
    );
    sky.run(Duration::from_millis(300), |_| {});
    assert_ne!(sky.ship("Ada").unwrap().pose.yaw, ada.pose.yaw);
    assert_eq!(sky.ship("Bo").unwrap().pose, bo.pose);
}

/// Lets a session look at a sector, as the node does after an attach.
fn subscribe(sky: &mut Sky, player: u64, sector: u64, generation: u32) {
    let session = session_of(player);
    let avatar = sky.ships()[0].net;
    let subscribe =
        ToActor::Subscribe { session, player, avatar, generation, budget_bytes: 1_100, takes_deltas: false };
    sky.tell(sector_id(sector), subscribe);
    sky.run(Duration::from_millis(100), |_| {});
}

fn pushed<O: Operation>(sky: &Sky, to: SessionId) -> Vec<O> {
    let push = |(session, message): &(SessionId, ToSession)| {
        let ToSession::Push { number, bytes, .. } = message else { return None };
        let is_it = *session == to && *number == O::SPEC.number;
        is_it.then(|| codec::decode(bytes, Limits::NODE).ok()).flatten()
    };
    sky.told.iter().filter_map(push).collect()
}

#[test]
fn who_looks_is_welcomed_once() {
    let mut sky = Sky::new(1);
    let sector = sky.enter(1, "Ada").unwrap().sector;
    subscribe(&mut sky, 1, sector, 1);
    sky.run(Duration::from_secs(1), |_| {});
    let welcomes = pushed::<sector::Welcome>(&sky, session_of(1));
    assert_eq!(welcomes.len(), 1);
    assert!(welcomes[0].sector.gates.len() >= 2 && welcomes[0].sector.half_size == HALF_SIZE);
}

#[test]
fn what_is_said_is_cleaned_and_heard_by_all_who_look() {
    let mut sky = Sky::new(1);
    let sector = sky.enter(1, "Ada").unwrap().sector;
    sky.enter(6, "Bo").unwrap();
    subscribe(&mut sky, 1, sector, 1);
    subscribe(&mut sky, 6, sector, 1);
    sky.call(1, sector_id(sector), sector::Say { text: " hello\u{202e}   all ".to_owned() });
    sky.call(9, sector_id(sector), sector::Say { text: "I have no ship".to_owned() });
    sky.call(1, sector_id(sector), sector::Say { text: "\u{200b}".to_owned() });
    sky.run(Duration::from_millis(100), |_| {});
    let Label { name, hue, .. } = sky.ship("Ada").unwrap().label;
    for player in [1, 6] {
        let said = pushed::<sector::Said>(&sky, session_of(player));
        let said: Vec<_> =
            said.iter().map(|said| (said.name.as_str(), said.hue, said.text.as_str())).collect();
        assert_eq!(said, [(name.as_str(), hue, "hello all")], "player {player}");
    }
}

#[test]
fn drifters_shy_away_from_ships() {
    let mut sky = Sky::new(3);
    let sector = sky.enter(1, "Ada").unwrap().sector;
    let fleeing = |sky: &Sky| {
        let all = sky.look(sector).entities.into_iter().map(|(net, look)| seen(sector, net, &look));
        all.filter(|seen| seen.label.role == Role::Drifter && seen.pose.thrust > 0).count()
    };
    // A ship that wanders about meets some in a minute.
    let mut met = 0;
    let mut brain = game_sample_bots::brain::Brain::new(1);
    for _ in 0..600 {
        let pose = sky.ship("Ada").unwrap().pose;
        let me = game_sample_bots::brain::Place { x: pose.x, y: pose.y, yaw: pose.yaw };
        let sight =
            game_sample_bots::brain::Sight { me, sector: 1, half_size: 800.0, gates: &[], target: None };
        let steer = brain.choose(sky.now(), &sight).steer;
        sky.call(1, sector_id(sector), sector::Steer { steer });
        sky.run(Duration::from_millis(100), |_| {});
        met += fleeing(&sky);
        if met > 0 {
            return;
        }
    }
    panic!("no drifter was ever afraid");
}
