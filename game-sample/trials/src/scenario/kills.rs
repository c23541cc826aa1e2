//! The node is killed while bots mine, also several times in a row, over a store that lies: what they were told is there, and
//! they come back to play.

use std::time::Duration;

use lightmoon_sim::StoreOptions;

use crate::trial::{Failure, Trial};

const BOTS: u64 = 4;

pub(super) fn run(trial: &mut Trial) -> Result<(), Failure> {
    trial.join_miners(BOTS);
    trial.run(Duration::from_secs(6))?;
    for _ in 0..2 {
        let latency = Duration::from_micros(trial.random.u64(200..50_000));
        let (unknown, unavailable) = (trial.random.f64() * 0.3, trial.random.f64() * 0.05);
        trial.store(StoreOptions { latency, unknown, unavailable });
        for _ in 0..trial.random.u32(1..3) {
            let time = Duration::from_millis(trial.random.u64(1..3_000));
            trial.run(time)?;
            trial.kill()?;
        }
    }
    trial.heal();
    trial.run(Duration::from_secs(10))?;
    trial.require(trial.all_play(), "a bot does not play after all healed")?;
    trial.mined()?;
    trial.require(trial.crystals() > 0, "nothing was mined")
}
