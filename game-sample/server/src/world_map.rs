//! The map of Driftlight: five sectors, a hub inside a ring, the gates between them, and the Murk.
//!
//! *Responsible for*: which sectors exist, their names, colours and gates, and where a gate stands.
//! *Not responsible for*: the worlds themselves ([`crate::sector`]) and the ships in them.
//!
//! Invariants:
//! - I1: a gate from A to B has a matching gate from B to A.
//! - I2: every gate stands inside its sector, clear of the soft wall and of every other gate.

/// Half the side of a sector, in units: coordinates run from `-HALF_SIZE` to `HALF_SIZE`.
pub const HALF_SIZE: f32 = 1000.0;

/// Distance of a gate from the middle of its sector, in units; the soft wall starts at 900.
pub const GATE_DISTANCE: f32 = 800.0;

/// One sector of the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SectorPlan {
    /// Key of its zone actor.
    pub key: u64,
    /// What players call it.
    pub name: &'static str,
    /// Its colour, in degrees of hue.
    pub hue: u16,
    /// Its place on the map; gates point along the lines between places.
    pub at: (f32, f32),
    /// Keys of the sectors that its gates lead to.
    pub gates: &'static [u64],
    /// How far one sees in it, units.
    pub sight: f32,
    /// Most ships in it.
    pub ships_max: usize,
    /// Whether drifters and crystals are in it.
    pub is_inhabited: bool,
}

/// A gate of one sector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GatePlan {
    /// The sector it leads to.
    pub to: u64,
    /// Where it stands.
    pub x: f32,
    /// Where it stands.
    pub y: f32,
    /// Direction out of the sector, radians from the x axis.
    pub outward: f32,
}

/// How far clients see where nothing is in the way, units: a little more than a wide screen shows.
pub const SIGHT: f32 = 700.0;

/// How far clients see in the Murk, units: of a thousand ships that fly about in it some fifty are nearer.
pub const MURK_SIGHT: f32 = 185.0;

/// Most ships of one sector: more would hide each other. A tick could hold many more.
pub const SHIPS_MAX: usize = 300;

/// Most ships in the Murk, where they hardly see each other.
pub const MURK_SHIPS_MAX: usize = 2_000;

/// Key of the Murk: a sector for crowds. No gate leads there; a pilot says that it wants to be there.
pub const MURK: u64 = 6;

/// Sectors in which pilots start, by their keys from 1.
pub const HOMES: u64 = 5;

/// All sectors, in order of their keys.
pub const SECTORS: [SectorPlan; 6] = [
    SectorPlan { key: 1, name: "Lantern", hue: 45, at: (0.0, 0.0), gates: &[2, 3, 4, 5], ..CLEAR },
    SectorPlan { key: 2, name: "Aurora", hue: 150, at: (0.0, 1.0), gates: &[1, 3, 5], ..CLEAR },
    SectorPlan { key: 3, name: "Ember", hue: 12, at: (1.0, 0.0), gates: &[1, 2, 4], ..CLEAR },
    SectorPlan { key: 4, name: "Violet Deep", hue: 275, at: (0.0, -1.0), gates: &[1, 3, 5], ..CLEAR },
    SectorPlan { key: 5, name: "Tidewell", hue: 200, at: (-1.0, 0.0), gates: &[1, 2, 4], ..CLEAR },
    SectorPlan {
        key: MURK,
        name: "Murk",
        hue: 100,
        at: (2.0, 2.0),
        gates: &[],
        sight: MURK_SIGHT,
        ships_max: MURK_SHIPS_MAX,
        is_inhabited: false,
    },
];

/// What the sectors of the hub and the ring have in common.
const CLEAR: SectorPlan = SectorPlan {
    key: 0,
    name: "",
    hue: 0,
    at: (0.0, 0.0),
    gates: &[],
    sight: SIGHT,
    ships_max: SHIPS_MAX,
    is_inhabited: true,
};

/// The sector with this key.
#[must_use]
pub fn sector(key: u64) -> Option<&'static SectorPlan> {
    SECTORS.iter().find(|plan| plan.key == key)
}

/// The sector a pilot starts in: spread evenly over the map by the pilot's key.
#[must_use]
pub fn home_of(player: u64) -> u64 {
    1 + player % HOMES
}

impl SectorPlan {
    /// The gate that leads to `to`; `None` when there is none.
    #[must_use]
    pub fn gate_to(&self, to: u64) -> Option<GatePlan> {
        if !self.gates.contains(&to) {
            return None;
        }
        let (x, y) = (sector(to)?.at.0 - self.at.0, sector(to)?.at.1 - self.at.1);
        let length = libm::hypotf(x, y);
        Some(GatePlan {
            to,
            x: x / length * GATE_DISTANCE,
            y: y / length * GATE_DISTANCE,
            outward: libm::atan2f(y, x),
        })
    }

    /// All its gates, in order of their targets.
    pub fn all_gates(&self) -> impl Iterator<Item = GatePlan> + '_ {
        self.gates.iter().filter_map(|to| self.gate_to(*to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gate_has_its_matching_gate() {
        for plan in &SECTORS {
            let gates = if plan.key <= HOMES { 2..=4 } else { 0..=0 };
            assert!(gates.contains(&plan.gates.len()), "{}", plan.name);
            for gate in plan.all_gates() {
                let back = sector(gate.to).and_then(|other| other.gate_to(plan.key));
                assert!(back.is_some(), "no way back from {} to {}", gate.to, plan.key);
            }
            assert_eq!(plan.all_gates().count(), plan.gates.len());
        }
    }

    #[test]
    fn gates_stand_apart_and_inside() {
        for plan in &SECTORS {
            let gates: Vec<_> = plan.all_gates().collect();
            for (index, gate) in gates.iter().enumerate() {
                assert!(gate.x.abs() < 900.0 && gate.y.abs() < 900.0, "{gate:?}");
                for other in &gates[index + 1..] {
                    assert!(libm::hypotf(gate.x - other.x, gate.y - other.y) > 200.0, "{gate:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn homes_are_spread_over_all_sectors() {
        for player in 0..20 {
            assert!(sector(home_of(player)).is_some_and(|plan| !plan.gates.is_empty()));
        }
        assert_ne!(home_of(0), home_of(1));
    }

    #[test]
    fn keys_and_names_are_unique() {
        for (index, plan) in SECTORS.iter().enumerate() {
            assert!(
                SECTORS[index + 1..].iter().all(|other| other.key != plan.key && other.name != plan.name)
            );
        }
    }
}
