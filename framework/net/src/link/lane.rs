//! One outgoing stream that is new or blocked: the bytes of one reliable lane; or one that holds one message.
//!
//! *Responsible for*: opening the stream with the lane's priority, and writing gathered batches until nothing waits, or the message. *Not responsible for*:
//! what waits, and writing while nothing is blocked ([`outbox`](crate::outbox)).

use super::Shared;
use crate::outbox::Batch;
use bytes::Bytes;
use lightmoon_contract::{Lane, Priority};
use std::sync::Arc;
use web_transport_quinn::SendStream;

/// Writes a lane until nothing waits, the link closes (then its rest first) or the stream breaks.
pub(super) async fn write(shared: Arc<Shared>, lane: Lane, stream: Option<SendStream>) {
    let mut stream = match stream {
        Some(stream) => stream,
        None => {
            let Some(stream) = open(&shared, lane).await else { return };
            stream
        }
    };
    loop {
        match shared.outbox.take_batch(lane) {
            Batch::Bytes(bytes) => {
                let count = bytes.len();
                // Fails when the connection is gone or the peer stopped the stream; either ends the lane, and in the
                // second case the outbox fills and the link is closed as overloaded.
                if stream.write_chunk(bytes).await.is_err() {
                    return;
                }
                shared.outbox.written(count);
                shared.tally.stream_bytes_sent.add(count);
            }
            Batch::Empty => match shared.outbox.rest(lane, stream) {
                Some(more) => stream = more,
                None => return,
            },
            Batch::Finish => return finish(stream).await,
        }
    }
}

/// Writes a message on a stream of its own, which ends then, and waits until the client has it: as long as that takes it counts.
pub(super) async fn write_alone(shared: Arc<Shared>, lane: Lane, bytes: Bytes) {
    let count = bytes.len();
    if let Some(mut stream) = open(&shared, lane).await
        && stream.write_chunk(bytes).await.is_ok()
    {
        shared.tally.stream_bytes_sent.add(count);
        finish(stream).await;
    }
    shared.outbox.solo_done(count);
}

/// A new stream with the lane's priority. Waits while the peer allows no further one; what is queued meanwhile is bounded by the outbox.
async fn open(shared: &Shared, lane: Lane) -> Option<SendStream> {
    let stream = shared.session.open_uni().await.ok()?;
    stream.set_priority(stream_priority(lane)).ok()?;
    Some(stream)
}

/// Ends the stream and waits until the peer has all of it; the caller bounds the wait.
async fn finish(mut stream: SendStream) {
    if stream.finish().is_ok() {
        let _ = stream.stopped().await;
    }
}

/// quinn serves higher numbers first.
fn stream_priority(lane: Lane) -> i32 {
    match lane.priority {
        Priority::Critical => 3,
        Priority::High => 2,
        Priority::Normal => 1,
        Priority::Low => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::Reliability;

    #[test]
    fn more_urgent_lanes_are_served_first() {
        let priorities = Priority::ALL.map(|p| stream_priority(Lane::new(p, Reliability::ReliableOrdered)));
        assert!(priorities.is_sorted_by(|a, b| a > b), "{priorities:?}");
    }
}
