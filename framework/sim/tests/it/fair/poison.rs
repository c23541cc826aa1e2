//! A message at which its receiver panics: it becomes a dead letter, and nothing else suffers.

use std::time::Duration;

use lightmoon_client::ClientOptions;
use lightmoon_contract::{ActorId, Contract as _};
use lightmoon_durable::DeadLetter;
use lightmoon_sim::{ClientNumber, LinkOptions, World};

use super::audit;
use super::client::{Deed, Payer};
use super::game::{self, GOLD, POISON, PURSES, PurseContract, bear_poison};

const SEEDS: std::ops::Range<u64> = 0..8;

/// Within this a message that fails each time is a dead letter, also if the node is killed meanwhile.
const DEAD_WITHIN: Duration = Duration::from_secs(30);

const PAYER: ClientNumber = ClientNumber(0);

struct Trial {
    random: fastrand::Rng,
    world: World<Payer>,
}

impl Trial {
    fn new(seed: u64) -> Self {
        bear_poison(false);
        let mut world =
            World::new(game::game, seed, LinkOptions::CLEAN).expect("the test game fits together");
        for key in PURSES {
            let options = ClientOptions::new(game::descriptor(), &[]).expect("there are no components");
            world.join(options.token(key.to_string()), Payer::new(seed, key));
        }
        (0..)
            .map(ClientNumber)
            .take(PURSES.len())
            .for_each(|client| world.player_mut(client).is_quiet = true);
        Self { random: fastrand::Rng::with_seed(seed), world }
    }

    fn run(&mut self, millis: u64) {
        let until = self.world.now() + Duration::from_millis(millis);
        self.world.run_until(until, |_| Ok::<(), ()>(())).expect("nothing is checked meanwhile");
    }

    fn order(&mut self, deeds: impl IntoIterator<Item = Deed>) {
        self.world.player_mut(PAYER).orders.extend(deeds);
        while !self.world.player_mut(PAYER).is_done() {
            self.run(50);
        }
    }

    /// Runs until there is a dead letter; the node is killed now and then.
    fn until_dead(&mut self, kills: u32) -> DeadLetter {
        let began = self.world.now();
        let mut left = kills;
        loop {
            assert!(self.world.now().since(began) < DEAD_WITHIN, "no dead letter within {DEAD_WITHIN:?}");
            let length = self.random.u64(20..900);
            self.run(length);
            if left > 0 {
                left -= 1;
                self.world.restart();
            } else if let [letter] = &self.world.node().dead_letters()[..] {
                return letter.clone();
            }
        }
    }

    /// Coins of the first two purses; nothing is lost meanwhile.
    fn gold(&mut self) -> [u64; 2] {
        let coins = audit::money(self.world.store()).unwrap_or_else(|found| panic!("{found}"));
        [1, 2].map(|purse| coins.get(&purse).map_or(0, |coins| coins[usize::from(GOLD)]))
    }
}

fn pay(amount: u64) -> Deed {
    Deed::Pay { of: 1, to: 2, currency: GOLD, amount, back: false }
}

#[test]
fn a_poison_message_becomes_a_dead_letter_and_what_is_behind_it_goes_on() {
    for seed in SEEDS {
        let mut trial = Trial::new(seed);
        trial.order([Deed::Earn { of: 1, currency: GOLD, amount: 1_000 }]);
        trial.order([pay(5), pay(POISON), pay(7), pay(11)]);
        let kills = trial.random.u32(..4);
        let dead = trial.until_dead(kills);
        assert_eq!(dead.from, ActorId::new(PurseContract::KIND, 1), "seed {seed}");
        // The pair rests after the last failure too.
        trial.run(3_000);
        assert_eq!(
            trial.gold(),
            [1_000 - POISON - 23, 23],
            "seed {seed}: the poison is in the outbox, the rest arrived"
        );
        // Its receiver serves others meanwhile.
        trial.order([Deed::Earn { of: 2, currency: GOLD, amount: 1 }, pay(3)]);
        trial.run(1_000);
        assert_eq!(trial.gold(), [1_000 - POISON - 26, 27], "seed {seed}");
    }
}

#[test]
fn a_dead_letter_outlives_the_node_and_can_be_sent_again() {
    for seed in SEEDS {
        let mut trial = Trial::new(seed);
        trial.order([Deed::Earn { of: 1, currency: GOLD, amount: 1_000 }, pay(POISON), pay(1)]);
        let dead = trial.until_dead(0);
        trial.run(3_000);
        trial.world.restart();
        trial.run(5_000);
        assert_eq!(trial.world.node().dead_letters(), std::slice::from_ref(&dead), "seed {seed}");
        // Sent again while it still is poison it is dead again, under another number.
        trial.world.replay(dead.from, dead.number);
        trial.run(100);
        let first = dead.number;
        let dead = trial.until_dead(0);
        assert!(dead.number > first, "seed {seed}");
        bear_poison(true);
        trial.world.replay(dead.from, dead.number);
        if trial.random.bool() {
            let length = trial.random.u64(0..200);
            trial.run(length);
            trial.world.restart();
            trial.run(1_000);
            // Whoever asked does not know whether it was heard.
            for dead in trial.world.node().dead_letters() {
                trial.world.replay(dead.from, dead.number);
            }
        }
        trial.run(10_000);
        assert_eq!(trial.world.node().dead_letters(), [], "seed {seed}");
        assert_eq!(trial.gold(), [1_000 - POISON - 1, POISON + 1], "seed {seed}");
        trial.world.replay(dead.from, dead.number);
        trial.run(3_000);
        assert_eq!(trial.gold(), [1_000 - POISON - 1, POISON + 1], "seed {seed}: nothing is sent twice");
    }
}
