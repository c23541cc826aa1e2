//! A front: one server with its honest bots, and the attacks that it has to stand one after the other.
//!
//! *Responsible for*: dealing attacks out, starting and stopping a server with its bots, the order of what is tried on it.
//! *Not responsible for*: a single attack ([`crate::run`]), judging ([`crate::verdict`]).
//!
//! A run whose times count has one front. Where they do not, several go on at the same time, since most of an attack is waiting for
//! what the server closes after some seconds.
//!
//! Invariants:
//! - I1: each attack, and the crowds, are dealt to exactly one front.
//! - I2: nothing of a front is seen by another one but the load of the machine: servers and folders are its own, and no server knows what
//!   another one counted of an address.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use game_sample_bots::Location;
use game_sample_rig::{Cores, Place, Server, process};

use crate::attack::{Attack, Ground};
use crate::honest::Honest;
use crate::limits::{FRONTS_SHORT, GROWTH_DEBUG_MAX, GROWTH_MAX, MANY, SOME};
use crate::run::{Field, Plan};
use crate::verdict::{Trial, Verdict};
use crate::{Arguments, say};

/// A server of one process that keeps nothing.
const SERVE: [&str; 6] = ["--pin", "off", "--supervise", "off", "--store", "memory:"];

/// What is tried on one server.
pub(crate) struct Front {
    folder: PathBuf,
    /// Each with its number in the list of all: attackers' addresses are made of it.
    attacks: Vec<(u8, &'static Attack)>,
    has_waves: bool,
}

/// What came of it.
pub(crate) struct Fate {
    pub(crate) plan: Plan,
    pub(crate) trials: Vec<Trial>,
    pub(crate) waves: Option<Verdict>,
}

/// Deals attacks out, and the crowds if they are wanted. The crowds take as long as several attacks, so they have the last front for
/// themselves where there are several.
pub(crate) fn deal(
    is_short: bool,
    folder: &Path,
    attacks: Vec<&'static Attack>,
    has_waves: bool,
) -> Vec<Front> {
    let parts = attacks.len() + usize::from(has_waves);
    let fronts = if is_short { FRONTS_SHORT.min(parts) } else { 1 };
    let own = |number: usize| if fronts == 1 { folder.to_owned() } else { folder.join(number.to_string()) };
    let front = |number| Front { folder: own(number), attacks: Vec::new(), has_waves: false };
    let mut dealt: Vec<Front> = (1..=fronts).map(front).collect();
    let others = if has_waves && fronts > 1 { fronts - 1 } else { fronts };
    for (number, attack) in (1..).zip(attacks) {
        dealt[usize::from(number) % others].attacks.push((number, attack));
    }
    if let Some(last) = dealt.last_mut() {
        last.has_waves = has_waves;
    }
    dealt
}

impl Front {
    /// Everything that is tried on this server, to its end in order.
    pub(crate) fn hold(&self, arguments: &Arguments) -> Result<Fate> {
        let place = Place::new(arguments.binary.as_deref(), self.folder.clone())?;
        let cores = if arguments.short { None } else { Some(Cores::choose()?) };
        let mut server = Server::start(place.clone(), &SERVE, cores.map(|cores| cores.server))?;
        if let Some(cores) = cores {
            process::keep_to(cores.clients)?;
        }
        let location = Location::from_ready_json(&place.ready_json())?;
        let many = if arguments.short { SOME } else { MANY };
        let plan = Plan {
            ground: Ground::new(&location, many, arguments.short),
            growth_max: if cfg!(debug_assertions) { GROWTH_DEBUG_MAX } else { GROWTH_MAX },
            window: Duration::from_secs(arguments.seconds),
            is_timed: !arguments.short,
            count: arguments.count,
        };
        let honest = Honest::start(&location, arguments.count, arguments.seed)?;
        say(&format!("{} honest bots play", arguments.count));
        let console = server.console()?;
        let mut field =
            Field { plan: &plan, server: &mut server, console, location: &location, honest: &honest };
        let mut trials = Vec::new();
        for (number, attack) in &self.attacks {
            let trial = field.fight(*number, attack)?;
            say(&trial.progress());
            trials.push(trial);
        }
        let waves = if self.has_waves { Some(field.waves()?) } else { None };
        honest.stop()?;
        let status = server.stop()?;
        ensure!(
            status.success(),
            "the server ended with {status}; see {}",
            place.file("server.log").display()
        );
        Ok(Fate { plan, trials, waves })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::ATTACKS;

    #[test]
    fn each_attack_is_dealt_once_and_so_are_the_crowds() {
        for (is_short, has_waves, taken) in [
            (true, true, ATTACKS.len()),
            (true, false, ATTACKS.len()),
            (false, true, 5),
            (true, true, 0),
            (true, true, 1),
        ] {
            let attacks: Vec<&Attack> = ATTACKS.iter().take(taken).collect();
            let fronts = deal(is_short, Path::new("folder"), attacks, has_waves);
            let mut numbers: Vec<u8> =
                fronts.iter().flat_map(|front| front.attacks.iter().map(|(number, _)| *number)).collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().map(usize::from).eq(1..=taken));
            assert_eq!(fronts.iter().filter(|front| front.has_waves).count(), usize::from(has_waves));
            assert!(fronts.iter().all(|front| front.has_waves || !front.attacks.is_empty()));
            assert!(is_short || fronts.len() == 1);
        }
    }
}
