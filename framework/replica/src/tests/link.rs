//! Views over links that lose, double, delay and reorder.

use std::collections::{BTreeMap, VecDeque};

use lightmoon_contract::{NetId, Tick};

use super::server::{Body, HEALTH_AT, POSE_AT, Server, schema};
use crate::examples::{HEALTH, LABEL, Label, POSE};
use crate::*;

/// Every value that the client holds must be the server's of the tick that the client believes it is of.
pub(super) fn check(past: &BTreeMap<Tick, BTreeMap<NetId, Body>>, client: &ClientView, seed: u64) {
    for entity in client.entities() {
        for (spec, position) in [(POSE, POSE_AT), (HEALTH, HEALTH_AT)] {
            let (Some(fields), Some(tick)) = (entity.fields(spec.number), entity.tick_of(spec.number)) else {
                continue;
            };
            let then = past.get(&tick).unwrap_or_else(|| panic!("seed {seed}: no tick {tick}"));
            let body = then.get(&entity.id()).unwrap_or_else(|| panic!("seed {seed}: ghost {}", entity.id()));
            assert_eq!(
                fields,
                body.fields(position),
                "seed {seed}, {} of {} at {tick}",
                spec.name,
                entity.id()
            );
            assert!(
                (body.mask >> position) & 1 == 1,
                "seed {seed}: {} did not have {}",
                entity.id(),
                spec.name
            );
        }
    }
}

fn ids(client: &ClientView) -> Vec<NetId> {
    client.entities().map(|entity| entity.id()).collect()
}

/// A link: views arrive in order after a delay, some doubled; states are lost, doubled and reordered.
#[derive(Default)]
pub(super) struct Lossy {
    pub(super) views: VecDeque<(u64, Vec<u8>)>,
    states: Vec<(u64, Vec<u8>)>,
}

impl Lossy {
    pub(super) fn send_view(&mut self, now: u64, random: &mut fastrand::Rng, payload: Vec<u8>) {
        let last = self.views.back().map_or(0, |(at, _)| *at);
        let at = last.max(now + random.u64(..6));
        if random.u8(..5) == 0 {
            self.views.push_back((at, payload.clone()));
        }
        self.views.push_back((at, payload));
    }

    pub(super) fn send_state(&mut self, now: u64, random: &mut fastrand::Rng, packet: &[u8]) {
        let copies = match random.u8(..10) {
            0..3 => 0,
            3..5 => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let late = if random.u8(..8) == 0 { random.u64(..40) } else { random.u64(..4) };
            self.states.push((now + late, packet.to_vec()));
        }
    }

    pub(super) fn due_states(&mut self, now: u64) -> Vec<Vec<u8>> {
        let (due, rest) = std::mem::take(&mut self.states).into_iter().partition(|(at, _)| *at <= now);
        self.states = rest;
        due.into_iter().map(|(_, packet): (u64, _)| packet).collect()
    }
}

#[test]
fn lost_doubled_and_reordered_packets_show_no_ghost_and_no_dead_entity() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut server = Server::new();
        let mut client = ClientView::new(schema());
        client.attach(4);
        let mut link = Lossy::default();
        let (mut views_applied, mut first) = (0, 0);
        for now in 0..300u64 {
            for payload in server.step(&mut random) {
                link.send_view(now, &mut random, payload);
            }
            let (packet, packed) = server.state(first, random.usize(100..400));
            first = (first + packed) % server.seen.len().max(1);
            link.send_state(now, &mut random, &packet);
            while let Some((_, payload)) = link.views.pop_front_if(|(at, _)| *at <= now) {
                let applied =
                    client.apply_view(4, &payload).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                views_applied += usize::from(applied == Applied::Taken);
            }
            for packet in link.due_states(now) {
                client.apply_state(4, &packet).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            }
            check(&server.past, &client, seed);
            if views_applied > 0 {
                assert_eq!(ids(&client), server.after_view[views_applied - 1], "seed {seed} at {now}");
            }
        }
        assert!(views_applied > 50 && !client.is_empty(), "seed {seed}: nothing happened");
    }
}

#[test]
fn a_client_that_missed_nothing_equals_the_server() {
    for seed in 0..10 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut server = Server::new();
        let mut client = ClientView::new(schema());
        client.attach(0);
        for _ in 0..200 {
            for payload in server.step(&mut random) {
                assert_eq!(client.apply_view(0, &payload), Ok(Applied::Taken), "seed {seed}");
            }
            let (packet, packed) = server.state(0, 1_100);
            let header = client.apply_state(0, &packet).unwrap();
            if server.sequence == 0 {
                continue;
            }
            let header = header.unwrap();
            assert_eq!(usize::from(header.applied + header.skipped), packed, "seed {seed}");
            assert_eq!((header.head.rate_hz, header.head.input), (20, server.tick.0 * 2));
            assert_eq!(client.newest_tick(), server.tick);
            for (id, (_, body)) in server.seen.iter().take(packed) {
                let entity = client.entity(*id).unwrap();
                for (spec, bit) in [(POSE, 0), (LABEL, 1), (HEALTH, 2)] {
                    assert_eq!(entity.has(spec.number), (body.mask >> bit) & 1 == 1, "seed {seed}");
                }
                if entity.has(POSE.number) {
                    assert_eq!(entity.tick_of(POSE.number), Some(server.tick), "seed {seed}");
                    assert_eq!(entity.fields(POSE.number), Some(&body.row[..3]), "seed {seed}");
                }
                assert_eq!(entity.sticky(LABEL.number), (body.mask & 2 != 0).then_some(&body.label[..]));
                assert_eq!(entity.get::<Label>().is_some(), body.mask & 2 != 0);
            }
        }
    }
}

