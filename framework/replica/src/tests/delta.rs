//! Deltas over links that lose, double, delay and reorder, in both directions.

use std::collections::BTreeMap;

use lightmoon_contract::{NetId, Tick};

use super::hostile::damage;
use super::link::{Lossy, check};
use super::server::{Body, LABEL_AT, schema};
use crate::examples::{HEALTH, POSE};
use crate::field_code::mask;
use crate::*;

/// The bound of these tests for what rests and what finds no room.
const REFRESH_TICKS: u32 = 40;

/// A server of one client that writes deltas.
struct Server {
    schema: Schema,
    tick: Tick,
    sequence: u64,
    table: DeltaTable,
    holdings: Holdings,
    gatherer: Gatherer,
    budget_bytes: usize,
    next_id: u64,
    /// Rows by slot; what is out of view leaves its slot to the next.
    slots: Vec<Option<(NetId, u16, Body)>>,
    past: BTreeMap<Tick, BTreeMap<NetId, Body>>,
    last: Gathered,
}

impl Server {
    fn new() -> Self {
        Self {
            schema: schema(),
            tick: Tick(65_500),
            sequence: 0,
            table: DeltaTable::new(schema()),
            holdings: Holdings::new(Tick(65_501)),
            gatherer: Gatherer::default(),
            budget_bytes: 1_100,
            next_id: 1,
            slots: Vec::new(),
            past: BTreeMap::new(),
            last: Gathered::default(),
        }
    }

    fn seen(&self) -> BTreeMap<NetId, Body> {
        self.slots.iter().flatten().map(|(id, _, body)| (*id, body.clone())).collect()
    }

    /// One tick. `life`: whether anything moves, comes or goes. Gives the View payload, if there is one.
    fn step(&mut self, random: &mut fastrand::Rng, life: bool) -> Option<Vec<u8>> {
        self.tick = self.tick.next();
        let mut view = ViewWriter::new(self.tick, self.sequence, Vec::new());
        if self.sequence == 0 {
            view.layout(&self.schema);
            view.fields(&self.schema);
        }
        if life {
            self.live(random, &mut view);
        }
        self.past.insert(self.tick, self.seen());
        let rows: Vec<u32> = self
            .slots
            .iter()
            .flat_map(|slot| slot.as_ref().map_or_else(|| vec![0; 5], |(_, _, body)| body.row.clone()))
            .collect();
        let masks = self.slots.iter().map(|slot| slot.as_ref().map_or(0, |(_, _, body)| body.mask));
        self.table.collect(self.tick, &rows, masks);
        if view.is_empty() {
            return None;
        }
        self.sequence += 1;
        Some(view.finish())
    }

    fn live(&mut self, random: &mut fastrand::Rng, view: &mut ViewWriter) {
        for slot in &mut self.slots {
            let Some((id, index, body)) = slot else { continue };
            walk(body, *id, random);
            match random.u8(..60) {
                0 => {
                    let old = std::mem::replace(&mut body.mask, random.u64(..8));
                    if old != body.mask {
                        assert!(view.mask(&self.schema, *index, old, body.mask, body));
                        self.holdings.remask(*index, self.sequence);
                    }
                }
                1 if body.mask & 0b010 != 0 => {
                    body.relabel(random);
                    assert!(view.sticky(*index, LABEL_AT, &body.label));
                }
                2 => {
                    assert!(view.leave(*index, LeaveReason::OutOfView));
                    self.holdings.leave(*index, self.sequence);
                    *slot = None;
                }
                _ => {}
            }
        }
        for _ in 0..random.usize(..3) {
            let body = Body::random(random);
            let id = NetId(self.next_id);
            self.next_id += 1;
            let row = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
            if row == self.slots.len() {
                self.slots.push(None);
            }
            let index = self.holdings.enter(u32::try_from(row).unwrap(), self.tick).unwrap();
            assert!(view.enter(&self.schema, index, id, body.mask, &body));
            self.holdings.entered(index, self.sequence);
            self.slots[row] = Some((id, index, body));
        }
    }

    fn packet(&mut self) -> Vec<u8> {
        let gather = Gather {
            rate_hz: 20,
            waited_ms: None,
            budget_bytes: self.budget_bytes,
            first: None,
            only_first: false,
            refresh_ticks: REFRESH_TICKS,
            starve_ticks: REFRESH_TICKS,
        };
        let (packet, gathered) = self.holdings.gather(
            &self.schema,
            &mut self.table,
            &gather,
            |_| 256,
            &mut self.gatherer,
            Vec::new(),
        );
        self.last = gathered;
        packet
    }
}

