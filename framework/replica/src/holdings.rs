//! What one client has of the entities it sees, and the packet that brings it up to date.
//!
//! *Responsible for*: indexes, which baseline a record may be written against, who goes first when not all fit, refreshing
//! what rests. *Not responsible for*: who is seen (`zone`), bodies ([`DeltaTable`]), bytes ([`DeltaWriter`]).
//!
//! Acknowledgements come per packet, and cost nothing per entity: each entity has a word of which bit `k` says that it was
//! in the packet of `k` ticks ago, the client has one for the packets that arrived, and their common bits are the values
//! that both sides have.
//!
//! ```text
//!                      ticks ago   7 6 5 4 3 2 1 0
//! packets that arrived             1 1 0 1 1 . . .     newest: 3, another one before it: 4
//! an entity was in                 1 1 1 1 1 1 1 .     3: the baseline of nearly all records; 4: their motion
//! one that is rarely sent          . 1 . . . . . .     6, or 3 if it did not change in between
//! ```
//!
//! Invariants:
//! - I1: a record names a value only if a receipt said so, or the Enter that brought it was applied.
//! - I2: a record counts as something to build on only if the client knew the entity, with these components, before it was sent.
//! - I3: an index is given away again only after the client applied the Leave of its last owner.
//! - I4: what the client does not have as it is now is sent; what it has is sent again after [`Gather::refresh_ticks`].
//!   What finds no room gains priority with each tick, and goes before all others after [`Gather::starve_ticks`].

use std::collections::VecDeque;

use lightmoon_contract::Tick;

use crate::delta_table::{BodyPlace, Peeked, RowState};
use crate::{Baseline, BaselineSlot, DeltaHead, DeltaTable, DeltaWriter, Packed, Receipt, Schema, limits};

/// Ticks are counted from a little before the first, so that 0 can mean never.
const EPOCH: u64 = 32;
const NOBODY: u32 = u32::MAX;
/// Bits that index and mask of a record take about: only for choosing, the writer counts.
const RECORD_HEAD_BITS: u32 = 7;
/// Classes of priority.
const CLASSES: usize = 256;

/// An entity of the view.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// Its row in the table.
    row: u32,
    /// Tick of the newest value that the client surely has; 0: none.
    held: u32,
    /// Bit `k`: it was in the packet of `k` ticks ago, and the client can build on that.
    credited: u32,
    /// View payloads that the client must have applied to know it with its present components.
    floor: u32,
    /// The tick when it was last in a packet, or entered.
    sent_at: u32,
    /// Priority that it gained while it found no room.
    waited: u16,
}

impl Pair {
    /// Puts its record into the packet; `false`: it does not fit.
    #[inline]
    fn write(
        &mut self,
        table: &DeltaTable,
        writer: &mut DeltaWriter,
        candidate: Candidate,
        now: u32,
        is_known: bool,
        gathered: &mut Gathered,
    ) -> bool {
        let Candidate { index, baseline, state_mask, body, .. } = candidate;
        let packed = Packed { state_mask, words: table.words(&body), bits: body.bits };
        if !writer.push(index, baseline, &packed) {
            return false;
        }
        self.credited |= u32::from(is_known);
        (self.sent_at, self.waited) = (now, 0);
        gathered.whole += u32::from(baseline.age == 0);
        gathered.refreshed += u32::from(candidate.is_resting);
        true
    }
}

const HOLE: Pair = Pair { row: NOBODY, held: 0, credited: 0, floor: 0, sent_at: 0, waited: 0 };

/// What a packet is made from.
#[derive(Clone, Copy, Debug)]
pub struct Gather {
    /// Ticks per second, 1 to 60.
    pub rate_hz: u8,
    /// What the packet says of the client's newest input, as in [`DeltaHead::waited_ms`].
    pub waited_ms: Option<u8>,
    /// Bytes of the packet, at most.
    pub budget_bytes: usize,
    /// The entity that is in every packet, by index.
    pub first: Option<u16>,
    /// Whether it is all that is in this one.
    pub only_first: bool,
    /// Ticks after which an entity that rests is sent again.
    pub refresh_ticks: u32,
    /// Ticks after which an entity that found no room goes before those of any weight.
    pub starve_ticks: u32,
}

