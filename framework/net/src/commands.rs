//! What the node tells the network to do.
//!
//! *Responsible for*: taking transmits from any thread, which links there are, waking the driver. *Not responsible for*: carrying them out
//! (`driver`).
//!
//! Whoever sends only adds to a list and wakes the driver, once for a whole turn.
//!
//! Invariants:
//! - I1: a link is in the table from before its `Opened` until its `Closed`.
//! - I2: transmits of one link are taken out in the order they were sent.
//! - I3: at most [`limits::TRANSMITS_WAITING_MAX`] wait, and a close for each link beyond; none once the driver ended.

use crate::LinkId;
use crate::limits;
use lightmoon_wire::{CloseCode, Transmit};
use quinn_proto::ServerConfig;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A handle that sends on any link of an endpoint. Clones are cheap.
#[derive(Clone, Default)]
pub struct Commands {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    links: Mutex<BTreeSet<LinkId>>,
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Default)]
struct Waiting {
    transmits: VecDeque<(LinkId, Transmit)>,
    /// Links that are closed because the list was full.
    refused: BTreeSet<LinkId>,
    /// Links that may be read again; each waits for two pools of credit at most.
    resumed: Vec<LinkId>,
    orders: Vec<Order>,
    /// Whether the driver ended.
    is_over: bool,
}

/// What the endpoint's owner wants of the driver.
pub(crate) enum Order {
    /// New clients are taken with this from now on, or not at all.
    Serve(Option<Arc<ServerConfig>>),
    /// All connections end at once; then the driver does.
    End { code: CloseCode, reason: String },
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commands").field("links", &self.table().len()).finish_non_exhaustive()
    }
}

impl Commands {
    /// Takes bytes, a datagram or the close of a link. Answers whether the link is there; one that is gone is no
    /// fault, its `Closed` is on the way. Never waits: a client that does not read is disconnected as overloaded.
    ///
    /// A lane's stream is opened at its first bytes, with the lane's priority. After a close nothing more is sent; what
    /// was sent before gets a quarter of a second to leave.
    pub fn send(&self, link: LinkId, transmit: Transmit) -> bool {
        let is_there = self.table().contains(&link);
        if is_there {
            self.send_all(&mut vec![(link, transmit)]);
        }
        is_there
    }

    /// Takes all of these, as [`Self::send`] does, and leaves the list empty. For a whole turn at once: that wakes the runtime once.
    pub fn send_all(&self, transmits: &mut Vec<(LinkId, Transmit)>) {
        if transmits.is_empty() {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.is_over {
            transmits.clear();
        } else if waiting.transmits.len() + transmits.len() <= limits::TRANSMITS_WAITING_MAX {
            waiting.transmits.extend(transmits.drain(..));
        } else {
            transmits.drain(..).for_each(|(link, transmit)| waiting.add_to_full(link, transmit));
        }
        drop(waiting);
        self.inner.filled.notify_one();
    }

    /// Closes every link that is open.
    pub(crate) fn close_all(&self, code: CloseCode, reason: &str) {
        let close = |link| (link, Transmit::Close { code, reason: reason.to_owned() });
        let mut closes = self.table().iter().copied().map(close).collect();
        self.send_all(&mut closes);
    }

    /// Tells the driver what its owner wants.
    pub(crate) fn order(&self, order: Order) {
        self.waiting().orders.push(order);
        self.inner.filled.notify_one();
    }

    /// Tells the driver that a link may be read again.
    pub(crate) fn resume(&self, link: LinkId) {
        self.waiting().resumed.push(link);
        self.inner.filled.notify_one();
    }

    pub(crate) fn insert(&self, link: LinkId) {
        self.table().insert(link);
    }

    pub(crate) fn remove(&self, link: LinkId) {
        self.table().remove(&link);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table().is_empty()
    }

    /// Returns when something was sent, told or given back since it returned the last time.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(crate) async fn filled(&self) {
        self.inner.filled.notified().await;
    }

    /// Takes out all that waits; `transmits` must be empty and is kept for the next ones.
    pub(crate) fn take_transmits(&self, transmits: &mut VecDeque<(LinkId, Transmit)>) {
        if transmits.capacity() > limits::TRANSMITS_KEPT {
            *transmits = VecDeque::new();
        }
        let mut waiting = self.waiting();
        std::mem::swap(&mut waiting.transmits, transmits);
        waiting.refused.clear();
    }

    pub(crate) fn take_resumed(&self) -> Vec<LinkId> {
        std::mem::take(&mut self.waiting().resumed)
    }

    pub(crate) fn take_orders(&self) -> Vec<Order> {
        std::mem::take(&mut self.waiting().orders)
    }

    /// The driver ended: nobody takes anything out any more.
    pub(crate) fn end(&self) {
        let mut waiting = self.waiting();
        *waiting = Waiting { is_over: true, ..Waiting::default() };
        drop(waiting);
        self.table().clear();
    }

    /// Whether the driver ended.
    pub(crate) fn is_over(&self) -> bool {
        self.waiting().is_over
    }

    fn table(&self) -> MutexGuard<'_, BTreeSet<LinkId>> {
        // No panic can happen between two states of the table.
        self.inner.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // As above.
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Drops what may be lost, and closes the link of what may not.
    fn add_to_full(&mut self, link: LinkId, transmit: Transmit) {
        let is_lost = matches!(transmit, Transmit::Datagram(_));
        if !is_lost && self.refused.insert(link) {
            let reason = "the server cannot send as fast as it has to".to_owned();
            self.transmits.push_back((link, Transmit::Close { code: CloseCode::Overloaded, reason }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use lightmoon_contract::Lane;

    #[test]
    fn a_list_that_is_full_loses_datagrams_and_closes_the_links_of_bytes() {
        let commands = Commands::default();
        let datagram = Transmit::Datagram(Bytes::from_static(b"x"));
        let mut many = vec![(LinkId(1), datagram.clone()); limits::TRANSMITS_WAITING_MAX];
        commands.send_all(&mut many);
        assert!(many.is_empty());
        let bytes = Transmit::Stream { lane: Lane::CONTROL, bytes: Bytes::from_static(b"x") };
        for _ in 0..3 {
            commands.send_all(&mut vec![(LinkId(1), datagram.clone()), (LinkId(2), bytes.clone())]);
        }
        let waiting = commands.waiting();
        assert_eq!(waiting.transmits.len(), limits::TRANSMITS_WAITING_MAX + 1);
        assert!(matches!(waiting.transmits.back(), Some((LinkId(2), Transmit::Close { .. }))));
    }
}
