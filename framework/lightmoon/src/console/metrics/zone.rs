//! Zones: ticks and their phases, overload, what viewers are sent.

use super::metric::{
    Metric, counter, gauge_each, histogram_each, of, sum, zone_counter, zone_gauge, zone_histogram,
    zone_largest,
};
use lightmoon_contract::Times;
use lightmoon_zone::PhaseTimes;

/// The name of a phase, and its times.
type Phase = (&'static str, fn(&PhaseTimes) -> Times);

/// The phases of a tick.
const PHASES: [Phase; 5] = [
    ("schedules", |times| times.schedules),
    ("collect", |times| times.collect),
    ("grid", |times| times.grid),
    ("replication", |times| times.replication),
    ("send", |times| times.send),
];

pub(super) const TABLE: &[Metric] = &[
    gauge_each("lightmoon_zone_running", &["kind"], "Zones that run.", |s, out| {
        for kind in s.zone_kinds() {
            out.number(&[&s.name_of(kind)], of(s.running(kind)));
        }
    }),
    zone_gauge("lightmoon_zone_entities", "Entities with an identity.", |zone| of(zone.entities)),
    zone_gauge("lightmoon_zone_viewers", "Sessions that look at a zone.", |zone| of(zone.viewers)),
    zone_counter("lightmoon_zone_tick_total", "Ticks.", |zone| of(zone.counters.ticks)),
    zone_counter("lightmoon_zone_tick_skipped_total", "Ticks given up because a zone was late.", |zone| {
        of(zone.counters.ticks_skipped)
    }),
    zone_histogram("lightmoon_zone_tick_seconds", "Whole ticks.", |zone| zone.times.tick),
    histogram_each(
        "lightmoon_zone_phase_seconds",
        &["kind", "phase"],
        "Phases of ticks: schedules, collect, grid, replication, send.",
        |s, out| {
            for kind in s.zone_kinds() {
                for (phase, times) in PHASES {
                    let times = sum(s.zones_of(kind).map(|zone| times(&zone.times)));
                    out.times(&[&s.name_of(kind), phase], &times);
                }
            }
        },
    ),
    zone_largest(
        "lightmoon_zone_tick_longest_seconds",
        "The longest tick so far of any zone that runs.",
        |zone| of(zone.longest_tick),
    ),
    zone_largest(
        "lightmoon_zone_overload_rung",
        "The highest rung of the ladder of overload that a zone is on: 0 calm to 4.",
        |zone| of(zone.rung.number()),
    ),
    zone_counter("lightmoon_zone_overload_climb_total", "Steps up that ladder.", |zone| {
        of(zone.counters.overload_climbs)
    }),
    zone_counter(
        "lightmoon_zone_optional_rested_total",
        "Ticks in which optional systems of an overloaded zone rested.",
        |zone| of(zone.counters.optional_rested),
    ),
    zone_counter(
        "lightmoon_zone_state_spared_total",
        "State packets of an overloaded zone left out, or held to the own avatar.",
        |zone| of(zone.counters.states_spared),
    ),
    zone_counter(
        "lightmoon_zone_narrowed_total",
        "Ticks in which viewers of an overloaded zone saw less far.",
        |zone| of(zone.counters.ticks_narrowed),
    ),
    zone_counter("lightmoon_zone_operation_total", "Operations that zones served.", |zone| {
        of(zone.counters.operations)
    }),
    zone_counter("lightmoon_zone_viewer_refused_total", "Viewers that a full zone did not take.", |zone| {
        of(zone.counters.viewers_refused)
    }),
    zone_counter(
        "lightmoon_zone_visit_refused_total",
        "Players that asked to enter and got no avatar: the zone is full or said no.",
        |zone| of(zone.counters.visits_refused),
    ),
    zone_counter(
        "lightmoon_zone_outgoing_dropped_total",
        "Messages of systems dropped because a tick queued too many.",
        |zone| of(zone.counters.outgoing_dropped),
    ),
    zone_counter("lightmoon_zone_enter_total", "Entities that came into somebody's view.", |zone| {
        of(zone.counters.enters)
    }),
    zone_counter(
        "lightmoon_zone_enter_deferred_total",
        "Entities that came into a view later, since it or its share of a tick was full.",
        |zone| of(zone.counters.enters_deferred),
    ),
    zone_counter("lightmoon_zone_state_record_total", "Records in state packets.", |zone| {
        of(zone.counters.state_records)
    }),
    zone_counter(
        "lightmoon_zone_state_deferred_total",
        "Entities in view that found no room in a packet.",
        |zone| of(zone.counters.state_deferred),
    ),
    zone_counter(
        "lightmoon_zone_state_whole_total",
        "Records against nothing: of entities that had just entered, or that a client had lost.",
        |zone| of(zone.counters.state_whole),
    ),
    zone_largest(
        "lightmoon_zone_state_stalest_ticks",
        "The most ticks so far that an entity which changed waited for room in a packet.",
        |zone| of(zone.counters.state_stalest_ticks),
    ),
    counter("lightmoon_state_total", "State packets handed to links.", |s| of(s.gateway.states)),
    counter("lightmoon_state_bytes_total", "Bytes of state packets.", |s| of(s.gateway.state_bytes)),
    counter("lightmoon_view_total", "View payloads handed to links.", |s| of(s.gateway.views)),
    counter("lightmoon_view_bytes_total", "Bytes of view payloads.", |s| of(s.gateway.view_bytes)),
];
