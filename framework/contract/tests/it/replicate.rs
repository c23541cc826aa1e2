//! Replicated components: widths, rounding, clamping.

use lightmoon_contract::codec::{Limits, decode, encode};
use lightmoon_contract::replicate::{Quantise, Travel};
use lightmoon_contract::{Replicate, replicate};

const FULL: f64 = 100.0;

#[replicate(state, number = 5)]
#[derive(Clone, Debug, Default, PartialEq)]
struct Pose {
    #[quantise(min = -1024.0, max = 1023.96875, step = 0.03125)]
    x: f32,
    #[quantise(angle, bits = 10)]
    yaw: f32,
    #[quantise(min = 0.0, max = FULL, step = 1.0)]
    health: u8,
    #[quantise(min = -3.0, max = 3.0, step = 1.0)]
    gear: i8,
    #[quantise(bits = 2)]
    thrust: u8,
    shield: bool,
    score: u32,
}

#[replicate(sticky, number = 6)]
#[derive(Clone, Debug, Default, PartialEq)]
struct Label {
    name: String,
}

fn travelled(pose: &Pose) -> Pose {
    let mut bits = [0; 7];
    pose.quantise(&mut bits);
    for (bits, field) in bits.iter().zip(Pose::SPEC.fields) {
        assert!(u64::from(*bits) < 1 << field.bits, "{field:?} holds {bits}");
    }
    Pose::restore(&bits).unwrap()
}

#[test]
fn fields_take_the_bits_that_their_rules_need() {
    let widths: Vec<_> = Pose::SPEC.fields.iter().map(|field| (field.name, field.bits)).collect();
    let expected =
        [("x", 16), ("yaw", 10), ("health", 7), ("gear", 3), ("thrust", 2), ("shield", 1), ("score", 32)];
    assert_eq!(widths, expected);
    assert_eq!(Pose::SPEC.fields[0].quantise, Quantise::Range { min: -1024.0, step: 0.03125 });
    assert_eq!((Pose::SPEC.name, Pose::SPEC.number, Pose::SPEC.travel), ("Pose", 5, Travel::State));
}

#[test]
fn values_in_range_arrive_within_half_a_step_and_stay_there() {
    for seed in 0..2_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let pose = Pose {
            x: rng.f32() * 2047.0 - 1024.0,
            yaw: rng.f32() * std::f32::consts::TAU,
            health: rng.u8(..=100),
            gear: rng.i8(-3..=3),
            thrust: rng.u8(..4),
            shield: rng.bool(),
            score: rng.u32(..),
        };
        let there = travelled(&pose);
        assert!((there.x - pose.x).abs() <= 0.03125 / 2.0 + 1e-4, "seed {seed}: {pose:?} {there:?}");
        let turn = (there.yaw - pose.yaw).abs();
        assert!(turn.min(std::f32::consts::TAU - turn) <= 0.0031, "seed {seed}: {pose:?} {there:?}");
        assert_eq!(Pose { x: pose.x, yaw: pose.yaw, ..there.clone() }, pose, "seed {seed}");
        assert_eq!(travelled(&there), there, "seed {seed}: a second trip changes nothing");
    }
}

#[test]
fn values_out_of_range_are_clamped_to_the_fields_own_ends() {
    let far = Pose { x: 5000.0, health: 255, gear: 127, thrust: 9, ..Default::default() };
    let there = travelled(&far);
    assert_eq!((there.x, there.health, there.gear, there.thrust), (1_023.968_75, 100, 3, 3));
    let far = Pose { x: f32::NEG_INFINITY, gear: -128, ..Default::default() };
    assert_eq!((travelled(&far).x, travelled(&far).gear), (-1024.0, -3));
    let none = Pose { x: f32::NAN, yaw: f32::NAN, ..Default::default() };
    assert_eq!((travelled(&none).x, travelled(&none).yaw), (-1024.0, 0.0));
}

#[test]
fn a_component_does_not_restore_from_another_number_of_fields() {
    assert_eq!(Pose::restore(&[0; 6]), None);
    assert_eq!(Pose::restore(&[0; 8]), None);
}

#[test]
fn a_sticky_component_travels_whole() {
    let label = Label { name: "Moth".into() };
    assert_eq!((Label::SPEC.travel, Label::SPEC.fields.len()), (Travel::Sticky, 0));
    assert_eq!(decode(&encode(&label), Limits::CLIENT), Ok(label));
    assert_eq!(Label::restore(&[]), None);
}
