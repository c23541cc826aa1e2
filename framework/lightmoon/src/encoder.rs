//! The thread that encodes copies of worlds, so that no tick waits for it.
//!
//! *Responsible for*: the thread. *Not responsible for*: the bytes (`zone`), when a copy is made (`actor`).
//!
//! What waits is bounded by the node: one copy for each zone. The thread ends when the node's end of the channel is gone.

use crate::Failure;
use crate::node_thread::ToNode;
use lightmoon_node::EncodeJob;
use std::sync::mpsc::{self, Sender};

/// Starts the thread. It runs at its own pace; results go to the node.
pub(crate) fn start(to_node: Sender<ToNode>) -> Result<Sender<EncodeJob>, Failure> {
    let (jobs, inbox) = mpsc::channel::<EncodeJob>();
    let work = move || {
        for job in inbox {
            if to_node.send(ToNode::Encoded(job.run())).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("lightmoon-encode".to_owned()).spawn(work).map_err(|error| {
        Failure::new(format!("cannot start the encoder's thread: {error}"), "raise the limit of threads")
    })?;
    Ok(jobs)
}
