//! Every maximum of a node, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers that are local to one node. *Not responsible for*: limits of the protocol
//! (`lightmoon_wire::limits`) and of operations (the contracts).

use std::time::Duration;

/// Workers of one node: more cores than one process should have; rings grow with its square. Over it: taken for it.
pub const WORKERS_MAX: u16 = 64;

/// Links whose handshake is not finished. A handshake holds at most 66 KiB, so all of them hold 64 MiB at worst. Over
/// it: of the source that has the most, the link that is silent for longest is closed with `overloaded`; counted in
/// [`crate::report::Counters::handshakes_evicted`].
pub const LINKS_IN_HANDSHAKE_MAX: usize = 1_024;

/// Sessions of one node: above what a core can serve (about 2,350 clients), so that the machine, not this number, is
/// the limit in play. Over it: `overloaded` for who wants a new one; counted in [`crate::report::Counters::logins_refused`].
pub const SESSIONS_MAX: usize = 10_000;

/// Calls of operators that wait for their answers: more than people and their scripts have at once. Over it: refused; counted in
/// [`crate::report::Counters::operator_calls_refused`].
pub const OPERATOR_CALLS_MAX: usize = 64;

/// Events that wait until the shell takes them, four times a second: as many as a person reads in minutes. Over it: only counted, in
/// [`crate::report::Counters::events_dropped`].
pub const EVENTS_WAITING_MAX: usize = 256;

/// Sessions of one source, an IPv4 address or an IPv6 network of 64 bits, unless the options say otherwise; those that wait for their
/// client count. A quarter, so that none takes all places: carriers put hundreds of players behind one address, not thousands. Over
/// it: `overloaded` for who wants a new one; counted in [`crate::report::Counters::logins_refused_source`].
pub const SESSIONS_PER_SOURCE_MAX: usize = SESSIONS_MAX / 4;

/// Bytes a second that a client may send for ever: thirty of the largest calls, or five hundred times what steering takes. Over it, with
/// [`LINK_BYTES_BURST`]: the link is closed with `rate-exceeded`; counted in [`crate::report::Counters::links_closed_for_bytes`].
pub const LINK_BYTES_PER_SECOND: u32 = 512 * 1024;

/// Bytes beyond that which may come at once: four times what a client sends again after a reconnect. Over it: as
/// [`LINK_BYTES_PER_SECOND`].
pub const LINK_BYTES_BURST: u32 = 2 * 1024 * 1024;

/// Requests of one session that wait for their answer. Over it: the request is answered `Busy` at once; counted in
/// [`crate::report::Counters::calls_refused`].
pub const REQUESTS_IN_FLIGHT_MAX: usize = 256;

/// Answers of one session that are remembered for repeats: a quarter of what it may have open, since what was answered before a
/// connection broke has mostly arrived. Over it: the oldest is forgotten, its repeat is answered `AnswerForgotten`; counted in
/// [`crate::report::Counters::answers_forgotten`].
pub const ANSWERS_KEPT_MAX: usize = 64;

/// Bytes of those answers: hundreds of the usual ones, or the largest one that the wire takes. All sessions together hold 640 MiB at
/// worst, which needs a game whose every answer is huge. Over it: as above.
pub const ANSWER_BYTES_KEPT_MAX: usize = 64 * 1024;

/// How long they are remembered: as long as a ticket is valid, so that who may resume may also repeat. After it: as above.
pub const ANSWERS_KEPT_TIME: Duration = Duration::from_secs(600);

/// How long a session waits for its client after the connection broke, unless the options say otherwise: a change of network, a
/// tunnel or a restarted router takes seconds; longer, a body without a mind stands in everybody's way. After it the session ends;
/// counted in [`crate::report::Counters::sessions_abandoned`]. Those that wait count against [`SESSIONS_MAX`].
pub const RESUME_TIME: Duration = Duration::from_secs(15);

/// How long a ticket is valid: five times [`TICKET_RENEWED_EVERY`], and longer than a restart of a machine takes, so that a game that
/// was down comes back with its sessions. Shown later: the token decides; counted in [`crate::report::Counters::tickets_refused`].
pub const TICKET_VALID: Duration = Duration::from_secs(600);

/// How often a client gets a new ticket: one that is shown is then good for eight minutes at least, for 65 bytes each time.
pub const TICKET_RENEWED_EVERY: Duration = Duration::from_secs(120);

/// Sessions that ended and whose tickets may still be shown: as many as may live at one time. They are remembered so that none is made
/// anew in the process that ended it. Over it: the oldest is forgotten, its ticket would make it anew.
pub const SESSIONS_ENDED_MAX: usize = SESSIONS_MAX;

/// Bytes of effects that are not stored yet: with a store that is away, minutes of play of thousands of players. Over it:
/// operations that would have effects are refused with `StoreUnavailable`; counted in the worker's `unkeepable`.
pub const UNSAVED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Inputs taken in one turn: at 20 ticks a second and 1,000 clients about 1,500 arrive per tick. The rest waits for
/// the next turn, which follows at once.
pub const INPUTS_PER_TURN_MAX: usize = 4_096;

/// Refused calls a second that a session may go on with for ever: a game that calls once a frame where it may less often,
/// or before it is attached, is sloppy, not hostile.
pub const REFUSALS_PER_SECOND: u32 = 60;

/// Refused calls beyond that after which a session is closed with `rate-exceeded`: about twelve seconds of a client that
/// calls sixty times a second's operation at ten times its rate. Counted in
/// [`crate::report::Counters::sessions_closed_for_rate`].
pub const REFUSALS_MAX: u32 = 6_000;
