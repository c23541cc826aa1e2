//! Replication: what each viewer is told after a tick.
//!
//! *Responsible for*: enters, leaves, sticky changes and state packets of every viewer. *Not responsible for*: reading
//! the world (`columns`), the bytes (`lightmoon_replica`), sending (the activation).
//!
//! Invariants:
//! - I1: a viewer's `seen` is exactly what its client shows once it applied all View payloads made so far.
//! - I2: the avatar is in every packet; of the others those that found no room come first in the next, or gain priority, so
//!   nobody starves.
//! - I3: nothing here calls code of the game: once the columns are collected, a tick can be published whole.

use std::time::Duration;

use lightmoon_contract::{Mono, SessionId, Tick};
use lightmoon_replica::{
    DeltaTable, Gather, Gathered, Gatherer, Holdings, LeaveReason, StateHead, StateWriter, ViewWriter,
};

use crate::columns::Columns;
use crate::identity::NetIds;
use crate::interest::{Circle, Grid, InterestOptions, square_distance};
use crate::limits::{BYTES_PER_SECOND_MIN, ENTER_BYTES_PER_TICK, REFRESH_TIME, STARVE_TIME};
use crate::overload::Rung;
use crate::report::Counters;
use crate::viewers::{Choice, Seen, Viewer, Viewers};

/// What a packet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PacketKind {
    /// Must arrive.
    View,
    /// May be lost; whole values.
    State,
    /// May be lost; against what the client has.
    Delta,
}

/// Bytes for one client.
#[derive(Debug)]
pub(crate) struct Packet<'a> {
    pub(crate) session: SessionId,
    pub(crate) generation: u32,
    pub(crate) kind: PacketKind,
    pub(crate) bytes: &'a [u8],
}

/// What all viewers of a tick share.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    /// When the tick began.
    pub(crate) began: Mono,
    pub(crate) tick: Tick,
    pub(crate) rate_hz: u8,
    pub(crate) columns: &'a Columns,
    pub(crate) ids: &'a NetIds,
    pub(crate) grid: &'a Grid,
    pub(crate) interest: Option<&'a InterestOptions>,
    pub(crate) choices: &'a Viewers,
    pub(crate) bytes_per_second: u32,
    /// What the zone gives up.
    pub(crate) rung: Rung,
}

impl Shared<'_> {
    /// Ticks from one state packet of a viewer to the next.
    fn interval(&self, viewer: &Viewer) -> u64 {
        self.rung.send_interval().max(viewer.send_every.into())
    }

    /// Whether a viewer's packet of this tick holds everything; `None`: there is none. Viewers take turns, so that each tick
    /// sends about as much.
    fn turn(&self, viewer: &Viewer) -> Option<bool> {
        let turn = viewer.number.wrapping_add(self.tick.0);
        let is_whole = turn.is_multiple_of(self.interval(viewer));
        let of_avatar = self.rung.avatar_interval().max(viewer.send_every.into());
        (is_whole || turn.is_multiple_of(of_avatar)).then_some(is_whole)
    }

    /// Bytes of a state packet of this tick.
    fn budget_bytes(&self, viewer: &Viewer, choice: Option<&Choice>) -> usize {
        let chosen = choice.and_then(|choice| choice.bytes_per_second);
        let per_second = u64::from(chosen.unwrap_or(self.bytes_per_second).max(BYTES_PER_SECOND_MIN));
        let bytes = per_second * self.interval(viewer) / u64::from(self.rate_hz.max(1));
        usize::try_from(bytes).unwrap_or(usize::MAX).min(viewer.budget_bytes)
    }
}

/// Buffers for one viewer at a time.
#[derive(Debug, Default)]
pub(crate) struct Replication {
    circle: Circle,
    gatherer: Gatherer,
    view: Vec<u8>,
    state: Vec<u8>,
}

