//! Promises of lanes on a narrow link.

use lightmoon_contract::{Priority, Reliability};

use super::*;
use crate::limits;
use crate::transmit::DatagramKey;

const HIGH: Lane = Lane { priority: Priority::High, reliability: Reliability::ReliableOrdered };
const LOW: Lane = Lane { priority: Priority::Low, reliability: Reliability::ReliableOrdered };

/// The least that any sender reaches under endless bulk on this link, with one packet more (lanes of a raw QUIC connection reach it too).
const FLOOR_P50: Duration = Duration::from_micros(15_300 + 120);
const FLOOR_P99: Duration = Duration::from_micros(19_800 + 120);

/// What is to be sent beside a small urgent message every 10 ms.
#[derive(Clone, Copy)]
struct Load {
    /// Producers of endless bulk, each with messages of its own.
    producers: u32,
    /// Endless datagrams.
    flood: bool,
    /// A state, newest wins, every 50 ms.
    states: bool,
}

fn play(link: LinkModel, load: Load, seconds: u64) -> Model {
    let mut model = Model::new(link, 7);
    let (mut small, mut bulk, mut state) = (0, 0, 0);
    for step in 0..seconds * 20_000 {
        if step % 200 == 0 {
            model.write(HIGH, small, 64);
            small += 1;
        }
        while load.producers > 0 && model.outbox.waiting_bytes() < 128 * 1_024 {
            // One size for each producer, so that frames of many kinds follow each other.
            model.write(LOW, bulk, 500 + (bulk % load.producers * 97 % 2_000) as usize);
            bulk += 1;
        }
        let is_due = load.states && step % 1_000 == 0;
        // Two datagrams of these sizes leave nothing of a packet to streams.
        let sizes: &[usize] = if load.flood { &[1_088, 96] } else { &[500] };
        for size in sizes.iter().filter(|_| load.flood || is_due) {
            let key = (!load.flood).then_some(DatagramKey::State);
            let frame = State { generation: state, payload: model.stamped(*size) };
            model.outbox.datagram(Priority::High, key, &frame, &mut model.counters);
            state += 1;
        }
        model.step();
    }
    model
}

/// How long messages of a lane, or datagrams, took: the share of them below, in percent.
fn percentile(model: &Model, lane: Option<Lane>, percent: usize) -> Duration {
    // The first second is that of a window which grows.
    let mut took: Vec<_> =
        model.arrivals.iter().filter(|arrival| arrival.lane == lane).map(|arrival| arrival.took).collect();
    assert!(took.len() > 20, "{} arrived on {lane:?}", took.len());
    took.sort();
    took[(took.len() - 1) * percent / 100]
}

fn bytes_per_second(model: &Model, seconds: u64) -> u64 {
    let low = model.arrivals.iter().filter(|arrival| arrival.lane == Some(LOW));
    low.map(|arrival| 500 + u64::from(arrival.number % 50 * 97 % 2_000)).sum::<u64>() / seconds
}

#[test]
fn an_urgent_lane_keeps_its_time_under_endless_bulk_of_one_and_of_fifty_producers() {
    for producers in [1, 50] {
        let model = play(LinkModel::NARROW, Load { producers, flood: false, states: false }, 4);
        let (p50, p99) = (percentile(&model, Some(HIGH), 50), percentile(&model, Some(HIGH), 99));
        assert!(p50 <= FLOOR_P50 && p99 <= FLOOR_P99, "{producers}: {p50:?} {p99:?}");
        // The window of the bulk lane is all that can lie before it on the link.
        let window = LinkModel::NARROW.time_of(limits::WINDOW_LOW_BYTES);
        let most = LinkModel::NARROW.delay + window + Duration::from_micros(240);
        assert!(p99 <= most, "{producers}: {p99:?}, not within {most:?}");
    }
}

