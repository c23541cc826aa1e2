//! Every bound of zones, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers. *Not responsible for*: bounds of the wire (`lightmoon_replica::limits`).

/// Ticks per second: beyond it a browser shows nothing new, and a tick is shorter than a timer's error. Clamped.
pub const RATE_HZ_MAX: u16 = 60;

/// Ticks per second of a zone that says nothing.
pub const RATE_HZ_DEFAULT: u16 = 20;

/// Ticks run at once when a zone is late: one that is due and one to catch up. More would make everybody's world jump.
pub const BURST_TICKS_MAX: u32 = 2;

/// Ticks a zone may lag behind and still catch up. Beyond it they are skipped and counted: time stretches.
pub const LATE_TICKS_MAX: u64 = 5;

/// Cells of the interest grid: 1 MiB of starts, cleared each tick. Over it: cells grow.
pub const GRID_CELLS_MAX: usize = 256 * 1_024;

/// Bytes of enters that one viewer is sent in one tick, so that a late join does not fill its lane. Over it: the other
/// entities enter in the next ticks.
pub const ENTER_BYTES_PER_TICK: usize = 48 * 1_024;

/// Viewers of one zone. Over it: a subscription is refused and counted.
pub const VIEWERS_MAX: usize = 8_192;

/// Messages that systems of one tick queue. Over it: the newest are dropped and counted.
pub const OUTGOING_MAX: usize = 65_536;

/// Zones of one kind that are remembered on one worker. Over it: of those that ended, the one with the lowest key is
/// forgotten; its next activation starts at tick 0 like a new zone.
pub const REMEMBERED_MAX: usize = 4_096;