/// What became of the entities of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gathered {
    /// Records in the packet.
    pub records: u32,
    /// Of them, those against nothing.
    pub whole: u32,
    /// Of them, those of entities that rest.
    pub refreshed: u32,
    /// Entities that rest and were left out.
    pub resting: u32,
    /// Entities that found no room.
    pub deferred: u32,
    /// Ticks that the one of them that waits longest was in no packet.
    pub stalest_ticks: u32,
}

/// An entity that wants into the packet.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    index: u16,
    baseline: Baseline,
    state_mask: u64,
    body: BodyPlace,
    /// With its head, about.
    bits: u32,
    class: u8,
    is_resting: bool,
}

/// Buffers for one packet at a time.
#[derive(Debug, Default)]
pub struct Gatherer {
    peeked: Vec<Peeked>,
    candidates: Vec<Candidate>,
}

/// What one client has.
#[derive(Debug)]
pub struct Holdings {
    pairs: Vec<Pair>,
    /// Of them, those that are no holes.
    count: u32,
    /// Bit `i`: index `i` is in use, or its Leave is on its way.
    taken: Vec<u64>,
    /// Indexes that are free once the client has applied so many View payloads.
    leaving: VecDeque<(u32, u16)>,
    base: u64,
    now: u32,
    /// Bit `k`: a packet was sent `k` ticks ago.
    sent: u32,
    /// Not all fitted the last packet. Then most pairs are in few packets, and a third value that they lack would only cost bits.
    is_short: bool,
    /// Bit `k`: the packet of `k` ticks ago arrived.
    arrived: u32,
    views_applied: u32,
    #[cfg(feature = "flaws")]
    flaw: Option<crate::Flaw>,
}

impl Holdings {
    /// Of a client that looks from `tick` on, and has nothing.
    #[must_use]
    pub const fn new(tick: Tick) -> Self {
        Self {
            pairs: Vec::new(),
            count: 0,
            taken: Vec::new(),
            leaving: VecDeque::new(),
            base: tick.0.saturating_sub(EPOCH),
            now: 0,
            sent: 0,
            is_short: false,
            arrived: 0,
            views_applied: 0,
            #[cfg(feature = "flaws")]
            flaw: None,
        }
    }

    /// Makes it wrong on purpose.
    #[cfg(feature = "flaws")]
    pub const fn set_flaw(&mut self, flaw: Option<crate::Flaw>) {
        self.flaw = flaw;
    }

    /// An entity comes into view with its values of `tick`. Gives its index, for [`Self::entered`] once its Enter is written;
    /// `None`: too many Leaves are on their way, try again later.
    ///
    /// # Panics
    /// After 2^32 ticks of one attachment.
    pub fn enter(&mut self, row: u32, tick: Tick) -> Option<u16> {
        if self.leaving.len() >= limits::LEAVING_MAX {
            return None;
        }
        let word = self.taken.iter().position(|word| *word != u64::MAX).unwrap_or_else(|| {
            self.taken.push(0);
            self.taken.len() - 1
        });
        let index = word * 64 + self.taken[word].trailing_ones() as usize;
        self.taken[word] |= 1 << (index % 64);
        if index >= self.pairs.len() {
            self.pairs.resize(index + 1, HOLE);
        }
        let now = self.relative(tick);
        self.count += 1;
        self.pairs[index] = Pair { row, held: now, sent_at: now, floor: u32::MAX, ..HOLE };
        Some(u16::try_from(index).expect("views and Leaves on their way are at most 8,192"))
    }

    /// The entity of this index is told of by the View payload `sequence`.
    ///
    /// # Panics
    /// After 2^32 View payloads of one attachment.
    pub fn entered(&mut self, index: u16, sequence: u64) {
        self.pairs[usize::from(index)].floor = narrow(sequence + 1);
    }

    /// The View payload `sequence` takes an entity out of view.
    ///
    /// # Panics
    /// As [`Self::entered`].
    pub fn leave(&mut self, index: u16, sequence: u64) {
        let pair = std::mem::replace(&mut self.pairs[usize::from(index)], HOLE);
        self.count -= u32::from(pair.row != NOBODY);
        #[cfg(feature = "flaws")]
        if self.flaw == Some(crate::Flaw::IndexAtOnce) {
            self.taken[usize::from(index / 64)] &= !(1 << (index % 64));
            return;
        }
        self.leaving.push_back((narrow(sequence + 1), index));
    }