/// Some rest, some walk, some turn at every tick, some are thrown about.
fn walk(body: &mut Body, id: NetId, random: &mut fastrand::Rng) {
    let nature = id.0 % 4;
    for (nth, (field, value)) in schema().fields().zip(&mut body.row).enumerate() {
        let width = u32::from(field.bits);
        let by = match nature {
            0 if random.u8(..50) > 0 => 0,
            1 => 5 + u32::try_from(nth).unwrap(),
            2 => random.u32(..9).wrapping_sub(4),
            _ => random.u32(..),
        };
        *value = value.wrapping_add(by) & mask(width);
    }
}

/// What a client tells, on its way; each with the time it arrives.
#[derive(Default)]
struct Up(Vec<(u64, Receipt)>);

impl Up {
    fn send(&mut self, now: u64, random: &mut fastrand::Rng, receipt: Option<Receipt>) {
        for _ in 0..[0, 1, 1, 1, 2][random.usize(..5)] {
            self.0.extend(receipt.map(|receipt| (now + random.u64(..9), receipt)));
        }
    }

    fn due(&mut self, now: u64) -> Vec<Receipt> {
        let (due, rest) = std::mem::take(&mut self.0).into_iter().partition(|(at, _)| *at <= now);
        self.0 = rest;
        due.into_iter().map(|(_, receipt): (u64, _)| receipt).collect()
    }
}

/// Runs ticks over a bad link, with the checker after each.
fn run(
    seed: u64,
    ticks: u64,
    server: &mut Server,
    client: &mut ClientView,
    life: impl Fn(u64) -> bool,
) -> [u32; 2] {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut down, mut up) = (Lossy::default(), Up::default());
    let mut records = [0; 2];
    for now in 0..ticks {
        for receipt in up.due(now) {
            server.holdings.receive(&receipt, server.sequence);
        }
        if let Some(payload) = server.step(&mut random, life(now)) {
            down.send_view(now, &mut random, payload);
        }
        // Some zones send to some clients not at every tick.
        if !seed.is_multiple_of(3) || now.is_multiple_of(2) {
            let packet = server.packet();
            records[0] += server.last.records;
            records[1] += server.last.whole;
            down.send_state(now, &mut random, &packet);
        }
        while let Some((_, payload)) = down.views.pop_front_if(|(at, _)| *at <= now) {
            client.apply_view(4, &payload).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        for packet in down.due_states(now) {
            client.apply_delta(4, &packet).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            check(&server.past, client, seed);
        }
        check(&server.past, client, seed);
        up.send(now, &mut random, client.receipt());
    }
    records
}

fn client() -> ClientView {
    let mut client = ClientView::new(schema());
    client.attach(4);
    client
}

#[test]
fn over_bad_links_each_value_is_the_servers_of_its_tick() {
    for seed in 0..60 {
        let (mut server, mut client) = (Server::new(), client());
        server.budget_bytes = [60, 200, 1_100][usize::try_from(seed % 3).unwrap()];
        let [records, whole] = run(seed, 300, &mut server, &mut client, |_| true);
        assert!(!client.is_empty() && records > 1_000, "seed {seed}: nothing happened");
        if server.budget_bytes == 1_100 {
            assert!(whole * 4 < records * 3, "seed {seed}: {whole} of {records} against nothing");
        }
    }
}

#[test]
fn after_quiet_the_view_is_the_server_and_costs_nothing() {
    for seed in 0..20 {
        let (mut server, mut client) = (Server::new(), client());
        run(seed, 240, &mut server, &mut client, |now| now < 200);
        let now = server.seen();
        let ids: Vec<NetId> = client.entities().map(|entity| entity.id()).collect();
        assert!(ids.iter().eq(now.keys()), "seed {seed}");
        for entity in client.entities() {
            let body = &now[&entity.id()];
            for (spec, position) in [(POSE, 0), (HEALTH, 2)] {
                let expected = ((body.mask >> position) & 1 == 1).then(|| body.fields(position));
                assert_eq!(entity.fields(spec.number), expected, "seed {seed}, {}", spec.name);
            }
        }
        assert!(
            server.last.records * 4 <= u32::try_from(now.len()).unwrap(),
            "seed {seed}: {:?}",
            server.last
        );
    }
}

