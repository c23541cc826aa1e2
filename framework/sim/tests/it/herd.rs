//! Deltas under everything that networks do: a crowd that does not fit its packets, comes and goes, moves and rests.

#[cfg(feature = "flaws")]
mod flaws;

use std::time::Duration;

use lightmoon_client::ClientOptions;
use lightmoon_contract::replicate::Replicate as _;
use lightmoon_node::NodeOptions;
use lightmoon_sim::link::LinkOptions;
use lightmoon_sim::{ClientNumber, Flaw, Judge, Rules, Staleness, Violation, World};

use crate::game::{Place, Tag, Walker, descriptor, narrow_game, rules};

const WALKERS: u32 = 3;

/// What a storm was like: one that saw nothing proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    compared: u64,
    compared_quiet: u64,
    deferred: u64,
    refreshed: u64,
}

/// A world of walkers among a herd.
pub(crate) struct Storm {
    random: fastrand::Rng,
    links: LinkOptions,
    world: World<Walker>,
    judge: Judge,
}

impl Storm {
    pub(crate) fn new(seed: u64, options: NodeOptions) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let links = drawn(&mut random);
        let mut world = World::with(narrow_game, seed, links, options).expect("the test game fits together");
        for number in 0..u64::from(WALKERS) {
            let options = ClientOptions::new(descriptor(), &[Place::SPEC, Tag::SPEC])
                .expect("the components have different numbers");
            world.join(options.token(format!("walker {number}")), Walker::of_herd(seed * 100 + number));
        }
        let judge = Judge::new(&[Place::SPEC, Tag::SPEC], rules_of_herd(links));
        Self { random, links, world, judge }
    }

    /// Anything may be lost, nothing wrong may be shown; then all heals, and what rests is shown as it is.
    pub(crate) fn rage(&mut self) -> Result<(), Violation> {
        self.run(15)?;
        for _ in 0..2 {
            let client = ClientNumber(self.random.u32(..WALKERS));
            self.world.cut(client);
            self.run(4)?;
        }
        self.run(6)?;
        let before = self.links;
        self.world.set_links(LinkOptions::CLEAN);
        // What is on its way keeps its time.
        let clean = rules_of_herd(LinkOptions::CLEAN);
        self.judge
            .disturbed(Rules { in_flight: before.slowest() + clean.in_flight, ..rules_of_herd(before) });
        self.world.run_until(self.world.now() + before.slowest(), |world| self.judge.look(world))?;
        self.judge.disturbed(clean);
        self.judge.heal(self.world.now());
        self.run(31)
    }

    fn run(&mut self, seconds: u64) -> Result<(), Violation> {
        let until = self.world.now() + Duration::from_secs(seconds);
        self.world.run_until(until, |world| self.judge.look(world))
    }

    fn seen(&self) -> Seen {
        let mut seen = Seen {
            compared: self.judge.seen().0,
            compared_quiet: self.judge.seen_quiet(),
            ..Seen::default()
        };
        for (_, zone) in self.world.node().report().zones {
            seen.deferred += zone.counters.state_deferred;
            seen.refreshed += zone.counters.state_refreshed;
        }
        seen
    }
}

/// Networks as players have them: half of them without loss.
fn drawn(random: &mut fastrand::Rng) -> LinkOptions {
    let links = LinkOptions::drawn(random);
    if random.bool() { LinkOptions { loss: 0.0, ..links } } else { links }
}

fn rules_of_herd(links: LinkOptions) -> Rules {
    Rules { staleness: Staleness::of_crowds(&links), ..rules(links) }
}

#[test]
fn a_herd_that_does_not_fit_its_packets_is_shown_right_and_fresh_and_at_rest_as_it_is() {
    let mut sum = Seen::default();
    for seed in 0..4 {
        let mut storm = Storm::new(seed, NodeOptions::default());
        storm.rage().unwrap_or_else(|found| panic!("seed {seed}, {:?}: {found}", storm.links));
        let seen = storm.seen();
        sum.compared += seen.compared;
        sum.compared_quiet += seen.compared_quiet;
        sum.deferred += seen.deferred;
        sum.refreshed += seen.refreshed;
    }
    println!("{sum:?}");
    assert!(sum.compared > 100_000 && sum.compared_quiet > 1_000, "little was compared: {sum:?}");
    assert!(sum.deferred > 10_000 && sum.refreshed > 1_000, "everything fitted: {sum:?}");
}

#[test]
fn a_client_that_misses_the_last_change_of_what_rests_is_found_when_all_is_quiet() {
    let mut storm = Storm::new(0, NodeOptions::default());
    // Over a network like this a value may be many seconds old: only rest tells.
    storm.links = LinkOptions::LOSSY;
    storm.world.set_links(storm.links);
    storm.judge =
        Judge::new(&[Place::SPEC, Tag::SPEC], rules_of_herd(storm.links)).with_flaw(Flaw::MissesLast);
    let found = storm.run(26).unwrap_err();
    assert_eq!(found.checker, "quiet", "{found}");
}
