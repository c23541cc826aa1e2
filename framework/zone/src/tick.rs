//! One zone at work: its world, its clock, its viewers.
//!
//! *Responsible for*: the phases of a tick in their order, subscriptions, the report.
//! *Not responsible for*: being an actor (`kind`).
//!
//! ```text
//! schedules First, Update, Last ─► rotate messages ─► collect ─► grid ─► flush Outgoing ─► per viewer: View, State ─► clear trackers
//! └──────────── code of the game: a panic here publishes nothing of this tick ────┘
//! ```
//!
//! Invariants:
//! - I1: what leaves is a function of (activation, operations, ticks, seed): viewers are served in order of their sessions.
//! - I2: nothing leaves before all code of the game has run.

use std::collections::BTreeMap;
use std::time::Duration;

use bevy_ecs::change_detection::Tick as ChangeTick;
use bevy_ecs::message::MessageRegistry;
use bevy_ecs::prelude::*;
use bytes::{Bytes, BytesMut};
use lightmoon_actor::reserved::{ToActor, ToSession};
use lightmoon_actor::{Cx, Save, Unsavable};
use lightmoon_contract::{CallError, Caller, Mono, NetId, SessionId, Tick};
use lightmoon_durable::{Loaded, Saved};
use lightmoon_replica::{DeltaTable, Holdings, Receipt};

use crate::build::{Collectors, Zone, ZoneBuilder};
use crate::chart::{self, Cartographer, ZoneChart};
use crate::columns::Columns;
use crate::identity::NetIds;
use crate::interest::{Grid, InterestOptions};
use crate::limits::{CHUNK_BYTES, RATE_HZ_DEFAULT, VIEWERS_MAX};
use crate::look::{self, ZoneLook};
use crate::options::{Probe, ZoneOptions};
use crate::outgoing::Outgoing;
use crate::overload::{self, Ladder, Overload};
use crate::persist::error::ReadError;
use crate::persist::touched::Persisted;
use crate::persist::{form, restore};
use crate::phase;
use crate::random::ZoneRandom;
use crate::replication::{Packet, PacketKind, Replication, Shared};
use crate::report::{Counters, PhaseTimes, Phases, ZoneReport};
use crate::schedule::{First, Last, Update};
use crate::tick_times::TickTimes;
use crate::time::{TickClock, TickRate, ZoneTime};
use crate::viewers::{Viewer, ViewerInfo, Viewers};
use crate::visit::Hosting;

/// Where the world of an activation comes from.
pub(crate) enum Origin {
    /// A zone that keeps nothing; the last tick that ran on this worker.
    Anew(Tick),
    /// What the store has.
    Stored(Loaded),
}

impl Origin {
    /// The last tick that ran.
    fn tick(&self) -> Result<Tick, ReadError> {
        let loaded = match self {
            Self::Anew(tick) => return Ok(*tick),
            Self::Stored(loaded) => loaded,
        };
        let shown = loaded.snapshot.as_ref().map_or(0, |snapshot| snapshot.tick);
        let beside = loaded.entities.iter().find(|(id, _)| *id == form::tick_id());
        let committed = beside.and_then(|(_, row)| row.as_ref()).map_or(Ok(0), form::read_tick)?;
        Ok(Tick(shown.max(committed)))
    }

    /// Ids given before the world is built. Until a first snapshot is stored a zone begins anew: what `build` and
    /// `populate` make gets the same ids as before, so that rows of `sync` operations find it.
    pub(crate) fn ids_before(&self) -> u64 {
        match self {
            Self::Stored(Loaded { snapshot: Some(_), ids, .. }) => *ids,
            Self::Stored(_) | Self::Anew(_) => 0,
        }
    }

