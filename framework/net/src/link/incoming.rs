//! What a client sends: streams and datagrams.
//!
//! *Responsible for*: reading them as events, no faster than credit allows. *Not responsible for*: their meaning (`wire`).
//!
//! Invariants:
//! - I1: bytes reported and not given back are at most [`limits::CREDIT_BYTES`] for streams and as much for datagrams;
//!   beyond it each open stream holds at most one chunk that was read already.

use super::Shared;
use crate::event::{Credit, NetEvent};
use crate::limits;
use bytes::Bytes;
use lightmoon_wire::StreamKey;
use std::sync::Arc;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::task::JoinSet;
use tokio::time::timeout;
use web_transport_quinn::RecvStream;

/// The reading tasks of a link.
pub(super) struct Incoming {
    tasks: JoinSet<()>,
}

impl Incoming {
    pub(super) fn start(shared: &Arc<Shared>) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(accept_streams(Arc::clone(shared)));
        tasks.spawn(read_datagrams(Arc::clone(shared)));
        Self { tasks }
    }

    /// Lets what had arrived be reported, within a bound, then ends all tasks.
    pub(super) async fn finish(mut self) {
        let _ = timeout(limits::DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.shutdown().await;
    }
}

/// Accepts streams and reads each in a task of its own, until the connection ends and all are read.
async fn accept_streams(shared: Arc<Shared>) {
    let credit = Arc::new(Semaphore::new(credit_permits()));
    // quinn bounds the streams open at once; ended readers are taken off at each new stream.
    let mut readers = JoinSet::new();
    while let Ok(stream) = shared.session.accept_uni().await {
        while readers.try_join_next().is_some() {}
        readers.spawn(read_stream(Arc::clone(&shared), stream, Arc::clone(&credit)));
    }
    while readers.join_next().await.is_some() {}
}

async fn read_stream(shared: Arc<Shared>, mut stream: RecvStream, credit: Arc<Semaphore>) {
    let key = StreamKey(stream.quic_id().index());
    // Ends with the stream, by a reset or with the connection; `wire` needs to know of none: a lane's stream lives as
    // long as its link, and a link's end has an event of its own.
    while let Ok(Some(chunk)) = stream.read_chunk(limits::CHUNK_BYTES_MAX, true).await {
        let bytes = chunk.bytes;
        if bytes.is_empty() {
            continue;
        }
        let Some(credit) = take_credit(&shared, &credit, &bytes).await else { return };
        shared.tally.stream_bytes_received.add(bytes.len());
        (shared.sink)(NetEvent::Stream { link: shared.link, stream: key, bytes, credit });
    }
}

/// Reads datagrams as fast as credit allows; quinn keeps a few beyond and drops the oldest of them.
async fn read_datagrams(shared: Arc<Shared>) {
    let credit = Arc::new(Semaphore::new(credit_permits()));
    while let Ok(bytes) = shared.session.read_datagram().await {
        let Some(credit) = take_credit(&shared, &credit, &bytes).await else { return };
        shared.tally.datagrams_received.add(1);
        (shared.sink)(NetEvent::Datagram { link: shared.link, bytes, credit });
    }
}

/// The right to report these bytes; waits until enough of the earlier ones were dealt with. `None` never happens while
/// the link lives, since nobody closes the semaphore.
async fn take_credit(shared: &Shared, credit: &Arc<Semaphore>, bytes: &Bytes) -> Option<Credit> {
    let cost =
        u32::try_from(bytes.len()).unwrap_or(u32::MAX).clamp(limits::EVENT_COST_MIN, limits::CREDIT_BYTES);
    match Arc::clone(credit).try_acquire_many_owned(cost) {
        Ok(permit) => Some(Credit::new(permit)),
        Err(TryAcquireError::NoPermits) => {
            shared.tally.read_stalls.add(1);
            Arc::clone(credit).acquire_many_owned(cost).await.ok().map(Credit::new)
        }
        Err(TryAcquireError::Closed) => None,
    }
}

fn credit_permits() -> usize {
    usize::try_from(limits::CREDIT_BYTES).unwrap_or(usize::MAX)
}
