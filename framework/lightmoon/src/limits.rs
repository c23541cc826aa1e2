//! Every bound of this crate, with its reason and what happens when it is reached.
//!
//! *Responsible for*: constants that are not options. *Not responsible for*: bounds of links (`net`) and calls (`node`).

use std::time::Duration;

/// Events given to the node in one turn. The rest waits for the next turn, so that a flood cannot stop ticks.
pub(crate) const TURN_EVENTS_MAX: usize = 4_096;

/// Turns that may begin one right after the other: a request, its commit and its answer, of a few players at once.
pub(crate) const TURNS_AT_ONCE: u32 = 32;
/// When those are used up, a turn begins this long after the one before at the earliest, and serves all that came meanwhile. A
/// twenty-fifth of a tick of 20 Hz: nobody sees it, and a thousand clients cost 500 turns a second and not twenty thousand. Each turn is two
/// changes of threads on a core that the network shares.
pub(crate) const TURN_EVERY: Duration = Duration::from_millis(2);

/// The node thread sleeps at most this long; a bound, in case a deadline is far away.
pub(crate) const PARK_MAX: Duration = Duration::from_millis(500);

/// Workers that are chosen by the number of cores at most: beyond it one hub limits a node. More may be asked for.
pub(crate) const WORKERS_CHOSEN_MAX: u16 = 16;

/// The longest time that a worker may look for work before it sleeps: a tick of the fastest zones.
pub(crate) const SPIN_MAX: Duration = Duration::from_millis(10);

/// Stack of a worker's thread: as large as that of a main thread usually is, since users' code runs on it.
pub(crate) const WORKER_STACK_BYTES: usize = 8 * 1024 * 1024;

/// What fits into the ring from the hub to a worker: the inputs of a full turn, half a megabyte. What does not fit waits with the hub.
pub(crate) const RING_TO_WORKER: usize = 4_096;

/// What fits into the ring from a worker to the hub: what thousands of clients are told in one tick. What does not fit waits with
/// the worker.
pub(crate) const RING_TO_HUB: usize = 8_192;

/// What fits into the rings between two workers: for bulk as many as they serve in a millisecond or two; of urgent ones there are
/// fewer. Sixteen workers have 240 pairs: 50 MB. What does not fit waits with its sender.
pub(crate) const fn ring_across(class: lightmoon_actor::Class) -> usize {
    match class {
        lightmoon_actor::Class::Urgent => 512,
        lightmoon_actor::Class::Bulk => 1_024,
    }
}

/// What the hub routes of one worker in a turn; the rest in the next, which follows at once.
pub(crate) const ROUTED_PER_TURN: usize = RING_TO_HUB;

/// What waits with the hub for a worker: ten full rings, tens of megabytes. Over it: what clients send to its actors is refused
/// `Busy`, or dropped if it is one-way; what the store says, and what sessions do, still waits, bounded by requests and sessions.
pub(crate) const WAITING_FOR_WORKER_MAX: usize = 10 * RING_TO_WORKER;

/// What waits with a worker for the hub. Over it: the worker takes no turn until the hub has taken some.
pub(crate) const WAITING_FOR_HUB_MAX: usize = RING_TO_HUB;

/// How soon a full ring is tried again: nobody says that there is room. Short beside a tick, long beside what a reader needs
/// to empty a ring.
pub(crate) const RING_RETRY: Duration = Duration::from_micros(500);

/// How long the threads of workers may take to end. One that takes longer is in a turn that does not end.
pub(crate) const STOP_WORKERS_MAX: Duration = Duration::from_millis(200);

/// A turn that takes longer is named by the watchdog: clients have seen nothing of its worlds for twenty ticks.
pub(crate) const TURN_MAX: Duration = Duration::from_secs(1);

/// How often the watchdog looks: what does not end is named within a quarter of a second.
pub(crate) const WATCH_EVERY: Duration = Duration::from_millis(250);

/// How often a turn that still does not end is named again.
pub(crate) const STALL_SAID_EVERY: Duration = Duration::from_secs(10);

