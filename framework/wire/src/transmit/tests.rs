//! Promises of what leaves a link.

use lightmoon_contract::{Priority, Reliability};

use super::*;
use crate::frame::{Detach, Ping, View};

const LOW: Lane = Lane { priority: Priority::Low, reliability: Reliability::ReliableOrdered };

#[test]
fn urgent_lanes_leave_first_and_the_close_last() {
    let (mut outbox, mut counters) = (Outbox::default(), Counters::default());
    outbox.stream(LOW, &Detach { generation: 1 }, &mut counters).unwrap();
    outbox.stream(Lane::CONTROL, &Detach { generation: 2 }, &mut counters).unwrap();
    outbox.close(CloseCode::Normal, String::new());
    outbox.stream(LOW, &Detach { generation: 3 }, &mut counters).unwrap();
    let order: Vec<_> = std::iter::from_fn(|| outbox.poll(&mut counters)).collect();
    assert!(matches!(&order[0], Transmit::Stream { lane: Lane::CONTROL, bytes } if bytes[0] == 0x03));
    assert!(matches!(&order[1], Transmit::Stream { lane: LOW, bytes } if bytes[0] == 0x33));
    assert!(matches!(&order[2], Transmit::Close { code: CloseCode::Normal, .. }));
    assert_eq!(order.len(), 3);
}

#[test]
fn a_backlog_leaves_in_writes_of_bounded_size_and_in_order() {
    let (mut outbox, mut counters) = (Outbox::default(), Counters::default());
    let mut expected = vec![LOW.number()];
    for generation in 0..10 {
        let view = View { generation, payload: vec![7; 30_000].into() };
        frame::write_stream(&view, &mut expected);
        outbox.stream(LOW, &view, &mut counters).unwrap();
    }
    let mut written = Vec::new();
    while let Some(Transmit::Stream { bytes, .. }) = outbox.poll(&mut counters) {
        assert!(bytes.len() <= limits::WRITE_BYTES_MAX);
        written.extend_from_slice(&bytes);
    }
    assert_eq!(written, expected);
    assert_eq!(outbox.waiting_bytes(), 0);
}

#[test]
fn too_many_datagrams_drop_the_oldest() {
    let (mut outbox, mut counters) = (Outbox::default(), Counters::default());
    for nonce in 0..70 {
        outbox.datagram(Priority::Critical, None, &Ping { nonce }, &mut counters);
    }
    assert_eq!(counters.datagrams_dropped, 6);
    let first = outbox.poll(&mut counters).unwrap();
    assert_eq!(first, Transmit::Datagram(frame::write_datagram(&Ping { nonce: 6 })));
}

#[test]
fn a_lane_that_nobody_drains_reports_its_backlog() {
    let (mut outbox, mut counters) = (Outbox::default(), Counters::default());
    let view = View { generation: 1, payload: vec![0; limits::VIEW_BYTES_MAX].into() };
    let fits = limits::LANE_BACKLOG_BYTES_MAX / (limits::VIEW_BYTES_MAX + 16);
    for _ in 0..fits {
        outbox.stream(LOW, &view, &mut counters).unwrap();
    }
    assert_eq!(outbox.stream(LOW, &view, &mut counters), Err(Backlog));
}
