//! Panics end one activation; what waits for the actor stays.

use std::time::Duration;

use lightmoon_actor::reserved::ToActor;
use lightmoon_actor::{Step, WorkerOptions, limits};
use lightmoon_contract::{CallError, Operation, SessionId};

use crate::harness::{Bench, probe_id};
use crate::probe::{UNBORN, probe, take_trace};

/// Whether the next message activates the actor anew, and others were left alone.
fn assert_starts_over(bench: &mut Bench, key: u64) {
    take_trace();
    let (token, other) = (bench.ask(key, probe::Count {}), bench.ask(50, probe::Count {}));
    bench.pass(60);
    assert_eq!(bench.answer::<probe::Count>(token), Some(Ok(0)), "a new activation has no notes");
    assert_eq!(bench.answer::<probe::Count>(other), Some(Ok(1)), "the other activation kept its note");
    assert!(take_trace().contains(&format!("{key} activated")));
}

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.tell(50, probe::Note { value: 0 });
    bench.tell(1, probe::Note { value: 0 });
    bench.settle();
    bench
}

#[test]
fn a_panic_in_an_operation_ends_that_activation_only() {
    let mut bench = bench();
    let token = bench.ask(1, probe::Explode {});
    bench.settle();
    assert_eq!(bench.answer::<probe::Explode>(token), Some(Err(CallError::Panicked)));
    let step = Step::Operation(probe::Explode::SPEC.number);
    assert_eq!(bench.failed, [(probe_id(1), step, "boom 1".to_owned())]);
    assert_starts_over(&mut bench, 1);
}

#[test]
fn a_panic_in_a_poll_ends_that_activation_only() {
    let mut bench = bench();
    let token = bench.ask(1, probe::ExplodeLate { ms: 20 });
    bench.pass(20);
    assert_eq!(bench.answer::<probe::ExplodeLate>(token), Some(Err(CallError::Panicked)));
    assert_eq!(bench.failed[0].1, Step::Operation(probe::ExplodeLate::SPEC.number));
    assert_starts_over(&mut bench, 1);
}

#[test]
fn a_panic_in_an_activation_ends_nothing_else() {
    let mut bench = bench();
    let token = bench.ask(UNBORN, probe::Count {});
    bench.settle();
    assert_eq!(bench.answer::<probe::Count>(token), Some(Err(CallError::Panicked)));
    assert_eq!(bench.failed, [(probe_id(UNBORN), Step::Activate, "cannot be activated".to_owned())]);
    assert_starts_over(&mut bench, 60);
}

#[test]
fn a_panic_in_a_drop_ends_that_activation_only() {
    let mut bench = bench();
    bench.tell(1, probe::ArmDrop {});
    bench.tell(1, probe::StopNow {});
    bench.settle();
    assert_eq!(bench.failed, [(probe_id(1), Step::Drop, "armed drop".to_owned())]);
    assert_starts_over(&mut bench, 1);
}

#[test]
fn a_panic_in_stopping_ends_that_activation_only() {
    let mut bench = bench();
    bench.tell(1, probe::ArmStopping {});
    bench.tell(1, probe::StopNow {});
    bench.settle();
    assert_eq!(bench.failed, [(probe_id(1), Step::Stopping, "armed stopping".to_owned())]);
    assert_starts_over(&mut bench, 1);
}

#[test]
fn what_was_queued_is_served_by_the_next_activation_in_order() {
    let mut bench = bench();
    take_trace();
    bench.ask(1, probe::Explode {});
    for value in 1..50 {
        bench.tell(1, probe::Note { value });
    }
    bench.pass(49);
    assert_eq!(take_trace(), [""; 0], "it rests first");
    bench.pass(1);
    let expected: Vec<String> = std::iter::once("1 activated".to_owned())
        .chain((1..50).map(|value| format!("1 note {value}")))
        .collect();
    assert_eq!(take_trace(), expected);
}

#[test]
fn what_waited_for_a_waiting_actor_outlives_its_panic() {
    let mut bench = bench();
    bench.ask(1, probe::ExplodeLate { ms: 20 });
    bench.settle();
    for value in 1..50 {
        bench.tell(1, probe::Note { value });
    }
    let token = bench.ask(1, probe::Count {});
    bench.settle();
    take_trace();
    bench.pass(20 + 50);
    let expected: Vec<String> = std::iter::once("1 activated".to_owned())
        .chain((1..50).map(|value| format!("1 note {value}")))
        .collect();
    assert_eq!(take_trace(), expected);
    assert_eq!(bench.answer::<probe::Count>(token), Some(Ok(49)));
}

