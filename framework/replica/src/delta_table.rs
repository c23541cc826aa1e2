//! One tick's state of all entities against what clients have of earlier ticks, each written once per baseline.
//!
//! *Responsible for*: the quantised values of the last ticks, which of them changed when, record bodies against any
//! baseline, shared by all clients that have it. *Not responsible for*: which client has what (`zone`), packets
//! ([`crate::DeltaWriter`]).
//!
//! A body is written when the first client asks for it, and found by the others. So the work of a tick is (entities that
//! somebody sees) x (baselines in use), and each further client only copies bits.
//!
//! Invariants:
//! - I1: a body against a baseline depends on its two to four rows alone, not on who asks or when.
//! - I2: [`DeltaTable::is_unchanged`] is exact for the last [`limits::BASELINE_AGE_MAX`] ticks, and errs to "changed" before.

use lightmoon_contract::Tick;

use crate::field_code::{Code, code, predict, predict_bent};
use crate::{Packed, Schema, limits};

/// Ticks whose rows are kept.
const DEPTH: usize = limits::BASELINE_AGE_MAX as usize + 1;

/// What a record is written against.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Baseline {
    /// Ticks back; 0: against nothing, the record is whole. At most [`limits::BASELINE_AGE_MAX`].
    pub age: u8,
    /// Ticks further back of a second value, from which motion is predicted; 0: none. At most [`limits::BASELINE_GAP_MAX`].
    pub gap: u8,
    /// Whether a third value, as many ticks further back, says how the motion bends. Only with a gap; age and both gaps are at most
    /// [`limits::BASELINE_AGE_MAX`].
    pub bends: bool,
}

impl Baseline {
    /// Against nothing.
    pub const WHOLE: Self = Self { age: 0, gap: 0, bends: false };

    /// Against the value of `age` ticks ago.
    #[must_use]
    pub const fn of_age(age: u8) -> Self {
        Self { age, gap: 0, bends: false }
    }

    /// The same without a third value.
    #[must_use]
    pub const fn straight(self) -> Self {
        Self { bends: false, ..self }
    }

    /// Ticks back of everything that it stands for, as bits.
    #[inline]
    pub(crate) const fn ages(self) -> u32 {
        let Self { age, gap, bends } = self;
        (1 << age) | (1 << (age + gap)) | if bends { 1 << (age + 2 * gap) } else { 0 }
    }

    /// Ticks back of its oldest value.
    pub(crate) const fn oldest(self) -> u8 {
        self.age + self.gap * if self.bends { 2 } else { 1 }
    }

    const fn number(self) -> usize {
        ((self.age as usize) << limits::BASELINE_GAP_BITS | self.gap as usize) << 1 | self.bends as usize
    }
}

/// A baseline that is in use this tick: a place in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BaselineSlot(u16);

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    state_mask: u64,
    /// Bit `k`: the value of `k` ticks ago was another one than a tick before that.
    changed: u32,
    /// The newest change that `changed` has no bit for any more.
    older: u64,
}

/// Bodies against one baseline, by row.
#[derive(Debug)]
struct Bodies {
    baseline: Baseline,
    /// [`UNWRITTEN`] until somebody asks.
    places: Vec<BodyPlace>,
}

const UNWRITTEN: BodyPlace = BodyPlace { word: 0, bits: u32::MAX };
/// Bits of a body that stands in its place itself: nearly all of things that move as predicted.
const SHORT_BITS: u32 = 32;
const UNUSED: u16 = u16::MAX;

/// Rows of the last ticks, and this tick's bodies.
#[derive(Debug)]
pub struct DeltaTable {
    schema: Schema,
    /// Bits of each field of a row.
    widths: Vec<u32>,
    tick: Tick,
    /// Rows of all state fields by tick modulo [`DEPTH`].
    rows: Vec<Vec<u32>>,
    slots: Vec<Slot>,
    words: Vec<u32>,
    /// In use this tick: the first `used` of them.
    bodies: Vec<Bodies>,
    used: usize,
    by_number: Vec<u16>,
    /// Codes of the fields of one component: against the baseline, against a straight and against a bent motion.
    codes: Vec<[Code; 3]>,
}

/// What [`DeltaTable::state`] knows of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowState {
    pub(crate) mask: u64,
    /// Bit `k`: the value of `k` ticks ago was another one than a tick before that.
    pub(crate) changed: u32,
}