    /// Fills the built world; gives whether it is then what the newest snapshot shows.
    fn fill<Z: Zone>(&self, builder: &mut ZoneBuilder<'_>) -> Result<bool, ReadError> {
        let loaded = match self {
            Self::Anew(_) => {
                Z::populate(builder);
                return Ok(false);
            }
            Self::Stored(loaded) => loaded,
        };
        if loaded.snapshot.is_none() {
            Z::populate(builder);
        }
        let (world, Some(policy)) = builder.kept() else { return Ok(false) };
        if let Some(snapshot) = &loaded.snapshot {
            let head = restore::snapshot(world, policy, &snapshot.parts)?;
            if head.tick != snapshot.tick {
                return Err(ReadError::Check { tick: snapshot.tick });
            }
            world.resource::<NetIds>().go_on_behind(head.ids);
        }
        world.flush();
        world.resource::<NetIds>().go_on_behind(loaded.ids);
        for (id, row) in &loaded.entities {
            restore::row(world, policy, *id, row.as_ref())?;
        }
        Ok(loaded.snapshot.is_some() && loaded.entities.is_empty())
    }
}

/// A zone at work.
pub(crate) struct TickLoop {
    pub(crate) world: World,
    hosting: Option<Hosting>,
    clock: TickClock,
    collectors: Collectors,
    columns: Columns,
    deltas: DeltaTable,
    bytes_per_second: u32,
    #[cfg(feature = "flaws")]
    flaw: Option<lightmoon_replica::Flaw>,
    grid: Grid,
    replication: Replication,
    chunk: Chunk,
    viewers: BTreeMap<SessionId, Viewer>,
    viewers_ever: u64,
    rotated_at: ChangeTick,
    probe: Probe,
    ladder: Ladder,
    phases: Phases,
    phases_total: Phases,
    tick_times: TickTimes,
    times: PhaseTimes,
    longest_tick: Duration,
    pub(crate) counters: Counters,
}

impl TickLoop {
    /// Builds the world of the zone: anew if it is not kept or was never stored, else as it is stored.
    pub(crate) fn new<Z: Zone>(
        options: &ZoneOptions,
        hosting: Option<Hosting>,
        ids: NetIds,
        cx: &Cx,
        origin: &Origin,
    ) -> Result<Self, ReadError> {
        let mut world = World::new();
        let tick = origin.tick()?;
        world.insert_resource(TickRate::new(RATE_HZ_DEFAULT));
        world.insert_resource(ZoneTime::new(tick, RATE_HZ_DEFAULT, cx.now()));
        world.insert_resource(ZoneRandom::new(cx.random()));
        world.insert_resource(ids);
        world.init_resource::<Outgoing>();
        world.init_resource::<Viewers>();
        world.init_resource::<Cartographer>();
        world.init_resource::<MessageRegistry>();
        overload::install(&mut world);
        let mut builder = ZoneBuilder::new::<Z>(&mut world, cx.key());
        if hosting.is_some() {
            builder.host();
        }
        Z::build(&mut builder);
        builder.built();
        let is_as_stored = origin.fill::<Z>(&mut builder)?;
        let collectors = builder.finish().into_collectors(&mut world);
        world.flush();
        if let Some(mut persisted) = world.remove_resource::<Persisted>() {
            if is_as_stored {
                persisted.is_as_stored(&mut world);
            }
            world.insert_resource(persisted);
        }
        let rate_hz = world.resource::<TickRate>().hz();
        world.insert_resource(ZoneTime::new(tick, rate_hz, cx.now()));
        let mut schedules = world.get_resource_or_init::<Schedules>();
        schedules.entry(First);
        schedules.entry(Update);
        schedules.entry(Last);
        Ok(Self {
            clock: TickClock::new(cx.now(), rate_hz),
            columns: Columns::new(collectors.schema.clone()),
            deltas: DeltaTable::new(collectors.schema.clone()),
            bytes_per_second: options.bytes_per_second,
            #[cfg(feature = "flaws")]
            flaw: options.flaw,
            collectors,
            world,
            hosting,
            grid: Grid::default(),
            replication: Replication::default(),
            chunk: Chunk::default(),
            viewers: BTreeMap::new(),
            viewers_ever: 0,
            rotated_at: ChangeTick::default(),
            probe: options.probe,
            ladder: Ladder::default(),
            phases: Phases::default(),
            phases_total: Phases::default(),
            tick_times: TickTimes::default(),
            times: PhaseTimes::default(),
            longest_tick: Duration::ZERO,
            counters: Counters::default(),
        })
    }

