//! Sight: which entities a client must be shown, and which it may be shown.
//!
//! *Responsible for*: distance by the truth, with room for one tick of movement and for rounding. *Not responsible for*:
//! how the zone finds it (`zone`, whose grid this shares no code with).

use std::fmt;

use lightmoon_zone::EntityLook;

/// Who sees what, as the game's interest options say it.
#[derive(Clone, Copy)]
pub struct Sight {
    /// Takes an entity's place from its quantised components; `None`: it has none and is seen by nobody.
    pub place_of: fn(&EntityLook) -> Option<[f64; 2]>,
    /// Distance at which an entity must be shown.
    pub radius: f64,
    /// Distance up to which it may be shown still.
    pub radius_leave: f64,
    /// Room for rounding to quantised places and for what moves between two ticks.
    pub room: f64,
}

impl Sight {
    /// Whether an entity must be shown to the client of `avatar`.
    #[must_use]
    pub fn must_see(&self, avatar: &EntityLook, entity: &EntityLook) -> bool {
        self.distance(avatar, entity).is_some_and(|distance| distance < self.radius - self.room)
    }

    /// Whether an entity may be shown to the client of `avatar`.
    #[must_use]
    pub fn may_see(&self, avatar: &EntityLook, entity: &EntityLook) -> bool {
        self.distance(avatar, entity).is_some_and(|distance| distance < self.radius_leave + self.room)
    }

    fn distance(&self, one: &EntityLook, other: &EntityLook) -> Option<f64> {
        let ([x, y], [other_x, other_y]) = ((self.place_of)(one)?, (self.place_of)(other)?);
        Some(((x - other_x).powi(2) + (y - other_y).powi(2)).sqrt())
    }
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sight")
            .field("radius", &self.radius)
            .field("radius_leave", &self.radius_leave)
            .finish_non_exhaustive()
    }
}