/// A body: itself if it is short, else where its words begin; and how many bits it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BodyPlace {
    word: u32,
    pub(crate) bits: u32,
}

/// What [`DeltaTable::peek`] finds without writing anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peeked {
    pub(crate) state: RowState,
    /// `None`: nobody asked for it yet.
    pub(crate) body: Option<BodyPlace>,
}

impl DeltaTable {
    /// A table that has seen nothing.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let numbers = (usize::from(limits::BASELINE_AGE_MAX) + 1) << (limits::BASELINE_GAP_BITS + 1);
        Self {
            widths: schema.fields().map(|field| u32::from(field.bits)).collect(),
            codes: Vec::new(),
            schema,
            tick: Tick(0),
            rows: vec![Vec::new(); DEPTH],
            slots: Vec::new(),
            words: Vec::new(),
            bodies: Vec::new(),
            used: 0,
            by_number: vec![UNUSED; numbers],
        }
    }

    /// Forgets everything: no client has anything any more.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.rows.iter_mut().for_each(Vec::clear);
    }

    /// Takes the rows of a tick. `masks` gives each entity's components, 0 for rows without one; a row that changes its mask
    /// counts as changed.
    pub fn collect(&mut self, tick: Tick, rows: &[u32], masks: impl Iterator<Item = u64>) {
        let passed = tick.0.saturating_sub(self.tick.0);
        let width = self.schema.field_count();
        let before = std::mem::take(&mut self.rows[ring(self.tick)]);
        let mut count = 0;
        for (number, mask) in masks.enumerate() {
            if number == self.slots.len() {
                // As if it had changed now: nobody has it.
                self.slots.push(Slot { state_mask: 0, changed: 1, older: tick.0 });
            }
            let span = number * width..(number + 1) * width;
            let state_mask = self.schema.state_mask(mask);
            let slot = &mut self.slots[number];
            let is_changed = slot.state_mask != state_mask || before.get(span.clone()) != Some(&rows[span]);
            slot.pass(self.tick, passed);
            slot.changed |= u32::from(is_changed);
            slot.state_mask = state_mask;
            count += 1;
        }
        self.slots.truncate(count);
        self.rows[ring(self.tick)] = before;
        let now = &mut self.rows[ring(tick)];
        now.clear();
        now.extend_from_slice(rows);
        self.tick = tick;
        self.words.clear();
        for bodies in &self.bodies[..self.used] {
            self.by_number[bodies.baseline.number()] = UNUSED;
        }
        self.used = 0;
    }

    /// The tick of the newest rows.
    #[must_use]
    pub const fn tick(&self) -> Tick {
        self.tick
    }

    /// The components of a row that are state, and when it changed.
    #[inline]
    pub(crate) fn state(&self, row: usize) -> RowState {
        let Slot { state_mask: mask, changed, .. } = self.slots[row];
        RowState { mask, changed }
    }

    /// Whether a row had the same value at all ticks from `since` to `age` ticks ago.
    #[must_use]
    #[inline]
    pub fn is_unchanged(&self, row: usize, since: Tick, age: u8) -> bool {
        let slot = &self.slots[row];
        let until = self.tick.0.saturating_sub(age.into());
        if since.0 >= until {
            return true;
        }
        let ages = self.tick.0 - since.0;
        // Changes that happened after `since`: those of the ages below it.
        let after = if ages >= 32 { u32::MAX } else { (1 << ages) - 1 };
        let known = slot.changed & after & !((1u32 << age) - 1);
        known == 0 && (ages <= 32 || slot.older <= since.0)
    }

    /// Makes `baseline` one of this tick's.
    ///
    /// # Panics
    /// If it is out of bounds: a fault of the caller.
    pub fn baseline(&mut self, baseline: Baseline) -> BaselineSlot {
        assert!(baseline.oldest() <= limits::BASELINE_AGE_MAX && baseline.gap <= limits::BASELINE_GAP_MAX);
        let known = self.by_number[baseline.number()];
        if known != UNUSED {
            return BaselineSlot(known);
        }
        if self.used == self.bodies.len() {
            self.bodies.push(Bodies { baseline, places: Vec::new() });
        }
        let bodies = &mut self.bodies[self.used];
        bodies.baseline = baseline;
        bodies.places.clear();
        bodies.places.resize(self.slots.len(), UNWRITTEN);
        let slot = u16::try_from(self.used).expect("there are 512 baselines");
        self.by_number[baseline.number()] = slot;
        self.used += 1;
        BaselineSlot(slot)
    }

    /// Bits of a row's body against a baseline; writes it if nobody asked before.
    #[inline]
    pub fn bits(&mut self, row: usize, baseline: BaselineSlot) -> u32 {
        self.place(row, baseline).bits
    }

    /// The same, with where it stands.
    #[inline]
    pub(crate) fn place(&mut self, row: usize, baseline: BaselineSlot) -> BodyPlace {
        let place = self.bodies[usize::from(baseline.0)].places[row];
        if place == UNWRITTEN { self.write(row, baseline) } else { place }
    }

    /// What is known of many rows, one after the other. Nothing here depends on what was read before, so that the processor asks the
    /// memory for many rows at once; the records are written afterwards, out of the cache.
    #[inline]
    pub(crate) fn peek(
        &self,
        rows: impl Iterator<Item = u32>,
        baseline: BaselineSlot,
        into: &mut Vec<Peeked>,
    ) {
        let places = &self.bodies[usize::from(baseline.0)].places;
        into.clear();
        into.extend(rows.map(|row| {
            let place = places[row as usize];
            let body = (place != UNWRITTEN).then_some(place);
            Peeked { state: self.state(row as usize), body }
        }));
    }

    /// A body that is so short that it stands in its place.
    #[inline]
    pub(crate) const fn short(place: BodyPlace) -> Option<u32> {
        if place.bits <= SHORT_BITS { Some(place.word) } else { None }
    }

    /// The words of a body.
    #[inline]
    pub(crate) fn words<'a>(&'a self, body: &'a BodyPlace) -> &'a [u32] {
        if body.bits <= SHORT_BITS {
            return std::slice::from_ref(&body.word);
        }
        let first = body.word as usize;
        &self.words[first..first + body.bits.div_ceil(32) as usize]
    }

    /// The body that [`DeltaTable::bits`] was asked for.
    #[must_use]
    pub fn body(&self, row: usize, baseline: BaselineSlot) -> Packed<'_> {
        let body = &self.bodies[usize::from(baseline.0)].places[row];
        Packed { state_mask: self.slots[row].state_mask, words: self.words(body), bits: body.bits }
    }

    fn write(&mut self, row: usize, slot: BaselineSlot) -> BodyPlace {
        let baseline = self.bodies[usize::from(slot.0)].baseline;
        let first_word = u32::try_from(self.words.len()).expect("a tick's state is far below 16 GiB");
        let width = self.widths.len();
        let row_of = |age: u8| {
            let rows = &self.rows[ring(Tick(self.tick.0.wrapping_sub(age.into())))];
            rows.get(row * width..(row + 1) * width).unwrap_or(&[])
        };
        let Baseline { age, gap, bends } = baseline;
        let [now, base, older, oldest] = [0, age, age + gap, baseline.oldest()].map(row_of);
        let mut out = Words { words: &mut self.words, waiting: 0, waiting_bits: 0, bits: 0 };
        let mask = self.slots[row].state_mask;
        for (place, position) in self.schema.state_positions().iter().enumerate() {
            if (mask >> place) & 1 == 0 {
                continue;
            }
            let component = &self.schema.components()[usize::from(*position)];
            let at = component.first_field..component.first_field + component.spec.fields.len();
            let (widths, now) = (&self.widths[at.clone()], &now[at.clone()]);
            match baseline {
                Baseline { age: 0, .. } => {
                    now.iter().zip(widths).for_each(|(value, width)| out.put(*value, *width))
                }
                Baseline { gap: 0, .. } => out.component(widths, now, &base[at]),
                Baseline { .. } => {
                    let past = Past {
                        base: &base[at.clone()],
                        older: &older[at.clone()],
                        oldest: bends.then(|| &oldest[at]),
                        age: age.into(),
                        gap: gap.into(),
                    };
                    out.moving_component(widths, now, &past, &mut self.codes);
                }
            }
        }
        let bits = out.finish();
        let word = if bits > SHORT_BITS { first_word } else { self.words.pop().unwrap_or(0) };
        let place = BodyPlace { word, bits };
        self.bodies[usize::from(slot.0)].places[row] = place;
        place
    }
}