/// Stack of the watchdog's thread: it formats a line now and then.
pub(crate) const WATCH_STACK_BYTES: usize = 256 * 1024;

/// How often the node's report is copied for the console and metrics.
pub(crate) const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Time between two reads of what is stored of an actor that somebody looks at and that does not live: what it was is seen soon enough,
/// and the store has a read of a few rows each time.
pub(crate) const PEEK_EVERY: Duration = Duration::from_secs(2);

/// A node whose last turn is older than this is called unhealthy by `/health`.
pub(crate) const TURN_SILENCE_MAX: Duration = Duration::from_secs(2);

/// How long a client may take to agree to the end of its link: a slow round trip; the news itself is on its way at once.
/// Shorter than [`STOP_NODE_MAX`], so that one frozen client does not make every stop end by force.
pub(crate) const LINGER_MAX: Duration = Duration::from_millis(400);

/// How long an orderly stop waits for clients, and for a store that says nothing; then links are closed anyway. With the two behind the
/// next one under 2 s. Far under it, because a busy machine stretches each of these.
pub(crate) const STOP_NODE_MAX: Duration = Duration::from_millis(1_000);
/// How long an orderly stop waits for a store that takes what changed, and has more to take: the worlds of some thousand players on a slow
/// disk. Over it: what is not stored is lost as by a crash, and said to be. A second Ctrl-C does not wait.
pub(crate) const STOP_STORE_MAX: Duration = Duration::from_secs(30);
/// How long closed links may take to agree.
pub(crate) const STOP_LINKS_MAX: Duration = Duration::from_millis(400);
/// How long the web servers' connections may take to go.
pub(crate) const STOP_WEB_MAX: Duration = Duration::from_millis(100);

/// Open connections of one web server. Beyond it new ones wait in the kernel's queue.
pub(crate) const WEB_CONNECTIONS_MAX: usize = 1_024;
/// A web connection on which nothing moves for this long is closed; browsers open a new one when they need it.
pub(crate) const WEB_IDLE_MAX: Duration = Duration::from_secs(30);

/// How often to look whether the certificate wants its successor.
pub(crate) const ROTATION_EVERY: Duration = Duration::from_secs(60 * 60);

/// Bytes of `lightmoon.toml`; a larger file is another file by mistake.
pub(crate) const CONFIG_BYTES_MAX: u64 = 64 * 1024;

/// Bytes of a token; `wire` carries no more.
pub(crate) const TOKEN_BYTES_MAX: usize = 1_024;
/// Seconds by which the clocks of server and login service may differ: those of machines that ask for the time do by far
/// less, and a token that lives half a minute longer does no harm.
pub(crate) const TOKEN_LEEWAY_SECONDS: u64 = 30;
/// Hours of a token of the verb `token`: a leap year. Who wants more wants a login service.
pub(crate) const TOKEN_HOURS_MAX: u64 = 366 * 24;
/// Bytes of a secret of HS256: as many as the hash has (RFC 7518, 3.2).
pub(crate) const SECRET_BYTES_MIN: usize = 32;
/// Bytes of a file with such a secret; a larger one is another file by mistake.
pub(crate) const SECRET_BYTES_MAX: u64 = 4_096;

/// Attempts to find one free port number that UDP and TCP both have.
pub(crate) const PORT_ATTEMPTS_MAX: usize = 16;

/// How long to wait for a data folder that another process has. One that was killed takes its node with it within
/// milliseconds, but not before it is gone itself; a server that runs is not worth more patience.
pub(crate) const LOCK_PATIENCE: Duration = Duration::from_millis(500);
/// How often to look meanwhile: file locks know no waiting with a limit.
pub(crate) const LOCK_LOOK_EVERY: Duration = Duration::from_millis(5);

/// The first pause before a node is started again that died again; each one is twice the last. The first death has none.
pub(crate) const RESTART_PAUSE_FIRST: Duration = Duration::from_millis(100);
/// The longest such pause: what a person who corrects the cause waits at most.
pub(crate) const RESTART_PAUSE_MAX: Duration = Duration::from_secs(5);
/// A node that served for so long is no part of a series of crashes: the next restart is at once. Long enough to have loaded
/// its zones and served players; a fault that takes longer to come back costs less than a pause for everybody.
pub(crate) const GOOD_LIFE: Duration = Duration::from_secs(2);

