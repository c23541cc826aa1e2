//! Bots mine, over networks that lose packets and break: nothing is counted twice, and nothing that was acknowledged is missing.

use std::time::Duration;

use lightmoon_sim::LinkOptions;

use crate::trial::{Failure, Trial};

const BOTS: u32 = 4;

pub(super) fn run(trial: &mut Trial) -> Result<(), Failure> {
    trial.join_miners(BOTS.into());
    trial.run(Duration::from_secs(5))?;
    trial.links(LinkOptions::LOSSY);
    for _ in 0..6 {
        let time = Duration::from_millis(trial.random.u64(1..1_500));
        trial.run(time)?;
        let client = trial.random.u32(..BOTS);
        trial.cut(client);
    }
    trial.heal();
    trial.run(Duration::from_secs(8))?;
    trial.require(trial.all_play(), "a bot does not play after all healed")?;
    let mined = trial.count(|tally| tally.mined);
    trial.require(mined > u64::from(BOTS), &format!("{BOTS} bots mined {mined} crystals"))
}
