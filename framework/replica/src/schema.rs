//! The components of a game in their order on the wire.
//!
//! *Responsible for*: positions, masks, widths. *Not responsible for*: their values.
//!
//! Invariants:
//! - I1: positions follow ascending numbers, so a component added later never moves those before it.
//! - I2: a schema that was built fits every limit: each entity's record fits one state packet.

use lightmoon_contract::replicate::{ComponentSpec, FieldSpec, Travel};

use crate::limits;
use crate::{BitWriter, SchemaError};

/// One component with its place.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    /// What it says about itself.
    pub spec: ComponentSpec,
    /// Bits of all its fields; 0 for sticky components.
    pub width_bits: u32,
    /// Where its fields start in a row of all state fields of one entity; 0 for sticky components.
    pub first_field: usize,
}

/// All replicated components, sorted by number. A component's *position* is its index here.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    components: Vec<Component>,
    /// Positions of the state components, ascending.
    state: Vec<u8>,
    state_count: u32,
    field_count: usize,
}

impl Schema {
    /// Sorts and checks the components.
    ///
    /// # Errors
    /// See [`SchemaError`].
    pub fn new(specs: &[ComponentSpec]) -> Result<Self, SchemaError> {
        if specs.len() > limits::COMPONENTS_MAX {
            return Err(SchemaError::TooManyComponents(specs.len()));
        }
        let mut sorted = specs.to_vec();
        sorted.sort_by_key(|spec| spec.number);
        if let Some([first, second]) = sorted.array_windows().find(|[a, b]| a.number == b.number) {
            let (first, second, number) = (first.name, second.name, first.number);
            return Err(SchemaError::SameNumber { first, second, number });
        }
        let mut schema = Self::default();
        for spec in sorted {
            schema.add(spec)?;
        }
        let bits = schema.components.iter().map(|component| component.width_bits).sum();
        if bits > limits::STATE_BITS_MAX {
            return Err(SchemaError::TooManyBits(bits));
        }
        Ok(schema)
    }

    fn add(&mut self, spec: ComponentSpec) -> Result<(), SchemaError> {
        let is_state = spec.travel == Travel::State;
        if is_state == spec.fields.is_empty() {
            return Err(SchemaError::Fields(spec.name));
        }
        if let Some(field) = spec.fields.iter().find(|field| !(1..=32).contains(&field.bits)) {
            return Err(SchemaError::FieldBits { component: spec.name, field: field.name });
        }
        let position = u8::try_from(self.components.len()).expect("at most 64 components");
        self.components.push(Component {
            spec,
            width_bits: spec.fields.iter().map(|field| u32::from(field.bits)).sum(),
            first_field: if is_state { self.field_count } else { 0 },
        });
        if is_state {
            self.state.push(position);
            self.state_count += 1;
            self.field_count += spec.fields.len();
        }
        Ok(())
    }

    /// The components by ascending position.
    #[must_use]
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// Where the component of this number stands.
    #[must_use]
    pub fn position(&self, number: u16) -> Option<u8> {
        let found = self.components.binary_search_by_key(&number, |component| component.spec.number).ok()?;
        u8::try_from(found).ok()
    }

    /// Positions of the state components, ascending.
    #[must_use]
    pub fn state_positions(&self) -> &[u8] {
        &self.state
    }

    /// How many state components there are: the width of a state mask.
    #[must_use]
    pub const fn state_count(&self) -> u32 {
        self.state_count
    }

    /// Fields of all state components together: the length of a row.
    #[must_use]
    pub const fn field_count(&self) -> usize {
        self.field_count
    }

    /// The mask of the sticky components in `mask`.
    #[must_use]
    pub fn sticky_part(&self, mask: u64) -> u64 {
        self.state.iter().fold(mask, |rest, position| rest & !(1 << position))
    }

    /// The state mask of `mask`: state positions moved together.
    #[must_use]
    pub fn state_mask(&self, mask: u64) -> u64 {
        let moved = self.state.iter().enumerate().map(|(place, position)| ((mask >> position) & 1) << place);
        moved.fold(0, |all, bit| all | bit)
    }

    /// The state components in `mask` by ascending position.
    pub fn state_in(&self, mask: u64) -> impl Iterator<Item = &Component> {
        let present = self.state.iter().filter(move |position| (mask >> **position) & 1 == 1);
        present.map(|position| &self.components[usize::from(*position)])
    }

    /// Bits of the state components in `mask`.
    #[must_use]
    pub fn width_of(&self, mask: u64) -> u32 {
        self.state_in(mask).map(|component| component.width_bits).sum()
    }

    /// Bits of the state components in a state mask.
    #[must_use]
    pub fn width_of_state(&self, state_mask: u64) -> u32 {
        let present = self.state.iter().enumerate().filter(|(place, _)| (state_mask >> place) & 1 == 1);
        present.map(|(_, position)| self.components[usize::from(*position)].width_bits).sum()
    }

    /// Appends the fields of the state components in `mask`, taken from an entity's row of all state fields.
    pub fn put_fields(&self, bits: &mut BitWriter, mask: u64, row: &[u32]) {
        for component in self.state_in(mask) {
            let values = &row[component.first_field..];
            for (field, value) in component.spec.fields.iter().zip(values) {
                bits.put(*value, u32::from(field.bits));
            }
        }
    }

    /// All fields of the state components, with their component, in the order of a row.
    pub fn fields(&self) -> impl Iterator<Item = &'static FieldSpec> {
        self.state.iter().flat_map(|position| self.components[usize::from(*position)].spec.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{HEALTH, LABEL, POSE};

    #[test]
    fn positions_follow_numbers() {
        let schema = Schema::new(&[LABEL, HEALTH, POSE]).unwrap();
        let numbers: Vec<u16> = schema.components().iter().map(|component| component.spec.number).collect();
        assert_eq!(numbers, [1, 2, 7]);
        assert_eq!(schema.position(2), Some(1));
        assert_eq!(schema.position(3), None);
        assert_eq!(schema.state_positions(), [0, 2]);
        assert_eq!(schema.state_mask(0b101), 0b11);
        assert_eq!(schema.state_mask(0b110), 0b10);
        assert_eq!(schema.sticky_part(0b111), 0b010);
        assert_eq!(schema.fields().count(), schema.field_count());
    }

    #[test]
    fn what_does_not_fit_the_wire_is_refused() {
        let twin = ComponentSpec { name: "Twin", ..POSE };
        assert_eq!(
            Schema::new(&[POSE, twin]).unwrap_err(),
            SchemaError::SameNumber { first: "Pose", second: "Twin", number: 1 }
        );
        let empty = ComponentSpec { fields: &[], ..POSE };
        assert_eq!(Schema::new(&[empty]).unwrap_err(), SchemaError::Fields("Pose"));
        let many: Vec<ComponentSpec> = (0..65).map(|number| ComponentSpec { number, ..LABEL }).collect();
        assert_eq!(Schema::new(&many).unwrap_err(), SchemaError::TooManyComponents(65));
        let wide: Vec<ComponentSpec> =
            (0..64).map(|number| ComponentSpec { number, ..crate::examples::WIDE }).collect();
        assert_eq!(Schema::new(&wide).unwrap_err(), SchemaError::TooManyBits(64 * 96));
    }
}
