//! What a worker is doing right now, for who looks from another thread.
//!
//! *Responsible for*: noting it cheaply, reading it. *Not responsible for*: judging how long is too long (the shell's watchdog).
//!
//! All words are written by the worker's thread, relaxed: who reads wants to know of a turn that does not end, and that one does
//! not change any more. A mix of two moments is possible and seen by nobody who looks twice.
//!
//! Invariants:
//! - I1: noting calls no code of a user and allocates nothing.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use lightmoon_contract::{ActorId, Kind, Mono, OperationNumber};

use crate::Step;

/// What a worker is doing; shared between its thread and those that watch.
#[derive(Debug, Default)]
pub struct Progress {
    /// When the turn began, in ns; 0: none is under way.
    turn: AtomicU64,
    /// Kind, step and operation.
    what: AtomicU64,
    key: AtomicU64,
    /// Within an alarm: as the kind counts them.
    phase: AtomicU8,
}

/// A look at [`Progress`] while a turn is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doing {
    /// When the turn began.
    pub began: Mono,
    /// Whose code runs; kind 0: none of an actor.
    pub actor: ActorId,
    /// What it does.
    pub step: Step,
    /// Where within that it is, as its kind counts; 0: it does not say.
    pub phase: u8,
}

impl Progress {
    pub(crate) fn begin_turn(&self, now: Mono) {
        self.what.store(0, Ordering::Relaxed);
        self.turn.store(now.0.max(1), Ordering::Relaxed);
    }

    pub(crate) fn end_turn(&self) {
        self.turn.store(0, Ordering::Relaxed);
    }

    pub(crate) fn doing(&self, actor: ActorId, step: Step) {
        self.phase.store(0, Ordering::Relaxed);
        self.key.store(actor.key, Ordering::Relaxed);
        self.what.store(u64::from(actor.kind.0) << 32 | u64::from(packed(step)), Ordering::Relaxed);
    }

    pub(crate) fn phase(&self, phase: u8) {
        self.phase.store(phase, Ordering::Relaxed);
    }

    /// What is being done; `None`: no turn is under way.
    #[must_use]
    pub fn look(&self) -> Option<Doing> {
        let began = self.turn.load(Ordering::Relaxed);
        if began == 0 {
            return None;
        }
        let what = self.what.load(Ordering::Relaxed);
        let kind = Kind(u16::try_from(what >> 32 & 0xFFFF).unwrap_or(0));
        let actor = ActorId::new(kind, self.key.load(Ordering::Relaxed));
        let step = unpacked(u32::try_from(what & 0xFFFF_FFFF).unwrap_or(0));
        Some(Doing { began: Mono(began), actor, step, phase: self.phase.load(Ordering::Relaxed) })
    }
}

const fn packed(step: Step) -> u32 {
    let (tag, number) = match step {
        Step::Activate => (0, 0),
        Step::Operation(number) => (1, number.0),
        Step::Delivery(number) => (2, number.0),
        Step::Alarm => (3, 0),
        Step::Save => (4, 0),
        Step::Lost => (5, 0),
        Step::Stopping => (6, 0),
        Step::Drop => (7, 0),
    };
    tag << 16 | number as u32
}

fn unpacked(word: u32) -> Step {
    let number = OperationNumber(u16::try_from(word & 0xFFFF).unwrap_or(0));
    match word >> 16 {
        1 => Step::Operation(number),
        2 => Step::Delivery(number),
        3 => Step::Alarm,
        4 => Step::Save,
        5 => Step::Lost,
        6 => Step::Stopping,
        7 => Step::Drop,
        _ => Step::Activate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_and_nothing_between_turns() {
        let progress = Progress::default();
        assert_eq!(progress.look(), None);
        progress.begin_turn(Mono(5));
        let actor = ActorId::new(Kind(7), u64::MAX);
        for step in [
            Step::Activate,
            Step::Operation(OperationNumber(65_535)),
            Step::Delivery(OperationNumber(3)),
            Step::Alarm,
            Step::Save,
            Step::Lost,
            Step::Stopping,
            Step::Drop,
        ] {
            progress.doing(actor, step);
            progress.phase(3);
            assert_eq!(progress.look(), Some(Doing { began: Mono(5), actor, step, phase: 3 }));
        }
        progress.end_turn();
        assert_eq!(progress.look(), None);
    }
}
