//! The map: zones with what is in them, as dots.
//!
//! *Responsible for*: the form of its messages. *Not responsible for*: reading worlds (`zone`), drawing (`console/pages/map.js`).

use crate::board::Snapshot;
use lightmoon_contract::ActorId;
use lightmoon_contract::descriptor::Descriptor;
use lightmoon_zone::ZoneChart;
use serde_json::{Value, json};

/// All zones whose workers were asked.
pub(crate) fn json(snapshot: &Snapshot, descriptor: &Descriptor) -> Value {
    let mut charts: Vec<(ActorId, &ZoneChart)> = snapshot.charts().collect();
    // A zone has its place on the map whichever worker runs it.
    charts.sort_by_key(|(zone, _)| *zone);
    let zones: Vec<Value> =
        charts.into_iter().map(|(zone, chart)| zone_json(zone, chart, descriptor)).collect();
    json!({ "zones": zones })
}

fn zone_json(zone: ActorId, chart: &ZoneChart, descriptor: &Descriptor) -> Value {
    let mut places = Vec::with_capacity(chart.places.len() * 4);
    for place in &chart.places {
        // Things of one zone are told apart by the lower half of their ids: the counter, in which they are given.
        places.push(Value::from(place.id.0 & 0xFFFF_FFFF));
        places.push(place.name.map_or_else(|| Value::from(-1), Value::from));
        places.extend(place.at.map(rounded));
    }
    let viewers: Vec<Value> = chart
        .viewers
        .iter()
        .map(|viewer| {
            json!({
                "session": viewer.session.to_string(),
                // As text: it has 64 bits, and a page's numbers have 53.
                "player": viewer.player.to_string(),
                "at": viewer.at.map(|at| at.map(rounded)),
            })
        })
        .collect();
    json!({
        "zone": zone.to_string(),
        "kind": descriptor.contract(zone.kind).map_or("zone", |contract| contract.name.as_str()),
        "key": zone.key.to_string(),
        "tick": chart.tick.0,
        "area": chart.area,
        "radius": chart.radius,
        "names": chart.names,
        "counts": chart.counts,
        // Four numbers for each: id, name, x, y.
        "places": places,
        "viewers": viewers,
    })
}

/// Two digits behind the point are less than a pixel, and half the bytes.
fn rounded(at: f32) -> Value {
    Value::from((f64::from(at) * 100.0).round() / 100.0)
}
