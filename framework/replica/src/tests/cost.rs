//! What a visible, moving entity costs in bytes, by the way a client is away. `cargo test -p lightmoon-replica cost -- --nocapture` prints
//! the table that `docs/adr/0008-deltas.md` decides by.

use std::cell::Cell;
use std::collections::VecDeque;

use lightmoon_contract::replicate::{ComponentSpec, FieldSpec, Quantise, Travel};
use lightmoon_contract::{NetId, Tick};

use super::server::Body;
use crate::*;

/// The pose of the sample's ships: a square of 2 km in steps of 3 cm, 10 bits of heading, 2 of thrust.
const SHIP: ComponentSpec = ComponentSpec {
    name: "Pose",
    number: 1,
    travel: Travel::State,
    fields: &[
        FieldSpec { name: "x", bits: 16, quantise: Quantise::Range { min: -1024.0, step: 0.03125 } },
        FieldSpec { name: "y", bits: 16, quantise: Quantise::Range { min: -1024.0, step: 0.03125 } },
        FieldSpec { name: "yaw", bits: 10, quantise: Quantise::Angle },
        FieldSpec { name: "thrust", bits: 2, quantise: Quantise::Unsigned },
    ],
};

/// Bits that the records of a packet would take more, or less, if baselines were named otherwise.
#[derive(Clone, Copy, Default)]
struct Otherwise {
    /// One baseline for each packet: a record is against it, or whole.
    of_packet: i64,
    /// One for each record: 8 bits say which.
    of_record: i64,
}

thread_local! {
    static OTHERWISE: Cell<Otherwise> = const { Cell::new(Otherwise { of_packet: 0, of_record: 0 }) };
}

/// Notes a record that was written, for the comparison of ways to name baselines. Both get what is best for them: bodies are the
/// same where the baseline may be, and whether motion is predicted costs a bit.
pub(crate) fn tally(head: Baseline, baseline: Baseline, base_bits: u32, body_bits: u32) {
    let whole_bits: u32 = SHIP.fields.iter().map(|field| u32::from(field.bits)).sum();
    let named = i64::from(limits::BASELINE_AGE_BITS + limits::BASELINE_GAP_BITS) - i64::from(base_bits);
    let mut otherwise = OTHERWISE.get();
    if head.age != 0 {
        otherwise.of_record += named;
        otherwise.of_packet += match baseline {
            same if same == head => 0,
            Baseline { age, .. } if age == head.age => 2 - i64::from(base_bits),
            _ => 2 - i64::from(base_bits) + i64::from(whole_bits) - i64::from(body_bits),
        };
    }
    OTHERWISE.set(otherwise);
}

/// Bytes of a record: as it is, with baselines of packets only, with baselines of records only.
type Costs = [f64; 3];

/// Somebody who goes straight, and now and then turns.
struct Walker {
    at: [f64; 2],
    yaw: f64,
    speed: f64,
}

impl Walker {
    fn step(&mut self, random: &mut fastrand::Rng, turns: f64) {
        if random.f64() < turns {
            self.yaw += random.f64() * 2.0 - 1.0;
        }
        for (at, by) in self.at.iter_mut().zip([self.yaw.cos(), self.yaw.sin()]) {
            *at = (*at + by * self.speed * 0.05).clamp(-1_000.0, 1_000.0);
        }
    }

    fn row(&self) -> Vec<u32> {
        let values = [self.at[0], self.at[1], self.yaw, 1.0];
        SHIP.fields.iter().zip(values).map(|(field, value)| field.quantise(value)).collect()
    }
}

/// Bytes per record of walkers that all fit, 20 Hz; packets and answers are each lost with `loss` percent.
fn cost(rtt_ticks: u64, loss: u8, speed: f64, count: usize) -> f64 {
    costs(rtt_ticks, loss, speed, count, 1_100)[0]
}

