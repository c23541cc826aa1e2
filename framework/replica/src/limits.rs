//! Every bound of replication, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers. *Not responsible for*: counting; writers return `false` or an error, and their caller counts.
//!
//! All but [`EVENTS_MAX`] are part of the protocol and stand in `docs/wire-state.md`.

/// Replicated components of one game: a mask is one 64-bit word. Over it: the schema is refused.
pub const COMPONENTS_MAX: usize = 64;

/// Bits of all state components of one game together: a record with all of them takes less than half of a packet, so
/// every entity fits one. Over it: the schema is refused.
pub const STATE_BITS_MAX: u32 = 4_096;

/// Bytes of one View payload, as `wire` carries it. Over it: a writer refuses the event, a client errors.
pub const VIEW_BYTES_MAX: usize = 64 * 1_024;

/// Bytes after which a writer's caller starts the next View payload: large enough that headers do not matter, small
/// enough that a late join arrives in pieces that other messages of the lane can go between.
pub const VIEW_BYTES_FULL: usize = 16 * 1_024;

/// Bytes of one state packet: every path carries them in one datagram. Over it: a writer refuses the record, a client errors.
pub const STATE_BYTES_MAX: usize = 1_100;

/// Bytes that the header of a state packet can take: three varints, the rate, the count.
pub const STATE_HEADER_BYTES_MAX: usize = 3 * 9 + 1 + 2;

/// Entities in one view: with 65,536 indexes, at least 61,440 others are given away before an index comes again.
/// Over it: the server lets no more in, a client errors.
pub const ENTITIES_MAX: usize = 4_096;

/// Bytes of one sticky value: a name, a look, a title. Over it: the server leaves the component out, a client errors.
pub const STICKY_BYTES_MAX: usize = 4_096;

/// Bytes of the sticky values of one entity together, so that each Enter fits one View payload. Over it: as above.
pub const ENTITY_STICKY_BYTES_MAX: usize = 32 * 1_024;

/// Events that wait in a client's view to be drained: four full views. Over it: the oldest is dropped and counted.
pub const EVENTS_MAX: usize = 4 * ENTITIES_MAX;

/// Values that a client keeps of each state component: one for each baseline that a record may name, and the one before.
/// Over it: the oldest is overwritten.
pub const HISTORY_TICKS: usize = BASELINE_AGE_MAX as usize + 1;

/// Bits of a baseline's age on the wire.
pub const BASELINE_AGE_BITS: u32 = 5;

/// Ticks that a baseline may be old: 1.5 s at 20 Hz, half a second at 60. Over it: the record is sent whole.
pub const BASELINE_AGE_MAX: u8 = (1 << BASELINE_AGE_BITS) - 1;

/// Bits of a baseline's gap on the wire.
pub const BASELINE_GAP_BITS: u32 = 3;

/// Milliseconds of waiting that a delta packet can tell: all of one byte but the value that means "none". Longer waits are not told: the
/// client then keeps to what it knew.
pub const WAITED_MS_MAX: u8 = 254;

/// Ticks between the two values that a motion is predicted from: further apart says little of the present motion. Over it:
/// nothing is predicted.
pub const BASELINE_GAP_MAX: u8 = (1 << BASELINE_GAP_BITS) - 1;

/// Leaves of one view on their way: a client that applies no view does not make us forget where indexes are. Over it: nothing
/// enters until some arrived.
pub const LEAVING_MAX: usize = 4_096;
