//! Every bound of zones, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers. *Not responsible for*: bounds of the wire (`lightmoon_replica::limits`).

use std::time::Duration;

use lightmoon_contract::Limits;

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

/// Bytes of state that one viewer is sent in a second if nothing else is said: what a mobile connection carries ten times
/// over, and at 20 Hz more than one datagram per tick.
pub const BYTES_PER_SECOND_DEFAULT: u32 = 32_000;

/// The least budget of a viewer: a record or two of each tick at 20 Hz. Clamped.
pub const BYTES_PER_SECOND_MIN: u32 = 1_000;

/// Time after which what rests is sent again, so that no view is wrong for long whatever happened. No entity is staler than
/// this, and the way, while the budget suffices.
pub const REFRESH_TIME: Duration = Duration::from_secs(2);

/// Time after which what found no room goes before what is near. With a budget for one of `n` entities, the stalest is about
/// `n` ticks old.
pub const STARVE_TIME: Duration = Duration::from_secs(1);

/// Places of a tick where something came to be that are compared with each viewer's: as long as looking around costs. Over it: every
/// viewer looks around in this tick.
pub const ARRIVALS_MAX: usize = 32;

/// Targets of one viewer: who is fought and healed at once. Over it: the rest is not preferred.
pub const TARGETS_MAX: usize = 8;

/// Bytes of memory that state packets are cut from, some hundred out of one allocation. The last of them to leave frees it. Over it:
/// the next allocation.
pub const CHUNK_BYTES: usize = 32 * 1_024;

/// Viewers of one zone. Over it: a subscription is refused and counted.
pub const VIEWERS_MAX: usize = 8_192;

/// Messages that systems of one tick queue. Over it: the newest are dropped and counted.
pub const OUTGOING_MAX: usize = 65_536;

/// Zones of one kind that are remembered on one worker. Over it: of those that ended, the one with the lowest key is
/// forgotten; its next activation starts at tick 0 like a new zone.
pub const REMEMBERED_MAX: usize = 4_096;

/// Time between two snapshots of a zone that says nothing: what players forgive after a crash.
pub const MAX_LOSS_DEFAULT: Duration = Duration::from_secs(10);

/// The shortest time between two snapshots: a large zone takes about a second to write. Clamped.
pub const MAX_LOSS_MIN: Duration = Duration::from_secs(1);

/// The longest time between two snapshots: the longest loss that an operation may promise. Clamped.
pub const MAX_LOSS_MAX: Duration = Duration::from_secs(60);

/// Reading what is stored: we wrote it and its checksum is right, so this bounds only what a build would do that reads it
/// wrongly. A part of a snapshot has 96 KiB, one value at most all parts of a snapshot, 24 MiB; 16 times as much memory is
/// the relation of messages between nodes. Over it: the actor is not started.
pub const STORED: Limits = Limits {
    input_bytes: 32 * 1_024 * 1_024,
    allocation_bytes: 512 * 1_024 * 1_024,
    nesting: Limits::NODE.nesting,
    strict: false,
};

/// Part of a tick's period, in percent, from which on a tick is too long: above it a zone shares a core with others, and the rest of
/// its node, no more. Over it in half of the ticks of half a second: one rung up ([`crate::Rung`]); counted in
/// [`crate::Counters::overload_climbs`].
pub const OVER_PERCENT: u128 = 75;

/// Part of a tick's period, in percent, up to which a tick is calm: less than half of [`OVER_PERCENT`] of it twice, since a rung down may
/// bring back as much again.
pub const CALM_PERCENT: u128 = 40;

/// Half seconds of calm before a zone takes one rung back: 4 s, longer than players take for a fight.
pub const CALM_AFTER_WINDOWS: u32 = 8;

/// The most of them: it doubles each time that the rung was needed again at once, up to 64 s.
pub const CALM_AFTER_WINDOWS_MAX: u32 = 128;

/// Of an overloaded zone, optional systems run in one tick of so many: five times a second at 20 Hz. Counted in
/// [`crate::Counters::optional_rested`].
pub const OPTIONAL_EVERY: u64 = 4;

/// Part of the radius of interest that is left on the last rung: half of the area, so about half of what viewers see. Counted in
/// [`crate::Counters::ticks_narrowed`].
pub const RADIUS_NARROW: f32 = 0.7;

/// How long a player may have no session before its avatar leaves its zone: a page that is loaded again takes less. A connection
/// that broke has its session for longer, so it does not count.
pub const VISIT_GRACE: Duration = Duration::from_secs(2);

/// Pause before a player that its zone refused asks again, the first time; then twice as long each time, up to
/// [`VISIT_AGAIN_MAX`]. Refusals are counted in [`crate::Counters::visits_refused`].
pub const VISIT_AGAIN_MIN: Duration = Duration::from_millis(250);

/// See [`VISIT_AGAIN_MIN`]: a player that a full zone refuses is not forgotten, and costs next to nothing.
pub const VISIT_AGAIN_MAX: Duration = Duration::from_secs(10);

/// Pause before a player asks its zone again that did not answer, the first time; then twice as long each time, up to
/// [`VISIT_UNANSWERED_MAX`]. The zone fails over this player; three failures within a minute would set it aside for everybody.
pub const VISIT_UNANSWERED_MIN: Duration = Duration::from_secs(40);

/// See [`VISIT_UNANSWERED_MIN`]: the longest that a player waits who could enter again, after the game was mended by a new build.
pub const VISIT_UNANSWERED_MAX: Duration = Duration::from_secs(10 * 60);

/// Time after which a player that was attached asks once more whether its avatar is still the same: longer than a message is on its
/// way.
pub const VISIT_LOOK_AFTER: Duration = Duration::from_secs(2);

/// How long an avatar stays whose player does not look at the zone: longer than clients take to come back after a crash.
pub const ADRIFT_AFTER: Duration = Duration::from_secs(30);
/// Names of things on a chart: more colours than an eye tells apart. More is a fault of the game, and the zone does not begin.
pub const CHART_NAMES_MAX: usize = 16;
