//! What a zone says about itself, for the console and metrics.

use std::time::Duration;

use lightmoon_contract::Tick;

use crate::overload::Rung;
use crate::tick_times::TickTimes;

/// A look at a zone between two ticks. [`lightmoon_actor::Activation::report`] gives it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct ZoneReport {
    /// The last tick that ran.
    pub tick: Tick,
    /// Ticks per second.
    pub rate_hz: u16,
    /// Entities with an identity, disabled ones included.
    pub entities: usize,
    /// Slots in the columns: the most entities that there were at once, and those that went in one tick.
    pub slots: usize,
    /// Sessions that look at the zone.
    pub viewers: usize,
    /// How long the phases of the last tick took, by [`crate::ZoneOptions::probe`].
    pub phases: Phases,
    /// The same of all ticks together.
    pub phases_total: Phases,
    /// How long ticks took.
    pub tick_times: TickTimes,
    /// The longest tick so far.
    pub longest_tick: Duration,
    /// What it gives up now, since its ticks take too long.
    pub rung: Rung,
    /// What was counted since the activation began.
    pub counters: Counters,
}

/// How long each phase of one tick took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Phases {
    /// The schedules `First`, `Update` and `Last`, and the rotation of messages.
    pub schedules: Duration,
    /// Reading components, quantising, encoding.
    pub collect: Duration,
    /// Sorting places into the grid.
    pub grid: Duration,
    /// Enter, leave and state of every viewer.
    pub replication: Duration,
    /// Handing messages and packets to the worker.
    pub send: Duration,
}

impl Phases {
    /// The whole tick.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.schedules + self.collect + self.grid + self.replication + self.send
    }
}

impl std::ops::AddAssign for Phases {
    fn add_assign(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.collect += other.collect;
        self.grid += other.grid;
        self.replication += other.replication;
        self.send += other.send;
    }
}

/// Counts since the activation began; they only grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Ticks that ran.
    pub ticks: u64,
    /// Ticks given up because the zone was too late.
    pub ticks_skipped: u64,
    /// Steps up the ladder of overload, from [`Rung::Calm`] on.
    pub overload_climbs: u64,
    /// Ticks in which [`crate::Optional`] systems rested.
    pub optional_rested: u64,
    /// State packets of viewers that were left out, or held to their own avatar.
    pub states_spared: u64,
    /// Ticks in which viewers saw less far.
    pub ticks_narrowed: u64,
    /// Operations served.
    pub operations: u64,
    /// State packets made.
    pub states: u64,
    /// Their bytes.
    pub state_bytes: u64,
    /// Records in them: one entity for one viewer.
    pub state_records: u64,
    /// Entities that were in view but found no room in a packet; they go first in the next.
    pub state_deferred: u64,
    /// Records that said everything anew, since the client had nothing to build on or that would have been longer.
    pub state_whole: u64,
    /// Records of entities that rest, sent again after [`crate::limits::REFRESH_TIME`].
    pub state_refreshed: u64,
    /// Entities in view that rest, left out of a packet: once per packet.
    pub state_resting: u64,
    /// The most ticks that an entity which changed was in no packet of a viewer that sees it.
    pub state_stalest_ticks: u64,
    /// Messages of clients that told what arrived.
    pub receipts: u64,
    /// View payloads made.
    pub views: u64,
    /// Their bytes.
    pub view_bytes: u64,
    /// Entities that came into somebody's view.
    pub enters: u64,
    /// Entities that left somebody's view.
    pub leaves: u64,
    /// Enters put off to a later tick because a viewer's view or its share of a tick was full.
    pub enters_deferred: u64,
    /// Sticky values left out because they were too large, once per tick and value.
    pub sticky_oversized: u64,
    /// Messages of systems that were dropped because a tick queued too many.
    pub outgoing_dropped: u64,
    /// Messages of systems that could not be sent.
    pub outgoing_refused: u64,
    /// Subscriptions refused because the zone has too many viewers.
    pub viewers_refused: u64,
    /// Players that asked to enter and got no avatar: the zone is full or said no.
    pub visits_refused: u64,
}
