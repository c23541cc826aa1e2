//! What is there after the node died: ships where they were, pilots in them, ships without a pilot only for a while.
//!
//! *Responsible for*: tests of the sample's kept state with the framework's simulator. *Not responsible for*: stores that lie
//! and faults of the network (the scenarios), what was acknowledged ([`crate::ore`]).

use std::collections::BTreeMap;
use std::time::Duration;

use game_sample::audit::trail;
use game_sample::pilot::Berth;
use game_sample::ship::ADRIFT_SECONDS;
use game_sample_bots::{Bot, TrailLine};
use game_sample_contracts::{Label, Place, Pose, Role};
use lightmoon_contract::codec::{self, Limits};
use lightmoon_contract::{ActorId, Replicate};
use lightmoon_sim::{ClientNumber, LinkOptions, Violation, World};

use crate::pilot::Pilot;

const BOTS: u32 = 3;
fn world(mine: bool) -> World<Pilot> {
    let mut world =
        World::new(game_sample::game, 7, LinkOptions::CLEAN).expect("the definition fits together");
    for number in 0..BOTS {
        let bot = Bot::new(u64::from(number) + 40).named(format!("bot {number}")).with_gate_every(1_000);
        let bot = if mine { bot.mining() } else { bot };
        world.join(Bot::client_options(bot.name()), Pilot::new(bot));
    }
    world
}

fn run(world: &mut World<Pilot>, time: Duration) {
    let until = world.now() + time;
    world.run_until(until, |_| Ok::<(), Violation>(())).expect("nothing is judged here");
}

/// Sector and place of every ship of a bot.
fn ships(world: &World<Pilot>, bot: u32) -> Vec<(ActorId, Pose)> {
    let name = format!("bot {bot}");
    let all = world.history().zones().flat_map(|(zone, _, entities)| {
        entities.values().filter_map(move |look| {
            let label: Label = codec::decode(look.sticky.get(&Label::SPEC.number)?, Limits::NODE).ok()?;
            Some((zone, label, Pose::restore(look.state.get(&Pose::SPEC.number)?)?))
        })
    });
    let mine = all.filter(|(_, label, _)| label.role == Role::Player && label.name == name);
    mine.map(|(zone, _, pose)| (zone, pose)).collect()
}

/// Lets time pass and notes where all ships were.
fn follow(world: &mut World<Pilot>, seconds: u64, trail: &mut Vec<TrailLine>) {
    for _ in 0..seconds {
        run(world, Duration::from_secs(1));
        for bot in 0..BOTS {
            let ms = world.now().as_millis();
            let line = |(zone, pose): &(ActorId, Pose)| TrailLine {
                player: bot.into(),
                sector: zone.key,
                x: pose.x,
                y: pose.y,
                ms,
                first: false,
            };
            trail.extend(ships(world, bot).iter().map(line));
        }
    }
}

#[test]
fn after_a_crash_every_pilot_is_in_its_own_ship_where_it_was_at_most_ten_seconds_before() {
    let (mut world, mut lines) = (world(false), Vec::new());
    for _ in 0..2 {
        follow(&mut world, 16, &mut lines);
        world.restart();
        let killed_at = world.now().as_millis();
        run(&mut world, Duration::from_millis(300));
        let mut berths = BTreeMap::new();
        for bot in 0..BOTS {
            let found = ships(&world, bot);
            assert_eq!(found.len(), 1, "bot {bot}: {found:?}");
            let (zone, Pose { x, y, yaw, .. }) = found[0];
            berths.insert(
                bot.into(),
                Berth { sector: zone.key, place: Place { x, y, yaw }, ..Berth::default() },
            );
        }
        assert_eq!(trail::check(&lines, killed_at, &berths), Vec::<String>::new());
        run(&mut world, Duration::from_secs(2));
        assert!(world.clients().all(|(_, client, _)| client.attached().is_some()), "a bot does not play");
        assert!((0..BOTS).all(|bot| ships(&world, bot).len() == 1), "a ship is doubled or lost");
    }
}

#[test]
fn a_ship_whose_pilot_stays_away_waits_half_a_minute_and_is_found_where_it_was_later() {
    let mut world = world(false);
    run(&mut world, Duration::from_secs(25));
    // Bot 0 leaves while the node stands still, and then the node is gone: nobody ever knew that bot 0 left.
    world.pause(Duration::from_secs(60));
    world.player_mut(ClientNumber(0)).has_left = true;
    run(&mut world, Duration::from_millis(500));
    world.restart();
    run(&mut world, Duration::from_secs(5));
    let adrift = ships(&world, 0);
    assert_eq!(adrift.len(), 1, "its ship waits");
    run(&mut world, Duration::from_secs(ADRIFT_SECONDS));
    assert_eq!(ships(&world, 0), [], "and is taken out");
    assert!((1..BOTS).all(|bot| ships(&world, bot).len() == 1), "the others fly");
    let bot = Bot::new(99).named("bot 0");
    world.join(Bot::client_options("bot 0"), Pilot::new(bot));
    run(&mut world, Duration::from_millis(400));
    let back = ships(&world, 0);
    assert_eq!(back.len(), 1, "its pilot is back");
    let ((was_in, was), (is_in, is)) = (adrift[0], back[0]);
    // Without a pilot it drifts on for a little.
    assert!(was_in == is_in && (was.x - is.x).hypot(was.y - is.y) < 500.0, "{was:?} {is:?}");
}

#[test]
fn over_several_crashes_no_acknowledged_crystal_is_counted_twice_or_lost() {
    let mut world = world(true);
    let mut ores = crate::ore::Ores::default();
    for second in 1..=6 {
        run(&mut world, Duration::from_millis(second * 1_300));
        ores.look(&world).expect("ore adds up");
        world.restart();
    }
    run(&mut world, Duration::from_secs(10));
    ores.look(&world).expect("ore adds up");
    let mined: usize = world.clients().map(|(_, _, pilot)| pilot.mined.len()).sum();
    assert!(mined > 10, "only {mined} crystals were mined");
}
