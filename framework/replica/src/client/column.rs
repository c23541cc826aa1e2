//! The last values of one state component of all entities in view: one row for each entity and each of the last ticks.
//!
//! *Responsible for*: which value a component had at a tick. *Not responsible for*: which entities have it (`entity`).
//!
//! Rows of one tick lie together. A packet is of one tick, and is written against one or two others: it runs over a few short
//! stretches of memory, and not over all that is known of each entity in it. A program of a thousand clients has far more of
//! it than any cache holds.
//!
//! ```text
//!                  slot 0          slot 1
//! ticks 0, 32, ..  round, fields   round, fields   ..
//! ticks 1, 33, ..  round, fields   round, fields   ..
//! ..
//! set aside                fields          fields  ..     the newest of those that were overwritten
//! ```
//!
//! Invariants:
//! - I1: a row says of which round over the ticks it is, so a value is found by its tick, or is not there.
//! - I2: for each tick from [`SPAN`] before the newest on, the newest value that is not newer than that tick is there. Of
//!   who rests that may be one of long ago: before it is overwritten it is set aside.
//! - I3: nothing is wiped when a slot gets another owner: values of before its birth do not count.

use lightmoon_contract::Tick;

use crate::limits::HISTORY_TICKS;

/// The stretch of the rows that were set aside.
const ASIDE: usize = HISTORY_TICKS;
/// How far before the newest the oldest tick is that can be asked for.
const SPAN: u64 = HISTORY_TICKS as u64 - 1;
/// Nothing was set aside: a tick that no value is of.
const NEVER: u64 = u64::MAX;
/// Slots of the smallest column.
const SLOTS_MIN: usize = 16;

/// From when on values of a slot belong to the entity that has it now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    pub(super) born: Tick,
    /// No value is of a later tick; before `born`: there is none.
    pub(super) newest: Tick,
}

/// The rows of one component.
#[derive(Debug)]
pub(super) struct Column {
    rows: Vec<u32>,
    /// Ticks of the values that were set aside, by slot.
    aside: Vec<u64>,
    /// Words of a row: the round and the fields.
    stride: usize,
}

impl Column {
    /// Of a component of so many fields.
    pub(super) const fn new(width: usize) -> Self {
        Self { rows: Vec::new(), aside: Vec::new(), stride: 1 + width }
    }

    fn slots(&self) -> usize {
        self.aside.len()
    }

    /// Makes room for so many slots.
    pub(super) fn reserve(&mut self, slots: usize) {
        let old = self.slots();
        if slots <= old {
            return;
        }
        let new = slots.next_power_of_two().max(SLOTS_MIN);
        let mut rows = vec![0; (HISTORY_TICKS + 1) * new * self.stride];
        if old > 0 {
            let stretches =
                rows.chunks_exact_mut(new * self.stride).zip(self.rows.chunks_exact(old * self.stride));
            stretches.for_each(|(new, old)| new[..old.len()].copy_from_slice(old));
        }
        self.rows = rows;
        self.aside.resize(new, NEVER);
    }

    /// Forgets all values of a slot.
    pub(super) fn clear(&mut self, slot: usize) {
        for at in 0..HISTORY_TICKS {
            let row = self.row(at, slot);
            self.rows[row] = 0;
        }
        self.aside[slot] = NEVER;
    }

    #[inline]
    fn row(&self, at: usize, slot: usize) -> usize {
        (at * self.slots() + slot) * self.stride
    }

    /// Makes room for the value of `tick`, which is newer than all others of the slot, and gives its fields to fill.
    ///
    /// # Panics
    /// There is no room for the slot: see [`Self::reserve`].
    #[inline]
    pub(super) fn push(&mut self, slot: usize, born: Tick, tick: Tick) -> &mut [u32] {
        let row = self.row(place(tick.0), slot);
        let old = self.rows[row];
        // If the oldest tick that can still be asked for has a value of its own, nobody asks for one before it.
        if old != 0 && !tick.0.checked_sub(SPAN).is_some_and(|oldest| self.has(slot, oldest)) {
            self.set_aside(slot, born, row, tick_of(old, place(tick.0)));
        }
        self.rows[row] = round(tick.0);
        &mut self.rows[row + 1..row + self.stride]
    }

