//! What a replicated component says about itself: its fields, how each is quantised, how it travels.
//!
//! *Responsible for*: the trait that [`replicate`](macro@crate::replicate) implements and its field specs.
//! *Not responsible for*: packing bits, baselines, views (crate `replica`).
//!
//! Invariants:
//! - I1: a quantised field fits its `bits` (1 to 32); quantise ∘ restore ∘ quantise = quantise.
//! - I2: a component is either *state* (quantised, newest wins, unreliable) or *sticky* (whole value, reliable).

/// How a field becomes bits.
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
    /// The bits of a real value.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the field's width first")]
    pub fn quantise(&self, value: f64) -> u32 {
        let max = u64::from(u32::MAX >> (32 - u32::from(self.bits)));
        match self.quantise {
            Quantise::Range { min, step } => {
                let steps = ((value - min) / step).round();
                if steps.is_nan() { 0 } else { steps.clamp(0.0, max as f64) as u32 }
            }
            Quantise::Angle => {
                let turns = value / std::f64::consts::TAU;
                let circle = (max + 1) as f64;
                let part = (turns - turns.floor()) * circle;
                if part.is_nan() { 0 } else { (part.round() as u64 & max) as u32 }
            }
            Quantise::Unsigned | Quantise::Bool => {
                if value.is_nan() { 0 } else { value.clamp(0.0, max as f64) as u32 }
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

/// How a component travels.
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
