//! Where commands wait for what came of them.
//!
//! *Responsible for*: names for commands under way, bringing each its outcome. *Not responsible for*: carrying them out (`node`), who
//! may give them (`command`).
//!
//! Invariants:
//! - I1: at most [`limits::COMMANDS_OPEN_MAX`] commands are under way; one that is given up makes room.

use crate::limits;
use lightmoon_node::Operated;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// The commands under way.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    open: Mutex<(u64, BTreeMap<u64, oneshot::Sender<Operated>>)>,
}

impl Desk {
    /// A name for a command, and where its outcome comes; `None`: too many are under way.
    pub(crate) fn open(&self) -> Option<(u64, oneshot::Receiver<Operated>)> {
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, open) = &mut *guard;
        open.retain(|_, waiting| !waiting.is_closed());
        if open.len() >= limits::COMMANDS_OPEN_MAX {
            return None;
        }
        *last += 1;
        let (answer, answered) = oneshot::channel();
        open.insert(*last, answer);
        Some((*last, answered))
    }

    /// Brings an outcome. Nobody waits any more: it is dropped.
    pub(crate) fn answer(&self, token: u64, result: Operated) {
        let waiting = self.open.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&token);
        if let Some(waiting) = waiting {
            let _ = waiting.send(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn commands_beyond_the_limit_are_refused_until_one_is_over_or_given_up() {
        let desk = Desk::default();
        let mut open: Vec<_> = (0..limits::COMMANDS_OPEN_MAX).map(|_| desk.open().unwrap()).collect();
        assert!(desk.open().is_none());
        open.pop();
        let (token, answered) = desk.open().expect("one was given up");
        desk.answer(token, Ok(Bytes::from_static(b"x")));
        assert_eq!(answered.blocking_recv().unwrap(), Ok(Bytes::from_static(b"x")));
        assert!(desk.open().is_some(), "one is over");
    }
}