    /// The View payload `sequence` gives an entity other components: what the client has of it is no baseline any more.
    ///
    /// # Panics
    /// As [`Self::entered`].
    pub fn remask(&mut self, index: u16, sequence: u64) {
        let pair = &mut self.pairs[usize::from(index)];
        (pair.held, pair.credited, pair.floor) = (0, 0, narrow(sequence + 1));
    }

    /// The client told what arrived; `views` View payloads were sent so far. What cannot be is ignored.
    ///
    /// # Panics
    /// As [`Self::entered`].
    pub fn receive(&mut self, receipt: &Receipt, views: u64) {
        let applied = narrow(receipt.views.min(views));
        self.views_applied = self.views_applied.max(applied);
        while let Some((_, index)) = self.leaving.pop_front_if(|(floor, _)| *floor <= self.views_applied) {
            self.taken[usize::from(index / 64)] &= !(1 << (index % 64));
        }
        let newest = self.base + u64::from(self.now);
        if receipt.tick.0 > newest {
            return;
        }
        let age = u32::try_from(newest - receipt.tick.0).unwrap_or(u32::MAX);
        self.arrived |= receipt.received.checked_shl(age).unwrap_or(0) & self.sent;
    }

    /// How long ago the newest packet that arrived was sent, in ticks; `None`: over [`limits::BASELINE_AGE_MAX`], or never.
    #[must_use]
    pub const fn newest_age(&self) -> Option<u32> {
        if self.arrived == 0 { None } else { Some(self.arrived.trailing_zeros()) }
    }

    /// What most records of this tick are written against: the newest packet that arrived, and the one before it.
    fn head(&self) -> Baseline {
        let age = self.arrived.trailing_zeros();
        if self.arrived == 0 || age == 0 {
            return Baseline::WHOLE;
        }
        let before = self.arrived & (self.arrived - 1);
        let gap = before.trailing_zeros().wrapping_sub(age);
        let gap = if before != 0 && gap <= u32::from(limits::BASELINE_GAP_MAX) { gap } else { 0 };
        let third = age + 2 * gap;
        let bends = gap > 0
            && !self.is_short
            && third <= u32::from(limits::BASELINE_AGE_MAX)
            && (self.arrived >> third) & 1 == 1;
        Baseline { age: small(age), gap: small(gap), bends }
    }

    /// The packet of this tick. `weight` tells how much priority a row gains with each tick that it waits; it is asked only
    /// when not all fit.
    ///
    /// # Panics
    /// After 2^32 ticks of one attachment.
    pub fn gather(
        &mut self,
        schema: &Schema,
        table: &mut DeltaTable,
        gather: &Gather,
        weight: impl Fn(u32) -> u16,
        with: &mut Gatherer,
        buffer: Vec<u8>,
    ) -> (Vec<u8>, Gathered) {
        #[cfg(feature = "flaws")]
        let gather = &self.flaw.map_or(*gather, |flaw| flaw.bend(*gather));
        let now = self.relative(table.tick());
        let passed = now - self.now;
        self.now = now;
        self.arrived = self.arrived.checked_shl(passed).unwrap_or(0);
        self.sent = self.sent.checked_shl(passed).unwrap_or(0) | 1;
        #[cfg(feature = "flaws")]
        if self.flaw == Some(crate::Flaw::ReceiptNotAwaited) {
            self.arrived = self.sent & !1;
        }
        let Gather { rate_hz, waited_ms, .. } = *gather;
        let head = DeltaHead { tick: table.tick(), rate_hz, waited_ms, baseline: self.head() };
        let mut gathered = Gathered::default();
        let mut writer = DeltaWriter::new(schema, &head, gather.budget_bytes, buffer);
        // Mostly all of a view fits for sure: then nobody has to be chosen.
        let fits_surely =
            self.count as usize * DeltaWriter::record_bits_max(schema) as usize <= writer.bits_left();
        let at_once = fits_surely.then_some(&mut writer);
        let bits = self.choose(schema, table, gather, passed, with, at_once, &mut gathered);
        if fits_surely {
            self.is_short = false;
            gathered.records = writer.count();
            return (writer.finish(), gathered);
        }
        let fits = bits as usize <= writer.bits_left();
        self.is_short = !fits;
        if !fits {
            self.rank(gather, weight, with, writer.bits_left());
        }
        if !fits && let Some(first) = gather.first {
            let place = with.candidates.iter().position(|candidate| candidate.index == first);
            if let Some(candidate) = place.map(|place| with.candidates.remove(place)) {
                self.write(table, &mut writer, candidate, &mut gathered);
            }
        }
        // What room is left is only estimated: if it is less, it is not always the same who is cut off.
        let start = if fits { 0 } else { self.start(with.candidates.len()) };
        let (before, from) = with.candidates.split_at(start);
        for candidate in from.iter().chain(before) {
            if !fits && candidate.class == PASSED_OVER {
                self.defer(*candidate, &mut gathered);
            } else {
                self.write(table, &mut writer, *candidate, &mut gathered);
            }
        }
        gathered.records = writer.count();
        (writer.finish(), gathered)
    }

