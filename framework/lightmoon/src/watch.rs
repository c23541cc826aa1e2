//! The watchdog: names what a worker does whose turn does not end.
//!
//! *Responsible for*: judging what workers note of themselves, saying it in the log and on the board. *Not responsible for*: ending
//! anything: nothing can end a thread's code from outside but the end of the process, which is the operator's to decide.
//!
//! [`Watch`] is pure: it is given the time and what was seen. A thread of its own looks every quarter of a second.
//!
//! Invariants:
//! - I1: a turn is named once when it takes too long, and again every ten seconds while it goes on.

use crate::board::Board;
use crate::{Failure, clock, limits};
use lightmoon_actor::{Doing, Progress, Step};
use lightmoon_contract::Mono;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A turn that does not end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stall {
    pub(crate) worker: usize,
    pub(crate) doing: Doing,
    /// For how long.
    pub(crate) length: Duration,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker, doing: Doing { actor, step, phase, .. }, length } = self;
        write!(f, "worker {worker} for {:.1} s: ", length.as_secs_f64())?;
        if actor.kind.0 == 0 {
            return write!(f, "code of no actor");
        }
        match (step, lightmoon_zone::phase::name(*phase)) {
            (Step::Alarm, Some(phase)) => write!(f, "tick of zone {actor}, {phase}"),
            (Step::Alarm, None) => write!(f, "alarm of actor {actor}"),
            (Step::Operation(number) | Step::Delivery(number), _) => {
                write!(f, "operation {number} of actor {actor}")
            }
            (Step::Activate | Step::Save | Step::Lost | Step::Stopping | Step::Drop, _) => {
                write!(f, "{step:?} of actor {actor}")
            }
        }
    }
}

/// What the watchdog remembers of each worker.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The turn that was named last, and when it is named again.
    named: Vec<Option<(Mono, Mono)>>,
}

impl Watch {
    /// Judges what was seen of each worker. Gives all turns that take too long, and whether each is to be said now.
    pub(crate) fn look(&mut self, now: Mono, seen: &[Option<Doing>]) -> Vec<(Stall, bool)> {
        self.named.resize(seen.len(), None);
        let mut stalls = Vec::new();
        for (worker, (doing, named)) in seen.iter().zip(&mut self.named).enumerate() {
            let Some(doing) = doing else { continue };
            let length = now.since(doing.began);
            if length < limits::TURN_MAX {
                continue;
            }
            let is_due = named.is_none_or(|(began, again)| began != doing.began || again <= now);
            if is_due {
                *named = Some((doing.began, now + limits::STALL_SAID_EVERY));
            }
            stalls.push((Stall { worker, doing: *doing, length }, is_due));
        }
        stalls
    }
}

/// Starts the thread. It ends when `ended` is told or gone, or the workers are.
pub(crate) fn start(
    board: Arc<Board>,
    workers: Vec<Weak<Progress>>,
    ended: Receiver<()>,
) -> Result<(), Failure> {
    let run = move || {
        let mut watch = Watch::default();
        while ended.recv_timeout(limits::WATCH_EVERY) == Err(RecvTimeoutError::Timeout) {
            let seen: Vec<Option<Doing>> = workers.iter().map(|worker| worker.upgrade()?.look()).collect();
            let stalls = watch.look(clock::mono(), &seen);
            let due = stalls.iter().filter(|(_, is_due)| *is_due).map(|(stall, _)| stall.to_string());
            let due: Vec<String> = due.collect();
            // Before it is said: whoever reads it looks at the console.
            board.set_stalls(stalls.into_iter().map(|(stall, _)| stall).collect(), due.len());
            for stall in due {
                tracing::error!(
                    target: "lightmoon::watch",
                    "a turn does not end: {stall}; everything else on this worker waits for it"
                );
            }
        }
    };
    std::thread::Builder::new()
        .name("lightmoon-watch".to_owned())
        .stack_size(limits::WATCH_STACK_BYTES)
        .spawn(run)
        .map_err(|error| {
            Failure::new(format!("cannot start the watchdog's thread: {error}"), "raise the limit of threads")
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::{ActorId, Kind, OperationNumber};

    fn doing(began: Mono, step: Step, phase: u8) -> Option<Doing> {
        Some(Doing { began, actor: ActorId::new(Kind(7), 5), step, phase })
    }

    #[test]
    fn a_turn_that_does_not_end_is_named_once_and_again_after_a_while() {
        let mut watch = Watch::default();
        let began = Mono::from_millis(5_000);
        let seen = [None, doing(began, Step::Operation(OperationNumber(3)), 0)];
        let mut said = 0;
        assert_eq!(watch.look(began + Duration::from_millis(999), &seen), []);
        for quarter in 4..60 {
            let stalls = watch.look(began + Duration::from_millis(250) * quarter, &seen);
            assert_eq!(stalls.len(), 1);
            assert!(stalls[0].0.to_string().contains("operation 3 of actor 7/5"), "{}", stalls[0].0);
            said += usize::from(stalls[0].1);
        }
        assert_eq!(said, 2, "in 15 s: at 1 s and at 11 s");
        let next = [None, doing(began + Duration::from_secs(20), Step::Alarm, 2)];
        let stalls = watch.look(began + Duration::from_secs(22), &next);
        assert!(stalls[0].1, "another turn");
        assert!(stalls[0].0.to_string().contains("tick of zone 7/5, schedule Update"), "{}", stalls[0].0);
    }
}
