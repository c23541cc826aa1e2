//! Connections break at any moment, also in the middle of entering and of a gate: everybody comes back, once.

use std::time::Duration;

use crate::trial::{Failure, Trial};

const BOTS: u32 = 4;

pub(super) fn run(trial: &mut Trial) -> Result<(), Failure> {
    trial.join(BOTS.into(), 2);
    for _ in 0..10 {
        let time = Duration::from_millis(trial.random.u64(1..1_200));
        trial.run(time)?;
        let client = trial.random.u32(..BOTS);
        trial.cut(client);
    }
    trial.heal();
    trial.run(Duration::from_secs(4))?;
    trial.require(trial.all_play(), "a bot does not play after all healed")?;
    trial.require(trial.count(|tally| tally.reconnects) > 0, "no connection was cut")
}
