//! The node's thread: one pinned thread that gives a sans-io node its clock and its events.
//!
//! *Responsible for*: the loop around [`Node::turn`], sleeping until the next deadline or event, handing outputs to the
//! network, the store and the encoder. *Not responsible for*: what a turn does (`node`).
//!
//! Events come through a channel. What waits in it is bounded: each event of a link holds a credit of that link, given
//! back when its turn is over.
//!
//! Invariants:
//! - I1: outputs of a turn are handed over before the next turn begins.
//! - I2: the thread reports its end exactly once, also when it ends by a fault.

use crate::board::{Board, Snapshot};
use crate::ended_zones::EndedZones;
use crate::io::Happening;
use crate::pace::Pace;
use crate::storage::Storage;
use crate::workers::{ThreadOptions, Threads};
use crate::{Failure, clock, cores, flaws, limits, watch};
use lightmoon_actor::Progress;
use lightmoon_contract::{ActorId, Mono};
use lightmoon_net::{Commands, Credit, NetEvent, Transmit};
use lightmoon_node::{
    Command, DeadLetter, EncodeJob, Encoded, Event, Game, Input, LinkId, Next, Node, NodeOptions, NodeReport,
    Output, TicketKey, Transport, Wanted, split,
};
use lightmoon_store::{Outcome, Request, Store as _, Ticket, Why};
use lightmoon_wire::CloseCode;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the node's thread is told.
#[derive(Debug)]
pub(crate) enum ToNode {
    /// Something happened on a link.
    Net(NetEvent),
    /// The store has outcomes.
    Woken,
    /// A copy of a world is encoded.
    Encoded(Encoded),
    /// Look at this from now on.
    Watch(Wanted),
    /// An operator commands something; what comes of it goes to the board's desk.
    Operate {
        /// Names the command.
        token: u64,
        /// What.
        command: Command,
    },
    /// Send a dead letter again.
    Replay {
        /// Who sent it.
        from: ActorId,
        /// Its number among those of its sender.
        number: u64,
    },
    /// Stop in order; clients are told the reason.
    Stop(String),
}

/// What the thread works with.
pub(crate) struct Plan {
    pub(crate) game: Game,
    pub(crate) storage: Storage,
    pub(crate) encoder: Sender<EncodeJob>,
    pub(crate) seed: u64,
    pub(crate) resume_time: Duration,
    /// Most sessions from one address.
    pub(crate) address_clients: usize,
    pub(crate) ticket_key: TicketKey,
    /// How many workers. One shares this thread, several have threads of their own.
    pub(crate) workers: u16,
    /// Whether it reports more than once.
    pub(crate) observe: bool,
    pub(crate) threads: ThreadOptions,
    pub(crate) to_node: Sender<ToNode>,
    pub(crate) board: Arc<Board>,
    pub(crate) inbox: Receiver<ToNode>,
    /// Comes when the ports listen.
    pub(crate) commands: Receiver<Commands>,
    pub(crate) happenings: Sender<Happening>,
}

/// Starts the thread and waits until the game's definition is known to be good.
pub(crate) fn start(plan: Plan) -> Result<JoinHandle<()>, Failure> {
    let (answer, built) = mpsc::sync_channel(1);
    let happenings = plan.happenings.clone();
    let run = move || {
        let ended = catch_unwind(AssertUnwindSafe(|| live(plan, &answer)));
        let fault = || {
            Failure::new(
                "the node's thread ended by a fault, whose message is above",
                "this is a fault of the server; report it",
            )
        };
        let _ = happenings.send(Happening::NodeEnded(ended.unwrap_or_else(|_| Err(fault()))));
    };
    let thread = std::thread::Builder::new().name("lightmoon-node".to_owned()).spawn(run).map_err(|e| {
        Failure::new(format!("cannot start the node's thread: {e}"), "raise the limit of threads")
    })?;
    let gone = || Failure::new("the node's thread ended while it started", "its message is above; report it");
    built.recv().unwrap_or_else(|_| Err(gone()))?;
    Ok(thread)
}

