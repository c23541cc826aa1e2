//! A running server: its threads, its start and its stop.
//!
//! *Responsible for*: the order in which things start and end, and what is written when they do. *Not responsible for*:
//! the threads' work (`io`, `node_thread`).
//!
//! Start: folder and keys; the node's thread builds the game; the I/O thread opens the ports; the chosen ports and
//! `--ready-json` are written. Stop: the node says goodbye to its clients and ends; links and web servers are closed.
//!
//! A server whose node has a parent (`supervise`) works in the folder that the parent locked, and tells it when it serves.
//!
//! Invariants:
//! - I1: a server that failed to start has nothing left open.
//! - I2: a stop takes less than two seconds; with a store that takes what changed, and has more to take, as long as that takes, and at most
//!   [`limits::STOP_STORE_MAX`].

use crate::board::Board;
use crate::console::{Audit, ConsolePage, What};
use crate::extension::Ready;
use crate::folder::{Folder, Ports, forget, write_whole};
use crate::io::{self, Happening, Io, Signals, Started, Wanted};
use crate::keys::{Keys, random_bytes};
use crate::node_thread::{self, ToNode};
use crate::options::{ServeOptions, StoreChoice};
use crate::setting::Settings;
use crate::storage::Storage;
use crate::supervise::Supervised;
use crate::web::Page;
use crate::{Failure, auth, clock, encoder, limits};
use lightmoon_node::Game;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a server is made of.
pub(crate) struct Plan {
    pub(crate) game: Game,
    pub(crate) title: String,
    pub(crate) version: &'static str,
    pub(crate) page: Option<Page>,
    pub(crate) console_pages: Vec<ConsolePage>,
    pub(crate) signals: Signals,
    /// Set in a process that a parent supervises.
    pub(crate) supervised: Option<Supervised>,
}

/// A server that runs in this process. Dropping it stops it in order, too.
pub struct Running {
    ready: Ready,
    warning: Option<&'static str>,
    forgets: bool,
    certificate_ends: u64,
    to_node: Sender<ToNode>,
    happenings: Receiver<Happening>,
    threads: Option<(JoinHandle<()>, Io)>,
    supervised: Option<Supervised>,
    board: Arc<Board>,
    /// Last: others may have the folder when everything else is gone.
    folder: Folder,
}

impl Running {
    pub(crate) fn start(plan: Plan, settings: &Settings) -> Result<Self, Failure> {
        let options = ServeOptions::read(settings)?;
        let folder = match &plan.supervised {
            Some(supervised) => Folder::adopt(&options.data, supervised.lock())?,
            None => Folder::open(&options.data)?,
        };
        let keys = Keys::open(&folder)?;
        let game = auth::apply(plan.game, &options.auth, &keys)?;
        let warning = game.warning();
        if let Some(path) = &options.ready_json {
            forget(path)?;
        }
        let descriptor = Arc::new(game.descriptor().clone());
        let board = Arc::new(Board::new(plan.title, plan.version, descriptor));
        let audit = Arc::new(Audit::open(&options.data)?);
        let (to_node, inbox) = mpsc::channel();
        let (give_commands, commands) = mpsc::sync_channel(1);
        let (happened, happenings) = mpsc::channel();
        let storage = Storage::open(&options, to_node.clone())?;
        let node = node_thread::start(node_thread::Plan {
            game,
            storage,
            encoder: encoder::start(to_node.clone())?,
            seed: seed(),
            resume_time: options.resume_time,
            address_clients: options.address_clients,
            ticket_key: keys.ticket_key,
            workers: options.workers,
            observe: options.observe,
            threads: options.threads(),
            to_node: to_node.clone(),
            board: Arc::clone(&board),
            inbox,
            commands,
            happenings: happened.clone(),
        })?;
        let console_token = keys.console_token.clone();
        let io = io::Plan {
            options: options.clone(),
            wanted: Wanted(folder.ports()),
            keys,
            board: Arc::clone(&board),
            page: plan.page,
            console_pages: plan.console_pages.into(),
            audit,
            signals: plan.signals,
        };
        let (started, io) = io::start(io, to_node.clone(), happened)?;
        // Cannot fail: the thread waits for it.
        let _ = give_commands.send(started.commands.clone());
        let parent = plan.supervised.as_ref().map(Supervised::parent);
        let ready = ready(&started, &options, &board, console_token, parent);
        let certificate_ends = started.certificate_ends;
        let supervised = plan.supervised;
        let forgets = options.store == StoreChoice::Memory;
        let running = Self {
            ready,
            warning,
            forgets,
            certificate_ends,
            to_node,
            happenings,
            threads: Some((node, io)),
            supervised,
            folder,
            board,
        };
        running.write(options.ready_json.as_deref())?;
        running.note_start();
        Ok(running)
    }