#[test]
fn a_rotating_start_starves_nobody() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut server = Server::new();
    let mut client = ClientView::new(schema());
    client.attach(0);
    while server.seen.len() < 40 {
        for payload in server.step(&mut random) {
            client.apply_view(0, &payload).unwrap();
        }
    }
    let (mut first, mut rounds) = (0, 0);
    let from = server.tick;
    while rounds < 20 {
        let (packet, packed) = server.state(first, 100);
        assert!(packet.len() <= 100 && packed > 3, "{} bytes, {packed} records", packet.len());
        client.apply_state(0, &packet).unwrap();
        first = (first + packed) % server.seen.len();
        server.tick = server.tick.next();
        let now = server.seen.iter().map(|(id, (_, body))| (*id, body.clone())).collect();
        server.past.insert(server.tick, now);
        rounds += 1;
    }
    let ticks = client.entities().filter_map(|entity| entity.tick_of(POSE.number));
    assert!(ticks.min().unwrap() > from, "somebody was never in a packet");
}

#[test]
fn an_older_attachment_changes_nothing() {
    let mut random = fastrand::Rng::with_seed(1);
    let (mut old, mut new) = (Server::new(), Server::new());
    let mut client = ClientView::new(schema());
    client.attach(1);
    let old_view = old.step(&mut random).remove(0);
    client.apply_view(1, &old_view).unwrap();
    client.attach(2);
    let left = client.drain_events().filter(|event| matches!(event, ViewEvent::Left(..))).count();
    assert_eq!((left, client.len()), (old.seen.len(), 0), "an attach starts with an empty view");
    client.apply_view(2, &new.step(&mut random).remove(0)).unwrap();
    let seen = ids(&client);
    assert_eq!(client.apply_view(1, &old_view), Ok(Applied::Ignored));
    assert_eq!(client.apply_state(1, &old.state(0, 1_100).0), Ok(None));
    assert_eq!(client.apply_state(3, &old.state(0, 1_100).0), Ok(None), "its attach is still on the way");
    assert_eq!(client.apply_view(3, &old_view), Err(ReplicaError::NotAttached(3)));
    assert_eq!(ids(&client), seen);
    client.detach();
    assert_eq!(client.apply_view(2, &old_view), Ok(Applied::Ignored));
    assert!(client.is_empty());
}

#[test]
fn a_state_packet_of_before_an_enter_does_not_touch_the_next_owner_of_an_index() {
    let schema = schema();
    let mut client = ClientView::new(schema.clone());
    client.attach(0);
    let body = Body { mask: 1, row: vec![5, 6, 7, 0, 0], label: Vec::new() };
    let mut view = ViewWriter::new(Tick(10), 0, Vec::new());
    view.layout(&schema);
    assert!(view.enter(&schema, 3, NetId(1), 1, &body));
    assert!(view.leave(3, LeaveReason::Gone));
    assert!(view.enter(&schema, 3, NetId(2), 1, &body));
    client.apply_view(0, &view.finish()).unwrap();
    let mut table = StateTable::default();
    table.push(&schema, 1, &[100, 100, 100, 0, 0]);
    let head = StateHead { tick: Tick(9), rate_hz: 20, input: 0, view_sequence: 0 };
    let mut late = StateWriter::new(&schema, &head, 1_100, Vec::new());
    assert!(late.push(3, &table.get(0).unwrap()));
    let header = client.apply_state(0, &late.finish()).unwrap().unwrap();
    assert_eq!((header.applied, header.skipped), (0, 1));
    assert_eq!(client.entity(NetId(2)).unwrap().fields(POSE.number), Some(&[5, 6, 7][..]));
}

#[test]
fn a_client_of_an_older_contract_reads_on() {
    // The client knows Label alone, the server also Pose before it and Health behind it.
    let old = Schema::new(&[LABEL]).unwrap();
    for seed in 0..10 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut server = Server::new();
        let mut client = ClientView::new(old.clone());
        client.attach(0);
        for _ in 0..100 {
            for payload in server.step(&mut random) {
                client.apply_view(0, &payload).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            }
            client
                .apply_state(0, &server.state(0, 1_100).0)
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            for (id, (_, body)) in &server.seen {
                let label = (body.mask & 2 != 0).then_some(&body.label[..]);
                assert_eq!(client.entity(*id).unwrap().sticky(LABEL.number), label, "seed {seed}");
            }
        }
    }
}

#[test]
fn a_layout_that_comes_again_starts_the_view_over() {
    let mut random = fastrand::Rng::with_seed(3);
    let mut server = Server::new();
    let mut client = ClientView::new(schema());
    client.attach(0);
    for _ in 0..20 {
        for payload in server.step(&mut random) {
            client.apply_view(0, &payload).unwrap();
        }
    }
    assert!(!client.is_empty());
    client.drain_events().count();
    let count = client.len();
    let mut again = ViewWriter::new(server.tick, server.sequence, Vec::new());
    again.layout(&server.schema);
    client.apply_view(0, &again.finish()).unwrap();
    assert!(client.is_empty());
    let gone = client.drain_events().filter(|event| matches!(event, ViewEvent::Left(_, LeaveReason::Gone)));
    assert_eq!(gone.count(), count);
}
