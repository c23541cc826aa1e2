//! Requests: one answer each, in time, also in circles.

use lightmoon_contract::{CallError, ErrorCode};

use crate::harness::Bench;
use crate::probe::{probe, take_trace};

#[test]
fn an_ask_is_answered_with_the_value() {
    let mut bench = Bench::new();
    let token = bench.ask(1, probe::Relay { path: vec![2, 3, 4] });
    bench.settle();
    assert_eq!(bench.answer::<probe::Relay>(token), Some(Ok(0)));
}

#[test]
fn a_request_ends_when_its_time_is_over_and_the_late_answer_is_counted() {
    let mut bench = Bench::new();
    bench.ask(1, probe::Wait { ms: 5_000, value: 0 });
    let token = bench.ask(1, probe::Count {});
    bench.pass(999);
    assert_eq!(bench.answer::<probe::Count>(token), None);
    bench.pass(1);
    assert_eq!(bench.answer::<probe::Count>(token), Some(Err(CallError::TimedOut)));
    bench.pass(10_000);
    let counters = bench.worker.counters();
    assert_eq!((counters.timeouts, counters.answers_late), (1, 1));
}

#[test]
fn an_ask_between_actors_times_out_too() {
    let mut bench = Bench::new();
    bench.ask(2, probe::Wait { ms: 30_000, value: 0 });
    let token = bench.ask(1, probe::Relay { path: vec![2] });
    bench.pass(1_999);
    assert_eq!(bench.answer::<probe::Relay>(token), None);
    bench.pass(1);
    let code = bench.answer::<probe::Relay>(token);
    // The inner ask and the outer request have the same time; whichever fires first, it ends now.
    assert!(matches!(code, Some(Ok(9) | Err(CallError::TimedOut))), "{code:?}");
}

#[test]
fn a_circle_of_asks_is_reported_at_once() {
    for path in [vec![2, 1], vec![1], vec![2, 3, 1], vec![2, 3, 2]] {
        let mut bench = Bench::new();
        let token = bench.ask(1, probe::Relay { path: path.clone() });
        bench.settle();
        let answer = bench.answer::<probe::Relay>(token);
        assert_eq!(answer, Some(Ok(ErrorCode::DEADLOCK.0)), "1 -> {path:?}, without time passing");
        assert_eq!(bench.worker.counters().deadlocks, 1);
        let again = bench.ask(1, probe::Relay { path: vec![2] });
        bench.settle();
        assert_eq!(bench.answer::<probe::Relay>(again), Some(Ok(0)), "the actors are free again");
    }
}

#[test]
fn two_ways_to_one_actor_are_no_circle() {
    let mut bench = Bench::new();
    let token = bench.ask(1, probe::Diamond {});
    bench.pass(100);
    assert_eq!(bench.answer::<probe::Diamond>(token), Some(Ok(0)));
    assert_eq!(bench.worker.counters().deadlocks, 0);
}

#[test]
fn two_circles_that_cross_end_by_their_times() {
    let mut bench = Bench::new();
    let there = bench.ask(1, probe::Relay { path: vec![2] });
    let back = bench.ask(2, probe::Relay { path: vec![1] });
    bench.pass(2_000);
    assert!(bench.answer::<probe::Relay>(there).is_some() && bench.answer::<probe::Relay>(back).is_some());
    bench.pass(10_000);
    let again = bench.ask(1, probe::Relay { path: vec![2] });
    bench.settle();
    assert_eq!(bench.answer::<probe::Relay>(again), Some(Ok(0)), "both actors serve again");
}

#[test]
fn giving_up_an_ask_leaves_the_request_to_be_served() {
    let mut bench = Bench::new();
    let token = bench.ask(1, probe::GiveUp { other: 2 });
    bench.settle();
    assert_eq!(bench.answer::<probe::GiveUp>(token), Some(Ok(1)));
    bench.pass(100);
    assert!(take_trace().contains(&"2 waited 7".to_owned()));
    assert_eq!(bench.worker.counters().answers_late, 2);
}

#[test]
fn every_request_is_answered_once_whatever_happens() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bench = Bench::new();
        let mut asked = 0;
        for _ in 0..200 {
            let key = random.u64(1..6);
            asked += 1;
            match random.u8(..7) {
                0 => bench.ask(key, probe::Explode {}),
                1 => bench.ask(key, probe::ExplodeLate { ms: random.u64(..40) }),
                2 => bench.ask(key, probe::Wait { ms: random.u64(..3_000), value: 0 }),
                3 => bench.ask(
                    key,
                    probe::Relay { path: (0..random.usize(..4)).map(|_| random.u64(1..6)).collect() },
                ),
                4 => bench.ask(crate::probe::UNBORN, probe::Count {}),
                5 => {
                    bench.tell(key, probe::StopNow {});
                    bench.pass(random.u64(..500));
                    bench.ask(key, probe::Draw {})
                }
                _ => bench.ask(key, probe::Count {}),
            };
        }
        if random.bool() {
            bench.stop();
        }
        bench.pass(200_000);
        assert_eq!(bench.answers.len(), asked, "seed {seed}");
    }
}

#[test]
fn answered_requests_leave_no_deadlines_behind() {
    let mut bench = Bench::new();
    for _ in 0..20_000 {
        bench.ask(1, probe::Relay { path: vec![2] });
        bench.settle();
    }
    assert_eq!(bench.next.deadline, None, "an idle worker has nothing to wake up for");
}

#[test]
fn arguments_that_cannot_be_read_are_an_error_for_the_caller_only() {
    let mut bench = Bench::new();
    bench.tell(1, probe::Note { value: 1 });
    bench.garbage(1, 7);
    let token = bench.ask(1, probe::Count {});
    bench.settle();
    assert!(matches!(bench.answers.remove(&7_000), Some(Err(CallError::BadArguments(_)))));
    assert_eq!(bench.answer::<probe::Count>(token), Some(Ok(1)), "the same activation goes on");
}
