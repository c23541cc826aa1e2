//! Every maximum of a node, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers that are local to one node. *Not responsible for*: limits of the protocol
//! (`lightmoon_wire::limits`) and of operations (the contracts).

/// Links whose handshake is not finished. A handshake holds at most 66 KiB, so all of them hold 64 MiB at worst. Over
/// it: the new link is closed with `overloaded`; counted in [`crate::report::Counters::links_refused`].
pub const LINKS_IN_HANDSHAKE_MAX: usize = 1_024;

/// Sessions of one node: above what a core can serve (about 2,350 clients), so that the machine, not this number, is
/// the limit in play. Over it: `overloaded`; counted in [`crate::report::Counters::links_refused`].
pub const SESSIONS_MAX: usize = 10_000;

/// Requests of one session that wait for their answer. Over it: the request is answered `Busy` at once; counted in
/// [`crate::report::Counters::calls_refused`].
pub const REQUESTS_IN_FLIGHT_MAX: usize = 256;

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
