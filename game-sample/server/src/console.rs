//! The game's own page in the console: the sectors by name, with what is in them.
//!
//! *Responsible for*: its files and numbers. *Not responsible for*: who may see it (the framework).

use lightmoon::rust_embed::RustEmbed;
use lightmoon::{ConsolePage, ZoneGlance};
use serde_json::{Value, json};

use crate::world_map;

// ANCHOR: page
#[derive(RustEmbed)]
#[crate_path = "lightmoon::rust_embed"]
#[folder = "../console"]
struct Files;

/// The page.
#[must_use]
pub fn page() -> ConsolePage {
    let numbers = |glance: &lightmoon::Glance| glance.zones().filter_map(sector).collect();
    ConsolePage::new::<Files>("sectors", "Sectors").numbers(numbers)
}

fn sector(zone: ZoneGlance) -> Option<Value> {
    let plan = world_map::sector(zone.zone.key)?;
    let [ships, crystals, drifters] = ["ship", "crystal", "drifter"].map(|name| zone.count(name));
    let (name, hue, room, pilots) = (plan.name, plan.hue, plan.ships_max, zone.report.viewers);
    Some(json!([name, hue, room, pilots, ships, crystals, drifters]))
}
// ANCHOR_END: page
