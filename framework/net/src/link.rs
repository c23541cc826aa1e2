//! One link: the tasks that move its bytes both ways.
//!
//! *Responsible for*: starting and ending the tasks of a link, the close. *Not responsible for*: streams
//! in ([`incoming`]), blocked streams out ([`lane`]), sending what is not blocked (`commands`), the handshake (`endpoint`).
//!
//! A link has one task of its own, one that accepts streams, one that reads datagrams, one per incoming stream, and one per outgoing stream that
//! is blocked or holds one message. A stream that is blocked by its receiver thus blocks nothing else.
//!
//! Invariants:
//! - I1: `Opened` is reported before any task starts, `Closed` after all have ended (crate invariant I1).

mod incoming;
mod lane;

use crate::admission::Place;
use crate::counters::Tally;
use crate::datagram::{self, Watch};
use crate::event::{LinkId, NetEvent, Transport};
use crate::limits;
use crate::outbox::{Farewell, Outbox};
use incoming::Incoming;
use std::pin::pin;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use web_transport_quinn::{Session, SessionError, WebTransportError};

/// Where events go. Called on the runtime's threads; must not wait.
pub(crate) type Sink = Arc<dyn Fn(NetEvent) + Send + Sync>;

/// What a link's tasks share.
pub(crate) struct Shared {
    pub(crate) link: LinkId,
    pub(crate) session: Session,
    pub(crate) outbox: Outbox,
    pub(crate) watch: Watch,
    pub(crate) sink: Sink,
    pub(crate) tally: Arc<Tally>,
}

/// How a link ended.
struct End {
    code: Option<u32>,
    reason: String,
}

/// Runs a link from its `Opened` to its `Closed`.
pub(crate) async fn run(shared: Arc<Shared>, transport: Transport, place: Place) {
    let remote = shared.session.remote_address().to_string();
    (shared.sink)(NetEvent::Opened { link: shared.link, remote, transport });
    datagram::begin(&shared);
    let incoming = Incoming::start(&shared);
    let mut lanes = JoinSet::new();
    let end = match serve_until_end(&shared, &mut lanes).await {
        Some(farewell) => say_farewell(&shared, farewell, &mut lanes).await,
        None => end_of(&shared.session.closed().await),
    };
    lanes.shutdown().await;
    incoming.finish().await;
    drop(place);
    (shared.sink)(NetEvent::Closed { link: shared.link, code: end.code, reason: end.reason });
}

/// Starts tasks of lanes until we want to close (that is the answer) or the connection is gone (`None`).
async fn serve_until_end(shared: &Arc<Shared>, lanes: &mut JoinSet<()>) -> Option<Farewell> {
    let mut closed = pin!(shared.session.closed());
    loop {
        let errands = shared.outbox.take_errands();
        while lanes.try_join_next().is_some() {}
        for (lane, stream) in errands.lanes {
            lanes.spawn(lane::write(Arc::clone(shared), lane, stream));
        }
        for (lane, bytes) in errands.solos {
            lanes.spawn(lane::write_alone(Arc::clone(shared), lane, bytes));
        }
        if errands.farewell.is_some() {
            return errands.farewell;
        }
        tokio::select! {
            // A notification that came since `take_errands` is kept by `Notify`, so none is missed.
            () = shared.outbox.errand.notified() => {}
            _ = &mut closed => return None,
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
