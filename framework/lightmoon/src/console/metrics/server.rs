//! The process and its turns.

use super::metric::{Metric, counter, gauge, gauge_each, of};

pub(super) const TABLE: &[Metric] = &[
    gauge_each(
        "lightmoon_build_info",
        &["version"],
        "Always 1; its label says which version of the game runs.",
        |s, out| out.number(&[s.server.version], 1.0),
    ),
    gauge("lightmoon_up_seconds", "Time since the server started.", |s| of(s.server.up)),
    gauge("lightmoon_healthy", "1 when the node took a turn lately.", |s| of(s.server.is_healthy)),
    counter("lightmoon_turn_total", "Turns of the node.", |s| of(s.turns.turns)),
    counter("lightmoon_turn_full_total", "Turns that left events for the next.", |s| of(s.turns.turns_full)),
    gauge("lightmoon_turn_max_seconds", "Longest turn within the last quarter of a second.", |s| {
        of(s.turns.turn_max)
    }),
    gauge("lightmoon_turn_stalled", "Workers whose turn does not end.", |s| of(s.server.stalled_now)),
    counter("lightmoon_turn_stalled_total", "Turns that took longer than a second.", |s| {
        of(s.server.stalled_ever)
    }),
];