#[test]
fn bulk_uses_what_its_window_allows() {
    let model = play(LinkModel::NARROW, Load { producers: 50, flood: false, states: false }, 4);
    let rate = bytes_per_second(&model, 4);
    assert!(rate > 2_000_000, "{rate} B/s of 3.2 MB/s, a window each round trip");
}

#[test]
fn a_lane_below_one_that_always_has_something_is_not_starved_wholly() {
    // So slow that a window of the high lane always waits in the transport.
    let mut model = Model::new(LinkModel { bytes_per_second: 1_000_000, ..LinkModel::NARROW }, 7);
    let (mut urgent, mut bulk) = (0, 0);
    for _ in 0..12 * 20_000 {
        for (lane, number) in [(HIGH, &mut urgent), (LOW, &mut bulk)] {
            while model.outbox.waiting_bytes_of(lane) < 64 * 1_024 {
                model.write(lane, *number, 1_000);
                *number += 1;
            }
        }
        model.step();
    }
    let low = model.arrivals.iter().filter(|arrival| arrival.lane == Some(LOW)).count();
    let high = model.arrivals.len() - low;
    assert!(low > 100 && high > 5 * low, "{low} of the lower lane, {high} of the higher one");
}

#[test]
fn datagrams_never_starve_streams() {
    let model = play(LinkModel::NARROW, Load { producers: 1, flood: true, states: false }, 4);
    let low = model.arrivals.iter().filter(|arrival| arrival.lane == Some(LOW)).count();
    assert!(low * 500 / 4 > 100_000, "{low} messages of bulk arrived");
    let p99 = percentile(&model, Some(HIGH), 99);
    assert!(p99 <= Duration::from_millis(60), "{p99:?}");
    assert!(model.counters.datagrams_rationed > 0);
    assert!(percentile(&model, None, 50) < Duration::from_millis(200), "they leave in time or not at all");
}

#[test]
fn losses_move_no_datagram_in_time_and_leave_no_gap_in_a_lane() {
    let load = Load { producers: 0, flood: false, states: true };
    let clean = play(LinkModel::NARROW, load, 6);
    let lossy = play(LinkModel { loss: 0.2, ..LinkModel::NARROW }, load, 6);
    let (before, after) = (percentile(&clean, None, 50), percentile(&lossy, None, 50));
    assert!(after <= before + Duration::from_micros(120), "{before:?} without, {after:?} with losses");
    let numbers: Vec<u32> = lossy
        .arrivals
        .iter()
        .filter(|arrival| arrival.lane == Some(HIGH))
        .map(|arrival| arrival.number)
        .collect();
    assert!(numbers.len() > 550, "{}", numbers.len());
    assert!(numbers.iter().zip(0..).all(|(number, expected)| *number == expected), "in order, without a gap");
}

#[test]
fn a_lost_packet_under_one_request_keeps_no_other_back() {
    const UNORDERED: Lane = Lane { priority: Priority::Normal, reliability: Reliability::ReliableUnordered };
    let late = |alone: bool| {
        let mut model = Model::new(LinkModel { loss: 0.05, ..LinkModel::NARROW }, 7);
        let mut number = 0;
        for step in 0..8 * 20_000_u32 {
            // One every two milliseconds, each in a packet of its own: ten round trips of a repair hold fifty.
            if step % 40 == 0 {
                number += 1;
                if alone {
                    model.write_alone(UNORDERED, number, 64);
                } else {
                    model.write(UNORDERED, number, 64);
                }
            }
            model.step();
        }
        let came = model.arrivals.len();
        assert!(came + 40 >= number as usize, "{came} of {number}");
        // A packet that is not lost comes after the delay and its own time on the link.
        let late = model.arrivals.iter().filter(|arrival| arrival.took > Duration::from_millis(12)).count();
        100 * late / came
    };
    let (alone, together) = (late(true), late(false));
    assert!(alone <= 6, "{alone} % were late: more than were lost");
    assert!(together >= 4 * alone, "{together} % on one stream, {alone} % alone");
}
