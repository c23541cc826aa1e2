//! Links: connections, lanes, datagrams.

use super::metric::{Metric, counter, counter_by, counter_each, gauge, gauge_each, of};

pub(super) const TABLE: &[Metric] = &[
    gauge("lightmoon_link_open", "Connections open now.", |s| of(s.net.links)),
    gauge("lightmoon_link_handshakes", "Handshakes in progress.", |s| of(s.net.handshakes)),
    counter("lightmoon_link_opened_total", "Connections that opened.", |s| of(s.net.links_opened)),
    counter("lightmoon_link_handshake_failed_total", "Handshakes that failed or took too long.", |s| {
        of(s.net.handshakes_failed)
    }),
    counter_by(
        "lightmoon_link_refused_total",
        &["reason"],
        "Connections refused: by the limit of all, or because their address has its share.",
        &[("limit", |s| of(s.net.refused)), ("address", |s| of(s.net.refused_source))],
    ),
    counter("lightmoon_link_handshake_evicted_total", "Handshakes that gave way to those of others.", |s| {
        of(s.net.handshakes_evicted)
    }),
    counter("lightmoon_link_retried_total", "Connections asked to prove their address.", |s| {
        of(s.net.retried)
    }),
    counter("lightmoon_link_overloaded_total", "Connections closed because they did not read.", |s| {
        of(s.net.overloaded)
    }),
    counter(
        "lightmoon_link_panicked_total",
        "Packets and connections given up because dealing with them panicked: faults of the server.",
        |s| of(s.net.panicked),
    ),
    counter("lightmoon_link_stream_received_bytes_total", "Bytes of streams received.", |s| {
        of(s.net.stream_bytes_received)
    }),
    counter("lightmoon_link_stream_sent_bytes_total", "Bytes handed to streams.", |s| {
        of(s.net.stream_bytes_sent)
    }),
    counter("lightmoon_link_datagram_received_total", "Datagrams received.", |s| {
        of(s.net.datagrams_received)
    }),
    counter("lightmoon_link_datagram_sent_total", "Datagrams sent.", |s| of(s.net.datagrams_sent)),
    counter("lightmoon_link_datagram_received_bytes_total", "Bytes of datagrams received.", |s| {
        of(s.links.datagram_bytes_in)
    }),
    counter("lightmoon_link_datagram_sent_bytes_total", "Bytes of datagrams handed to the network.", |s| {
        of(s.links.datagram_bytes_out)
    }),
    counter_by(
        "lightmoon_link_datagram_dropped_total",
        &["reason"],
        "Datagrams that did not leave, by reason.",
        &[
            ("network-full", |s| of(s.net.datagrams_dropped)),
            ("network-too-large", |s| of(s.net.datagrams_too_large)),
            ("link-full", |s| of(s.links.datagrams_dropped)),
            ("link-too-large", |s| of(s.links.datagrams_too_large)),
            ("replaced", |s| of(s.links.datagrams_replaced)),
        ],
    ),
    counter(
        "lightmoon_link_datagram_rationed_total",
        "Times that datagrams waited because a reliable lane waited too.",
        |s| of(s.links.datagrams_rationed),
    ),
    counter(
        "lightmoon_link_read_stall_total",
        "Times a link was not read because the node was behind.",
        |s| of(s.net.read_stalls),
    ),
    counter_by(
        "lightmoon_link_frame_ignored_total",
        &["reason"],
        "Frames of clients that had no effect, by reason.",
        &[
            ("stale", |s| of(s.links.stale)),
            ("early", |s| of(s.links.early)),
            ("unasked", |s| of(s.links.unasked)),
            ("closing", |s| of(s.links.ignored)),
        ],
    ),
    counter("lightmoon_link_frame_received_total", "Frames received.", |s| of(s.links.frames_in)),
    counter("lightmoon_link_frame_sent_total", "Frames sent.", |s| of(s.links.frames_out)),
    counter("lightmoon_link_frame_resent_total", "Kept frames sent again after a reconnect.", |s| {
        of(s.links.frames_resent)
    }),
    counter_each("lightmoon_lane_sent_bytes_total", &["lane"], "Bytes handed to streams.", |s, out| {
        s.lanes(|name, lane| out.number(&[name], of(lane.sent_bytes)));
    }),
    counter_each("lightmoon_lane_write_total", &["lane"], "Writes to streams.", |s, out| {
        s.lanes(|name, lane| out.number(&[name], of(lane.writes)));
    }),
    gauge_each(
        "lightmoon_lane_waiting_bytes",
        &["lane"],
        "Bytes that wait for acknowledgements or more urgent lanes.",
        |s, out| s.lanes(|name, lane| out.number(&[name], of(lane.waiting_bytes))),
    ),
    counter("lightmoon_lane_held_back_total", "Times that a lane waited for an acknowledgement.", |s| {
        of(s.links.lanes_held_back)
    }),
    counter(
        "lightmoon_lane_let_through_total",
        "Times that more urgent lanes paused for a starved one.",
        |s| of(s.links.lanes_let_through),
    ),
];
