//! How long code of actors takes is counted by kind, and by what it does.

use std::cell::Cell;
use std::time::Duration;

use lightmoon_actor::{KindReport, WorkerOptions};
use lightmoon_contract::{Contract as _, Mono};

use crate::harness::Bench;
use crate::probe::{ProbeContract, probe};

thread_local! {
    /// Each look at the clock moves it on: each test runs on a thread of its own.
    static CLOCK: Cell<u64> = const { Cell::new(1) };
}

/// Between two looks.
const STEP: Duration = Duration::from_millis(1);

fn clock() -> Mono {
    CLOCK.set(CLOCK.get() + 1_000_000);
    Mono(CLOCK.get())
}

fn report(bench: &Bench) -> KindReport {
    let [report] = bench.worker.kind_reports() else { panic!("one kind is registered") };
    *report
}

#[test]
fn operations_are_timed_apart_from_the_beginnings_of_activations() {
    let mut bench = Bench::with(WorkerOptions { seed: 1, probe: clock, ..WorkerOptions::default() });
    assert_eq!((report(&bench).kind, report(&bench).name), (ProbeContract::KIND, ProbeContract::NAME));
    (0..3).for_each(|value| bench.tell(7, probe::Note { value }));
    bench.tell(8, probe::Note { value: 9 });
    bench.turn();
    let report = report(&bench);
    assert_eq!((report.operations.count(), report.operations.total()), (4, 4 * STEP));
    assert_eq!((report.lives.count(), report.lives.total()), (2, 2 * STEP));
    assert_eq!(report.alarms.count(), 0);
}

#[test]
fn without_a_clock_stretches_are_counted_and_take_no_time() {
    let mut bench = Bench::new();
    bench.tell(7, probe::Note { value: 1 });
    bench.turn();
    let report = report(&bench);
    assert_eq!((report.operations.count(), report.operations.total()), (1, Duration::ZERO));
}
