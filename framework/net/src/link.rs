//! One link: the tasks that move its bytes both ways.
//!
//! *Responsible for*: starting and ending the tasks of a link, datagrams out, the close. *Not responsible for*: streams
//! in ([`incoming`]), streams out ([`lane`]), the handshake (`endpoint`).
//!
//! A link has one task of its own, one that accepts streams, one that reads datagrams, one per open stream. A stream
//! that is blocked by its receiver thus blocks nothing else.
//!
//! Invariants:
//! - I1: `Opened` is reported before any task starts, `Closed` after all have ended (crate invariant I1).

mod incoming;
mod lane;

use crate::admission::Place;
use crate::counters::Tally;
use crate::event::{LinkId, NetEvent, Transport};
use crate::limits;
use crate::outbox::{Farewell, Outbox};
use bytes::Bytes;
use incoming::Incoming;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use web_transport_quinn::{Session, SessionError, WebTransportError};

/// Where events go. Called on the runtime's threads; must not wait.
pub(crate) type Sink = Arc<dyn Fn(NetEvent) + Send + Sync>;

/// What a link's tasks share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) link: LinkId,
    pub(crate) session: Arc<Session>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) sink: Sink,
    pub(crate) tally: Arc<Tally>,
}

/// How a link ended.
struct End {
    code: Option<u32>,
    reason: String,
}

/// Runs a link from its `Opened` to its `Closed`.
pub(crate) async fn run(shared: Shared, transport: Transport, place: Place) {
    let remote = shared.session.remote_address().to_string();
    (shared.sink)(NetEvent::Opened { link: shared.link, remote, transport });
    let incoming = Incoming::start(&shared);
    let mut lanes = JoinSet::new();
    let end = match send_until_end(&shared, &mut lanes).await {
        Some(farewell) => say_farewell(&shared, farewell, &mut lanes).await,
        None => end_of(&shared.session.closed().await),
    };
    lanes.shutdown().await;
    incoming.finish().await;
    drop(place);
    (shared.sink)(NetEvent::Closed { link: shared.link, code: end.code, reason: end.reason });
}

/// Opens lanes and sends datagrams until we want to close (that is the answer) or the connection is gone (`None`).
async fn send_until_end(shared: &Shared, lanes: &mut JoinSet<()>) -> Option<Farewell> {
    loop {
        let errands = shared.outbox.take_errands();
        for (lane, wake) in errands.new_lanes {
            lanes.spawn(lane::write(shared.clone(), lane, wake));
        }
        send_datagrams(shared, errands.datagrams);
        if errands.farewell.is_some() {
            return errands.farewell;
        }
        tokio::select! {
            // A notification that came since `take_errands` is kept by `Notify`, so none is missed.
            () = shared.outbox.errand.notified() => {}
            _ = shared.session.closed() => return None,
        }
    }
}

/// Hands over what fits now; the rest is old news by the time it would fit.
fn send_datagrams(shared: &Shared, datagrams: VecDeque<Bytes>) {
    if datagrams.is_empty() {
        return;
    }
    // Read anew each time: it changes with the path.
    let size_max = shared.session.max_datagram_size();
    for datagram in datagrams {
        if datagram.len() > size_max {
            shared.tally.datagrams_too_large.add(1);
        } else if datagram.len() > shared.session.datagram_send_buffer_space() {
            shared.tally.datagrams_dropped.add(1);
        } else if shared.session.send_datagram(datagram).is_ok() {
            shared.tally.datagrams_sent.add(1);
        } else {
            // The connection is ending; its `closed` tells.
            return;
        }
    }
}

/// Sends what was queued before, within a bound, then closes with the code and waits a moment for the peer to agree.
async fn say_farewell(shared: &Shared, farewell: Farewell, lanes: &mut JoinSet<()>) -> End {
    if farewell.linger {
        // Too slow is no fault of ours: the close itself still carries the reason.
        let _ = timeout(limits::LINGER, async { while lanes.join_next().await.is_some() {} }).await;
    }
    shared.session.close(farewell.code, farewell.reason.as_bytes());
    let _ = timeout(limits::FAREWELL, shared.session.closed()).await;
    End { code: None, reason: farewell.reason }
}

/// What the peer said, or what went wrong.
fn end_of(error: &SessionError) -> End {
    match error {
        SessionError::WebTransportError(WebTransportError::Closed(code, reason)) => {
            End { code: Some(*code), reason: cut(reason) }
        }
        SessionError::ConnectionError(_)
        | SessionError::WebTransportError(_)
        | SessionError::SendDatagramError(_) => End { code: None, reason: cut(&error.to_string()) },
    }
}

fn cut(reason: &str) -> String {
    reason.chars().take(limits::REASON_CHARS_MAX).collect()
}
