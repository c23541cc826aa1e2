//! Where within a tick a zone is, as [`lightmoon_actor::Cx::note_phase`] takes it.
//!
//! *Responsible for*: numbers and their names for people. *Not responsible for*: times ([`crate::ZoneReport`]).

pub(crate) const FIRST: u8 = 1;
pub(crate) const UPDATE: u8 = 2;
pub(crate) const LAST: u8 = 3;
pub(crate) const COLLECT: u8 = 4;
pub(crate) const GRID: u8 = 5;
pub(crate) const SEND: u8 = 6;
pub(crate) const REPLICATION: u8 = 7;

/// What a zone does in a phase of its tick; `None`: it is in none.
#[must_use]
pub const fn name(phase: u8) -> Option<&'static str> {
    match phase {
        FIRST => Some("schedule First"),
        UPDATE => Some("schedule Update"),
        LAST => Some("schedule Last"),
        COLLECT => Some("collecting changes"),
        GRID => Some("sorting into the grid"),
        SEND => Some("sending messages"),
        REPLICATION => Some("replication"),
        _ => None,
    }
}
