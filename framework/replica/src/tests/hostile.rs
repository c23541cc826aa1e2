//! Bytes of somebody else: errors, never panics, never more memory than the limits.

use lightmoon_contract::{NetId, Tick};

use super::server::{Server, schema};
use crate::*;

#[test]
fn random_and_damaged_bytes_never_panic_and_stay_within_the_limits() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut server = Server::new();
        let mut client = ClientView::new(schema());
        client.attach(0);
        for _ in 0..30 {
            for mut payload in server.step(&mut random) {
                damage(&mut payload, &mut random);
                let _ = client.apply_view(0, &payload);
            }
            let (mut packet, _) = server.state(0, 1_100);
            damage(&mut packet, &mut random);
            let _ = client.apply_state(0, &packet);
            let noise: Vec<u8> = (0..random.usize(..60)).map(|_| random.u8(..)).collect();
            let _ = client.apply_state(0, &noise);
            let _ = client.apply_view(0, &noise);
        }
        assert!(client.len() <= limits::ENTITIES_MAX, "seed {seed}");
        for entity in client.entities() {
            let mut out = [0.0; 3];
            let _ = entity.sample_fields(1, f64::NAN, &mut out);
            let _ = entity.sample_fields(1, f64::INFINITY, &mut out);
        }
    }
}

/// Changes a byte in half of the cases, cuts the end in some.
pub(super) fn damage(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    if bytes.is_empty() || random.bool() {
        return;
    }
    let at = random.usize(..bytes.len());
    if random.u8(..4) == 0 {
        bytes.truncate(at);
    } else {
        bytes[at] ^= 1 << random.u8(..8);
    }
}

#[test]
fn a_view_takes_no_more_entities_than_its_limit() {
    let schema = schema();
    let body = super::server::Body { mask: 0, row: vec![0; 5], label: Vec::new() };
    let mut client = ClientView::new(schema.clone());
    client.attach(0);
    let mut result = Ok(Applied::Taken);
    for number in 0..=u16::try_from(limits::ENTITIES_MAX).unwrap() {
        let mut view = ViewWriter::new(Tick(1), number.into(), Vec::new());
        if number == 0 {
            view.layout(&schema);
        }
        assert!(view.enter(&schema, number, NetId(u64::from(number) + 1), 0, &body));
        result = client.apply_view(0, &view.finish());
    }
    assert_eq!(result, Err(ReplicaError::TooMany));
    assert_eq!(client.len(), limits::ENTITIES_MAX);
}

#[test]
fn events_that_nobody_drains_are_bounded_and_counted() {
    let schema = schema();
    let body = super::server::Body { mask: 0, row: vec![0; 5], label: Vec::new() };
    let mut client = ClientView::new(schema.clone());
    client.attach(0);
    for sequence in 0..3_000u64 {
        let mut view = ViewWriter::new(Tick(1), sequence, Vec::new());
        if sequence == 0 {
            view.layout(&schema);
        }
        for _ in 0..4 {
            assert!(view.enter(&schema, 0, NetId(1), 0, &body));
            assert!(view.leave(0, LeaveReason::Gone));
        }
        client.apply_view(0, &view.finish()).unwrap();
    }
    assert_eq!(client.events_dropped(), 24_000 - limits::EVENTS_MAX as u64);
    assert_eq!(client.drain_events().count(), limits::EVENTS_MAX);
}

#[test]
fn a_payload_never_outgrows_its_limit() {
    let schema = schema();
    let body = super::server::Body { mask: 2, row: vec![0; 5], label: vec![7; limits::STICKY_BYTES_MAX] };
    let mut view = ViewWriter::new(Tick(1), 0, Vec::new());
    let entered =
        (1..100).take_while(|number| view.enter(&schema, *number, NetId((*number).into()), 2, &body)).count();
    assert!((14..17).contains(&entered), "{entered}");
    assert!(view.is_full());
    while view.leave(1, LeaveReason::Gone) {}
    assert!(view.finish().len() <= limits::VIEW_BYTES_MAX);
}