    /// Finds who wants into the packet, and against what; writes them at once if all fit for sure. Gives the bits of those that it did not write.
    #[expect(clippy::too_many_arguments, reason = "the parts of `gather`, which has them from its caller")]
    fn choose(
        &mut self,
        schema: &Schema,
        table: &mut DeltaTable,
        gather: &Gather,
        passed: u32,
        with: &mut Gatherer,
        mut at_once: Option<&mut DeltaWriter>,
        gathered: &mut Gathered,
    ) -> u32 {
        let head = self.head();
        let against = head;
        #[cfg(feature = "flaws")]
        let against = self.flaw.map_or(against, |flaw| flaw.bend_baseline(against));
        let mut chooser = Chooser {
            head,
            slots: [against, against.straight(), Baseline::of_age(head.age)]
                .map(|baseline| table.baseline(baseline)),
            whole: table.baseline(Baseline::WHOLE),
            arrived: self.arrived,
            base: self.base,
            now: self.now,
            refresh_ticks: gather.refresh_ticks,
            mask: 0,
            whole_bits: 0,
        };
        let mut bits = 0;
        #[cfg(feature = "flaws")]
        let is_all_known = self.flaw == Some(crate::Flaw::FloorIgnored);
        with.candidates.clear();
        let rows = self.pairs.iter().map(|pair| pair.row).filter(|row| *row != NOBODY);
        table.peek(rows, chooser.slots[0], &mut with.peeked);
        let mut peeked = with.peeked.iter();
        for (index, pair) in (0u16..).zip(&mut self.pairs) {
            if pair.row == NOBODY {
                continue;
            }
            let Some(peeked) = peeked.next() else { break };
            pair.credited = pair.credited.checked_shl(passed).unwrap_or(0);
            if gather.only_first && gather.first != Some(index) {
                continue;
            }
            let is_known = self.views_applied >= pair.floor;
            #[cfg(feature = "flaws")]
            let is_known = is_known || is_all_known;
            if is_known
                && let Some(writer) = &mut at_once
                && chooser.write_usual(table, index, pair, peeked, writer)
            {
                continue;
            }
            let Some(candidate) = chooser.choose(schema, table, index, pair, peeked, is_known) else {
                gathered.resting += 1;
                continue;
            };
            bits += candidate.bits;
            match &mut at_once {
                Some(writer) => {
                    let is_written = pair.write(table, writer, candidate, self.now, is_known, gathered);
                    debug_assert!(is_written, "all fit for sure");
                }
                None => with.candidates.push(candidate),
            }
        }
        bits
    }

