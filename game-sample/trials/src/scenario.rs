//! The scenarios: each a file, each a story of faults. Adding one is adding a file and a line here.

mod gates;
mod kills;
mod mine;
mod reconnect;
mod trade;
mod wander_clean;
mod wander_lossy;

use crate::trial::{Failure, Trial};

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// Its name on the command line: that of its file.
    pub(crate) name: &'static str,
    /// Plays it in a fresh trial.
    pub(crate) run: fn(&mut Trial) -> Result<(), Failure>,
}

/// All of them.
pub(crate) const SCENARIOS: [Scenario; 7] = [
    Scenario { name: "wander_clean", run: wander_clean::run },
    Scenario { name: "wander_lossy", run: wander_lossy::run },
    Scenario { name: "gates", run: gates::run },
    Scenario { name: "mine", run: mine::run },
    Scenario { name: "reconnect", run: reconnect::run },
    Scenario { name: "kills", run: kills::run },
    Scenario { name: "trade", run: trade::run },
];
