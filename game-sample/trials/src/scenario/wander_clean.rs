//! Bots wander over a network without faults: everything must be right all the time.

use std::time::Duration;

use crate::trial::{Failure, Trial};

pub(super) fn run(trial: &mut Trial) -> Result<(), Failure> {
    trial.join(4, 5);
    trial.run(Duration::from_secs(3))?;
    trial.heal();
    trial.run(Duration::from_secs(7))?;
    trial.require(trial.all_play(), "a bot does not play")?;
    trial.require(trial.count(|tally| tally.disconnects) == 0, "a session ended on a network without faults")
}
