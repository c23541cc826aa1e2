//! Interest: what each viewer sees.
//!
//! *Responsible for*: the options, the grid over all places, and finding who entered and left a circle.
//! *Not responsible for*: telling clients (`replication`), reading places from components (`columns`).
//!
//! Each tick all places are counting-sorted into cells of half the radius. A viewer's circle is then a few spans of
//! cells. Who is new and who is gone is found by stamping: the old set gets stamp `e`, those still near get `e + 1`.
//!
//! Invariants:
//! - I1: the result equals that of comparing everything with everything (`tests`), for any places and any area.
//! - I2: an entity enters within the radius and leaves beyond radius x (1 + margin): at the border nothing flickers.

mod grid;
#[cfg(test)]
mod tests;

pub(crate) use grid::square_distance;
pub use grid::{Grid, Near};

/// How far viewers see.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct InterestOptions {
    /// Distance at which an entity comes into view, in the units of the game. Default 100. Cost grows with its square.
    pub radius: f32,
    /// An entity leaves the view at radius x (1 + this). Default 0.1. Wider means fewer enters and leaves at the border.
    pub leave_margin: f32,
    /// Side of a grid cell; `None`: half the radius, the fastest measured. Only speed depends on it.
    pub cell: Option<f32>,
    /// Corners of the map (least, greatest). Places outside are looked up at the border. `None`: taken anew from the
    /// places of each tick, which is slow when few entities stray far.
    pub area: Option<([f32; 2], [f32; 2])>,
    /// Each viewer looks around every so many ticks, viewers taking turns; at once when it was subscribed or moved by more than a
    /// cell, and when within its radius something came to be, or was put there from farther than a cell. Default 4: what comes over the
    /// border of the radius shows up to 3 ticks later, told of in a third of the messages. 1 looks around in each tick.
    pub stagger: u16,
}

impl Default for InterestOptions {
    fn default() -> Self {
        Self { radius: 100.0, leave_margin: 0.1, cell: None, area: None, stagger: 4 }
    }
}

impl InterestOptions {
    /// The default with this radius.
    #[must_use]
    pub fn radius(radius: f32) -> Self {
        Self { radius, ..Self::default() }
    }

    /// The same with a part of the radius; the grid, which was made for the whole, serves it.
    pub(crate) fn scaled(&self, scale: f32) -> Self {
        Self { radius: self.radius * scale, cell: Some(self.cell_side()), ..*self }
    }

    pub(crate) fn cell_side(&self) -> f32 {
        let side = self.cell.unwrap_or(self.radius / 2.0);
        if side.is_finite() && side > 0.0 { side } else { 1.0 }
    }

    /// The two squared distances: enter, leave.
    pub(crate) fn squares(&self) -> (f32, f32) {
        let leave = self.radius * (1.0 + self.leave_margin.max(0.0));
        (self.radius * self.radius, leave * leave)
    }
}

/// Who entered and who left, found for one viewer at a time; buffers are kept.
#[derive(Debug, Default)]
pub struct Circle {
    /// Per slot; never above `epoch + 1`.
    stamps: Vec<u32>,
    epoch: u32,
    /// Room for the slots within the leave radius.
    near: Vec<Near>,
    /// How many of those in view at the beginning still are.
    stayed: usize,
    /// Slots that are new, in order of cells, then slots.
    pub entered: Vec<u32>,
}

impl Circle {
    /// Starts with the slots that a viewer has in view.
    pub fn begin(&mut self, slot_count: usize, seen: impl Iterator<Item = u32>) {
        if self.epoch > u32::MAX - 4 {
            self.stamps.fill(0);
            self.epoch = 0;
        }
        self.stamps.resize(slot_count.max(self.stamps.len()), 0);
        self.epoch += 2;
        self.stayed = 0;
        self.entered.clear();
        for slot in seen {
            self.stamps[slot as usize] = self.epoch;
        }
    }

    /// Everything that is near enough.
    pub fn look(&mut self, grid: &Grid, options: &InterestOptions, centre: [f32; 2]) {
        let (enter, leave) = options.squares();
        let count = grid.within(centre, leave, enter, &mut self.near);
        let epoch = self.epoch;
        for near in &self.near[..count] {
            let slot = near.slot();
            let stamp = &mut self.stamps[slot as usize];
            let before = *stamp;
            // Who stays is as good as random, who enters is rare: only that is a branch.
            let stays = before == epoch;
            *stamp = before + u32::from(stays);
            self.stayed += usize::from(stays);
            if (before < epoch) & near.is_inside() {
                *stamp = epoch + 1;
                self.entered.push(slot);
            }
        }
    }

    /// This slot is in view, however far.
    pub fn include(&mut self, slot: u32) {
        let stamp = &mut self.stamps[slot as usize];
        if *stamp < self.epoch {
            self.entered.push(slot);
        }
        self.stayed += usize::from(*stamp == self.epoch);
        *stamp = self.epoch + 1;
    }

    /// Whether a slot that was in view at the beginning still is.
    #[must_use]
    pub fn stays(&self, slot: u32) -> bool {
        self.stamps[slot as usize] == self.epoch + 1
    }

    /// How many of those in view at the beginning still are: mostly all.
    #[must_use]
    pub const fn stayed(&self) -> usize {
        self.stayed
    }
}