    /// Puts candidates into classes of priority and marks those that find no room.
    fn rank(&mut self, gather: &Gather, weight: impl Fn(u32) -> u16, with: &mut Gatherer, room: usize) {
        let mut bits_of = [0usize; CLASSES];
        for candidate in &mut with.candidates {
            let pair = &mut self.pairs[usize::from(candidate.index)];
            pair.waited = pair.waited.saturating_add(weight(pair.row));
            #[cfg(feature = "flaws")]
            if self.flaw == Some(crate::Flaw::FarStarve) {
                pair.waited = weight(pair.row);
            }
            let is_starving = self.now - pair.sent_at >= gather.starve_ticks;
            // The highest class is for those that starve, the lowest means passed over.
            let class = if is_starving { u8::MAX } else { small(u32::from(pair.waited >> 8)).clamp(1, 254) };
            candidate.class = class;
            bits_of[usize::from(class)] += candidate.bits as usize;
        }
        let (mut room, mut least) = (room, CLASSES);
        while least > 1 && bits_of[least - 1] <= room {
            least -= 1;
            room -= bits_of[least];
        }
        // Of the class that fits in part, another part each tick.
        let last = least - 1;
        let count = with.candidates.len();
        let start = self.start(count);
        for nth in (start..count).chain(0..start) {
            let candidate = &mut with.candidates[nth];
            let class = usize::from(candidate.class);
            let needed = candidate.bits as usize;
            if class == last && needed <= room {
                room -= needed;
            } else if class <= last && Some(candidate.index) != gather.first {
                candidate.class = PASSED_OVER;
            }
        }
    }

    fn write(
        &mut self,
        table: &DeltaTable,
        writer: &mut DeltaWriter,
        candidate: Candidate,
        gathered: &mut Gathered,
    ) {
        let pair = &mut self.pairs[usize::from(candidate.index)];
        let is_known = self.views_applied >= pair.floor;
        #[cfg(feature = "flaws")]
        let is_known = is_known || self.flaw == Some(crate::Flaw::FloorIgnored);
        if !pair.write(table, writer, candidate, self.now, is_known, gathered) {
            self.defer(candidate, gathered);
        }
    }

    fn defer(&self, candidate: Candidate, gathered: &mut Gathered) {
        gathered.deferred += 1;
        let waited = self.now - self.pairs[usize::from(candidate.index)].sent_at;
        gathered.stalest_ticks = gathered.stalest_ticks.max(waited);
    }

    /// Where a list of so many begins that another one goes first each tick.
    const fn start(&self, count: usize) -> usize {
        if count == 0 { 0 } else { self.now.wrapping_mul(ROTATE) as usize % count }
    }

    fn relative(&self, tick: Tick) -> u32 {
        narrow(tick.0 - self.base)
    }
}

/// Bits in which a record names its baseline.
fn baseline_bits(head: Baseline, baseline: Baseline) -> u32 {
    match baseline {
        _ if head.age == 0 => 0,
        same if same == head => 1,
        Baseline { age: 0, .. } => 3,
        Baseline { age, .. } if age == head.age => {
            if head.bends {
                3
            } else {
                2
            }
        }
        Baseline { .. } => 3 + limits::BASELINE_AGE_BITS,
    }
}

/// The class of candidates that are not sent.
const PASSED_OVER: u8 = 0;
/// Where a class that fits in part begins moves by so much each tick: coprime to most counts.
const ROTATE: u32 = 97;

/// Which baseline a record gets.
struct Chooser {
    head: Baseline,
    /// The head's baseline, that without a bend, and that without prediction.
    slots: [BaselineSlot; 3],
    whole: BaselineSlot,
    arrived: u32,
    base: u64,
    now: u32,
    refresh_ticks: u32,
    /// The components of the last pair, and the bits of a whole record of them.
    mask: u64,
    whole_bits: u32,
}

impl Chooser {
    /// Writes the record of a pair that is as nearly all are, in one piece. `false`: it is not like that, and nothing is
    /// written.
    #[inline]
    fn write_usual(
        &self,
        table: &mut DeltaTable,
        index: u16,
        pair: &mut Pair,
        peeked: &Peeked,
        writer: &mut DeltaWriter,
    ) -> bool {
        let known = self.hold(pair);
        let is_written = self.usual_body(table, pair, known, peeked).is_some_and(|body| {
            let word = DeltaTable::short(body);
            word.is_some_and(|word| writer.push_usual(index, peeked.state.mask, word, body.bits))
        });
        if is_written {
            pair.credited |= 1;
            (pair.sent_at, pair.waited) = (self.now, 0);
        }
        is_written
    }

    /// Notes the newest value that the client has. Gives the packets that it was in and that arrived.
    #[inline]
    const fn hold(&self, pair: &mut Pair) -> u32 {
        let known = pair.credited & self.arrived;
        if known != 0 {
            pair.held = self.now - known.trailing_zeros();
        }
        known
    }

