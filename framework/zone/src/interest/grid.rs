//! All places of one tick, sorted by cell.
//!
//! Invariants:
//! - I1: the column of a cell is a monotone function of x (and its row of y), computed in `f64`; so every place within a
//!   distance of a point lies in a cell between those of the two edges.

use super::InterestOptions;
use crate::limits::GRID_CELLS_MAX;

/// How much wider than asked a look-up is: more than the rounding of `f32` distances, less than a cell.
const WIDER: f64 = 1.000_1;

/// A slot within a distance, and whether it is within a smaller one too.
#[derive(Clone, Copy, Default, Debug)]
pub struct Near(u32);

impl Near {
    const OUTSIDE: u32 = 1 << 31;

    /// The slot.
    #[must_use]
    #[inline]
    pub const fn slot(self) -> u32 {
        self.0 & !Self::OUTSIDE
    }

    /// Whether it is within the smaller distance.
    #[must_use]
    #[inline]
    pub const fn is_inside(self) -> bool {
        self.0 & Self::OUTSIDE == 0
    }
}

/// The grid. Rebuilt each tick, buffers are kept.
#[derive(Debug, Default)]
pub struct Grid {
    least: [f64; 2],
    cells_per_unit: f64,
    columns: usize,
    rows: usize,
    /// Per cell the index of its first place; one more at the end.
    starts: Vec<u32>,
    xs: Vec<f32>,
    ys: Vec<f32>,
    slots: Vec<u32>,
}

impl Grid {
    /// Sorts `places` (slot and finite coordinates, ascending slots).
    pub fn build(&mut self, options: &InterestOptions, places: &[(u32, [f32; 2])]) {
        self.lay_out(options, places);
        self.starts.clear();
        self.starts.resize(self.columns * self.rows + 1, 0);
        for (_, place) in places {
            let cell = self.cell(*place);
            self.starts[cell] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        self.xs.resize(places.len(), 0.0);
        self.ys.resize(places.len(), 0.0);
        self.slots.resize(places.len(), 0);
        // From behind, so that slots ascend within a cell; afterwards each start is where it belongs.
        for (slot, place) in places.iter().rev() {
            let cell = self.cell(*place);
            self.starts[cell] -= 1;
            let at = self.starts[cell] as usize;
            self.xs[at] = place[0];
            self.ys[at] = place[1];
            self.slots[at] = *slot;
        }
    }

    /// Calls `found` with every slot whose squared distance may be at most that of `radius`, and some beyond.
    pub fn near(&self, centre: [f32; 2], radius: f32, mut found: impl FnMut(u32, f32)) {
        let reach = f64::from(radius) * WIDER;
        let [x, y] = centre.map(f64::from);
        let (left, right) = (self.column(x - reach, 0), self.column(x + reach, 0));
        let (low, high) = (self.column(y - reach, 1), self.column(y + reach, 1));
        for row in low..=high {
            let first = self.starts[row * self.columns + left] as usize;
            let last = self.starts[row * self.columns + right + 1] as usize;
            let places = self.xs[first..last].iter().zip(&self.ys[first..last]);
            for (slot, (x, y)) in self.slots[first..last].iter().zip(places) {
                found(*slot, square_distance(centre, [*x, *y]));
            }
        }
    }

    /// Writes down the slots within the first of two squared distances, in order of cells, then slots. Gives how many: what stands
    /// in `found` behind them means nothing.
    ///
    /// Half of what stands in the cells is out of reach, which no predictor guesses: so each is written down, and whether it
    /// stays is added to where the next one goes.
    pub fn within(&self, centre: [f32; 2], square: f32, inner_square: f32, found: &mut Vec<Near>) -> usize {
        let mut count = 0;
        let reach = f64::from(square.sqrt()) * WIDER;
        let [x, y] = centre.map(f64::from);
        let (left, right) = (self.column(x - reach, 0), self.column(x + reach, 0));
        let (low, high) = (self.column(y - reach, 1), self.column(y + reach, 1));
        for row in low..=high {
            let first = self.starts[row * self.columns + left] as usize;
            let last = self.starts[row * self.columns + right + 1] as usize;
            let (xs, ys, slots) = (&self.xs[first..last], &self.ys[first..last], &self.slots[first..last]);
            if found.len() < count + slots.len() {
                found.resize((count + slots.len()).next_power_of_two(), Near::default());
            }
            let room = &mut found[count..count + slots.len()];
            let mut filled = 0;
            for ((x, y), slot) in xs.iter().zip(ys).zip(slots) {
                let distance = square_distance(centre, [*x, *y]);
                room[filled] = Near(*slot | (u32::from(distance > inner_square) << 31));
                filled += usize::from(distance <= square);
            }
            count += filled;
        }
        count
    }

    fn lay_out(&mut self, options: &InterestOptions, places: &[(u32, [f32; 2])]) {
        let (least, greatest) = options.area.unwrap_or_else(|| bounds(places));
        let side = f64::from(options.cell_side());
        self.least = least.map(f64::from);
        let size = [0, 1].map(|axis| (f64::from(greatest[axis]) - self.least[axis]).max(0.0));
        let mut side = side;
        loop {
            let [columns, rows] = size.map(|size| size / side + 1.0);
            if columns * rows <= GRID_CELLS_MAX as f64 {
                self.columns = whole(columns);
                self.rows = whole(rows);
                break;
            }
            side *= 2.0;
        }
        self.cells_per_unit = side.recip();
    }

    fn cell(&self, place: [f32; 2]) -> usize {
        let [x, y] = place.map(f64::from);
        self.column(y, 1) * self.columns + self.column(x, 0)
    }

    /// The column of an x (axis 0) or the row of a y (axis 1), clamped to the grid.
    fn column(&self, at: f64, axis: usize) -> usize {
        let last = if axis == 0 { self.columns } else { self.rows } - 1;
        whole((at - self.least[axis]) * self.cells_per_unit).min(last)
    }
}

/// The distance by which everything is decided, squared.
pub(crate) fn square_distance(from: [f32; 2], to: [f32; 2]) -> f32 {
    let (x, y) = (to[0] - from[0], to[1] - from[1]);
    x * x + y * y
}

fn bounds(places: &[(u32, [f32; 2])]) -> ([f32; 2], [f32; 2]) {
    let Some((_, first)) = places.first() else { return ([0.0; 2], [0.0; 2]) };
    places.iter().fold((*first, *first), |(least, greatest), (_, place)| {
        let least = [least[0].min(place[0]), least[1].min(place[1])];
        let greatest = [greatest[0].max(place[0]), greatest[1].max(place[1])];
        (least, greatest)
    })
}

/// The whole part, 0 for what is negative or no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as is wanted"
)]
const fn whole(value: f64) -> usize {
    value as usize
}
