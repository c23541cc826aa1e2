//! What a replicated component says about itself: its fields, how each is quantised, how it travels.
//!
//! *Responsible for*: the trait that [`replicate`](macro@crate::replicate) implements and its field specs.
//! *Not responsible for*: packing bits, baselines, views (crate `replica`).
//!
//! Invariants:
//! - I1: a quantised field fits its `bits` (1 to 32); quantise ∘ restore ∘ quantise = quantise.
//! - I2: a component is either *state* (quantised, newest wins, unreliable) or *sticky* (whole value, reliable).

use lightmoon_contract_macros::data;

/// How a field becomes bits.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Quantise {
    /// A number from `min` in steps of `step`; values outside are clamped.
    Range {
        /// Least value.
        min: f64,
        /// Distance of two neighbouring values.
        step: f64,
    },
    /// An angle in radians; the full circle is divided evenly, wrapping.
    Angle,
    /// An unsigned integer, clamped to the bits.
    Unsigned,
    /// One bit.
    Bool,
}

/// One field of a state component.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FieldSpec {
    /// Name of the field.
    pub name: &'static str,
    /// Width in bits, 1 to 32.
    pub bits: u8,
    /// How it is quantised.
    pub quantise: Quantise,
}

impl FieldSpec {
    /// A number from `min` to `max`, both reachable, in steps of `step`.
    ///
    /// # Panics
    /// The range or step is empty, or it takes more than 32 bits: at compile time, since specs are constants.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "asserted to fit first")]
    pub const fn range(name: &'static str, min: f64, max: f64, step: f64) -> Self {
        assert!(min < max, "`min` has to be below `max`");
        assert!(step > 0.0, "`step` has to be above 0");
        let steps = ((max - min) / step).round();
        assert!(steps >= 1.0, "`step` is wider than the whole range");
        assert!(steps <= 4_294_967_295.0, "the range has more steps than 32 bits can count");
        let bits = u64::BITS - (steps as u64).leading_zeros();
        Self { name, bits: bits as u8, quantise: Quantise::Range { min, step } }
    }

    /// An angle in radians; the circle is divided into 2^`bits` parts.
    ///
    /// # Panics
    /// `bits` is not 1 to 32.
    #[must_use]
    pub const fn angle(name: &'static str, bits: u8) -> Self {
        assert!(bits >= 1 && bits <= 32, "`bits` has to be 1 to 32");
        Self { name, bits, quantise: Quantise::Angle }
    }

    /// An unsigned integer of `bits` bits; greater values are clamped.
    ///
    /// # Panics
    /// `bits` is not 1 to 32.
    #[must_use]
    pub const fn unsigned(name: &'static str, bits: u8) -> Self {
        assert!(bits >= 1 && bits <= 32, "`bits` has to be 1 to 32");
        Self { name, bits, quantise: Quantise::Unsigned }
    }

    /// A value in the full width of its type.
    #[must_use]
    pub const fn whole<T: Quantisable>(name: &'static str) -> Self {
        Self { name, bits: T::BITS, quantise: if T::BITS == 1 { Quantise::Bool } else { Quantise::Unsigned } }
    }

    /// The bits of a real value.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the field's width first"
    )]
    pub fn quantise(&self, value: f64) -> u32 {
        let max = u64::from(u32::MAX >> (32 - u32::from(self.bits)));
        match self.quantise {
            Quantise::Range { min, step } => {
                let steps = (value - min) / step;
                // What is no number becomes 0.
                round(steps.clamp(0.0, max as f64)).min(max) as u32
            }
            Quantise::Angle => {
                let turns = value / std::f64::consts::TAU;
                let circle = (max + 1) as f64;
                let part = (turns - floor(turns)) * circle;
                // What is no number becomes 0.
                (round(part) & max) as u32
            }
            Quantise::Unsigned | Quantise::Bool => {
                if value.is_nan() {
                    0
                } else {
                    value.clamp(0.0, max as f64) as u32
                }
            }
        }
    }

    /// The real value of quantised bits.
    #[must_use]
    pub fn restore(&self, bits: u32) -> f64 {
        match self.quantise {
            Quantise::Range { min, step } => min + f64::from(bits) * step,
            Quantise::Angle => f64::from(bits) * std::f64::consts::TAU / (1u64 << self.bits) as f64,
            Quantise::Unsigned | Quantise::Bool => f64::from(bits),
        }
    }
}

