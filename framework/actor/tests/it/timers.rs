//! Delays and sleeps.

use crate::harness::Bench;
use crate::probe::{probe, take_trace};

#[test]
fn a_delayed_tell_comes_in_its_time_and_dies_with_its_activation() {
    let mut bench = Bench::new();
    bench.tell(1, probe::Later { ms: 30, value: 3 });
    bench.tell(1, probe::Later { ms: 10, value: 1 });
    bench.tell(2, probe::Later { ms: 20, value: 2 });
    bench.tell(2, probe::StopNow {});
    bench.pass(9);
    assert!(take_trace().iter().all(|line| !line.contains("note")));
    // All of them in one turn, so that the dead one is met among the living.
    bench.now = lightmoon_contract::Mono::from_millis(1_030);
    bench.settle();
    assert_eq!(take_trace(), ["1 note 1", "1 note 3"]);
    assert_eq!(bench.worker.actors(), 1);
}

#[test]
fn delays_and_sleeps_fall_due_as_a_sorted_list_would() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bench = Bench::new();
        let mut expected = Vec::new();
        for value in 0..100 {
            let ms = random.u64(1..60);
            // Each has an actor of its own: a sleeping one would hold up what comes after.
            if random.bool() {
                bench.tell(value + 1_000, probe::Later { ms, value });
                expected.push((ms, format!("{} note {value}", value + 1_000)));
            } else {
                bench.ask(value + 1_000, probe::Wait { ms, value });
                expected.push((ms, format!("{} waited {value}", value + 1_000)));
            }
        }
        bench.settle();
        take_trace();
        for ms in 1..60 {
            bench.pass(1);
            let mut got = take_trace();
            let mut due: Vec<String> =
                expected.iter().filter(|(at, _)| *at == ms).map(|(_, line)| line.clone()).collect();
            got.sort_unstable();
            due.sort_unstable();
            assert_eq!(got, due, "seed {seed}, {ms} ms");
        }
    }
}

#[test]
fn a_clock_that_runs_backwards_stands_still() {
    let mut bench = Bench::new();
    let token = bench.ask(1, probe::Wait { ms: 10, value: 0 });
    bench.settle();
    let start = bench.now;
    bench.now = lightmoon_contract::Mono(5);
    let second = bench.ask(2, probe::Wait { ms: 10, value: 0 });
    bench.settle();
    bench.now = start;
    bench.settle();
    assert_eq!((bench.answer::<probe::Wait>(token), bench.answer::<probe::Wait>(second)), (None, None));
    bench.pass(10);
    assert_eq!(bench.answer::<probe::Wait>(token), Some(Ok(1_010)));
    assert_eq!(bench.answer::<probe::Wait>(second), Some(Ok(1_010)), "it began at the time that stood still");
}
