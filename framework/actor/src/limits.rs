//! Every maximum of a worker, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers. *Not responsible for*: limits of sessions (`node`) and of messages (`contract`).

use std::time::Duration;

/// Envelopes that wait in the queue of one priority: a quarter of a second of what one worker serves, 30 MB. Over it:
/// tells are handed back `Busy`, requests answered `Busy`; messages of the framework itself still enter, their number is
/// bounded by the node's sessions. Counted in [`crate::Counters::queue_full`].
pub const QUEUE_MAX: usize = 262_144;

/// Envelopes of one priority that wait for one actor which waits itself or rests after a panic: minutes of play of one
/// client, and little enough that thousands of stuck actors fit in memory. Over it: as [`QUEUE_MAX`], but tells are
/// dropped, since their sender has gone on. Counted in [`crate::Counters::parked_full`].
pub const PARKED_PER_ACTOR_MAX: usize = 1_024;

/// Actors of one worker: 4 M idle ones take 0.8 GB. Over it: as a full queue. Counted in
/// [`crate::Counters::actors_full`].
pub const ACTORS_MAX: usize = 4 * 1024 * 1024;

/// Requests and sleeps that wait at the same time, 100 MB at worst. Over it: the request is answered `Busy`, a sleep ends
/// at once. Counted in [`crate::Counters::asks_full`]. At most 2^24, the width of an index in an [`crate::AskId`].
pub const ASKS_MAX: usize = 1024 * 1024;

/// Delayed tells ([`crate::Cx::after`]) that wait at the same time. Over it: handed back `Busy`. Counted in
/// [`crate::Counters::timers_full`].
pub const DELAYED_MAX: usize = 1024 * 1024;

/// Messages to sessions in one turn: a hundred for each of 10,000 sessions. They leave with the turn. Over it: dropped;
/// counted in [`crate::Counters::outputs_full`]. Answers are not held to it: each belongs to a bounded request.
pub const OUTPUTS_PER_TURN: usize = 1_024 * 1_024;

/// Messages of one class that wait for another worker: a quarter of a second of what it serves in bulk, 16 MB for eight workers.
/// Over it: reliable messages are handed back `Busy`, the oldest unreliable ones are dropped, and of unreliable-latest ones the
/// newest takes the place of the one that waits. Counted in [`crate::Counters::across_full`],
/// [`crate::Counters::across_dropped`] and [`crate::Counters::across_replaced`].
pub const ACROSS_MAX: usize = 16 * 1_024;

/// Operations that wait for room ([`crate::Cx::room`]) and are let on in one turn: a sixteenth of that room, which each may
/// fill by itself. The others wait for the next turns, in their order.
pub const LET_ON_PER_TURN: usize = 1_024;

/// Messages for another worker after which they are carried within a turn: as many as fit the time in which another core takes
/// one (Seastar's `smp` queues use the same).
pub const CARRIED_AT: usize = 128;

/// Operations that a request carries along when it crosses workers, to find circles: a longer circle ends by its timeouts.
pub const CHAIN_ACROSS_MAX: usize = 16;

/// Messages of one class in a worker's queues above which its rings of that class are left alone: what waits then is seen by
/// those who send, as a full ring. Far below [`QUEUE_MAX`], so that nothing that was carried is refused.
pub const QUEUED_MAX: usize = 16 * 1_024;

/// How long an actor that is kept may idle: who comes back within minutes finds it in memory, and who does not frees that.
pub const IDLE_AFTER: Duration = Duration::from_secs(600);

/// Actors whose last session ended that stay in memory of one worker, if they are kept: 66 MB of players with a world of their own.
/// Who comes back within minutes is mostly among them, and a crowd that comes and goes takes no more, however large it is. Over it: the
/// one that was left first is saved and leaves memory; counted in [`crate::Counters::departed`]. One that waits for something or has
/// an alarm set goes later.
pub const DEPARTED_MAX: usize = 1_024;

/// Of those over it, so many are looked at in one turn, or a quarter of them if that is more: to drop a world takes some 20 us.
pub const DEPARTED_PER_TURN: usize = 64;

/// How long code of one actor may run before it is named: a tenth of a tick at 20 Hz, in which every other actor of its worker waits.
pub const SLOW_AFTER: Duration = Duration::from_millis(5);

/// How often one that was slow is named at most; all are counted in [`crate::Counters::slow`].
pub const SLOW_SAID_EVERY: Duration = Duration::from_secs(1);

/// Operations served in one turn: about a millisecond of cheap ones, so that links are served in between. The rest waits
/// for the next turn, which follows at once ([`crate::Next::more`]).
pub const OPERATIONS_PER_TURN: usize = 1_024;

/// Waiting operations polled in one turn; the rest as above.
pub const POLLS_PER_TURN: usize = 1_024;

/// Timers fired in one turn; the rest as above.
pub const TIMERS_PER_TURN: usize = 4_096;

/// Operations of each priority in one round of a turn, most urgent first: 8 : 4 : 1 so that low never starves, and so
/// many critical ones that they are as good as first, while two actors that keep each other busy with them do not stop
/// the rest.
pub const WEIGHTS: [usize; 4] = [64, 8, 4, 1];

/// Parked messages and polls served in one round of a turn.
pub const RELEASED_PER_ROUND: usize = 16;

/// Messages and answers of one actor that wait for its commit: a hundred operations that tell ten others each. Over it:
/// what comes for the actor waits as if it were locked.
pub const HELD_PER_ACTOR_MAX: usize = 1_024;

/// As above, for what a world sends in its ticks, which do not wait: minutes of a lively zone while its store is away. Over
/// it: dropped, but answers are not; counted in [`crate::Counters::discarded`].
pub const HELD_PER_WORLD_MAX: usize = 16 * 1_024;