    /// What comes is a `sync` operation, or something else.
    pub(crate) fn begin_operation(&mut self, is_sync: bool) {
        if self.world.get_resource::<Persisted>().is_none_or(|persisted| persisted.is_open() == is_sync) {
            return;
        }
        self.persisted(
            |persisted, world| if is_sync { persisted.open(world) } else { persisted.close(world) },
        );
    }

    /// What has to be stored; `None`: the zone keeps nothing.
    pub(crate) fn save(&mut self, what: Save) -> Option<Result<Saved, Unsavable>> {
        self.persisted(|persisted, world| persisted.save(world, what))
    }

    fn persisted<T>(&mut self, act: impl FnOnce(&mut Persisted, &mut World) -> T) -> Option<T> {
        if !self.world.contains_resource::<Persisted>() {
            return None;
        }
        Some(self.world.resource_scope(|world, mut persisted: Mut<'_, Persisted>| act(&mut persisted, world)))
    }

    /// Runs the ticks that are due. Gives the time of the next.
    pub(crate) fn run_due(&mut self, cx: &mut Cx, mut after_tick: impl FnMut(Tick)) -> Mono {
        let mut already = 0;
        while self.clock.take_due(cx.now(), already) {
            self.tick(cx);
            after_tick(self.world.resource::<ZoneTime>().tick());
            already += 1;
        }
        self.counters.ticks_skipped += self.clock.skip_late(cx.now());
        self.clock.next_due()
    }

    /// When the next tick is due.
    pub(crate) fn next_due(&self) -> Mono {
        self.clock.next_due()
    }

    fn tick(&mut self, cx: &mut Cx) {
        let began = (self.probe)();
        self.begin_operation(false);
        let rate_hz = self.world.resource::<TickRate>().hz();
        self.clock.set_rate(rate_hz);
        self.world.resource_mut::<ZoneTime>().begin_tick(rate_hz, cx.now());
        cx.note_phase(phase::FIRST);
        if let Some(hosting) = self.hosting {
            hosting.let_adrift_go(&mut self.world);
        }
        self.world.run_schedule(First);
        cx.note_phase(phase::UPDATE);
        self.world.run_schedule(Update);
        cx.note_phase(phase::LAST);
        self.world.run_schedule(Last);
        cx.note_phase(phase::COLLECT);
        rotate_messages(&mut self.world, &mut self.rotated_at);
        let scheduled = (self.probe)();
        let is_watched = !self.viewers.is_empty();
        self.collect(is_watched);
        let collected = (self.probe)();
        cx.note_phase(phase::GRID);
        let interest = self.collectors.interest.as_ref().filter(|_| is_watched);
        let interest = interest.map(|options| options.scaled(self.ladder.rung().radius_scale()));
        if let Some(options) = &interest {
            self.grid.build(options, &self.columns.places);
        }
        let sorted = (self.probe)();
        cx.note_phase(phase::SEND);
        // From here on no code of the game runs: what the tick made is published whole.
        self.flush(cx);
        let flushed = (self.probe)();
        cx.note_phase(phase::REPLICATION);
        self.serve_viewers(rate_hz, interest.as_ref(), cx);
        self.world.resource_mut::<NetIds>().recycle();
        self.world.clear_trackers();
        let served = (self.probe)();
        self.counters.ticks += 1;
        self.phases = Phases {
            schedules: scheduled.since(began),
            collect: collected.since(scheduled),
            grid: sorted.since(collected),
            replication: served.since(flushed),
            send: flushed.since(sorted),
        };
        self.phases_total += self.phases;
        self.tick_times.add(self.phases.total());
        self.times.add(&self.phases);
        self.longest_tick = self.longest_tick.max(self.phases.total());
        self.shed(rate_hz);
    }

    /// Decides what the next tick gives up, by how long this one took.
    fn shed(&mut self, rate_hz: u16) {
        let (overload, time) = (self.world.resource::<Overload>(), self.world.resource::<ZoneTime>());
        self.counters.optional_rested += u64::from(!overload::optional_runs(overload, time));
        let before = self.ladder.rung();
        self.counters.ticks_narrowed += u64::from(before.radius_scale() < 1.0);
        if let Some(rung) = self.ladder.after_tick(self.phases.total(), rate_hz) {
            self.counters.overload_climbs += u64::from(rung > before);
            self.world.insert_resource(Overload::from(rung));
        }
    }

    /// Reads the world for those who look.
    fn collect(&mut self, is_watched: bool) {
        if !is_watched {
            self.columns.forget();
            self.deltas.clear();
            return;
        }
        let (mut packs, mut deltas) = (false, false);
        for viewer in self.viewers.values() {
            deltas |= viewer.holdings.is_some();
            packs |= viewer.holdings.is_none();
        }
        let Collectors { presence, components, interest, .. } = &mut self.collectors;
        let stride = interest.as_ref().map_or(f32::INFINITY, InterestOptions::cell_side);
        self.columns.collect(&self.world, presence, components, packs, stride);
        self.counters.sticky_oversized += self.columns.oversized;
        if deltas {
            let tick = self.world.resource::<ZoneTime>().tick();
            self.deltas.collect(tick, self.columns.rows(), self.columns.masks());
        } else {
            self.deltas.clear();
        }
    }

    /// Sends what systems and observers queued.
    pub(crate) fn flush(&mut self, cx: &mut Cx) {
        // Most operations queue nothing, and taking the queue out of the world costs more than all else of a small one.
        if self.world.resource_mut::<Outgoing>().bypass_change_detection().is_idle() {
            return;
        }
        let counters = &mut self.counters;
        self.world.resource_scope(|world, mut outgoing: Mut<'_, Outgoing>| {
            let (dropped, refused) = outgoing.flush(world.resource::<Viewers>(), cx);
            counters.outgoing_dropped += dropped;
            counters.outgoing_refused += refused;
        });
    }

    fn serve_viewers(&mut self, rate_hz: u16, interest: Option<&InterestOptions>, cx: &mut Cx) {
        let shared = Shared {
            began: self.world.resource::<ZoneTime>().now(),
            tick: self.world.resource::<ZoneTime>().tick(),
            rate_hz: u8::try_from(rate_hz).expect("a rate is at most 60"),
            columns: &self.columns,
            ids: self.world.resource::<NetIds>(),
            grid: &self.grid,
            interest,
            choices: self.world.resource::<Viewers>(),
            bytes_per_second: self.bytes_per_second,
            rung: self.ladder.rung(),
        };
        let (deltas, counters, chunk) = (&mut self.deltas, &mut self.counters, &mut self.chunk);
        for viewer in self.viewers.values_mut() {
            self.replication.serve(&shared, deltas, viewer, counters, &mut |packet| send(cx, chunk, &packet));
        }
    }

    /// A player wants to be here; it is told its avatar.
    pub(crate) fn enter(&mut self, cx: &mut Cx, player: u64, session: SessionId) -> Result<(), CallError> {
        let (Some(hosting), Caller::Actor(visitor)) = (self.hosting, cx.caller()) else {
            return Err(CallError::NotAllowed);
        };
        self.begin_operation(false);
        let avatar = hosting.enter(&mut self.world, player);
        self.counters.visits_refused += u64::from(avatar.is_none());
        cx.tell_actor(visitor, ToActor::Entered { session, avatar: avatar.unwrap_or(NetId::NONE) });
        self.flush(cx);
        Ok(())
    }

    /// A player is here no more.
    pub(crate) fn leave(&mut self, cx: &mut Cx, player: u64) -> Result<(), CallError> {
        let hosting = self.hosting.ok_or(CallError::NotAllowed)?;
        self.begin_operation(false);
        hosting.leave(&mut self.world, player);
        self.flush(cx);
        Ok(())
    }

    /// A session looks at the zone from now on. It is told everything with the next tick.
    pub(crate) fn subscribe(
        &mut self,
        info: ViewerInfo,
        generation: u32,
        budget_bytes: usize,
        takes_deltas: bool,
    ) {
        if self.viewers.len() >= VIEWERS_MAX && !self.viewers.contains_key(&info.session) {
            self.counters.viewers_refused += 1;
            return;
        }
        self.viewers_ever += 1;
        let holdings = takes_deltas.then(|| Holdings::new(self.world.resource::<ZoneTime>().tick()));
        #[cfg(feature = "flaws")]
        let holdings = holdings.map(|mut holdings| {
            holdings.set_flaw(self.flaw);
            holdings
        });
        let viewer = Viewer::new(&info, generation, budget_bytes, self.viewers_ever, holdings);
        self.viewers.insert(info.session, viewer);
        self.world.resource_mut::<Viewers>().insert(info);
    }

    /// A session tells what arrived.
    pub(crate) fn received(&mut self, now: Mono, session: SessionId, receipt: &Receipt) {
        let viewer = self.viewers.get_mut(&session).filter(|viewer| viewer.generation == receipt.generation);
        if let Some(viewer) = viewer
            && let Some(holdings) = &mut viewer.holdings
        {
            holdings.receive(receipt, viewer.sequence);
            viewer.heard_at = Some(now);
            self.counters.receipts += 1;
        }
    }

    /// A session looks away; nothing is kept of it. An end of an older attachment changes nothing.
    pub(crate) fn unsubscribe(&mut self, session: SessionId, generation: u32) {
        if self.viewers.get(&session).is_some_and(|viewer| viewer.generation == generation) {
            self.viewers.remove(&session);
            self.world.resource_mut::<Viewers>().remove(session);
        }
    }

    /// What viewers may see.
    pub(crate) fn look(&self) -> ZoneLook {
        look::of(&self.world)
    }

    /// Where its things are.
    pub(crate) fn chart(&self, places_max: usize) -> ZoneChart {
        chart::of(&self.world, places_max)
    }

    /// A look at the zone.
    pub(crate) fn report(&self) -> ZoneReport {
        let time = self.world.resource::<ZoneTime>();
        ZoneReport {
            tick: time.tick(),
            rate_hz: time.rate_hz(),
            entities: self.world.resource::<NetIds>().len(),
            slots: self.world.resource::<NetIds>().slot_count(),
            viewers: self.viewers.len(),
            phases: self.phases,
            phases_total: self.phases_total,
            tick_times: self.tick_times,
            times: self.times,
            longest_tick: self.longest_tick,
            rung: self.ladder.rung(),
            counters: self.counters,
        }
    }
}

/// Drops messages between systems that every reader has met.
pub(crate) fn rotate_messages(world: &mut World, rotated_at: &mut ChangeTick) {
    let last = *rotated_at;
    world.resource_scope(|world, mut registry: Mut<'_, MessageRegistry>| registry.run_updates(world, last));
    *rotated_at = world.change_tick();
}

/// Memory that many state packets are cut from: they leave within the same turn, or are dropped for newer ones.
#[derive(Default)]
struct Chunk(BytesMut);

impl Chunk {
    fn cut(&mut self, bytes: &[u8]) -> Bytes {
        if self.0.capacity() < bytes.len() {
            self.0 = BytesMut::with_capacity(CHUNK_BYTES.max(bytes.len()));
        }
        self.0.extend_from_slice(bytes);
        self.0.split().freeze()
    }
}

fn send(cx: &mut Cx, chunk: &mut Chunk, packet: &Packet<'_>) {
    let generation = packet.generation;
    let bytes = match packet.kind {
        // It may wait for a slow client, and would hold what it was cut from.
        PacketKind::View => Bytes::copy_from_slice(packet.bytes),
        PacketKind::State | PacketKind::Delta => chunk.cut(packet.bytes),
    };
    let message = match packet.kind {
        PacketKind::View => ToSession::View { generation, bytes },
        PacketKind::State => ToSession::State { generation, bytes, is_delta: false },
        PacketKind::Delta => ToSession::State { generation, bytes, is_delta: true },
    };
    cx.tell_session(packet.session, message);
}