/// The thread's whole life.
fn live(plan: Plan, answer: &SyncSender<Result<(), Failure>>) -> Result<(), Failure> {
    if plan.threads.pin {
        cores::pin(0);
    }
    let mut options = NodeOptions {
        probe: clock::mono,
        resume_time: plan.resume_time,
        sessions_per_source_max: plan.address_clients,
        ticket_key: plan.ticket_key,
        utc_at_zero: clock::utc_at_zero(),
        workers: plan.workers,
        stop_patience: limits::STOP_NODE_MAX,
        stop_time_max: limits::STOP_STORE_MAX,
        ..NodeOptions::default()
    };
    options.wire.linger_time_max = limits::LINGER_MAX;
    flaws::spoil(&mut options);
    let engine = match Engine::start(plan.game, options, plan.seed, plan.to_node, plan.threads) {
        Ok(engine) => engine,
        Err(failure) => {
            let _ = answer.send(Err(failure));
            return Ok(());
        }
    };
    // Told by being dropped.
    let (_watched, ended) = mpsc::channel();
    watch::start(Arc::clone(&plan.board), engine.progress(), ended)?;
    let _ = answer.send(Ok(()));
    // Fails when the ports could not be opened: then there is nothing to run for.
    let Ok(commands) = plan.commands.recv() else { return Ok(()) };
    Driver {
        engine,
        storage: plan.storage,
        encoder: plan.encoder,
        inbox: plan.inbox,
        commands,
        board: plan.board,
        observe: plan.observe,
        inputs: Vec::new(),
        outputs: Vec::new(),
        transmits: Vec::new(),
        credits: Vec::new(),
        stop_by: None,
        pace: Pace::default(),
        window: Window::default(),
        ended_zones: EndedZones::default(),
        wanted: Wanted::default(),
        peeked: Mono::default(),
        utc_at_zero: options.utc_at_zero.0,
    }
    .run()
}

/// What has turns: a node in one piece, or a hub with threads.
enum Engine {
    Whole(Box<Node>),
    Threads(Box<Threads>),
}

impl Engine {
    fn start(
        game: Game,
        options: NodeOptions,
        seed: u64,
        to_node: Sender<ToNode>,
        threads: ThreadOptions,
    ) -> Result<Self, Failure> {
        let wrong = |error: lightmoon_node::Error| {
            Failure::new(error.to_string(), "correct the definition of the game")
        };
        let now = clock::mono();
        if options.workers <= 1 {
            return Ok(Self::Whole(Box::new(Node::new(game, options, seed, now).map_err(wrong)?)));
        }
        let (hub, plans) = split(game, options, seed, now).map_err(wrong)?;
        Ok(Self::Threads(Box::new(Threads::start(hub, plans, to_node, threads)?)))
    }

    fn turn(&mut self, now: Mono, inputs: &mut Vec<Input>, out: &mut Vec<Output>) -> Next {
        match self {
            Self::Whole(node) => node.turn(now, inputs, out),
            Self::Threads(threads) => threads.turn(now, inputs, out),
        }
    }

    fn report(&mut self, wanted: &Wanted) -> NodeReport {
        match self {
            Self::Whole(node) => node.survey(wanted),
            Self::Threads(threads) => threads.hub().report(threads.reports()),
        }
    }

    /// Shows this from now on.
    fn watch(&self, wanted: Wanted) {
        match self {
            // It is told with each report.
            Self::Whole(_) => {}
            Self::Threads(threads) => threads.watch(wanted),
        }
    }

    fn take_events(&mut self) -> Vec<Event> {
        match self {
            Self::Whole(node) => node.take_events(),
            Self::Threads(threads) => threads.take_events(),
        }
    }

    fn dead_letters(&self) -> Vec<DeadLetter> {
        match self {
            Self::Whole(node) => node.dead_letters(),
            Self::Threads(threads) => threads.hub().dead_letters(),
        }
    }

    fn progress(&self) -> Vec<Weak<Progress>> {
        let progress = match self {
            Self::Whole(node) => node.progress(),
            Self::Threads(threads) => threads.progress(),
        };
        progress.iter().map(Arc::downgrade).collect()
    }

    fn has_failed(&self) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Threads(threads) => threads.has_failed(),
        }
    }
}