impl Replication {
    /// Everything one viewer is told, given to `send` in order.
    pub(crate) fn serve(
        &mut self,
        shared: &Shared<'_>,
        deltas: &mut DeltaTable,
        viewer: &mut Viewer,
        counters: &mut Counters,
        send: &mut impl FnMut(Packet<'_>),
    ) {
        // Beside the viewer for the time of the tick, so that both can be changed.
        let mut holdings = viewer.holdings.take();
        let mut told = Told {
            tick: shared.tick,
            session: viewer.session,
            generation: viewer.generation,
            sequence: viewer.sequence,
            bytes_before: 0,
            writer: ViewWriter::new(shared.tick, viewer.sequence, std::mem::take(&mut self.view)),
        };
        if viewer.sequence == 0 {
            told.writer.layout(&shared.columns.schema);
            if holdings.is_some() {
                told.writer.fields(&shared.columns.schema);
            }
        }
        tell_news(shared, viewer, holdings.as_deref_mut(), counters, &mut told, send);
        find_place(shared, viewer);
        let old_count = if is_due(shared, viewer) {
            self.look(shared, viewer, holdings.as_deref_mut(), counters, &mut told, send)
        } else {
            viewer.seen.len()
        };
        (viewer.sequence, self.view) = told.finish(counters, send);
        let turn = shared.turn(viewer);
        counters.states_spared += u64::from(turn != Some(true));
        match (&mut holdings, turn) {
            (_, None) => {}
            (Some(holdings), Some(_)) => {
                self.tell_deltas(shared, deltas, viewer, holdings, counters, send);
            }
            (None, Some(is_whole)) => self.tell_state(shared, viewer, old_count, is_whole, counters, send),
        }
        viewer.holdings = holdings;
    }

    /// Finds who entered and who left. Gives how many of those seen now were seen before.
    fn look(
        &mut self,
        shared: &Shared<'_>,
        viewer: &mut Viewer,
        mut holdings: Option<&mut Holdings>,
        counters: &mut Counters,
        told: &mut Told,
        send: &mut impl FnMut(Packet<'_>),
    ) -> usize {
        let columns = shared.columns;
        self.circle.begin(columns.len(), viewer.seen.iter().map(|seen| seen.slot));
        // Before all others, so that it is never among those put off.
        if let Some(avatar) = viewer.avatar_slot.filter(|slot| columns.is_live(*slot)) {
            self.circle.include(avatar);
        }
        for slot in &columns.always {
            self.circle.include(*slot);
        }
        if let (Some(options), Some(centre)) = (shared.interest, viewer.centre) {
            let far = self.circle.entered.len();
            self.circle.look(shared.grid, options, centre);
            near_first(columns, centre, &mut self.circle.entered[far..]);
        }
        viewer.looked_at = viewer.centre;
        // Mostly all of them stay.
        if self.circle.stayed() < viewer.seen.len() {
            tell_leaves(&self.circle, viewer, holdings.as_deref_mut(), counters, told, send);
        }
        let old_count = viewer.seen.len();
        for slot in &self.circle.entered {
            let is_full = viewer.seen.len() >= lightmoon_replica::limits::ENTITIES_MAX;
            if is_full || told.bytes() >= ENTER_BYTES_PER_TICK {
                // The rest is looked for again in the next tick.
                counters.enters_deferred += 1;
                viewer.looked_at = None;
                continue;
            }
            let seen = &viewer.seen;
            let index = match &mut holdings {
                Some(holdings) => holdings.enter(*slot, shared.tick),
                None => Some(viewer.indexes.take(|index| seen.iter().any(|other| other.index == index))),
            };
            let Some(index) = index else {
                // Until the client has applied some of the many leaves on their way.
                counters.enters_deferred += 1;
                viewer.looked_at = None;
                continue;
            };
            let (id, mask, values) = (columns.id(*slot), columns.mask(*slot), columns.values(*slot));
            told.say(counters, send, |writer| writer.enter(&columns.schema, index, id, mask, &values));
            if let Some(holdings) = &mut holdings {
                holdings.entered(index, told.sequence);
            }
            viewer.seen.push(Seen { slot: *slot, index });
            counters.enters += 1;
        }
        old_count
    }

    /// The state packet: the avatar, then the first `old_count` of those seen from the cursor on. Those behind have
    /// just entered with their values of this very tick.
    fn tell_state(
        &mut self,
        shared: &Shared<'_>,
        viewer: &mut Viewer,
        old_count: usize,
        is_whole: bool,
        counters: &mut Counters,
        send: &mut impl FnMut(Packet<'_>),
    ) {
        let head = StateHead {
            tick: shared.tick,
            rate_hz: shared.rate_hz,
            input: 0,
            view_sequence: viewer.sequence,
        };
        let buffer = std::mem::take(&mut self.state);
        let schema = &shared.columns.schema;
        let budget_bytes = shared.budget_bytes(viewer, shared.choices.choice(viewer.session));
        let mut writer = StateWriter::new(schema, &head, budget_bytes, buffer);
        let old = &viewer.seen[..old_count];
        if let Some(avatar) = old.iter().find(|seen| Some(seen.slot) == viewer.avatar_slot) {
            let _ = push(shared.columns, &mut writer, *avatar);
        }
        let start = if viewer.cursor < old_count { viewer.cursor } else { 0 };
        viewer.cursor = start;
        let order = (start..old_count).chain(0..start).take(if is_whole { old_count } else { 0 });
        for (done, place) in order.enumerate() {
            let seen = old[place];
            if Some(seen.slot) != viewer.avatar_slot && !push(shared.columns, &mut writer, seen) {
                viewer.cursor = place;
                counters.state_deferred += (old_count - done) as u64;
                break;
            }
        }
        counters.states += 1;
        counters.state_records += u64::from(writer.count());
        let bytes = writer.finish();
        counters.state_bytes += bytes.len() as u64;
        self.send_state(viewer, PacketKind::State, bytes, send);
    }

    /// The state packet of a client that takes deltas: what it does not have, the avatar first, then by priority.
    fn tell_deltas(
        &mut self,
        shared: &Shared<'_>,
        deltas: &mut DeltaTable,
        viewer: &mut Viewer,
        holdings: &mut Holdings,
        counters: &mut Counters,
        send: &mut impl FnMut(Packet<'_>),
    ) {
        let columns = shared.columns;
        let choice = shared.choices.choice(viewer.session);
        let ticks = |time: Duration| u32::from(shared.rate_hz) * narrow_secs(time);
        let avatar = viewer.avatar_slot;
        let gather = Gather {
            rate_hz: shared.rate_hz,
            waited_ms: viewer.heard_at.take().and_then(|heard| waited_ms(shared.began.since(heard))),
            budget_bytes: shared.budget_bytes(viewer, choice),
            first: viewer.seen.iter().find(|seen| Some(seen.slot) == avatar).map(|seen| seen.index),
            only_first: shared.turn(viewer) != Some(true),
            refresh_ticks: ticks(REFRESH_TIME),
            starve_ticks: ticks(STARVE_TIME),
        };
        let reach = shared.interest.map_or(0.0, |options| options.squares().1);
        let weight = |slot: u32| {
            let nearness = match (columns.place(slot), viewer.centre) {
                (Some(place), Some(centre)) if reach > 0.0 => {
                    1.0 - (square_distance(centre, place) / reach).min(1.0)
                }
                _ => 0.0,
            };
            let is_target = choice.is_some_and(|choice| choice.targets.contains(&columns.id(slot)));
            weight_of(nearness, is_target)
        };
        let buffer = std::mem::take(&mut self.state);
        let (bytes, gathered) =
            holdings.gather(&columns.schema, deltas, &gather, weight, &mut self.gatherer, buffer);
        count(counters, &gathered, bytes.len());
        self.send_state(viewer, PacketKind::Delta, bytes, send);
    }

    fn send_state(
        &mut self,
        viewer: &Viewer,
        kind: PacketKind,
        bytes: Vec<u8>,
        send: &mut impl FnMut(Packet<'_>),
    ) {
        send(Packet { session: viewer.session, generation: viewer.generation, kind, bytes: &bytes });
        self.state = bytes;
    }
}

/// A wait as packets tell it.
fn waited_ms(waited: Duration) -> Option<u8> {
    u8::try_from(waited.as_millis()).ok().filter(|waited| *waited <= lightmoon_replica::limits::WAITED_MS_MAX)
}

fn count(counters: &mut Counters, gathered: &Gathered, bytes: usize) {
    counters.states += 1;
    counters.state_bytes += bytes as u64;
    counters.state_records += u64::from(gathered.records);
    counters.state_whole += u64::from(gathered.whole);
    counters.state_refreshed += u64::from(gathered.refreshed);
    counters.state_resting += u64::from(gathered.resting);
    counters.state_deferred += u64::from(gathered.deferred);
    counters.state_stalest_ticks = counters.state_stalest_ticks.max(gathered.stalest_ticks.into());
}

/// Priority per tick: four times as much at the viewer's place as at the border, as much again four times for targets.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 4 times 256")]
fn weight_of(nearness: f32, is_target: bool) -> u16 {
    let weight = ((1.0 + 3.0 * nearness) * 256.0) as u16;
    if is_target { weight.max(1_024) * 4 } else { weight }
}

fn narrow_secs(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).expect("bounds of staleness are seconds")
}

/// Sorts slots by their distance, so that what comes into view first is what can be touched.
fn near_first(columns: &Columns, centre: [f32; 2], slots: &mut [u32]) {
    let distance = |slot: u32| columns.place(slot).map_or(f32::MAX, |place| square_distance(centre, place));
    slots.sort_unstable_by(|one, other| distance(*one).total_cmp(&distance(*other)).then(one.cmp(other)));
}

/// Puts an entity into a packet; those without state take no room. `false`: it did not fit.
fn push(columns: &Columns, writer: &mut StateWriter, seen: Seen) -> bool {
    match columns.packed.get(seen.slot as usize) {
        Some(packed) if packed.state_mask != 0 => writer.push(seen.index, &packed),
        Some(_) | None => true,
    }
}

/// Leaves of those that are out of the circle.
fn tell_leaves(
    circle: &Circle,
    viewer: &mut Viewer,
    mut holdings: Option<&mut Holdings>,
    counters: &mut Counters,
    told: &mut Told,
    send: &mut impl FnMut(Packet<'_>),
) {
    retain(viewer, |seen| {
        let stays = circle.stays(seen.slot);
        if !stays {
            counters.leaves += 1;
            told.say(counters, send, |writer| writer.leave(seen.index, LeaveReason::OutOfView));
            if let Some(holdings) = &mut holdings {
                holdings.leave(seen.index, told.sequence);
            }
        }
        stays
    });
}

/// Leaves of those that are gone, changed sticky values, added and removed components.
fn tell_news(
    shared: &Shared<'_>,
    viewer: &mut Viewer,
    mut holdings: Option<&mut Holdings>,
    counters: &mut Counters,
    told: &mut Told,
    send: &mut impl FnMut(Packet<'_>),
) {
    let columns = shared.columns;
    if !columns.have_news(viewer.seen.iter().map(|seen| seen.slot)) {
        return;
    }
    retain(viewer, |seen| {
        if !columns.has_news(seen.slot) {
            return true;
        }
        if !columns.is_live(seen.slot) {
            let reason = if columns.is_gone(seen.slot) { LeaveReason::Gone } else { LeaveReason::OutOfView };
            counters.leaves += 1;
            told.say(counters, send, |writer| writer.leave(seen.index, reason));
            if let Some(holdings) = &mut holdings {
                holdings.leave(seen.index, told.sequence);
            }
            return false;
        }
        let (mask, before, values) =
            (columns.mask(seen.slot), columns.mask_before(seen.slot), columns.values(seen.slot));
        if mask != before {
            told.say(counters, send, |writer| {
                writer.mask(&columns.schema, seen.index, before, mask, &values)
            });
            if let Some(holdings) = &mut holdings {
                holdings.remask(seen.index, told.sequence);
            }
        }
        let mut changed = columns.sticky_changed(seen.slot);
        while changed != 0 {
            let position = u8::try_from(changed.trailing_zeros()).expect("a mask has 64 bits");
            let value = lightmoon_replica::EntityValues::sticky(&values, position);
            told.say(counters, send, |writer| writer.sticky(seen.index, position, value));
            changed &= changed - 1;
        }
        true
    });
}

/// Where the viewer stands now.
fn find_place(shared: &Shared<'_>, viewer: &mut Viewer) {
    let columns = shared.columns;
    let is_known = viewer.avatar_slot.is_some_and(|slot| {
        (slot as usize) < columns.len() && columns.id(slot) == viewer.avatar && !columns.is_gone(slot)
    });
    if !is_known {
        let slot = shared.ids.slot(viewer.avatar).and_then(|slot| u32::try_from(slot).ok());
        if slot != viewer.avatar_slot {
            viewer.looked_at = None;
        }
        viewer.avatar_slot = slot;
    }
    let place = viewer.avatar_slot.filter(|slot| columns.is_live(*slot)).and_then(|slot| columns.place(slot));
    viewer.centre = place.or(viewer.centre);
}

/// Whether the viewer's circle is looked at in this tick: it is its turn, it was put elsewhere, or something came to be near it. A zone
/// that sheds load lets the last wait for the turn.
fn is_due(shared: &Shared<'_>, viewer: &Viewer) -> bool {
    let (Some(options), Some(before), Some(now)) = (shared.interest, viewer.looked_at, viewer.centre) else {
        return true;
    };
    let sheds = shared.rung.send_interval();
    let stagger = u64::from(options.stagger.max(1)).max(sheds);
    let moved = (now[0] - before[0]).abs().max((now[1] - before[1]).abs());
    (viewer.number + shared.tick.0).is_multiple_of(stagger)
        || moved > options.cell_side()
        || (sheds <= 1 && shared.columns.has_arrival(now, options.squares().0))
}

/// Keeps those for which `keep` says so, in order; the cursor stays before the same entity.
fn retain(viewer: &mut Viewer, mut keep: impl FnMut(Seen) -> bool) {
    let mut at = 0;
    let (cursor, mut moved) = (viewer.cursor, 0);
    viewer.seen.retain(|seen| {
        let stays = keep(*seen);
        moved += usize::from(!stays && at < cursor);
        at += 1;
        stays
    });
    viewer.cursor = cursor - moved;
}

/// The View payloads of one viewer and tick.
struct Told {
    tick: Tick,
    session: SessionId,
    generation: u32,
    sequence: u64,
    /// Bytes of the payloads that were sent already.
    bytes_before: usize,
    writer: ViewWriter,
}

impl Told {
    /// Bytes so far.
    fn bytes(&self) -> usize {
        self.bytes_before + self.writer.len()
    }

    /// Writes an event; in the next payload if this one is full or has no room.
    fn say(
        &mut self,
        counters: &mut Counters,
        send: &mut impl FnMut(Packet<'_>),
        write: impl Fn(&mut ViewWriter) -> bool,
    ) {
        if !self.writer.is_full() && write(&mut self.writer) {
            return;
        }
        self.next(counters, send);
        let is_written = write(&mut self.writer);
        debug_assert!(is_written, "the limits let every event fit an empty payload");
    }

    fn next(&mut self, counters: &mut Counters, send: &mut impl FnMut(Packet<'_>)) {
        let next = ViewWriter::new(self.tick, self.sequence + 1, Vec::new());
        let bytes = std::mem::replace(&mut self.writer, next).finish();
        self.bytes_before += bytes.len();
        self.send(&bytes, counters, send);
    }

    fn send(&mut self, bytes: &[u8], counters: &mut Counters, send: &mut impl FnMut(Packet<'_>)) {
        counters.views += 1;
        counters.view_bytes += bytes.len() as u64;
        send(Packet { session: self.session, generation: self.generation, kind: PacketKind::View, bytes });
        self.sequence += 1;
    }

    /// Sends what is left. Gives the sequence of the next payload, and the buffer.
    fn finish(self, counters: &mut Counters, send: &mut impl FnMut(Packet<'_>)) -> (u64, Vec<u8>) {
        let Self { session, generation, sequence, writer, .. } = self;
        let is_empty = writer.is_empty();
        let bytes = writer.finish();
        if is_empty {
            return (sequence, bytes);
        }
        counters.views += 1;
        counters.view_bytes += bytes.len() as u64;
        send(Packet { session, generation, kind: PacketKind::View, bytes: &bytes });
        (sequence + 1, bytes)
    }
}