#[test]
fn on_a_good_link_no_entity_is_staler_than_the_bound() {
    for budget_bytes in [70, 200, 1_100] {
        let mut random = fastrand::Rng::with_seed(9);
        let (mut server, mut client) = (Server::new(), client());
        server.budget_bytes = budget_bytes;
        for tick in 0..400 {
            if let Some(payload) = server.step(&mut random, tick < 300) {
                client.apply_view(4, &payload).unwrap();
            }
            let packet = server.packet();
            client.apply_delta(4, &packet).unwrap();
            server.holdings.receive(&client.receipt().unwrap(), server.sequence);
            for entity in client.entities() {
                let Some(heard) = entity.tick_of(POSE.number) else { continue };
                // Those that starve may be more than one packet holds.
                let most = u64::from(REFRESH_TICKS) + 12;
                assert!(server.tick.0 - heard.0 <= most, "{} of {heard} at {}", entity.id(), server.tick);
            }
        }
    }
}

#[test]
fn a_client_that_tells_nothing_is_served_whole_and_in_bounded_memory() {
    let mut random = fastrand::Rng::with_seed(2);
    let (mut server, mut client) = (Server::new(), client());
    for _ in 0..200 {
        if let Some(payload) = server.step(&mut random, true) {
            client.apply_view(4, &payload).unwrap();
        }
        let packet = server.packet();
        client.apply_delta(4, &packet).unwrap();
        assert_eq!(server.last.records, server.last.whole);
        check(&server.past, &client, 2);
    }
    let mut holdings = Holdings::new(Tick(1));
    let entered = (0..100_000)
        .map_while(|_| {
            let index = holdings.enter(0, Tick(1))?;
            holdings.leave(index, 0);
            Some(index)
        })
        .count();
    assert_eq!(entered, limits::LEAVING_MAX);
}

#[test]
fn receipts_of_what_was_never_sent_change_nothing() {
    let mut random = fastrand::Rng::with_seed(3);
    let (mut server, mut client) = (Server::new(), client());
    for round in 0..200u64 {
        if let Some(payload) = server.step(&mut random, true) {
            client.apply_view(4, &payload).unwrap();
        }
        let packet = server.packet();
        client.apply_delta(4, &packet).unwrap();
        check(&server.past, &client, 3);
        let lie = Receipt {
            generation: 4,
            tick: Tick([u64::MAX, 0, server.tick.0 + 5, round][random.usize(..4)]),
            received: random.u32(..),
            views: u64::MAX,
        };
        server.holdings.receive(&lie, server.sequence);
        server.holdings.receive(&client.receipt().unwrap(), server.sequence);
    }
}

#[test]
fn an_index_comes_again_only_after_its_leave_was_applied() {
    let mut holdings = Holdings::new(Tick(1));
    let first = holdings.enter(0, Tick(1)).unwrap();
    holdings.entered(first, 0);
    holdings.leave(first, 1);
    let second = holdings.enter(1, Tick(2)).unwrap();
    assert_ne!(first, second);
    let applied = |views| Receipt { generation: 0, tick: Tick(0), received: 0, views };
    holdings.receive(&applied(1), 2);
    let third = holdings.enter(2, Tick(3)).unwrap();
    assert_ne!(first, third);
    holdings.receive(&applied(2), 2);
    assert_eq!(holdings.enter(3, Tick(4)), Some(first));
}

#[test]
fn damaged_deltas_never_panic_and_no_record_is_read_twice() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut server, mut client) = (Server::new(), client());
        for _ in 0..60 {
            if let Some(payload) = server.step(&mut random, true) {
                let _ = client.apply_view(4, &payload);
            }
            let whole = server.packet();
            let mut packet = whole.clone();
            damage(&mut packet, &mut random);
            let _ = client.apply_delta(4, &packet);
            let noise: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
            let _ = client.apply_delta(4, &noise);
            for end in [0, 1, 2, 3, 5, whole.len() / 2] {
                let _ = client.apply_delta(4, &whole[..end.min(whole.len())]);
            }
            if let Some(receipt) = client.receipt() {
                server.holdings.receive(&receipt, server.sequence);
            }
        }
        assert!(client.len() <= limits::ENTITIES_MAX);
    }
}
