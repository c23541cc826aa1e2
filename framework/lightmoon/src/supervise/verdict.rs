//! Whether a node that ended is started again, and when.
//!
//! *Responsible for*: the rules, as functions of what happened. *Not responsible for*: doing it (`supervise`).
//!
//! Invariants:
//! - I1: what cannot start the first time is told once and not tried again: a taken port or a wrong folder wants a person.
//! - I2: a node that was up once is brought back whatever it died of, for as long as nobody asks it to stop.

use crate::failure::FENCED;
use crate::limits;
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// By itself, with this exit code.
    Code(u8),
    /// By this signal.
    Signal(i32),
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            // The system keeps eight bits.
            (Some(code), _) => Self::Code(u8::try_from(code).unwrap_or(1)),
            (None, signal) => Self::Signal(signal.unwrap_or(0)),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(FENCED) => f.write_str("another server took over its store"),
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// What to do after the end of a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Start another one.
    Again,
    /// End with this exit code.
    End(u8),
}

/// What the end of a child means. `asked` is the signal by which somebody asked for a stop.
pub(super) fn on(ending: Ending, has_been_ready: bool, asked: Option<i32>) -> Verdict {
    match (ending, asked) {
        // It had not yet begun to listen for signals; nothing was served, so nothing is left undone.
        (Ending::Signal(signal), Some(asked)) if signal == asked => Verdict::End(0),
        (Ending::Signal(signal), Some(_)) => Verdict::End(128 + u8::try_from(signal).unwrap_or(127)),
        (Ending::Code(code), Some(_)) => Verdict::End(code),
        (Ending::Signal(_) | Ending::Code(FENCED), None) => Verdict::Again,
        // Somebody asked the node itself: once, or twice and it ended at once.
        (Ending::Code(code @ (0 | limits::EXIT_SIGINT | limits::EXIT_SIGTERM)), None) => Verdict::End(code),
        (Ending::Code(code), None) if !has_been_ready => Verdict::End(code),
        (Ending::Code(_), None) => Verdict::Again,
    }
}

/// Growing pauses between starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Backoff {
    /// Ends of children since the last good life.
    ends: u32,
}

impl Backoff {
    /// How long to wait after a child ended that had been ready for so long.
    pub(super) fn after(&mut self, good_life: Duration) -> Duration {
        if good_life >= limits::GOOD_LIFE {
            self.ends = 0;
        }
        let pause = match self.ends.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => limits::RESTART_PAUSE_FIRST
                .saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX))
                .min(limits::RESTART_PAUSE_MAX),
        };
        self.ends = self.ends.saturating_add(1);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ending::{Code, Signal};
    use Verdict::{Again, End};

    #[test]
    fn what_cannot_start_the_first_time_ends_the_parent_with_the_same_code() {
        for code in [1, 2, 101] {
            assert_eq!(on(Code(code), false, None), End(code));
            assert_eq!(on(Code(code), true, None), Again, "once it was up, it is brought back");
        }
    }

    #[test]
    fn a_node_that_crashed_or_was_fenced_is_started_again() {
        for has_been_ready in [false, true] {
            for ending in [Signal(9), Signal(11), Signal(15), Code(FENCED)] {
                assert_eq!(on(ending, has_been_ready, None), Again);
            }
        }
    }

    #[test]
    fn nothing_is_started_again_for_somebody_who_wants_an_end() {
        assert_eq!(on(Code(0), true, None), End(0), "the node itself was asked");
        assert_eq!(on(Code(143), true, None), End(143), "twice");
        for has_been_ready in [false, true] {
            assert_eq!(on(Code(0), has_been_ready, Some(2)), End(0));
            assert_eq!(on(Code(1), has_been_ready, Some(2)), End(1));
            assert_eq!(on(Code(FENCED), has_been_ready, Some(2)), End(FENCED));
            assert_eq!(on(Signal(2), has_been_ready, Some(2)), End(0), "before it listened for signals");
            assert_eq!(on(Signal(9), has_been_ready, Some(2)), End(137));
        }
    }

    #[test]
    fn the_first_restart_is_at_once_and_the_next_ones_wait_longer_and_longer() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..9).map(|_| backoff.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(backoff.after(limits::GOOD_LIFE), Duration::ZERO, "a good life is forgiven everything");
        assert_eq!(backoff.after(Duration::ZERO), limits::RESTART_PAUSE_FIRST);
        for _ in 0..100 {
            assert!(backoff.after(Duration::ZERO) <= limits::RESTART_PAUSE_MAX);
        }
    }
}