struct Driver {
    /// First: the store outlives whoever may still ask it.
    engine: Engine,
    storage: Storage,
    encoder: Sender<EncodeJob>,
    inbox: Receiver<ToNode>,
    commands: Commands,
    board: Arc<Board>,
    observe: bool,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// Those of a turn.
    transmits: Vec<(lightmoon_net::LinkId, Transmit)>,
    /// Of the events in `inputs`.
    credits: Vec<Credit>,
    /// Set once the node was told to stop.
    stop_by: Option<Mono>,
    pace: Pace,
    window: Window,
    ended_zones: EndedZones,
    /// What somebody looks at.
    wanted: Wanted,
    /// When what is stored of it was asked for.
    peeked: Mono,
    /// Calendar time when the clock was at 0, in ms.
    utc_at_zero: i64,
}

/// What is measured between two snapshots.
#[derive(Default)]
struct Window {
    reported: Mono,
    turns: u64,
    turns_full: u64,
    turn_max: Duration,
}

impl Driver {
    /// An error ends the process with its exit code.
    fn run(mut self) -> Result<(), Failure> {
        let mut next = Next { deadline: None, more: true };
        loop {
            if !self.collect(next) {
                return Ok(());
            }
            let began = clock::mono();
            self.pace.turn(began);
            self.poll_store(began);
            next = self.engine.turn(began, &mut self.inputs, &mut self.outputs);
            if self.engine.has_failed() {
                return Err(Failure::new(
                    "the thread of a worker ended by a fault, whose message is above",
                    "this is a fault of the server; report it",
                ));
            }
            self.credits.clear();
            let has_stopped = self.hand_over()?;
            // A store in memory answers at once.
            self.poll_store(began);
            next.more |= !self.inputs.is_empty();
            self.report(began);
            if has_stopped || self.stop_by.is_some_and(|by| began >= by) {
                // With this the store is closed in order: what it took lasts.
                return Ok(());
            }
        }
    }

    fn poll_store(&mut self, now: Mono) {
        while let Some((ticket, outcome)) = self.storage.poll(now) {
            self.inputs.push(Input::Stored { ticket, outcome });
        }
    }