impl Slot {
    /// Ages what is known by `passed` ticks.
    fn pass(&mut self, tick: Tick, passed: u64) {
        let passed = u32::try_from(passed).unwrap_or(u32::MAX).min(32);
        // The bits that fall off; the lowest of them is the newest change.
        let lost = if passed == 32 { self.changed } else { self.changed & !(u32::MAX >> passed) };
        if lost != 0 {
            self.older = tick.0 - u64::from(lost.trailing_zeros());
        }
        self.changed = self.changed.checked_shl(passed).unwrap_or(0);
    }
}

const fn ring(tick: Tick) -> usize {
    let [low, ..] = tick.0.to_le_bytes();
    // The depth divides 256.
    low as usize % DEPTH
}

/// Values of one component that its motion is predicted from.
struct Past<'a> {
    base: &'a [u32],
    older: &'a [u32],
    oldest: Option<&'a [u32]>,
    age: u32,
    gap: u32,
}

/// Words that bits are appended to.
struct Words<'a> {
    words: &'a mut Vec<u32>,
    waiting: u64,
    waiting_bits: u32,
    bits: u32,
}

impl Words<'_> {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the accumulator is cut into words of 32 bits")]
    fn put(&mut self, value: u32, bits: u32) {
        self.waiting |= (u64::from(value) & ((1 << bits) - 1)) << self.waiting_bits;
        self.waiting_bits += bits;
        self.bits += bits;
        if self.waiting_bits >= 32 {
            self.words.push(self.waiting as u32);
            self.waiting >>= 32;
            self.waiting_bits -= 32;
        }
    }

    #[inline]
    fn code(&mut self, code: Code) {
        if code.bits() <= 32 {
            self.put(code.head | (code.value << code.head_bits), code.bits());
        } else {
            self.put(code.head, code.head_bits);
            self.put(code.value, code.value_bits);
        }
    }

    /// A component against a value: `0` the same; `1` its fields.
    #[inline]
    fn component(&mut self, widths: &[u32], now: &[u32], base: &[u32]) {
        let is_same = now == base;
        self.put(u32::from(!is_same), 1);
        if !is_same {
            for ((width, now), base) in widths.iter().zip(now).zip(base) {
                self.code(code(*width, *now, *base));
            }
        }
    }

    /// A component whose motion is predicted: `0` as predicted; `1 0` its fields against that; `1 1` against the baseline, or, where the
    /// motion bends, `1 1 0` against the straight one and `1 1 1` against the baseline.
    #[inline]
    fn moving_component(&mut self, widths: &[u32], now: &[u32], past: &Past<'_>, codes: &mut Vec<[Code; 3]>) {
        codes.clear();
        let Past { base, older, oldest, age, gap } = *past;
        let mut bits = [0; 3];
        for (nth, ((width, now), (base, older))) in
            widths.iter().zip(now).zip(base.iter().zip(older)).enumerate()
        {
            let to_base = code(*width, *now, *base);
            let to_straight = code(*width, *now, predict(*width, *base, *older, age, gap));
            let to_bent = oldest.map_or(to_straight, |oldest| {
                code(*width, *now, predict_bent(*width, [*base, *older, oldest[nth]], age, gap))
            });
            let all = [to_base, to_straight, to_bent];
            for (sum, code) in bits.iter_mut().zip(&all) {
                *sum += code.bits();
            }
            codes.push(all);
        }
        let [to_base, to_straight, to_bent] = bits;
        // Each field is as expected in one bit.
        if to_bent as usize == codes.len() {
            self.put(0, 1);
        } else if oldest.is_none() {
            let is_base = to_base < to_straight;
            self.put(if is_base { 0b11 } else { 0b01 }, 2);
            codes.iter().for_each(|[base, straight, _]| self.code(if is_base { *base } else { *straight }));
        } else if to_bent <= to_straight.min(to_base) + 1 {
            self.put(0b01, 2);
            codes.iter().for_each(|[.., code]| self.code(*code));
        } else {
            let is_base = to_base < to_straight;
            self.put(if is_base { 0b111 } else { 0b011 }, 3);
            codes.iter().for_each(|[base, straight, _]| self.code(if is_base { *base } else { *straight }));
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "fewer than 32 bits wait")]
    fn finish(self) -> u32 {
        if self.waiting_bits > 0 {
            self.words.push(self.waiting as u32);
        }
        self.bits
    }
}
