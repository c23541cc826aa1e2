//! Components that the tests replicate.

use lightmoon_contract::Replicate;
use lightmoon_contract::codec::{Data, DecodeError, Reader, Writer};
use lightmoon_contract::descriptor::{TypeRef, TypeTable};
use lightmoon_contract::replicate::{ComponentSpec, FieldSpec, Quantise, Travel};

/// Place and heading.
pub(crate) const POSE: ComponentSpec = ComponentSpec {
    name: "Pose",
    number: 1,
    travel: Travel::State,
    fields: &[
        FieldSpec { name: "x", bits: 16, quantise: Quantise::Range { min: -1024.0, step: 0.03125 } },
        FieldSpec { name: "y", bits: 16, quantise: Quantise::Range { min: -1024.0, step: 0.03125 } },
        FieldSpec { name: "yaw", bits: 8, quantise: Quantise::Angle },
    ],
};

/// A name.
pub(crate) const LABEL: ComponentSpec =
    ComponentSpec { name: "Label", number: 2, travel: Travel::Sticky, fields: &[] };

/// Hit points and a shield.
pub(crate) const HEALTH: ComponentSpec = ComponentSpec {
    name: "Health",
    number: 7,
    travel: Travel::State,
    fields: &[
        FieldSpec { name: "points", bits: 6, quantise: Quantise::Unsigned },
        FieldSpec { name: "shield", bits: 1, quantise: Quantise::Bool },
    ],
};

/// Three fields of full width.
pub(crate) const WIDE: ComponentSpec = ComponentSpec {
    name: "Wide",
    number: 9,
    travel: Travel::State,
    fields: &[
        FieldSpec { name: "a", bits: 32, quantise: Quantise::Unsigned },
        FieldSpec { name: "b", bits: 32, quantise: Quantise::Unsigned },
        FieldSpec { name: "c", bits: 32, quantise: Quantise::Unsigned },
    ],
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pose {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) yaw: f32,
}

impl Data for Pose {
    const MIN_BYTES: usize = 12;
    fn write(&self, to: &mut Writer) {
        (self.x, self.y, self.yaw).write(to);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (x, y, yaw) = from.get()?;
        Ok(Self { x, y, yaw })
    }
    fn describe(table: &mut TypeTable) -> TypeRef {
        <(f32, f32, f32)>::describe(table)
    }
}

impl Replicate for Pose {
    const SPEC: ComponentSpec = POSE;

    fn quantise(&self, out: &mut [u32]) {
        for ((field, value), out) in POSE.fields.iter().zip([self.x, self.y, self.yaw]).zip(out) {
            *out = field.quantise(f64::from(value));
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "fields of 16 bits fit an f32")]
    fn restore(fields: &[u32]) -> Option<Self> {
        let [x, y, yaw] = fields else { return None };
        let value = |place: usize, bits: &u32| POSE.fields[place].restore(*bits) as f32;
        Some(Self { x: value(0, x), y: value(1, y), yaw: value(2, yaw) })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Label(pub(crate) String);

impl Data for Label {
    const MIN_BYTES: usize = 1;
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.get().map(Self)
    }
    fn describe(table: &mut TypeTable) -> TypeRef {
        String::describe(table)
    }
}

impl Replicate for Label {
    const SPEC: ComponentSpec = LABEL;
    fn quantise(&self, _: &mut [u32]) {}
    fn restore(_: &[u32]) -> Option<Self> {
        None
    }
}
