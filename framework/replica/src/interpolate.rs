//! Values between two ticks.
//!
//! *Responsible for*: the shape of the way from one value to the next. *Not responsible for*: which time to show
//! ([`crate::Playback`]).
//!
//! Invariants:
//! - I1: at a tick that was received, the value is that tick's.
//! - I2: at most [`EXTRAPOLATE_TICKS`] beyond the newest tick, and never out of a range's bounds.

use std::f64::consts::{PI, TAU};

use lightmoon_contract::replicate::{FieldSpec, Quantise};

use crate::client::Track;

/// How far the last motion goes on when nothing newer came: the reserve that playback keeps, once more.
pub(crate) const EXTRAPOLATE_TICKS: f64 = 2.0;

/// Fills `out`, one real number per field, with the value at `tick`. `None`: nothing was ever received, or `out` is short.
pub(crate) fn sample(track: &Track, fields: &[FieldSpec], tick: f64, out: &mut [f64]) -> Option<()> {
    let ticks = track.ticks();
    let last = ticks.len().checked_sub(1)?;
    let out = out.get_mut(..fields.len())?;
    let after = ticks.partition_point(|at| real(*at) <= tick);
    let (from, to) = match after {
        0 => (0, 0),
        after if after > last => (last.saturating_sub(1), last),
        after => (after - 1, after),
    };
    let (from_tick, to_tick) = (real(ticks[from]), real(ticks[to]));
    let until = tick.clamp(from_tick, to_tick + if after > last { EXTRAPOLATE_TICKS } else { 0.0 });
    let part = if from == to { 0.0 } else { (until - from_tick) / (to_tick - from_tick) };
    let (from, to) = (track.row(from), track.row(to));
    for (((field, from), to), out) in fields.iter().zip(from).zip(to).zip(out) {
        *out = between(field, *from, *to, part);
    }
    Some(())
}

/// The value at `part` of the way (0 = `from`, 1 = `to`, above 1 = beyond).
fn between(field: &FieldSpec, from: u32, to: u32, part: f64) -> f64 {
    let (start, end) = (field.restore(from), field.restore(to));
    match field.quantise {
        Quantise::Range { .. } => {
            let most = field.restore(u32::MAX >> (32 - u32::from(field.bits)));
            (start + (end - start) * part).clamp(field.restore(0), most)
        }
        Quantise::Angle => {
            let turn = (end - start + PI).rem_euclid(TAU) - PI;
            (start + turn * part).rem_euclid(TAU)
        }
        Quantise::Unsigned | Quantise::Bool => {
            if part < 0.5 {
                start
            } else {
                end
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ticks, 4 million years at 60 Hz")]
const fn real(tick: u64) -> f64 {
    tick as f64
}