    /// Where it listens, and what opens it.
    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// When the certificate shown now ends: seconds since 1970.
    pub(crate) fn certificate_ends(&self) -> u64 {
        self.certificate_ends
    }

    /// Whether state is gone when the server ends.
    pub(crate) fn forgets(&self) -> bool {
        self.forgets
    }

    /// What is not fit for production in how players log in.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        self.warning
    }

    /// Whether to say where everything is: not again after a restart.
    pub(crate) fn greets(&self) -> bool {
        self.supervised.as_ref().is_none_or(Supervised::greets)
    }

    /// Tells the parent, if there is one, that the server serves: what ends it from now on is not a failed start.
    pub(crate) fn say_ready(&self) {
        if let Some(supervised) = &self.supervised {
            supervised.say_ready();
        }
    }

    /// Waits until a signal asks for a stop (its name is the answer) or the node ended by a fault, or because it is fenced.
    pub(crate) fn wait(&self) -> Result<&'static str, Failure> {
        match self.happenings.recv() {
            Ok(Happening::Signal(name)) => Ok(name),
            Ok(Happening::NodeEnded(Err(failure))) => Err(failure),
            Ok(Happening::NodeEnded(Ok(()))) | Err(_) => {
                Err(Failure::new("the node stopped although nobody asked it to", "report it"))
            }
        }
    }

    /// No new clients are to be sent here from now on: `/ready` says so.
    pub(crate) fn will_stop(&self) {
        self.board.stops();
    }

    /// Stops in order: clients are told `reason`, nothing is cut off. Takes less than two seconds.
    pub fn stop(mut self, reason: &str) {
        self.end(reason);
    }

    fn end(&mut self, reason: &str) {
        let Some((node, io)) = self.threads.take() else { return };
        self.board.stops();
        if self.to_node.send(ToNode::Stop(reason.to_owned())).is_ok() {
            self.await_node();
        }
        io.stop(reason.to_owned());
        if node.is_finished() {
            // Its fault, if it had one, was reported as a happening.
            let _ = node.join();
        }
    }

    /// For the console's list of what happened.
    fn note_start(&self) {
        let how =
            if self.greets() { "after a start" } else { "again, after its process before this one died" };
        self.board.events.note(clock::unix_millis(), What::Started(how.to_owned()));
    }

    /// Waits until the node's thread ended, or for as long as it may take: one that takes no turns any more is in one that does not end.
    fn await_node(&self) {
        let patience = limits::STOP_NODE_MAX + Duration::from_millis(50);
        let latest = clock::mono() + limits::STOP_STORE_MAX + patience;
        loop {
            match self.happenings.recv_timeout(patience) {
                Ok(Happening::NodeEnded(_)) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Happening::Signal(_)) => {}
                Err(RecvTimeoutError::Timeout) if !self.board.takes_turns() || clock::mono() >= latest => {
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {
                    tracing::info!(target: "lightmoon::serve", "the store still takes what changed");
                }
            }
        }
    }

    fn write(&self, ready_json: Option<&Path>) -> Result<(), Failure> {
        self.folder.set_ports(Ports {
            listen: self.ready.game.port(),
            web: self.ready.web.port(),
            console: self.ready.console.port(),
        })?;
        let Some(path) = ready_json else { return Ok(()) };
        let text = format!("{:#}\n", self.ready.to_json());
        write_whole(path, text.as_bytes())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end("the server stops");
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("ready", &self.ready).finish_non_exhaustive()
    }
}

fn ready(
    started: &Started,
    options: &ServeOptions,
    board: &Board,
    console_token: String,
    parent: Option<u32>,
) -> Ready {
    Ready {
        game: started.game,
        web: started.web,
        console: started.console,
        console_token,
        certificate_hashes: board.hashes().to_vec(),
        data: options.data.clone(),
        pid: std::process::id(),
        parent,
    }
}

fn seed() -> u64 {
    random_bytes().iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
