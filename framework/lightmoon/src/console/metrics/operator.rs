//! Operators and their console.

use super::metric::{Metric, counter, of};

pub(super) const TABLE: &[Metric] = &[
    counter(
        "lightmoon_console_stream_refused_total",
        "Streams of console pages refused because too many were open.",
        |s| of(s.console.streams_refused),
    ),
    counter(
        "lightmoon_console_message_dropped_total",
        "Messages that a console page had no room for.",
        |s| of(s.console.messages_dropped),
    ),
    counter(
        "lightmoon_console_command_refused_total",
        "Commands of operators that were not carried out.",
        |s| of(s.console.commands_refused),
    ),
    counter("lightmoon_operator_call_total", "Calls of operators handed to actors.", |s| {
        of(s.gateway.calls_of_operators)
    }),
    counter(
        "lightmoon_operator_call_refused_total",
        "Calls of operators refused because too many waited.",
        |s| of(s.gateway.operator_calls_refused),
    ),
    counter("lightmoon_session_kicked_total", "Sessions that an operator ended.", |s| {
        of(s.gateway.sessions_kicked)
    }),
    counter(
        "lightmoon_node_event_dropped_total",
        "Events for the console's list that were only counted.",
        |s| of(s.gateway.events_dropped),
    ),
];