/// Operations of one actor that stand in one commit's log; over it as above.
pub const LOGGED_PER_COMMIT_MAX: usize = 512;

/// Messages that take effect exactly once and that one actor has sent and no receiver has taken: a guild that pays all its
/// members at once. Over it: the message is refused `Busy` before anything is committed.
pub const OUTBOX_MAX: usize = 4 * 1024;

/// Bytes of their arguments: what a node holds of a hundred actors whose receivers do not answer. Over it: as above.
pub const OUTBOX_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Of them in one commit, with all else far below what a store takes in one; over it: as [`HELD_PER_ACTOR_MAX`], and within
/// one operation refused `Busy`.
pub const POSTED_PER_COMMIT_MAX: usize = 1_024;

/// Bytes of the arguments of such messages in one commit: a quarter of what a store takes in one. Over it: refused `Busy`.
pub const POSTED_BYTES_PER_COMMIT_MAX: usize = 1024 * 1024;

/// Bytes of the arguments of one such message: it is one row of a store, with a frame around it. Over it: refused
/// `BadArguments`.
pub const POSTED_BYTES_MAX: usize = 64 * 1024;

/// Such messages taken by one actor in one commit: as many rows. Over it: as [`HELD_PER_ACTOR_MAX`].
pub const TAKEN_PER_COMMIT_MAX: usize = 1_024;

/// Replies that an actor keeps of one session: a client has a handful of requests under way at a time, and repeats those
/// only. An older request that comes again is refused with `AnswerForgotten`.
pub const REPLIES_PER_SESSION: usize = 64;

/// How long replies of a session are kept after its last request: as long as a client may come back by its ticket.
pub const REPLIES_KEPT_FOR: Duration = Duration::from_secs(600);

/// Replies that an actor keeps of all sessions: of replies of a hundred bytes 2 MB. Over it: every session keeps
/// [`REPLIES_PER_SESSION_MIN`], and then the sessions that were silent for longest are forgotten.
pub const REPLIES_MAX: usize = 16 * 1_024;

/// Replies that a session keeps at least: as many requests as a player may have under way with one actor.
pub const REPLIES_PER_SESSION_MIN: usize = 8;

/// Replies in one commit, as rows, and their bytes: with all else far below what a store takes in one. Over it: as
/// [`HELD_PER_ACTOR_MAX`], and a commit is made at once.
pub const REPLIES_PER_COMMIT_MAX: usize = 1_024;

/// See [`REPLIES_PER_COMMIT_MAX`].
pub const REPLY_BYTES_PER_COMMIT_MAX: usize = 512 * 1024;

/// Replies removed by one commit, a quarter of the rows that a store takes; the rest goes with the next ones.
pub const FORGOTTEN_PER_COMMIT_MAX: usize = 4 * 1_024;

/// Bytes of a reply that is kept. Of a longer one it is kept that it was given: when its request comes again after a restart it
/// is refused with `AnswerForgotten`, and its client asks for what it wants to know.
pub const REPLY_BYTES_MAX: usize = 4 * 1_024;

/// Bytes that an actor with unsaved effects counts at least, so that ten thousand small ones count for something.
pub const UNSAVED_BYTES_MIN: usize = 256;

/// Time until an actor that could not be loaded is tried again for what sessions said; other messages try at once.
pub const LOAD_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Rounds of polls in which operations may end after their requests were answered `Gone` at a stop, so that their actors
/// can be saved. Over it: they are dropped where they wait.
pub const STOP_ROUNDS_MAX: usize = 64;

/// Milliseconds for an answer where the contract says 0.
pub const ANSWER_TIMEOUT_MS: u32 = 30_000;

/// Length of a chain of requests that is searched for a circle. A longer one ends by its timeouts.
pub const CHAIN_MAX: usize = 64;

/// Rest after the first panic; it doubles with each further one.
pub const REST_FIRST: Duration = Duration::from_millis(50);

/// Longest rest between restarts.
pub const REST_MAX: Duration = Duration::from_secs(1);

/// Panics within [`PANIC_WINDOW`] after which an actor is set aside.
pub const PANICS_MAX: usize = 3;

/// How long a panic counts.
pub const PANIC_WINDOW: Duration = Duration::from_secs(60);

/// How long an actor is set aside. Its callers get `Panicked` at once.
pub const SET_ASIDE: Duration = Duration::from_secs(60);

/// Bytes kept of what a panic said. The rest is cut.
pub const FAILURE_TEXT_BYTES_MAX: usize = 1_024;

/// Deadlines of answered requests that may lie in the timer heap before it is swept: less is not worth a pass.
pub const STALE_DEADLINES_MIN: usize = 1_024;

/// Actors that a list for tools names: more than a person reads. Over it: the others are only counted.
pub const ACTORS_LISTED_MAX: usize = 200;

/// Steps that are kept of the actor that somebody looks at: some seconds of a busy one. Over it: the oldest is forgotten.
pub const TRACED_MAX: usize = 64;

/// Bytes of the values that an operator sees of one actor: more than a screen shows. Over it: a value says only its length, and further
/// entities are left to the next inspection.
pub const INSPECTED_BYTES_MAX: usize = 64 * 1024;

/// Bytes of one of those values: a list of hundreds of things. Over it: only its length is said.
pub const INSPECTED_VALUE_BYTES_MAX: usize = 16 * 1024;

/// Entities of one inspection: as many as a person scrolls through. Over it: the next one goes on there.
pub const INSPECTED_ENTITIES_MAX: usize = 32;

/// Values of one inspection: a dozen for each of those entities. Over it: entities as above, of the actor itself no more are shown.
pub const INSPECTED_VALUES_MAX: usize = 512;