/// The same under a budget, and what it would be with other ways to name baselines.
fn costs(rtt_ticks: u64, loss: u8, speed: f64, count: usize, budget_bytes: usize) -> Costs {
    let mut random = fastrand::Rng::with_seed(rtt_ticks * 100 + u64::from(loss));
    let schema = Schema::new(&[SHIP]).unwrap();
    let mut table = DeltaTable::new(schema.clone());
    let mut holdings = Holdings::new(Tick(1));
    let mut gatherer = Gatherer::default();
    let mut client = ClientView::new(schema.clone());
    client.attach(1);
    let mut walkers: Vec<Walker> = (0..count)
        .map(|_| Walker { at: [random.f64() * 400.0, random.f64() * 400.0], yaw: random.f64() * 6.0, speed })
        .collect();
    let mut receipts = VecDeque::new();
    let (mut bytes, mut records) = (0, 0);
    for now in 1..=400u64 {
        while let Some((_, receipt)) = receipts.pop_front_if(|(at, _)| *at <= now) {
            holdings.receive(&receipt, 1);
        }
        walkers.iter_mut().for_each(|walker| walker.step(&mut random, 0.025));
        let rows: Vec<Vec<u32>> = walkers.iter().map(Walker::row).collect();
        table.collect(Tick(now), &rows.concat(), std::iter::repeat_n(1, count));
        if now == 1 {
            let mut view = ViewWriter::new(Tick(1), 0, Vec::new());
            view.layout(&schema);
            view.fields(&schema);
            for (nth, row) in (0u32..).zip(&rows) {
                let index = holdings.enter(nth, Tick(1)).unwrap();
                let body = Body { mask: 1, row: row.clone(), label: Vec::new() };
                assert!(view.enter(&schema, index, NetId(u64::from(nth) + 1), 1, &body));
                holdings.entered(index, 0);
            }
            client.apply_view(1, &view.finish()).unwrap();
        }
        let gather = Gather {
            rate_hz: 20,
            waited_ms: None,
            budget_bytes,
            first: Some(0),
            only_first: false,
            refresh_ticks: 40,
            starve_ticks: 20,
        };
        let (packet, gathered) =
            holdings.gather(&schema, &mut table, &gather, |_| 256, &mut gatherer, Vec::new());
        if now > 40 {
            assert!(gathered.deferred == 0 || budget_bytes < 1_100);
            bytes += packet.len();
            records += gathered.records;
        } else {
            OTHERWISE.take();
        }
        if random.u8(..100) >= loss {
            client.apply_delta(1, &packet).unwrap();
        }
        if random.u8(..100) >= loss {
            // Half a tick of the client's own waiting is in the round trip; an answer is there with the tick behind it.
            receipts.push_back((now + rtt_ticks, client.receipt().unwrap()));
        }
    }
    let Otherwise { of_packet, of_record } = OTHERWISE.take();
    let bytes = f64::from(u32::try_from(bytes).unwrap());
    [0, of_packet, of_record]
        .map(|more| (bytes + f64::from(i32::try_from(more).unwrap()) / 8.0) / f64::from(records))
}

#[test]
fn a_baseline_for_each_packet_with_exceptions_costs_least() {
    println!(
        "bytes of a record: as it is, a baseline for each packet, for each record; all fit, and half of them"
    );
    for (rtt_ms, ticks) in [(50, 2), (100, 3), (150, 4), (200, 5)] {
        for loss in [0, 2, 5, 10] {
            let [all, half] = [1_100, 130].map(|budget_bytes| costs(ticks, loss, 6.0, 100, budget_bytes));
            println!("rtt {rtt_ms:3} ms, loss {loss:2} %:  {all:.2?}  {half:.2?}");
            for [both, of_packet, of_record] in [all, half] {
                assert!(both <= of_packet + 0.13, "rtt {rtt_ms} ms, loss {loss} %: {both} and {of_packet}");
                assert!(both < of_record, "rtt {rtt_ms} ms, loss {loss} %: {both} and {of_record}");
            }
        }
    }
}

#[test]
fn a_moving_entity_costs_less_than_four_bytes_and_three_where_nothing_is_lost() {
    println!("bytes per entity and packet: ships of 6 m/s, and of 30 m/s; 100 of them, and 20");
    for (rtt_ms, ticks) in [(50, 2), (100, 3), (150, 4), (200, 5)] {
        for loss in [0, 2, 5, 10] {
            let costs =
                [(6.0, 100), (30.0, 100), (6.0, 20)].map(|(speed, count)| cost(ticks, loss, speed, count));
            let [slow, fast, few] = costs;
            println!("rtt {rtt_ms:3} ms, loss {loss:2} %:  {slow:.2}  {fast:.2}  {few:.2}");
            let most = if loss == 0 { 3.0 } else { 4.0 };
            assert!(costs.iter().all(|cost| *cost <= most), "rtt {rtt_ms} ms, loss {loss} %: {costs:?}");
        }
    }
}

#[test]
fn a_third_value_spares_what_steers_a_sixth_and_costs_what_goes_straight_nothing() {
    let bits_of = |turn: f64, age: u8| {
        let schema = Schema::new(&[SHIP]).unwrap();
        let mut table = DeltaTable::new(schema);
        let (mut yaw, mut at, mut sums) = (0.3f64, [40_000.0f64, 40_000.0], [0u32; 2]);
        for tick in 1..=400u64 {
            // 120 m/s in steps of 1/32 m, 20 ticks a second; the wheel goes from side to side.
            yaw += turn * (f64::from(u32::try_from(tick).unwrap()) / 25.0).sin();
            at = [at[0] + 192.0 * yaw.cos(), at[1] + 192.0 * yaw.sin()];
            let angle =
                (yaw.rem_euclid(std::f64::consts::TAU) / std::f64::consts::TAU * 1_024.0).round() % 1_024.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the field")]
            let row =
                [at[0].round() % 65_536.0, at[1].round() % 65_536.0, angle, 1.0].map(|value| value as u32);
            table.collect(Tick(tick), &row, std::iter::once(1));
            if tick > 10 {
                for (sum, bends) in sums.iter_mut().zip([false, true]) {
                    let slot = table.baseline(Baseline { age, gap: 1, bends });
                    *sum += table.bits(0, slot);
                }
            }
        }
        sums.map(f64::from)
    };
    for age in 1..=3 {
        let [straight, bent] = bits_of(0.08, age);
        assert!(bent < 0.84 * straight, "what steers, age {age}: {bent} instead of {straight} bits");
        let [straight, bent] = bits_of(0.0, age);
        assert!(bent <= 1.02 * straight, "straight on, age {age}: {bent} instead of {straight} bits");
    }
}
