//! Chance within a zone: [`ZoneRandom`], seeded by the worker.

use std::ops::{Deref, DerefMut};

use bevy_ecs::resource::Resource;

/// The zone's random numbers: a [`fastrand::Rng`]. The same seed, inputs and systems give the same numbers.
#[derive(Resource, Clone, Debug)]
pub struct ZoneRandom(fastrand::Rng);

impl ZoneRandom {
    pub(crate) const fn new(random: fastrand::Rng) -> Self {
        Self(random)
    }
}

impl Deref for ZoneRandom {
    type Target = fastrand::Rng;

    fn deref(&self) -> &fastrand::Rng {
        &self.0
    }
}

impl DerefMut for ZoneRandom {
    fn deref_mut(&mut self) -> &mut fastrand::Rng {
        &mut self.0
    }
}
