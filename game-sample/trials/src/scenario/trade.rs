//! Bots trade over networks that lose packets and break, on a store that lies, while the node stands still and is killed: no coin
//! and no ore is made or lost, and when all has healed no offer is open longer than its time.

use std::time::Duration;

use game_sample::trade::OFFER_MS;
use lightmoon_sim::{LinkOptions, StoreOptions};

use crate::market;
use crate::trial::{Failure, Trial};

const BOTS: u32 = 4;

/// Kills in a row.
const KILLS: u32 = 3;

pub(super) fn run(trial: &mut Trial) -> Result<(), Failure> {
    trial.join_traders(BOTS as usize);
    trial.run(Duration::from_secs(6))?;
    trial.market(market::check)?;
    trial.links(LinkOptions::LOSSY);
    for _ in 0..4 {
        let time = Duration::from_millis(trial.random.u64(1..1_500));
        trial.run(time)?;
        let client = trial.random.u32(..BOTS);
        trial.cut(client);
    }
    let latency = Duration::from_micros(trial.random.u64(200..50_000));
    let (unknown, unavailable) = (trial.random.f64() * 0.3, trial.random.f64() * 0.05);
    trial.store(StoreOptions { latency, unknown, unavailable });
    let pause = Duration::from_millis(trial.random.u64(100..2_500));
    trial.pause(pause);
    trial.run(pause + Duration::from_secs(2))?;
    for _ in 0..trial.random.u32(1..=KILLS) {
        let time = Duration::from_millis(trial.random.u64(1..3_000));
        trial.run(time)?;
        trial.kill()?;
        trial.market(market::check)?;
    }
    trial.market(market::check)?;
    trial.heal();
    trial.run(Duration::from_secs(6))?;
    trial.require(trial.all_play(), "a bot does not play after all healed")?;
    trial.rest_from_trading();
    trial.run(Duration::from_millis(OFFER_MS) + Duration::from_secs(5))?;
    trial.market(market::check_quiet)?;
    let settled = trial.market(market::settled)?;
    trial.require(settled > 0, "no trade was settled")
}
