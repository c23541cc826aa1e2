//! What the node tells the network to do.
//!
//! *Responsible for*: taking transmits from any thread, the table of links, one task that carries transmits out. *Not responsible for*: lanes
//! that are blocked (`link`).
//!
//! Whoever sends only adds to a list and wakes the dispatcher, once for a whole turn. The dispatcher runs on the runtime and hands each link's
//! bytes and datagrams to quinn without a pause between them, so that they share packets.
//!
//! Invariants:
//! - I1: a link is in the table from before its `Opened` until after its last task ended.
//! - I2: transmits of one link are carried out in the order they were sent.
//! - I3: at most [`limits::TRANSMITS_WAITING_MAX`] wait, and a close for each link beyond.

use crate::LinkId;
use crate::datagram;
use crate::limits;
use crate::link::Shared;
use crate::outbox::Farewell;
use lightmoon_wire::{CloseCode, Transmit};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::timeout;

/// A handle that sends on any link of an endpoint. Clones are cheap.
#[derive(Clone, Default)]
pub struct Commands {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    links: Mutex<BTreeMap<LinkId, Arc<Shared>>>,
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Default)]
struct Waiting {
    transmits: Vec<(LinkId, Transmit)>,
    /// Links that are closed because the list was full.
    refused: BTreeSet<LinkId>,
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
        let is_there = self.table().contains_key(&link);
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
        if waiting.transmits.len() + transmits.len() <= limits::TRANSMITS_WAITING_MAX {
            waiting.transmits.append(transmits);
        } else {
            transmits.drain(..).for_each(|(link, transmit)| waiting.add_to_full(link, transmit));
        }
        drop(waiting);
        self.inner.filled.notify_one();
    }

    /// Closes every link that is open.
    pub(crate) fn close_all(&self, code: CloseCode, reason: &str) {
        let close = |link| (link, Transmit::Close { code, reason: reason.to_owned() });
        let mut closes = self.table().keys().copied().map(close).collect();
        self.send_all(&mut closes);
    }

    pub(crate) fn insert(&self, shared: Arc<Shared>) {
        self.table().insert(shared.link, shared);
    }

    pub(crate) fn remove(&self, link: LinkId) {
        self.table().remove(&link);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table().is_empty()
    }

    /// Carries out what is sent, for ever.
    pub(crate) async fn dispatch(self) {
        let mut transmits = Vec::new();
        let mut tight: BTreeMap<LinkId, Arc<Shared>> = BTreeMap::new();
        loop {
            if tight.is_empty() {
                self.inner.filled.notified().await;
            } else {
                // Elapsed or not: what is there is carried out, and tight paths are looked at.
                let _ = timeout(limits::TIGHT_EVERY, self.inner.filled.notified()).await;
            }
            {
                let mut waiting = self.waiting();
                std::mem::swap(&mut waiting.transmits, &mut transmits);
                waiting.refused.clear();
            }
            self.carry_out(&mut transmits, &mut tight).await;
            tight.retain(|link, shared| self.table().contains_key(link) && datagram::is_still_tight(shared));
        }
    }

    async fn carry_out(
        &self,
        transmits: &mut Vec<(LinkId, Transmit)>,
        tight: &mut BTreeMap<LinkId, Arc<Shared>>,
    ) {
        let mut present: Option<Arc<Shared>> = None;
        let mut carried = 0;
        for (link, transmit) in transmits.drain(..) {
            if present.as_ref().is_none_or(|shared| shared.link != link) {
                if carried >= limits::DISPATCHED_AT_ONCE {
                    // So that packets leave meanwhile, and others are read.
                    carried = 0;
                    tokio::task::yield_now().await;
                }
                present = self.table().get(&link).map(Arc::clone);
            }
            let Some(shared) = &present else { continue };
            carried += 1;
            match transmit {
                Transmit::Stream { lane, bytes } => shared.outbox.push_stream(lane, bytes, overload),
                Transmit::Solo { lane, bytes } => shared.outbox.push_solo(lane, bytes, overload),
                Transmit::Datagram(bytes) => {
                    if datagram::send(shared, bytes) && !tight.contains_key(&link) {
                        tight.insert(link, Arc::clone(shared));
                    }
                }
                Transmit::Close { code, reason } => {
                    shared.outbox.close(Farewell { code: code.number(), reason, linger: true });
                }
            }
        }
        if transmits.capacity() > limits::TRANSMITS_KEPT {
            *transmits = Vec::new();
        }
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<LinkId, Arc<Shared>>> {
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
            self.transmits.push((link, Transmit::Close { code: CloseCode::Overloaded, reason }));
        }
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
        assert!(matches!(waiting.transmits.last(), Some((LinkId(2), Transmit::Close { .. }))));
    }
}
