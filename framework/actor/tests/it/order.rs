//! Order of messages, determinism, scale.

use std::collections::BTreeMap;

use lightmoon_actor::limits;
use lightmoon_contract::CallError;

use crate::harness::{Bench, probe_id};
use crate::probe::{probe, take_trace};

#[test]
fn messages_of_one_sender_and_priority_stay_in_order() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bench = Bench::new();
        let mut sent: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for value in 0..300 {
            let key = random.u64(1..4);
            match random.u8(..7) {
                0 => bench.tell(key, probe::NoteHigh { value }),
                1 => bench.tell(key, probe::NoteLow { value }),
                2 => {
                    bench.ask(key, probe::Wait { ms: random.u64(..20), value: 1_000 + value });
                    continue;
                }
                3 => {
                    bench.pass(random.u64(..8));
                    continue;
                }
                _ => bench.tell(key, probe::Note { value }),
            }
            sent.entry(key).or_default().push(value);
        }
        bench.pass(60_000);
        let mut last: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut served: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for line in take_trace() {
            let words: Vec<&str> = line.split(' ').collect();
            let [key, word @ ("note" | "high" | "low"), value] = words[..] else { continue };
            let value: u64 = value.parse().expect("a number");
            let before = last.insert((key.to_owned(), word.to_owned()), value);
            assert!(before.is_none_or(|before| before < value), "seed {seed}: {line} came after {before:?}");
            served.entry(key.parse().expect("a key")).or_default().push(value);
        }
        for (key, values) in sent {
            let mut got = served.remove(&key).unwrap_or_default();
            got.sort_unstable();
            assert_eq!(got, values, "seed {seed}: every message is served once");
        }
    }
}

#[test]
fn what_arrives_at_a_waiting_actor_runs_by_priority_then_arrival() {
    let mut bench = Bench::new();
    bench.ask(1, probe::Wait { ms: 10, value: 0 });
    bench.settle();
    for value in 1..4 {
        bench.tell(1, probe::NoteLow { value });
        bench.tell(1, probe::Note { value });
        bench.tell(1, probe::NoteHigh { value });
    }
    bench.settle();
    bench.tell(1, probe::NoteHigh { value: 9 });
    assert_eq!(take_trace(), ["1 activated", "1 waits 0"], "nothing overtakes the wait");
    bench.pass(10);
    let expected = [
        "1 waited 0",
        "1 high 1",
        "1 high 2",
        "1 high 3",
        "1 high 9",
        "1 note 1",
        "1 note 2",
        "1 note 3",
        "1 low 1",
        "1 low 2",
        "1 low 3",
    ];
    assert_eq!(take_trace(), expected);
}

#[test]
fn a_message_that_comes_after_the_release_does_not_overtake_parked_ones() {
    let mut bench = Bench::new();
    bench.ask(1, probe::Wait { ms: 10, value: 0 });
    bench.settle();
    for value in 0..500 {
        bench.tell(1, probe::Note { value });
    }
    bench.settle();
    // In the very turn in which the actor is released, more arrive.
    bench.now = lightmoon_contract::Mono::from_millis(1_010);
    for value in 500..1_000 {
        bench.tell(1, probe::Note { value });
    }
    bench.settle();
    let notes: Vec<String> = take_trace().into_iter().filter(|line| line.contains("note")).collect();
    let expected: Vec<String> = (0..1_000).map(|value| format!("1 note {value}")).collect();
    assert_eq!(notes, expected);
}

#[test]
fn urgent_messages_go_first_and_low_ones_do_not_starve() {
    let mut bench = Bench::new();
    let many = u64::try_from(limits::OPERATIONS_PER_TURN).expect("fits") * 2;
    for value in 0..many {
        bench.tell(1, probe::NoteHigh { value });
        bench.tell(2, probe::NoteLow { value });
    }
    bench.tell(3, probe::NoteCritical { value: 0 });
    bench.turn();
    assert!(bench.next.more, "a turn has a budget");
    let trace = take_trace();
    let served = |word: &str| trace.iter().filter(|line| line.contains(word)).count();
    assert_eq!(trace[0..2], ["3 activated", "3 critical 0"], "critical first");
    let (high, low) = (served("high"), served("low"));
    assert!(low > 0 && high >= low * 7, "high {high}, low {low}");
}

#[test]
fn two_actors_that_keep_each_other_busy_do_not_keep_the_turn() {
    let mut bench = Bench::new();
    bench.tell(1, probe::Pass { to: 2, value: 1_000_000 });
    bench.turn();
    assert!(bench.next.more);
    assert_eq!(bench.worker.counters().operations, u64::try_from(limits::OPERATIONS_PER_TURN).expect("fits"));
}

