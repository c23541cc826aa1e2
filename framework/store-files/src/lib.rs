//! The embedded store: files in one folder, on fjall.
//!
//! *Responsible for*: keeping what it acknowledged through a killed process, a cut of power and a full disk; noticing
//! what a disk has changed. *Not responsible for*: what is stored (`durable`), the data folder's lock and other files
//! (`lightmoon`).
//!
//! Layer: a shell beside `net`, above `store`. fjall's types stay inside.
//!
//! # The loop
//!
//! ```text
//! caller                                   commit thread
//! submit(ticket, request) -> queue  -----> drain all: decide each against the heads as they stand
//!                                          one batch with number n+1, one sync
//!                                          anchor := n+1
//! poll(now) <- outcomes <- wake() <------- outcomes, then the reads of the group
//! ```
//!
//! # The folder
//!
//! ```text
//! DIR/store/    the engine's files
//! DIR/anchor    the number of the last acknowledged commit, twice
//! DIR/ballast   room that is given back when the disk is full
//! ```
//!
//! # What is promised, besides what every store promises
//!
//! - I1: `Done` comes after a sync. What was acknowledged is there after a killed process and after a cut of power.
//! - I2: a log that lost acknowledged commits is refused at opening, by numbers and checksums; after a cut of power, if it
//!   lost more than what was acknowledged in the second before.
//! - I3: a value read is the value written: each is a record with a checksum, compared at every load. One that is not is
//!   answered with [`Outcome::Damaged`], an error in the log and a count in [`Report::unreadable`].
//! - I4: a failed write fences the store: `Unknown` for the requests of its group, `Unavailable` from then on. It comes up
//!   again in the same process when it can.

mod anchor;
mod engine;
mod error;
mod group;
mod heads;
mod inspect;
pub mod limits;
mod options;
mod place;
mod queue;
mod record;
mod report;
mod space;
mod worker;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use lightmoon_contract::Mono;
use lightmoon_store::{Outcome, Rejected, Request, Store, Ticket};

pub use error::OpenError;
#[doc(hidden)]
pub use options::Faults;
pub use options::FilesOptions;
pub use report::{Report, State};

use engine::Engine;
use heads::Heads;
use queue::Queue;
use space::Ballast;
use worker::Worker;

/// A store in a folder. Its handle may move between threads; the files belong to a thread of its own.
#[derive(Debug)]
pub struct FilesStore {
    queue: Arc<Queue>,
    /// Outcomes taken from the queue and not polled yet: one lock for many of them.
    unpolled: VecDeque<(Ticket, Outcome)>,
    thread: Option<JoinHandle<()>>,
}

/// What opening found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Opened {
    /// The number of the last commit; 0: an empty store.
    pub last_commit: u64,
    /// Whether the folder was made just now.
    pub is_new: bool,
    /// What an operator should read: torn ends that were cut off, losses that were accepted, little room.
    pub warnings: Vec<String>,
}

impl FilesStore {
    /// Opens the store in a folder, or makes it. `wake` is called on the commit thread whenever outcomes became ready: it
    /// has to be cheap and may not wait.
    ///
    /// Reads the whole log: up to a few hundred MiB, well below a second.
    ///
    /// # Errors
    /// [`OpenError`]: what is wrong, and what to do.
    pub fn open(
        folder: &Path,
        options: FilesOptions,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(Self, Opened), OpenError> {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::of_io(folder, source))?;
        let store = folder.join("store");
        let is_new = !engine::is_made(&store);
        let ballast = Ballast::new(folder, options.ballast_bytes);
        let free = space::free(folder);
        let need = limits::FIRST_FOLDER_BYTES + if ballast.is_whole() { 0 } else { options.ballast_bytes };
        if is_new && free.is_some_and(|free| free < need) {
            return Err(OpenError::NoSpace { path: folder.to_path_buf(), need });
        }
        let mut anchor = engine::open_anchor(folder, &store, &options)?;
        let known = anchor.known();
        let mut opened = Engine::open(&store, known, &options);
        if matches!(opened, Err(OpenError::NoSpace { .. })) && !is_new {
            ballast.give_back();
            opened = Engine::open(&store, known, &options);
        }
        let (engine, found) = opened?;
        worker::settle(&mut anchor, &found, &options)?;
        let mut opened = Opened { last_commit: engine.number(), is_new, warnings: found.warnings };
        let has_room = free.is_none_or(|free| is_new || free > options.free_low_bytes.saturating_add(need));
        if has_room && let Err(error) = ballast.make() {
            opened
                .warnings
                .push(format!("the ballast cannot be made ({error}): a full disk will be harder to leave"));
        }
        if free.is_some_and(|free| free < options.free_low_bytes) {
            opened.warnings.push("the disk is nearly full: make room".to_owned());
        }
        let queue = Arc::new(Queue::default());
        let has_ballast = ballast.is_whole();
        queue.count(|report| {
            report.last_commit = opened.last_commit;
            report.free_bytes = free;
            report.has_ballast = has_ballast;
            if free.is_some_and(|free| free < options.free_low_bytes) {
                report.state = State::LowSpace;
            }
        });
        let (folder, heads) = (folder.to_path_buf(), Heads::default());
        let worker = Worker { folder, store, options, anchor, ballast, engine: Some(engine), heads, wake };
        let path = worker.folder.clone();
        let run = {
            let queue = Arc::clone(&queue);
            move || worker.run(&queue)
        };
        let thread = std::thread::Builder::new().name("lightmoon-store".to_owned()).spawn(run);
        let thread = Some(thread.map_err(|source| OpenError::of_io(&path, source))?);
        Ok((Self { queue, unpolled: VecDeque::new(), thread }, opened))
    }

    /// Does what waits, makes everything last and ends the thread. Outcomes that were not polled are lost.
    pub fn close(mut self) {
        self.end();
    }

    /// Counters and the state.
    #[must_use]
    pub fn report(&self) -> Report {
        self.queue.report()
    }

    fn end(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the commit thread panicked");
        }
    }
}

impl Store for FilesStore {
    fn submit(&mut self, ticket: Ticket, request: Request) -> Result<(), Rejected> {
        self.queue.submit(ticket, request, self.unpolled.len())
    }

    fn poll(&mut self, _now: Mono) -> Option<(Ticket, Outcome)> {
        if self.unpolled.is_empty() {
            self.queue.take_outcomes(&mut self.unpolled);
        }
        self.unpolled.pop_front()
    }
}

impl Drop for FilesStore {
    /// As [`Self::close`]: everything that was taken is done.
    fn drop(&mut self) {
        self.end();
    }
}
