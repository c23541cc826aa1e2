//! Bots wander over networks that lose, delay and double packets, another one every few seconds; then all heals.

use std::time::Duration;

use lightmoon_sim::LinkOptions;

use crate::trial::{Failure, Trial};

pub(super) fn run(trial: &mut Trial) -> Result<(), Failure> {
    trial.join(4, 5);
    for _ in 0..3 {
        let links = LinkOptions::drawn(&mut trial.random);
        trial.links(links);
        trial.run(Duration::from_secs(3))?;
    }
    trial.heal();
    trial.run(Duration::from_secs(2))?;
    trial.require(trial.all_play(), "a bot does not play after all healed")
}