#[test]
fn a_hundred_thousand_actors_activate() {
    let mut bench = Bench::new();
    for key in 0..100_000 {
        if key != crate::probe::UNBORN {
            bench.tell(key, probe::Note { value: key });
        }
    }
    bench.settle();
    assert_eq!(bench.worker.actors(), 99_999);
    assert_eq!(bench.worker.counters().activations, 99_999);
    let token = bench.ask(77_777, probe::Count {});
    bench.settle();
    assert_eq!(bench.answer::<probe::Count>(token), Some(Ok(1)));
}

#[test]
fn too_many_messages_for_one_waiting_actor_are_refused_and_counted() {
    let mut bench = Bench::new();
    bench.ask(1, probe::Wait { ms: 10, value: 0 });
    for value in 0..limits::PARKED_PER_ACTOR_MAX {
        bench.tell(1, probe::Note { value: u64::try_from(value).expect("fits") });
    }
    let token = bench.ask(1, probe::Count {});
    let other = bench.ask(2, probe::Count {});
    bench.settle();
    assert_eq!(bench.answer::<probe::Count>(token), Some(Err(CallError::Busy)));
    assert_eq!(bench.answer::<probe::Count>(other), Some(Ok(0)), "other actors have their own room");
    assert_eq!(bench.worker.counters().parked_full, 1);
    bench.pass(10);
    let notes = take_trace().into_iter().filter(|line| line.starts_with("1 note")).count();
    assert_eq!(notes, limits::PARKED_PER_ACTOR_MAX, "what was taken is served");
}

#[test]
fn two_runs_from_one_seed_are_equal() {
    for seed in 0..20 {
        let first = random_run(seed);
        assert_eq!(first, random_run(seed), "seed {seed}");
        assert!(first.len() > 200, "seed {seed}: the run does something");
    }
}

/// A run of everything that a worker does, as text.
fn random_run(seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bench = Bench::with(lightmoon_actor::WorkerOptions { seed, ..Default::default() });
    let mut log = Vec::new();
    for step in 0..400 {
        let key = random.u64(1..6);
        match random.u8(..12) {
            0 => drop(bench.ask(key, probe::Wait { ms: random.u64(..30), value: step })),
            1 => drop(bench.ask(key, probe::Explode {})),
            2 => drop(bench.ask(key, probe::Relay { path: vec![random.u64(1..6), random.u64(1..6)] })),
            3 => bench.tell(key, probe::StopNow {}),
            4 => bench.tell(key, probe::Later { ms: random.u64(..40), value: step }),
            5 => drop(bench.ask(key, probe::Draw {})),
            6 => drop(bench.ask(key, probe::ExplodeLate { ms: random.u64(..30) })),
            7 | 8 => bench.tell(key, probe::NoteHigh { value: step }),
            9 => bench.pass(random.u64(..200)),
            _ => bench.tell(key, probe::Note { value: step }),
        }
    }
    bench.pass(300_000);
    log.append(&mut take_trace());
    log.extend(bench.answers.iter().map(|answer| format!("{answer:?}")));
    log.extend(bench.failed.iter().map(|failed| format!("{failed:?}")));
    log.push(format!("{:?}", bench.worker));
    log
}

#[test]
fn random_numbers_follow_from_the_seed_and_repeat_for_nobody() {
    let draw = |seed| {
        let mut bench = Bench::with(lightmoon_actor::WorkerOptions { seed, ..Default::default() });
        let tokens: Vec<u64> = (0..50).map(|index| bench.ask(1 + index % 2, probe::Draw {})).collect();
        bench.settle();
        let draws = tokens.into_iter().filter_map(|token| bench.answer::<probe::Draw>(token)?.ok());
        draws.collect::<Vec<u64>>()
    };
    let (first, other) = (draw(1), draw(2));
    assert_eq!(first, draw(1));
    let mut all: Vec<u64> = first.into_iter().chain(other).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 100, "two actors and two seeds never share a number");
}

#[test]
fn an_actor_of_an_unknown_kind_is_refused() {
    let mut bench = Bench::of(lightmoon_actor::WorkerOptions::default(), lightmoon_actor::Kinds::default());
    let token = bench.ask(1, probe::Count {});
    bench.settle();
    let kind = probe_id(1).kind;
    assert_eq!(bench.answer::<probe::Count>(token), Some(Err(CallError::NoSuchKind(kind))));
    assert_eq!(bench.worker.counters().unknown_kind, 1);
}
