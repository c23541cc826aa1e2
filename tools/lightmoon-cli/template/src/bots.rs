//! Bots: dots that stroll about, so that the meadow is never empty. They come over the network, as people do.

use std::time::Duration;

use lightmoon::contract::Replicate;
use lightmoon_bots::{Bot, Bots, Client, Rng};

use crate::game::{Dot, Goal, MeadowContract, descriptor};

/// What bots see, and what they can do, by name.
pub fn bots() -> Bots {
    Bots::new(descriptor(), &[Dot::SPEC]).script("stroll", || Stroller)
}

/// Walks somewhere, and after a while somewhere else.
struct Stroller;

impl Bot for Stroller {
    fn act(&mut self, client: &mut Client, random: &mut Rng) -> Duration {
        let mut place = || random.f32() * 120.0 - 60.0;
        // What is lost on the way does not matter: the next one comes soon.
        let _sent = client.zone::<MeadowContract>().walk(Goal { x: place(), y: place() });
        Duration::from_millis(random.u64(1_000..6_000))
    }
}
