//! One entity in a client's view, to look at.
//!
//! *Responsible for*: its components by type or by number, now and between ticks. *Not responsible for*: keeping them
//! ([`Entities`]).

use lightmoon_contract::codec::{self, Limits};
use lightmoon_contract::replicate::{Replicate, Travel};
use lightmoon_contract::{NetId, Tick};

use super::column::Track;
use super::entities::Entities;
use crate::interpolate;

/// An entity in view, to look at.
#[derive(Clone, Copy, Debug)]
pub struct Entity<'a> {
    entities: &'a Entities,
    slot: u16,
}

impl<'a> Entity<'a> {
    pub(super) const fn new(entities: &'a Entities, slot: u16) -> Self {
        Self { entities, slot }
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> NetId {
        self.entities.id(self.slot)
    }

    /// The newest value of a component; `None` if the entity does not have it (or its bytes are no `C`).
    ///
    /// A state component is restored from its quantised fields, a sticky one is decoded at each call.
    #[must_use]
    pub fn get<C: Replicate>(&self) -> Option<C> {
        match C::SPEC.travel {
            Travel::State => C::restore(self.fields(C::SPEC.number)?),
            Travel::Sticky => codec::decode(self.sticky(C::SPEC.number)?, Limits::NODE).ok(),
        }
    }

    /// Whether it has the component of this number.
    #[must_use]
    pub fn has(&self, number: u16) -> bool {
        self.position(number).is_some_and(|own| self.entities.has(self.slot, own))
    }

    /// The newest quantised fields of a state component.
    #[must_use]
    pub fn fields(&self, number: u16) -> Option<&'a [u32]> {
        Some(self.track(number)?.newest()?.1)
    }

    /// The tick that the newest value of a state component is of.
    #[must_use]
    pub fn tick_of(&self, number: u16) -> Option<Tick> {
        Some(Tick(self.track(number)?.newest()?.0))
    }

    /// The bytes of a sticky component.
    #[must_use]
    pub fn sticky(&self, number: u16) -> Option<&'a [u8]> {
        self.entities.sticky(self.slot, self.position(number)?)
    }

    /// The value of a state component at `tick`, which may lie between two ticks, in steps of its quantisation.
    ///
    /// Ranges go linearly, angles the short way round, other fields take the nearer value; beyond the newest tick it
    /// goes on for at most two more and then stands. Ticks come from [`crate::Playback::render_tick`].
    #[must_use]
    pub fn sample<C: Replicate>(&self, tick: f64) -> Option<C> {
        let mut real = [0.0; SAMPLE_FIELDS_MAX];
        let mut quantised = [0; SAMPLE_FIELDS_MAX];
        let fields = C::SPEC.fields;
        let real = real.get_mut(..fields.len())?;
        self.sample_fields(C::SPEC.number, tick, real)?;
        for ((field, real), out) in fields.iter().zip(real).zip(&mut quantised) {
            *out = field.quantise(*real);
        }
        C::restore(&quantised[..fields.len()])
    }

    /// As [`Entity::sample`], in real numbers of full precision, one per field.
    #[must_use]
    pub fn sample_fields(&self, number: u16, tick: f64, out: &mut [f64]) -> Option<()> {
        let track = self.track(number)?;
        let component = &self.entities.schema().components()[usize::from(self.position(number)?)];
        interpolate::sample(&track, component.spec.fields, tick, out)
    }

    fn track(&self, number: u16) -> Option<Track<'a>> {
        self.entities.track(self.slot, self.position(number)?)
    }

    fn position(&self, number: u16) -> Option<u8> {
        self.entities.schema().position(number)
    }
}

/// Fields of one component that [`Entity::sample`] takes: more are refused with `None`; real components have under 16.
const SAMPLE_FIELDS_MAX: usize = 64;
