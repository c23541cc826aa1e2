//! Bots fly from gate to gate, over a lossy network, while the node stands still now and then: no ship is lost or doubled.

use std::time::Duration;

use lightmoon_sim::LinkOptions;

use crate::trial::{Failure, Trial};

const BOTS: u64 = 4;

pub(super) fn run(trial: &mut Trial) -> Result<(), Failure> {
    trial.join(BOTS, 1);
    trial.run(Duration::from_secs(4))?;
    trial.links(LinkOptions::LOSSY);
    trial.run(Duration::from_secs(4))?;
    let pause = Duration::from_millis(trial.random.u64(100..2_500));
    trial.pause(pause);
    trial.run(pause + Duration::from_secs(3))?;
    trial.heal();
    trial.run(Duration::from_secs(4))?;
    trial.require(trial.all_play(), "a bot does not play after all healed")?;
    let arrivals = trial.count(|tally| tally.attaches);
    trial.require(arrivals > BOTS, &format!("{arrivals} arrivals of {BOTS} bots: nobody passed a gate"))
}
