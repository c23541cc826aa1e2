//! Gates: a ship is in exactly one sector, whatever many ships do.

use std::time::Duration;

use game_sample::world_map::{self, SECTORS};
use game_sample_bots::brain::{Brain, Place, Sight};
use game_sample_contracts::sector;
use lightmoon::actor::reserved::ToSession;

use crate::sky::{Seen, Sky, sector_id, session_of};

fn gate_place(from: u64, to: u64) -> Place {
    let gate = world_map::sector(from).and_then(|plan| plan.gate_to(to)).expect("the map has this gate");
    Place { x: gate.x, y: gate.y, yaw: 0.0 }
}

/// Flies the ship to a gate and waits until it is in the sector behind it.
fn fly_through(sky: &mut Sky, player: u64, name: &str, to: u64) -> Seen {
    for _ in 0..400 {
        let Some(ship) = sky.ship(name) else {
            sky.run(Duration::from_millis(50), |_| {});
            continue;
        };
        if ship.sector == to {
            return ship;
        }
        let gate = gate_place(ship.sector, to);
        sky.steer_to(player, &ship, gate);
        sky.run(Duration::from_millis(100), |sky| drop(sky.ship(name)));
    }
    panic!("{name} never arrived in sector {to}");
}

#[test]
fn a_ship_comes_out_of_the_matching_gate_and_stays() {
    let mut sky = Sky::new(1);
    let home = sky.enter(7, "Ada").unwrap().sector;
    let to = SECTORS[usize::try_from(home).unwrap() - 1].gates[0];
    let ship = fly_through(&mut sky, 7, "Ada", to);
    let gate = gate_place(to, home);
    let distance = (ship.pose.x - gate.x).hypot(ship.pose.y - gate.y);
    assert!(distance < 200.0, "it came out {distance} units from the gate");
    sky.run(Duration::from_secs(1), |sky| assert_eq!(sky.ship("Ada").map(|ship| ship.sector), Some(to)));
    let attach = |(session, message): &(_, ToSession)| {
        let ToSession::Attach { zone, avatar } = message else { return None };
        (*session == session_of(7)).then_some((*zone, *avatar))
    };
    let last = sky.told.iter().filter_map(attach).next_back();
    assert_eq!(last, Some((sector_id(to), ship.net)), "its client is shown the sector behind the gate");
}

#[test]
fn a_gate_does_not_take_a_ship_that_just_arrived() {
    let mut sky = Sky::new(2);
    let home = sky.enter(3, "Bo").unwrap().sector;
    let to = SECTORS[usize::try_from(home).unwrap() - 1].gates[0];
    fly_through(&mut sky, 3, "Bo", to);
    // Straight back: the ship cannot turn and be in the gate before its immunity of two seconds is over.
    let arrived = sky.now();
    let back = fly_through(&mut sky, 3, "Bo", home);
    assert_eq!(back.sector, home);
    assert!(sky.now().since(arrived) >= Duration::from_secs(2), "{:?}", sky.now().since(arrived));
}

#[test]
fn of_many_ships_through_many_gates_none_is_lost_or_doubled() {
    for seed in 0..2 {
        let mut sky = Sky::new(seed);
        let mut brains: Vec<Brain> =
            (0..12).map(|bot| Brain::new(seed * 100 + bot).with_gate_every(1)).collect();
        for player in 0..12 {
            sky.enter(player + 1, &format!("ship {player}")).unwrap();
        }
        let (mut homes, mut moves, mut travelling) = (vec![0; 12], 0, 0);
        for _ in 0..250 {
            let ships = sky.ships();
            for (index, brain) in brains.iter_mut().enumerate() {
                let name = format!("ship {index}");
                let mine: Vec<&Seen> = ships.iter().filter(|ship| ship.label.name == name).collect();
                assert!(mine.len() <= 1, "seed {seed}: {name} is doubled: {mine:?}");
                let Some(ship) = mine.first() else {
                    travelling += 1;
                    continue;
                };
                moves += u32::from(std::mem::replace(&mut homes[index], ship.sector) != ship.sector);
                let gates: Vec<Place> = world_map::sector(ship.sector)
                    .unwrap()
                    .all_gates()
                    .map(|gate| Place { x: gate.x, y: gate.y, yaw: 0.0 })
                    .collect();
                let me = Place { x: ship.pose.x, y: ship.pose.y, yaw: ship.pose.yaw };
                let sight =
                    Sight { me, sector: ship.sector, half_size: 1_000.0, gates: &gates, target: None };
                let steer = brain.choose(sky.now(), &sight).steer;
                let player = u64::try_from(index).unwrap() + 1;
                sky.call(player, sector_id(ship.sector), sector::Steer { steer });
            }
            sky.run(Duration::from_millis(100), |_| {});
        }
        sky.run(Duration::from_millis(200), |_| {});
        assert_eq!(sky.ships().len(), 12, "seed {seed}: a ship is lost");
        assert!(
            moves > 20,
            "seed {seed}: only {moves} changes of sector, {travelling} looks at travelling ships"
        );
    }
}