    /// Waits for events until the next deadline, then takes those that are there. `false` when nobody is left to send.
    fn collect(&mut self, next: Next) -> bool {
        let wait = if next.more { Duration::ZERO } else { self.gather(next.deadline) };
        match self.inbox.recv_timeout(wait) {
            Ok(first) => self.take(first),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        for _ in 1..limits::TURN_EVENTS_MAX {
            match self.inbox.try_recv() {
                Ok(event) => self.take(event),
                Err(_) => return true,
            }
        }
        self.window.turns_full += 1;
        true
    }

    /// Sleeps while the next turn may not begin, so that nobody who sends has to wake this thread. Gives how long to wait for an
    /// event after that.
    fn gather(&self, deadline: Option<Mono>) -> Duration {
        let wait = self.pace.wait(clock::mono()).min(self.time_until(deadline));
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        self.time_until(deadline)
    }

    fn time_until(&self, deadline: Option<Mono>) -> Duration {
        let now = clock::mono();
        let until =
            |deadline: Option<Mono>| deadline.map_or(limits::PARK_MAX, |deadline| deadline.since(now));
        until(deadline).min(until(self.stop_by)).min(limits::PARK_MAX)
    }

    fn take(&mut self, event: ToNode) {
        match event {
            ToNode::Net(NetEvent::Opened { link, remote, transport }) => {
                let transport = match transport {
                    lightmoon_net::Transport::Native => Transport::Native,
                    lightmoon_net::Transport::WebTransport => Transport::WebTransport,
                };
                self.inputs.push(Input::Opened { link: LinkId(link.0), remote, transport });
            }
            ToNode::Net(NetEvent::Stream { link, stream, bytes, credit }) => {
                self.credits.push(credit);
                self.inputs.push(Input::Stream { link: LinkId(link.0), stream, bytes });
            }
            ToNode::Net(NetEvent::Datagram { link, bytes, credit }) => {
                self.credits.push(credit);
                self.inputs.push(Input::Datagram { link: LinkId(link.0), bytes });
            }
            ToNode::Net(NetEvent::Path { link, path }) => {
                self.inputs.push(Input::Path { link: LinkId(link.0), path });
            }
            ToNode::Net(NetEvent::Closed { link, code, reason }) => {
                tracing::debug!(target: "lightmoon::serve", %link, ?code, reason, "link closed");
                self.inputs
                    .push(Input::Closed { link: LinkId(link.0), peer: code.map(CloseCode::from_number) });
            }
            // Outcomes are taken before each turn.
            ToNode::Woken => {}
            ToNode::Encoded(encoded) => self.inputs.push(Input::Encoded(encoded)),
            ToNode::Watch(wanted) => {
                self.wanted = wanted;
                self.engine.watch(wanted);
                self.peek(clock::mono());
            }
            ToNode::Operate { token, command } => self.inputs.push(Input::Operate { token, command }),
            ToNode::Replay { from, number } => self.inputs.push(Input::Replay { from, number }),
            ToNode::Stop(reason) => {
                // The node ends by itself, with a margin.
                self.stop_by
                    .get_or_insert_with(|| clock::mono() + limits::STOP_STORE_MAX + limits::STOP_NODE_MAX);
                self.inputs.push(Input::Stop { reason });
            }
        }
    }

    /// Has what is stored of the actor that somebody looks at read, in case that it does not live.
    fn peek(&mut self, now: Mono) {
        if let Some(inspect) = self.wanted.inspect {
            self.peeked = now;
            self.inputs.push(Input::Peek(inspect));
        }
    }

    /// Hands outputs to the network and the store; answers whether the node has stopped.
    fn hand_over(&mut self) -> Result<bool, Failure> {
        let mut has_stopped = false;
        for output in self.outputs.drain(..) {
            match output {
                Output::Transmit { link, transmit } => {
                    self.transmits.push((lightmoon_net::LinkId(link.0), transmit));
                }
                Output::Store { ticket, request } => {
                    self.inputs.extend(ask(&mut self.storage, ticket, request));
                }
                // The thread lives as long as this end of its channel.
                Output::Encode(job) => drop(self.encoder.send(job)),
                Output::Fenced { reason } => {
                    tracing::error!(target: "lightmoon::store", reason, "another node owns the store");
                    return Err(Failure::fenced(&reason));
                }
                Output::Operated { token, result } => self.board.desk.answer(token, result),
                Output::Stopped => has_stopped = true,
            }
        }
        // All at once, so that the I/O thread is woken once for a turn. A link that is gone needs nothing; its `Closed` is on the way.
        self.commands.send_all(&mut self.transmits);
        Ok(has_stopped)
    }

    fn report(&mut self, began: Mono) {
        let now = clock::mono();
        self.board.turned(now);
        self.window.turns += 1;
        self.window.turn_max = self.window.turn_max.max(now.since(began));
        let is_first = self.window.reported == Mono::default();
        if now.since(self.window.reported) < limits::REPORT_EVERY || !(self.observe || is_first) {
            return;
        }
        if now.since(self.peeked) >= limits::PEEK_EVERY {
            self.peek(now);
        }
        let node = self.engine.report(&self.wanted);
        self.ended_zones.pass(&self.board.snapshot().node.zones, &node.zones);
        self.board.events.note_all(self.utc_at_zero, self.engine.take_events());
        self.board.set_snapshot(Snapshot {
            node,
            ended_zones: self.ended_zones.clone(),
            dead_letters: self.engine.dead_letters(),
            files: self.storage.report(),
            turns: self.window.turns,
            turn_max: self.window.turn_max,
            turns_full: self.window.turns_full,
        });
        self.window.reported = now;
        self.window.turn_max = Duration::ZERO;
    }
}

/// Hands a request to the store; gives its outcome if it is not taken.
fn ask(storage: &mut Storage, ticket: Ticket, request: Request) -> Option<Input> {
    let rejected = storage.submit(ticket, request).err()?;
    // The keeper looks at limits before: anything but a full queue is a fault of ours.
    if rejected.why != Why::Busy {
        tracing::error!(target: "lightmoon::store", why = %rejected.why, "the store does not take a request");
    }
    Some(Input::Stored { ticket, outcome: Outcome::Unavailable })
}
