//! Virtual actors: activations on a worker, its loop as a state machine, timers, supervision.
//!
//! *Responsible for*: activating actors on first use, running their operations in order, asks and their deadlines,
//! timers, what happens when user code panics. *Not responsible for*: contracts and their bytes (`contract`), worlds
//! (`zone`), sessions and sockets (`node`, `net`), stored state (`store`), threads and clocks (the shell).
//!
//! Layer: above `contract` only. Pure: it reads no clock, random source, file, socket or environment. The one thing of
//! the outside that it looks at is the name of the current thread, to tell a wake from another thread ([`Worker`]).
//!
//! # The loop
//!
//! ```text
//! let mut worker = Worker::new(options, kinds);
//! loop {
//!     inputs: envelopes for actors, in their order
//!     let next = worker.turn(now, &mut inputs, &mut outputs);
//!     outputs: answers for callers outside, messages to sessions, failures, what is to be loaded and stored
//!     sleep until next.deadline or the next input; not at all if next.more
//! }
//! ```
//!
//! # What is promised
//!
//! - I1: messages of one sender to one receiver with one priority are served in the order they were sent, also over a
//!   wait, a panic and a restart of the receiver. Between priorities nothing is promised but that the urgent go first.
//! - I2: every request gets exactly one answer: a value or an error.
//! - I3: an activation runs one operation at a time; while one waits, what arrives waits too.
//! - I4: a panic in user code (operation, poll, activation, alarm, drop) ends that activation only.
//! - I5: all that a worker does is a function of its seed, its kinds and the sequence of (now, inputs).
//! - I6: an actor of a kind that is kept is activated from what is stored of it, and nothing that it sends leaves before
//!   the `sync` effects that it may tell of are durable ([`Keeping`]).
//! - I7: a message that is promised to take effect exactly once leaves when the effect that decided it is durable, and is
//!   served once for each commit of its receiver that holds its effect ([`Posted`]).
//! - I8: a request that comes again gets the answer of the first time, also after a restart of an actor that is kept.
//! - I9: no cell of the worker is borrowed while user code runs.
//!
//! What kills the process all the same: a second panic while the first one unwinds (a `Drop` that panics in a panicking
//! operation), stack overflow, abort.

#[cfg(not(panic = "unwind"))]
compile_error!("actors are supervised by unwinding: build with `panic = \"unwind\"`");

mod across;
mod activation;
mod ask;
mod counters;
mod cx;
mod envelope;
mod gate;
pub mod held;
mod inspect;
mod keep;
mod kinds;
pub mod limits;
mod mail;
mod placement;
mod plain;
mod port;
mod progress;
mod replies;
pub mod reserved;
mod slot;
mod timers;
mod wake;
mod worker;

pub use across::{Asked, Class, Courier, Crossing, Link, Waiting};
pub use activation::{Activation, ActorKind};
pub use ask::{Ask, AskId, Room, Sleep};
pub use counters::{Counters, KindReport};
pub use cx::{Cx, Told};
pub use envelope::{Delivery, DeliveryEnd, Envelope, In, MessageId, Next, Out, ReplyTo, Step, StoreState};
pub use inspect::{Inspect, Inspected, Inspection, StateLook, StoredLook, ValueKind, ValueLook};
pub use keep::{
    Commit, Keeping, Kept, Load, LoadError, Logged, Memory, Parcel, Posted, Replied, RequestKey, Save,
    Stored, Taken, Unreadable, Unsavable,
};
pub use kinds::Kinds;
pub use placement::{Place, Placement, WorkerId};
pub use plain::{Actor, plain};
pub use progress::{Doing, Progress};
#[cfg(feature = "flaws")]
pub use worker::Flaw;
pub use worker::{ActorList, ActorLook, ActorState, Sought, Traced, Worker, WorkerOptions};