/// A second signal so soon after the first is the same request to a node that has a parent: a service manager sends one
/// to each process, and the parent passes its own on. Shorter than a person takes to press Ctrl-C again.
pub(crate) const SAME_REQUEST: Duration = Duration::from_millis(300);

/// Stack of the thread that waits for the end of the parent: it reads one byte.
pub(crate) const ORPHAN_STACK_BYTES: usize = 64 * 1024;

/// Exit code of a process that a second SIGINT ended.
pub(crate) const EXIT_SIGINT: u8 = 128 + 2;
/// Exit code of a process that a second SIGTERM ended.
pub(crate) const EXIT_SIGTERM: u8 = 128 + 15;

/// How often the console's streams are sent to: a map that is four times a second where things are looks alive, since its page
/// moves them in between.
pub(crate) const LIVE_EVERY: Duration = Duration::from_millis(250);
/// Streams of the console's pages that are open at the same time: more tabs than operators have. Over it: 503, counted in
/// `streams_refused`.
pub(crate) const STREAMS_MAX: usize = 32;
/// Messages that wait for a page that does not read: two seconds of the busiest. Over it: what is new is not sent to that page, and
/// counted in `messages_dropped`; each message is whole in itself, so the next one mends it.
pub(crate) const STREAM_MESSAGES_MAX: usize = 32;
/// Places on the map of one zone: as many dots as a screen shows apart, 60 kB four times a second. Over it: every so many-th is shown,
/// and all are counted.
pub(crate) const CHART_PLACES_MAX: usize = 2_000;
/// Items of a list that the console shows of an actor's state: as many as one reads. Over it: how many more there are.
pub(crate) const STATE_ITEMS_MAX: usize = 32;
/// Characters of a text of an actor's state: some lines. Over it: the text is cut, and ends with `…`.
pub(crate) const STATE_TEXT_MAX: usize = 200;
/// Parts of an actor's state in one message, single values and lists: with texts of [`STATE_TEXT_MAX`] some hundred kB at worst. Over it:
/// each further part is `…`.
pub(crate) const STATE_PARTS_MAX: usize = 4_000;
/// How deep an actor's state is shown: deeper nobody reads it in a table. Over it: `…`.
pub(crate) const STATE_DEPTH_MAX: usize = 8;
/// How long the node goes on looking at places for a page of a game that has asked for its numbers: such a page asks each second.
pub(crate) const GLANCE_LASTS: Duration = Duration::from_secs(3);
/// Events that the console keeps: an hour of a quiet node, seconds of a storm. Over it: the oldest is forgotten.
pub(crate) const EVENTS_KEPT_MAX: usize = 500;
/// Commands of operators under way: more than people give at once. Over it: 503, counted in `commands_refused`.
pub(crate) const COMMANDS_OPEN_MAX: usize = 64;
/// How long a command may take: longer than the longest request of a contract that says nothing. After it: 504; what it does may still
/// happen.
pub(crate) const COMMAND_PATIENCE: Duration = Duration::from_secs(35);
/// Bytes of a command: the arguments of any call that a client may make. Over it: 413.
pub(crate) const COMMAND_BYTES_MAX: usize = 64 * 1024;
/// Characters of the name that an operator gives to the audit trail. Over it: cut.
pub(crate) const OPERATOR_NAME_MAX: usize = 40;
/// Characters of a call's arguments, or of an outcome, that the audit trail keeps: what a person reads. Over it: cut.
pub(crate) const AUDIT_TEXT_MAX: usize = 400;
/// Entries of the audit trail that are shown. Over it: the oldest stands in the file only.
pub(crate) const AUDIT_KEPT_MAX: usize = 200;
/// Bytes of the file of the audit trail: tens of thousands of commands. Over it: it becomes `audit.1.jsonl`, in the place of an older
/// one, and a new one begins.
pub(crate) const AUDIT_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
