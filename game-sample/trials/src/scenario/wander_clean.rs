//! Bots wander over a network without faults: everything must be right all the time.

use std::time::Duration;

use crate::trial::{Failure, Trial};

pub(super) fn run(trial: &mut Trial) -> Result<(), Failure> {
    trial.join(4, 5);
    trial.run(Duration::from_secs(2))?;
    trial.heal();
    trial.run(Duration::from_secs(5))?;
    trial.require(trial.all_play(), "a bot does not play")?;
    trial.require(trial.count(|tally| tally.disconnects) == 0, "a session ended on a network without faults")
}
