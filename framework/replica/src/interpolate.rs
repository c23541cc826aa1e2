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

/// The longest way between two values: one that is older than this stood until so long before the newer.
const REST_TICKS: f64 = 4.0;

/// Fills `out`, one real number per field, with the value at `tick`. `None`: nothing was ever received, or `out` is short.
pub(crate) fn sample(track: &Track<'_>, fields: &[FieldSpec], tick: f64, out: &mut [f64]) -> Option<()> {
    let out = out.get_mut(..fields.len())?;
    let newest = track.newest()?;
    let (from, to) = match track.after(whole(tick)) {
        // Beyond the newest the last motion goes on.
        None => {
            (newest.0.checked_sub(1).and_then(|before| track.at_or_before(before)).unwrap_or(newest), newest)
        }
        Some(after) => (track.at_or_before(whole(tick)).unwrap_or(after), after),
    };
    let (to_tick, is_beyond) = (real(to.0), tick > real(newest.0));
    // Who was not heard of for long stood still, and began to move just now.
    let from_tick = real(from.0).max(if from.0 == to.0 { to_tick } else { to_tick - REST_TICKS });
    let until = tick.max(from_tick).min(to_tick + if is_beyond { EXTRAPOLATE_TICKS } else { 0.0 });
    let part = if from.0 == to.0 { 0.0 } else { (until - from_tick) / (to_tick - from_tick) };
    let (from, to) = (from.1, to.1);
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

/// The last whole tick; 0 for all before it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast that saturates is meant")]
const fn whole(tick: f64) -> u64 {
    tick.floor() as u64
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 ticks, 4 million years at 60 Hz")]
const fn real(tick: u64) -> f64 {
    tick as f64
}

#[cfg(test)]
mod tests {
    use lightmoon_contract::{NetId, Tick};

    use super::*;
    use crate::examples::{POSE, Pose};
    use crate::{ClientView, EntityValues, Schema, StateHead, StateTable, StateWriter, ViewWriter};

    struct Row([u32; 3]);

    impl EntityValues for Row {
        fn row(&self) -> &[u32] {
            &self.0
        }
        fn sticky(&self, _: u8) -> &[u8] {
            unreachable!("a pose is no sticky component")
        }
    }

    fn row(x: f32, yaw: f32) -> [u32; 3] {
        let mut row = [0; 3];
        lightmoon_contract::Replicate::quantise(&Pose { x, y: 0.0, yaw }, &mut row);
        row
    }

    /// A view of one entity that was at these places.
    fn seen(places: &[(u64, f32, f32)]) -> ClientView {
        let schema = Schema::new(&[POSE]).unwrap();
        let mut client = ClientView::new(schema.clone());
        client.attach(0);
        let mut view = ViewWriter::new(Tick(places[0].0), 0, Vec::new());
        view.layout(&schema);
        assert!(view.enter(&schema, 0, NetId(1), 1, &Row(row(places[0].1, places[0].2))));
        client.apply_view(0, &view.finish()).unwrap();
        for (tick, x, yaw) in &places[1..] {
            let mut table = StateTable::default();
            table.push(&schema, 1, &row(*x, *yaw));
            let head = StateHead { tick: Tick(*tick), rate_hz: 20, input: 0, view_sequence: 1 };
            let mut writer = StateWriter::new(&schema, &head, 1_100, Vec::new());
            assert!(writer.push(0, &table.get(0).unwrap()));
            client.apply_state(0, &writer.finish()).unwrap();
        }
        client
    }

    fn x_at(client: &ClientView, tick: f64) -> f32 {
        client.entity(NetId(1)).unwrap().sample::<Pose>(tick).unwrap().x
    }

    #[test]
    fn ranges_go_linearly_and_stand_two_ticks_behind_the_last() {
        let client = seen(&[(10, 0.0, 0.0), (11, 1.0, 0.0), (13, 5.0, 0.0)]);
        for (tick, x) in [(9.0, 0.0), (10.0, 0.0), (10.5, 0.5), (11.0, 1.0), (12.0, 3.0), (13.0, 5.0)] {
            assert_eq!(x_at(&client, tick), x, "at {tick}");
        }
        assert_eq!(x_at(&client, 14.0), 7.0, "goes on as it went");
        assert_eq!(x_at(&client, 15.0), 9.0);
        assert_eq!(x_at(&client, 99.0), 9.0, "stands after two ticks");
    }

    #[test]
    fn a_range_is_never_left() {
        let client = seen(&[(1, 1_000.0, 0.0), (2, 1_020.0, 0.0)]);
        assert!(x_at(&client, 4.0) < 1_024.0);
    }

    #[test]
    fn angles_go_the_short_way_round() {
        let client = seen(&[(1, 0.0, 0.1), (2, 0.0, -0.1)]);
        let mut out = [0.0; 3];
        client.entity(NetId(1)).unwrap().sample_fields(1, 1.5, &mut out).unwrap();
        assert!(out[2].min(TAU - out[2]) < 0.02, "{}", out[2]);
    }

    #[test]
    fn only_the_last_values_are_kept() {
        let places: Vec<(u64, f32, f32)> = (1..=50u8).map(|tick| (tick.into(), tick.into(), 0.0)).collect();
        let client = seen(&places);
        assert_eq!(x_at(&client, 43.5), 43.5);
        assert_eq!(x_at(&client, 5.0), 19.0, "the oldest that is kept");
        assert_eq!(x_at(&client, 50.0), 50.0);
    }

    #[test]
    fn who_rested_starts_late_and_not_slowly() {
        let client = seen(&[(10, 0.0, 0.0), (100, 4.0, 0.0)]);
        assert_eq!(x_at(&client, 95.0), 0.0);
        assert_eq!(x_at(&client, 98.0), 2.0);
        assert_eq!(x_at(&client, 100.0), 4.0);
    }
}
