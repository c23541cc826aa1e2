//! The game's own page in the console: the sectors, by name, with what is in them and how much there is to mine.
//!
//! *Responsible for*: its files and numbers. *Not responsible for*: who may see it (the framework).

use lightmoon::rust_embed::RustEmbed;
use lightmoon::{ConsolePage, Glance};
use serde_json::{Value, json};

use crate::world_map;

#[derive(RustEmbed)]
#[crate_path = "lightmoon::rust_embed"]
#[folder = "../console"]
struct Files;

/// The page.
#[must_use]
pub fn page() -> ConsolePage {
    ConsolePage::new::<Files>("sectors", "Sectors").numbers(numbers)
}

fn numbers(glance: &Glance) -> Value {
    let sector = |zone: lightmoon::ZoneGlance| {
        let plan = world_map::sector(zone.zone.key)?;
        let count = |name: &str| {
            let chart = zone.chart?;
            chart.counts.get(chart.names.iter().position(|other| *other == name)?).copied()
        };
        Some(json!({
            "name": plan.name,
            "hue": plan.hue,
            "room": plan.ships_max,
            "pilots": zone.report.viewers,
            "ships": count("ship"),
            "adrift": count("ship adrift"),
            "crystals": count("crystal"),
            "drifters": count("drifter"),
        }))
    };
    json!({ "sectors": glance.zones().filter_map(sector).collect::<Vec<_>>() })
}