    /// The body against the head's baseline, if the pair is as most are: its components are those of the one before, it moves, and was in
    /// all packets that the head names.
    #[inline]
    fn usual_body(
        &self,
        table: &mut DeltaTable,
        pair: &Pair,
        known: u32,
        peeked: &Peeked,
    ) -> Option<BodyPlace> {
        let RowState { mask, changed } = peeked.state;
        let moves = self.head.ages();
        if mask != self.mask || self.head.gap == 0 || known & moves != moves {
            return None;
        }
        let since = 1u32 << known.trailing_zeros();
        if changed & (since - 1) == 0 {
            return None;
        }
        let body = peeked.body.unwrap_or_else(|| table.place(pair.row as usize, self.slots[0]));
        (body.bits <= self.whole_bits).then_some(body)
    }

    /// The record of a pair; `None`: it has nothing to say.
    #[inline]
    fn choose(
        &mut self,
        schema: &Schema,
        table: &mut DeltaTable,
        index: u16,
        pair: &mut Pair,
        peeked: &Peeked,
        is_known: bool,
    ) -> Option<Candidate> {
        let known = self.hold(pair);
        let row = pair.row as usize;
        let state_mask = peeked.state.mask;
        let candidate = |baseline, body: BodyPlace, is_resting| {
            let bits = body.bits + RECORD_HEAD_BITS + baseline_bits(self.head, baseline);
            Candidate { index, baseline, state_mask, body, bits, class: 0, is_resting }
        };
        if is_known && let Some(body) = self.usual_body(table, pair, known, peeked) {
            return Some(candidate(self.head, body, false));
        }
        let is_resting = pair.held != 0 && table.is_unchanged(row, Tick(self.base + u64::from(pair.held)), 0);
        // Sooner by up to a half, so that what came to rest together is not sent again together.
        let sooner = u32::from(index) % (self.refresh_ticks / 2 + 1);
        let is_due = self.now - pair.sent_at >= self.refresh_ticks - sooner;
        if state_mask == 0 || (is_resting && !is_due) {
            return None;
        }
        let (mut baseline, slot) =
            if is_known { self.pick(table, pair, known) } else { (Baseline::WHOLE, self.whole) };
        let mut body = table.place(row, slot);
        let whole_bits =
            if state_mask == self.mask { self.whole_bits } else { schema.width_of_state(state_mask) };
        if body.bits > whole_bits {
            baseline = Baseline::WHOLE;
            body = table.place(row, self.whole);
        }
        let chosen = candidate(baseline, body, is_resting);
        (self.mask, self.whole_bits) = (state_mask, whole_bits);
        Some(chosen)
    }

    #[inline]
    fn pick(&self, table: &mut DeltaTable, pair: &Pair, known: u32) -> (Baseline, BaselineSlot) {
        let Baseline { age, gap, bends } = self.head;
        if self.arrived == 0 || age == 0 || pair.held == 0 {
            return (Baseline::WHOLE, self.whole);
        }
        let (head_age, held_age) = (u32::from(age), self.now - pair.held);
        let has = |baseline: Baseline| known & baseline.ages() == baseline.ages();
        if gap > 0 && has(self.head) {
            return (self.head, self.slots[0]);
        }
        if bends && has(self.head.straight()) {
            return (self.head.straight(), self.slots[1]);
        }
        let held = Tick(self.base + u64::from(pair.held));
        if held_age == head_age || (held_age > head_age && table.is_unchanged(pair.row as usize, held, age)) {
            return (Baseline::of_age(age), self.slots[2]);
        }
        if (1..=u32::from(limits::BASELINE_AGE_MAX)).contains(&held_age) {
            let baseline = Baseline::of_age(small(held_age));
            return (baseline, table.baseline(baseline));
        }
        (Baseline::WHOLE, self.whole)
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).expect("ticks and payloads of one attachment are far below 2^32")
}

#[expect(clippy::cast_possible_truncation, reason = "callers have less than 256")]
const fn small(number: u32) -> u8 {
    debug_assert!(number < 256, "callers have less than 256");
    number as u8
}