    #[cold]
    fn set_aside(&mut self, slot: usize, born: Tick, row: usize, tick: u64) {
        let aside = self.aside[slot];
        let is_older = aside != NEVER && tick <= aside;
        if tick >= born.0 && !is_older {
            let to = self.row(ASIDE, slot);
            self.rows.copy_within(row..row + self.stride, to);
            self.aside[slot] = tick;
        }
    }

    #[inline]
    fn has(&self, slot: usize, tick: u64) -> bool {
        let round = round(tick);
        round != 0 && self.rows[self.row(place(tick), slot)] == round
    }

    /// The values of a slot; `None`: there is no room for it.
    #[inline]
    pub(super) fn track(&self, slot: usize, life: Life) -> Option<Track<'_>> {
        (slot < self.slots()).then_some(Track { column: self, slot, life })
    }
}

/// The values of one component of one entity, to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Track<'a> {
    column: &'a Column,
    slot: usize,
    life: Life,
}

impl<'a> Track<'a> {
    /// Tick and fields of the newest value.
    pub(crate) fn newest(&self) -> Option<(u64, &'a [u32])> {
        self.at_or_before(self.life.newest.0)
    }

    /// Tick and fields of the newest value that is not newer than `tick`.
    #[inline]
    pub(crate) fn at_or_before(&self, tick: u64) -> Option<(u64, &'a [u32])> {
        self.exactly(tick).or_else(|| {
            let (tick, at) = self.values().filter(|(of, _)| *of <= tick).max()?;
            Some((tick, self.fields(at)))
        })
    }

    /// Tick and fields of the oldest value that is newer than `tick`.
    pub(crate) fn after(&self, tick: u64) -> Option<(u64, &'a [u32])> {
        self.exactly(tick.saturating_add(1)).or_else(|| {
            let (tick, at) = self.values().filter(|(of, _)| *of > tick).min()?;
            Some((tick, self.fields(at)))
        })
    }

    /// Tick and fields of the value of `tick`.
    #[inline]
    pub(super) fn exactly(&self, tick: u64) -> Option<(u64, &'a [u32])> {
        let is_there = tick >= self.life.born.0 && self.column.has(self.slot, tick);
        is_there.then(|| (tick, self.fields(place(tick))))
    }

    /// Ticks of all values, and their places.
    #[cold]
    fn values(&self) -> impl Iterator<Item = (u64, usize)> {
        let Life { born, newest } = self.life;
        let column = self.column;
        let rounds = (0..HISTORY_TICKS).map(move |at| (column.rows[column.row(at, self.slot)], at));
        let ticks = rounds.filter(|(round, _)| *round != 0).map(|(round, at)| (tick_of(round, at), at));
        let is_needed = newest.0 >= SPAN && self.exactly(newest.0 - SPAN).is_none();
        let aside = is_needed.then(|| (column.aside[self.slot], ASIDE)).filter(|(tick, _)| *tick != NEVER);
        ticks.chain(aside).filter(move |(tick, _)| (born.0..=newest.0).contains(tick))
    }

    #[inline]
    fn fields(&self, at: usize) -> &'a [u32] {
        let row = self.column.row(at, self.slot);
        &self.column.rows[row + 1..row + self.column.stride]
    }
}

/// The stretch in which the value of a tick stands.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "less than the stretches")]
const fn place(tick: u64) -> usize {
    (tick % HISTORY_TICKS as u64) as usize
}

/// How often all stretches were gone over before `tick`, from 1 on; 0 is no value. A tick of a zone that is older than 200
/// years has none: its values are not found.
#[inline]
fn round(tick: u64) -> u32 {
    u32::try_from(tick / HISTORY_TICKS as u64 + 1).unwrap_or(0)
}

