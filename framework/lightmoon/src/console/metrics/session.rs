//! Sessions: who is let in, how they end, what is kept for them.

use super::metric::{Metric, counter, counter_by, gauge, of};

pub(super) const TABLE: &[Metric] = &[
    gauge("lightmoon_session_open", "Sessions open now.", |s| of(s.node.sessions.len())),
    gauge("lightmoon_session_waiting", "Sessions that wait for their clients to come back.", |s| {
        of(s.node.sessions.iter().filter(|session| session.is_waiting).count())
    }),
    gauge("lightmoon_session_handshakes", "Links that have not said who they are.", |s| {
        of(s.node.links_in_handshake)
    }),
    counter("lightmoon_session_opened_total", "Clients let in.", |s| of(s.gateway.sessions_opened)),
    counter("lightmoon_session_closed_total", "Sessions that ended, for whatever reason.", |s| {
        of(s.gateway.sessions_closed)
    }),
    counter("lightmoon_session_replaced_total", "Sessions ended by a second login of their player.", |s| {
        of(s.gateway.sessions_replaced)
    }),
    counter(
        "lightmoon_session_closed_for_rate_total",
        "Sessions closed because they called too fast.",
        |s| of(s.gateway.sessions_closed_for_rate),
    ),
    counter(
        "lightmoon_session_overflowed_total",
        "Sessions ended because more was promised to their client than is kept.",
        |s| of(s.gateway.sessions_overflowed),
    ),
    counter("lightmoon_session_abandoned_total", "Sessions that waited in vain.", |s| {
        of(s.gateway.sessions_abandoned)
    }),
    counter("lightmoon_session_resumed_total", "Sessions that went on over another connection.", |s| {
        of(s.gateway.sessions_resumed)
    }),
    counter("lightmoon_session_restored_total", "Sessions of a process before this one that went on.", |s| {
        of(s.gateway.sessions_restored)
    }),
    counter_by(
        "lightmoon_session_link_closed_total",
        &["reason"],
        "Links that the node closed, by reason.",
        &[
            ("violating", |s| of(s.gateway.links_violating)),
            ("too-large", |s| of(s.gateway.links_too_large)),
            ("too-many-bytes", |s| of(s.gateway.links_closed_for_bytes)),
            ("handshake-evicted", |s| of(s.gateway.handshakes_evicted)),
            ("handshake-timed-out", |s| of(s.gateway.handshakes_timed_out)),
            ("unread", |s| of(s.gateway.links_unread)),
            ("idle", |s| of(s.gateway.links_idle)),
            ("stopping", |s| of(s.gateway.links_refused)),
        ],
    ),
    counter_by(
        "lightmoon_login_refused_total",
        &["reason"],
        "Clients refused: since their address has its share, or by token, contracts or lack of room.",
        &[
            ("address", |s| of(s.gateway.logins_refused_source)),
            ("other", |s| of(s.gateway.logins_refused.saturating_sub(s.gateway.logins_refused_source))),
        ],
    ),
    counter("lightmoon_ticket_refused_total", "Tickets that resumed nothing.", |s| {
        of(s.gateway.tickets_refused)
    }),
    counter("lightmoon_push_kept_total", "Pushes kept for clients that were away.", |s| {
        of(s.gateway.pushes_kept)
    }),
    counter_by(
        "lightmoon_push_dropped_total",
        &["reason"],
        "Pushes dropped: too large, or their client was away and speaks no version that keeps them.",
        &[("refused", |s| of(s.gateway.pushes_refused)), ("missed", |s| of(s.gateway.pushes_missed))],
    ),
    counter("lightmoon_message_stale_total", "Messages to sessions that were gone.", |s| {
        of(s.gateway.messages_stale)
    }),
    counter("lightmoon_message_unroutable_total", "Messages to kinds that do not run here.", |s| {
        of(s.gateway.messages_unroutable)
    }),
];