#[test]
fn rests_double_and_the_third_panic_within_a_minute_sets_aside() {
    let mut bench = bench();
    bench.ask(1, probe::Explode {});
    bench.pass(50);
    bench.ask(1, probe::Explode {});
    let waiting = bench.ask(1, probe::Count {});
    bench.pass(99);
    assert_eq!(bench.answer::<probe::Count>(waiting), None, "the second rest is twice as long");
    bench.pass(1);
    assert_eq!(bench.answer::<probe::Count>(waiting), Some(Ok(0)));

    bench.ask(1, probe::Explode {});
    let queued = bench.ask(1, probe::Count {});
    bench.settle();
    bench.framework(1, ToActor::Connected { session: SessionId(5) });
    bench.settle();
    assert_eq!(bench.answer::<probe::Count>(queued), Some(Err(CallError::Panicked)), "at once");
    assert_eq!(bench.worker.set_aside(), [probe_id(1)]);
    bench.pass(59_999);
    let early = bench.ask(1, probe::Count {});
    bench.settle();
    assert_eq!(bench.answer::<probe::Count>(early), Some(Err(CallError::Panicked)));
    assert_eq!(bench.worker.counters().refused_set_aside, 2);

    take_trace();
    bench.pass(1);
    assert_eq!(take_trace(), ["1 activated", "1 connected 5"], "what sessions said was kept");
    assert_eq!(bench.worker.set_aside(), []);
    let token = bench.ask(1, probe::Count {});
    bench.settle();
    assert_eq!(bench.answer::<probe::Count>(token), Some(Ok(0)));
}

#[test]
fn panics_that_are_a_minute_apart_do_not_add_up() {
    let mut bench = bench();
    for _ in 0..10 {
        bench.ask(1, probe::Explode {});
        bench.pass(60_000);
    }
    assert_eq!(bench.worker.counters().failures, 10);
    assert_eq!(bench.worker.counters().set_aside, 0);
}

#[test]
fn ten_thousand_panics_leave_nothing_behind() {
    let mut bench = Bench::new();
    for key in 0..10_000 {
        bench.ask(key, probe::Explode {});
    }
    bench.pass(200_000);
    assert_eq!(bench.worker.counters().failures, 10_000);
    assert_eq!((bench.worker.actors(), bench.worker.actors_known()), (0, 0));
    assert_eq!(bench.next.deadline, None);
    let token = bench.ask(1, probe::Count {});
    bench.settle();
    assert_eq!(bench.answer::<probe::Count>(token), Some(Ok(0)));
}

#[test]
fn what_a_panic_said_is_cut() {
    let text = "ü".repeat(limits::FAILURE_TEXT_BYTES_MAX);
    let kinds = crate::repeat::kinds_that_panic_with(text);
    let mut bench = Bench::of(WorkerOptions::default(), kinds);
    bench.tell(1, probe::Note { value: 0 });
    bench.settle();
    assert_eq!(bench.failed[0].2.len(), limits::FAILURE_TEXT_BYTES_MAX);
}

#[test]
fn a_started_actor_is_there_without_a_message_and_after_a_panic() {
    let mut bench = Bench::new();
    bench.worker.start(bench.now, probe_id(1));
    bench.settle();
    assert_eq!(take_trace(), ["1 activated"]);
    bench.ask(1, probe::Explode {});
    bench.pass(50);
    assert_eq!(take_trace(), ["1 activated"]);
}

#[test]
fn an_actor_that_stops_is_activated_anew_by_the_next_message() {
    let mut bench = bench();
    bench.tell(1, probe::StopNow {});
    bench.tell(1, probe::Note { value: 5 });
    take_trace();
    bench.settle();
    assert_eq!(take_trace(), ["1 stopping", "1 activated", "1 note 5"]);
}

#[test]
fn an_idle_actor_is_deactivated_only_if_that_is_wanted() {
    let idle_after = Some(Duration::from_secs(10));
    let mut bench = Bench::with(WorkerOptions { idle_after, ..WorkerOptions::default() });
    bench.worker.start(bench.now, probe_id(2));
    bench.tell(1, probe::Note { value: 0 });
    bench.pass(9_000);
    bench.tell(1, probe::Note { value: 1 });
    bench.pass(9_999);
    assert_eq!(bench.worker.actors(), 2, "used 9.999 s ago");
    bench.pass(1);
    assert_eq!(bench.worker.actors(), 1, "a started one stays");

    let mut bench = self::bench();
    bench.pass(100_000_000);
    assert_eq!(bench.worker.actors(), 2);
}

#[test]
fn the_end_is_told_in_order_and_whoever_waits_gets_gone() {
    let mut bench = bench();
    let waits = bench.ask(2, probe::Wait { ms: 5_000, value: 0 });
    let behind = bench.ask(2, probe::Count {});
    bench.settle();
    take_trace();
    bench.tell(1, probe::Note { value: 1 });
    bench.stop();
    bench.settle();
    assert_eq!(take_trace(), ["1 note 1", "1 stopping", "50 stopping"], "what came before the end is served");
    assert_eq!(bench.answer::<probe::Wait>(waits), Some(Err(CallError::Gone)));
    assert_eq!(bench.answer::<probe::Count>(behind), Some(Err(CallError::Gone)));
    let late = bench.ask(1, probe::Count {});
    bench.settle();
    assert_eq!(bench.answer::<probe::Count>(late), Some(Err(CallError::Gone)));
    assert_eq!((bench.worker.actors(), bench.next.deadline), (0, None));
}

#[test]
fn a_worker_is_dropped_with_everything_in_it() {
    let mut bench = bench();
    bench.tell(1, probe::ArmDrop {});
    bench.tell(2, probe::ArmDrop {});
    bench.ask(2, probe::Wait { ms: 5_000, value: 0 });
    bench.ask(2, probe::Count {});
    bench.settle();
    drop(bench);
}
