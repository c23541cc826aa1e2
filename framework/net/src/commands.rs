//! What the node tells the network to do.
//!
//! *Responsible for*: finding a link's outbox and filling it. *Not responsible for*: sending (`link`). Called from any
//! thread.
//!
//! Invariants:
//! - I1: a link is in the table from before its `Opened` until after its last task ended.

use crate::LinkId;
use crate::outbox::{Farewell, Outbox};
use lightmoon_wire::{CloseCode, Transmit};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle that sends on any link of an endpoint. Clones are cheap.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    links: Arc<Mutex<BTreeMap<LinkId, Arc<Outbox>>>>,
}

impl Commands {
    /// Queues bytes, a datagram or the close of a link. Answers whether the link is there; one that is gone is no
    /// fault, its `Closed` is on the way. Never waits: a client that does not read is disconnected as overloaded.
    ///
    /// A lane's stream is opened at its first bytes, with the lane's priority. After a close nothing more is sent; what
    /// was queued before gets a quarter of a second to leave.
    pub fn send(&self, link: LinkId, transmit: Transmit) -> bool {
        let Some(outbox) = self.table().get(&link).map(Arc::clone) else { return false };
        match transmit {
            Transmit::Stream { lane, bytes } => outbox.push_stream(lane, bytes, overload),
            Transmit::Datagram(bytes) => outbox.push_datagram(bytes),
            Transmit::Close { code, reason } => {
                outbox.close(Farewell { code: code.number(), reason, linger: true });
            }
        }
        true
    }

    /// Closes every link that is open.
    pub(crate) fn close_all(&self, code: CloseCode, reason: &str) {
        let outboxes: Vec<Arc<Outbox>> = self.table().values().map(Arc::clone).collect();
        for outbox in outboxes {
            outbox.close(Farewell { code: code.number(), reason: reason.to_owned(), linger: true });
        }
    }

    pub(crate) fn insert(&self, link: LinkId, outbox: Arc<Outbox>) {
        self.table().insert(link, outbox);
    }

    pub(crate) fn remove(&self, link: LinkId) {
        self.table().remove(&link);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table().is_empty()
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<LinkId, Arc<Outbox>>> {
        // No panic can happen between two states of the table.
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn overload() -> Farewell {
    Farewell {
        code: CloseCode::Overloaded.number(),
        reason: "the client does not read what is sent to it".to_owned(),
        // What is queued is what the client does not read; sending it first would only take longer.
        linger: false,
    }
}
