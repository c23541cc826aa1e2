//! Calls of clients and their answers.

use super::metric::{Metric, counter, counter_by, of};

pub(super) const TABLE: &[Metric] = &[
    counter("lightmoon_call_total", "Calls of clients handed to actors.", |s| of(s.gateway.calls)),
    counter_by(
        "lightmoon_call_refused_total",
        &["reason"],
        "Calls of clients refused: above their rate, or not allowed, not attached, too many.",
        &[
            ("rate", |s| of(s.gateway.calls_too_fast)),
            ("other", |s| of(s.gateway.calls_refused.saturating_sub(s.gateway.calls_too_fast))),
        ],
    ),
    counter(
        "lightmoon_call_unreadable_total",
        "Requests of clients whose arguments could not be read.",
        |s| of(s.gateway.calls_unreadable),
    ),
    counter("lightmoon_call_doubled_total", "Unreliable calls that came twice; dropped.", |s| {
        of(s.gateway.calls_doubled)
    }),
    counter("lightmoon_request_rejoined_total", "Requests that came again before their answer.", |s| {
        of(s.gateway.requests_rejoined)
    }),
    counter(
        "lightmoon_request_answered_again_total",
        "Requests that came again and were answered from memory.",
        |s| of(s.gateway.answers_repeated),
    ),
    counter(
        "lightmoon_request_repeated_total",
        "Requests that came again and were answered with a stored reply.",
        |s| of(s.actors.requests_repeated),
    ),
    counter("lightmoon_request_reused_total", "Requests under the number of another one.", |s| {
        of(s.gateway.requests_reused)
    }),
    counter(
        "lightmoon_request_forgotten_total",
        "Requests that came again after their answer was forgotten.",
        |s| of(s.gateway.answers_forgotten),
    ),
    counter(
        "lightmoon_request_stale_total",
        "Requests refused: their number was another's, or their reply is kept no more.",
        |s| of(s.actors.requests_stale),
    ),
    counter_by(
        "lightmoon_answer_dropped_total",
        &["reason"],
        "Answers that did not leave: their session was gone, or they were too large.",
        &[("late", |s| of(s.gateway.answers_late)), ("too-large", |s| of(s.gateway.answers_refused))],
    ),
];
