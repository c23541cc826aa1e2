//! Who comes in: attempts of clients, and the beginning of their handshakes.
//!
//! *Responsible for*: carrying out what is decided on an attempt, beginning handshakes at their pace. *Not responsible for*: the decision
//! ([`Admission`]), the pace ([`Pacing`]), handshakes that began (`peer`).
//!
//! Invariants:
//! - I1: an attempt is answered or begun; none is forgotten, which would leak a place in quinn.

use crate::admission::{Admission, Place, Verdict};
use crate::pacing::Pacing;
use crate::peer::{self, Peer, Shared};
use crate::socket::Socket;
use crate::source::{Bucket, Source};
use quinn_proto::{ConnectionHandle, Endpoint, Incoming, Transmit};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// The door of an endpoint.
pub(crate) struct Gate {
    admission: Arc<Admission>,
    pacing: Pacing<Attempt>,
    handshakes_max: usize,
    /// Handshakes that began, by the number of their place.
    begun: BTreeMap<u64, ConnectionHandle>,
}

/// An attempt that was let in.
struct Attempt {
    incoming: Incoming,
    place: Place,
}

/// What the gate works with.
pub(crate) struct Desk<'a> {
    pub(crate) now: Instant,
    pub(crate) endpoint: &'a mut Endpoint,
    pub(crate) socket: &'a Socket,
    pub(crate) shared: &'a Shared,
}

impl Gate {
    /// `pace`: how many handshakes may begin.
    pub(crate) fn new(admission: Arc<Admission>, pace: Bucket, handshakes_max: usize) -> Self {
        Self { admission, pacing: Pacing::new(pace), handshakes_max, begun: BTreeMap::new() }
    }

    /// Decides on an attempt at once. The answer are handshakes that have to give way to it.
    pub(crate) fn decide(&mut self, incoming: Incoming, desk: &mut Desk<'_>) -> Vec<ConnectionHandle> {
        let (remote, is_proved) = (incoming.remote_address(), incoming.remote_address_validated());
        match self.admission.decide(remote, is_proved, desk.now) {
            Verdict::Accept(place) => {
                if self.pacing.len() >= self.handshakes_max {
                    let gone = self.pacing.take_where(|attempt| attempt.place.is_evicted());
                    gone.into_iter().for_each(|attempt| gave_way(attempt, desk));
                }
                self.pacing.push(Source::of(remote), is_proved, Attempt { incoming, place });
            }
            Verdict::Retry => retry(incoming, desk),
            Verdict::Refuse => refuse(incoming, desk),
        }
        self.admission.take_evicted().iter().filter_map(|number| self.begun.remove(number)).collect()
    }

    /// When [`Self::begin`] may have something to do.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Instant> {
        self.pacing.next(now)
    }

    /// Begins the next handshake, if its time has come. That is its costly step: one for each time that those at play are served.
    pub(crate) fn begin(&mut self, desk: &mut Desk<'_>) -> Option<(ConnectionHandle, Peer)> {
        let attempt = self.pacing.pop(desk.now)?;
        if attempt.place.is_evicted() {
            self.pacing.give_back();
            gave_way(attempt, desk);
            return None;
        }
        let Attempt { incoming, place } = attempt;
        let remote = incoming.remote_address();
        let mut answer = Vec::new();
        match desk.endpoint.accept(incoming, desk.now, &mut answer, None) {
            Ok((handle, conn)) => {
                self.begun.insert(place.number(), handle);
                Some((handle, Peer::new(handle, conn, place, desk.now)))
            }
            Err(error) => {
                if let Some(transmit) = error.response {
                    send(&transmit, &answer, desk);
                }
                peer::failed(remote, &error.cause.to_string(), desk.shared);
                None
            }
        }
    }

    /// A handshake ended, as a link or otherwise.
    pub(crate) fn ended(&mut self, number: u64) {
        self.begun.remove(&number);
    }

    /// Refuses all that wait.
    pub(crate) fn close(&mut self, desk: &mut Desk<'_>) {
        for attempt in self.pacing.take_where(|_| true) {
            refuse(attempt.incoming, desk);
        }
    }
}

/// An attempt that waited, and whose place another one took.
fn gave_way(attempt: Attempt, desk: &mut Desk<'_>) {
    peer::failed(attempt.incoming.remote_address(), "gave way to another", desk.shared);
    refuse(attempt.incoming, desk);
}

fn retry(incoming: Incoming, desk: &mut Desk<'_>) {
    let mut answer = Vec::new();
    match desk.endpoint.retry(incoming, &mut answer) {
        Ok(transmit) => send(&transmit, &answer, desk),
        // It showed a token of ours already, though not one of its address: what it is now can only be refused.
        Err(error) => refuse(error.into_incoming(), desk),
    }
}

fn refuse(incoming: Incoming, desk: &mut Desk<'_>) {
    let mut answer = Vec::new();
    let transmit = desk.endpoint.refuse(incoming, &mut answer);
    send(&transmit, &answer, desk);
}

/// One that the kernel does not take is lost; a client asks again.
fn send(transmit: &Transmit, answer: &[u8], desk: &Desk<'_>) {
    let _ = desk.socket.send(transmit, &answer[..transmit.size]);
}