/// The tick that the value of a round in a stretch is of.
#[inline]
const fn tick_of(round: u32, at: usize) -> u64 {
    (round as u64 - 1) * HISTORY_TICKS as u64 + at as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a column has to say of a slot, kept the simple way.
    #[derive(Clone, Default)]
    struct Model {
        life: Life,
        values: Vec<(u64, u32)>,
    }

    impl Model {
        fn born(tick: u64) -> Self {
            Self { life: Life { born: Tick(tick), newest: Tick(tick) }, values: Vec::new() }
        }

        fn at_or_before(&self, tick: u64) -> Option<(u64, u32)> {
            self.values.iter().copied().rfind(|(at, _)| *at <= tick)
        }

        fn after(&self, tick: u64) -> Option<(u64, u32)> {
            self.values.iter().copied().find(|(at, _)| *at > tick)
        }
    }

    fn number(found: Option<(u64, &[u32])>) -> Option<(u64, u32)> {
        found.map(|(tick, fields)| (tick, fields[0]))
    }

    fn check(column: &Column, slot: usize, model: &Model, seed: u64) {
        let track = column.track(slot, model.life).unwrap();
        let newest = model.life.newest.0;
        assert_eq!(number(track.newest()), model.at_or_before(newest), "seed {seed}");
        for asked in newest.saturating_sub(SPAN)..newest + 3 {
            assert_eq!(
                number(track.at_or_before(asked)),
                model.at_or_before(asked),
                "seed {seed}, {asked} at {newest}"
            );
            assert_eq!(
                number(track.after(asked)),
                model.after(asked),
                "seed {seed}, after {asked} at {newest}"
            );
        }
    }

    #[test]
    fn every_tick_of_the_span_finds_its_value_however_long_the_pauses_are() {
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut column = Column::new(1);
            let mut tick = random.u64(0..80);
            let mut models = vec![Model::born(tick); 3];
            column.reserve(models.len());
            for _ in 0..160 {
                let slot = random.usize(..models.len());
                let model = &mut models[slot];
                if random.u8(..) < 4 {
                    // Another entity gets the slot.
                    *model = Model::born(tick);
                }
                let value = random.u32(..);
                column.push(slot, model.life.born, Tick(tick))[0] = value;
                model.values.push((tick, value));
                for (slot, model) in models.iter_mut().enumerate() {
                    // Other components of an entity may have newer values.
                    model.life.newest = Tick(tick);
                    check(&column, slot, model, seed);
                }
                if random.u8(..) < 4 {
                    models.push(Model::born(tick));
                    column.reserve(models.len() * 9);
                }
                tick += match random.u8(0..12) {
                    0 => random.u64(1..200),
                    1..4 => random.u64(1..6),
                    _ => 1,
                };
            }
        }
    }

    #[test]
    fn what_was_cleared_or_never_there_has_no_value() {
        let mut column = Column::new(3);
        column.reserve(1);
        let life = Life { born: Tick(1), newest: Tick(90) };
        for tick in [1, 40, 90] {
            column.push(0, life.born, Tick(tick)).fill(1);
        }
        assert!(column.track(0, life).unwrap().newest().is_some());
        column.clear(0);
        for slot in [0, 1] {
            let track = column.track(slot, life).unwrap();
            assert_eq!((track.newest(), track.at_or_before(40), track.after(0)), (None, None, None));
        }
        assert!(column.track(16, life).is_none());
    }

    #[test]
    fn ticks_beyond_any_zones_age_are_never_found_and_never_panic() {
        let mut column = Column::new(1);
        column.reserve(1);
        let life = Life { born: Tick(0), newest: Tick(u64::MAX) };
        column.push(0, life.born, Tick(u64::MAX))[0] = 1;
        assert_eq!(column.track(0, life).unwrap().newest(), None);
    }
}