/// Rounds what is not negative, halves up, as `f64::round` does; that is a call where the target has no instruction for it.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as is wanted"
)]
fn round(value: f64) -> u64 {
    let whole = value as u64;
    // Exact: both are below 2^53, or the difference is 0.
    whole + u64::from(value - whole as f64 >= 0.5)
}

/// `f64::floor`, which is a call where the target has no instruction for it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "checked before")]
fn floor(value: f64) -> f64 {
    // From here on all are whole.
    if value.abs() >= 4_503_599_627_370_496.0 {
        return value;
    }
    let whole = value as i64 as f64;
    if whole > value { whole - 1.0 } else { whole }
}

/// A field of a state component: a number that can be quantised.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a state component",
    label = "not a number that can be quantised",
    note = "there are f32, f64, u8, u16, u32, i8, i16, i32 and bool; texts and lists go into a `#[replicate(sticky)]` component"
)]
pub trait Quantisable: Copy {
    /// Bits of a value that needs no rule; 0 if it needs one.
    const BITS: u8;

    /// The value as a real number, exactly.
    fn to_real(self) -> f64;

    /// The nearest value of the type.
    fn from_real(real: f64) -> Self;
}

macro_rules! quantisable {
    ($($type:ty, $bits:literal, $from_real:expr;)*) => {$(
        impl Quantisable for $type {
            const BITS: u8 = $bits;

            fn to_real(self) -> f64 {
                f64::from(self)
            }

            #[expect(clippy::cast_possible_truncation, reason = "a cast from float takes the nearest value of the type")]
            fn from_real(real: f64) -> Self {
                let from_real: fn(f64) -> Self = $from_real;
                from_real(real)
            }
        }
    )*};
}

quantisable! {
    f32, 0, |real| real as f32;
    u8, 8, |real| real.round() as u8;
    u16, 16, |real| real.round() as u16;
    u32, 32, |real| real.round() as u32;
    i8, 0, |real| real.round() as i8;
    i16, 0, |real| real.round() as i16;
    i32, 0, |real| real.round() as i32;
}

impl Quantisable for f64 {
    const BITS: u8 = 0;

    fn to_real(self) -> f64 {
        self
    }

    fn from_real(real: f64) -> Self {
        real
    }
}

impl Quantisable for bool {
    const BITS: u8 = 1;

    fn to_real(self) -> f64 {
        f64::from(u8::from(self))
    }

    fn from_real(real: f64) -> Self {
        real != 0.0
    }
}

/// How a component travels.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Travel {
    /// Quantised fields in each state packet; newest wins.
    State,
    /// The whole value in the byte format, reliably: at enter and when it changed.
    Sticky,
}

/// Everything a replicated component says about itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ComponentSpec {
    /// Name of the type.
    pub name: &'static str,
    /// Number from `contracts.lock`, unique among the game's components.
    pub number: u16,
    /// State or sticky.
    pub travel: Travel,
    /// Quantised fields in order; empty for sticky components.
    pub fields: &'static [FieldSpec],
}

/// A component that clients see. Implemented by [`replicate`](macro@crate::replicate).
pub trait Replicate: crate::Data + Clone + Send + Sync + 'static {
    /// All that it says.
    const SPEC: ComponentSpec;

    /// Writes the quantised fields; `out` has one place per field of the spec. Sticky components write nothing.
    fn quantise(&self, out: &mut [u32]);

    /// The value with the fields restored from their quantised form; `None` for sticky components.
    fn restore(fields: &[u32]) -> Option<Self>;
}
