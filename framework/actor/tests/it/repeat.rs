//! What comes back by itself: alarms and repeated operations, on activations made by hand.

use std::any::Any;
use std::time::Duration;

use lightmoon_actor::{Activation, ActorKind, Cx, Kinds, WorkerOptions};
use lightmoon_contract::call::{Body, Form, Served};
use lightmoon_contract::{Contract, Mono, Operation, OperationNumber, OperationSpec};

use crate::harness::{Bench, probe_id};
use crate::probe::{ProbeContract, probe, take_trace, trace};

/// An operation that repeats itself each 10 ms.
const REPEATED: OperationSpec = OperationSpec { every_ms: Some(10), ..probe::Note::SPEC };

/// What a hand-made activation does when it is called.
#[derive(Clone)]
enum Does {
    /// Sets its alarm anew each 10 ms from the time it was due, as a world does.
    Ticks,
    /// Repeats an operation; each run takes this many milliseconds.
    Repeats(u64),
    /// Panics with this text.
    Panics(String),
}

struct Hand {
    does: Does,
    due: Mono,
}

impl ActorKind for Does {
    fn activate(&self, cx: &mut Cx, _key: u64) -> Box<dyn Activation> {
        let due = cx.now() + Duration::from_millis(10);
        if matches!(self, Self::Ticks) {
            cx.set_alarm(due);
        }
        Box::new(Hand { does: self.clone(), due })
    }

    fn operations(&self) -> &'static [OperationSpec] {
        match self {
            Self::Repeats(_) => &[REPEATED],
            Self::Ticks | Self::Panics(_) => &[],
        }
    }
}

impl Activation for Hand {
    fn serve(
        self: Box<Self>,
        cx: &mut Cx,
        number: OperationNumber,
        _body: Body,
        form: Form,
    ) -> Served<Box<dyn Activation>> {
        let millis = cx.now().as_millis() - 1_000;
        match &self.does {
            Does::Panics(text) => std::panic::panic_any(text.clone()),
            Does::Ticks if number == probe::Explode::SPEC.number => panic!("explodes"),
            Does::Ticks => trace(format!("input at {millis}")),
            Does::Repeats(length) => {
                trace(format!("runs at {millis}"));
                let sleep = cx.sleep(Duration::from_millis(*length));
                return Served::Waits(Box::pin(async move {
                    sleep.await;
                    (self as Box<dyn Activation>, Ok(form.pack(0_u64)))
                }));
            }
        }
        Served::Done(self, Ok(None))
    }

    fn alarm(&mut self, cx: &mut Cx) {
        trace(format!("tick at {} due {}", cx.now().as_millis() - 1_000, self.due.as_millis() - 1_000));
        self.due = self.due + Duration::from_millis(10);
        cx.set_alarm(self.due);
    }

    fn report(&self) -> Option<Box<dyn Any>> {
        Some(Box::new(self.due))
    }
}

/// Kinds whose only actor panics with `text` whatever it is told.
pub(crate) fn kinds_that_panic_with(text: String) -> Kinds {
    kinds(Does::Panics(text))
}

fn kinds(does: Does) -> Kinds {
    let mut kinds = Kinds::default();
    kinds.register(ProbeContract::KIND, ProbeContract::NAME, does);
    kinds
}

fn bench(does: Does) -> Bench {
    let mut bench = Bench::of(WorkerOptions::default(), kinds(does));
    bench.worker.start(bench.now, probe_id(1));
    bench.settle();
    bench
}

#[test]
fn repeated_operations_do_not_drift() {
    let mut bench = bench(Does::Repeats(0));
    let mut random = fastrand::Rng::with_seed(3);
    // Turns come a little late each time; a drift would add up.
    for step in 1..=100 {
        bench.now = Mono::from_millis(1_000 + step * 10 + random.u64(..9));
        bench.settle();
    }
    let runs = take_trace();
    assert_eq!(runs.len(), 100);
    bench.now = Mono::from_millis(1_000 + 1_010);
    bench.settle();
    assert_eq!(take_trace(), ["runs at 1010"]);
}

#[test]
fn missed_runs_are_left_out_and_counted() {
    let mut bench = bench(Does::Repeats(0));
    bench.now = Mono::from_millis(1_095);
    bench.settle();
    assert_eq!(take_trace(), ["runs at 95"], "one for all that were missed");
    assert_eq!(bench.worker.counters().repeats_skipped, 8);
    bench.pass(5);
    assert_eq!(take_trace(), ["runs at 100"], "and on at the old beat");
}

#[test]
fn runs_that_take_longer_than_their_period_do_not_pile_up() {
    let mut bench = bench(Does::Repeats(35));
    bench.pass(1_000);
    let runs = take_trace().len();
    // Behind each run of 35 ms waits exactly one more.
    assert!((26..=29).contains(&runs), "{runs} runs");
    assert!(bench.worker.counters().repeats_skipped > 60);
    // A newcomer waits for the run that is on, the one behind it, and itself: three times 35 ms.
    let token = bench.ask(1, probe::Draw {});
    bench.pass(105);
    assert!(bench.answers.contains_key(&token));
}

#[test]
fn an_alarm_rings_once_for_each_time_and_after_the_messages_of_its_turn() {
    let mut bench = bench(Does::Ticks);
    bench.pass(9);
    assert_eq!(take_trace(), [""; 0]);
    bench.now = Mono::from_millis(1_010);
    bench.tell(1, probe::Note { value: 0 });
    bench.settle();
    assert_eq!(take_trace(), ["input at 10", "tick at 10 due 10"]);
    bench.pass(25);
    assert_eq!(take_trace(), ["tick at 20 due 20", "tick at 30 due 30"]);
}

#[test]
fn a_late_world_catches_up_without_losing_its_beat() {
    let mut bench = bench(Does::Ticks);
    bench.now = Mono::from_millis(1_034);
    bench.settle();
    assert_eq!(take_trace(), ["tick at 34 due 10", "tick at 34 due 20", "tick at 34 due 30"]);
    bench.pass(6);
    assert_eq!(take_trace(), ["tick at 40 due 40"]);
}

#[test]
fn an_alarm_of_a_dead_activation_does_not_ring() {
    let mut bench = bench(Does::Ticks);
    bench.pass(5);
    bench.ask(1, probe::Explode {});
    bench.pass(50);
    assert_eq!(take_trace(), [""; 0], "the alarm of 10 ms died with its activation");
    // Its next life began after a rest of 50 ms, at 55; its first alarm is 10 ms later.
    bench.pass(10);
    assert_eq!(take_trace(), ["tick at 65 due 65"]);
}

#[test]
fn an_alarm_that_was_about_to_ring_dies_with_its_activation() {
    let mut bench = bench(Does::Ticks);
    bench.now = Mono::from_millis(1_010);
    bench.ask(1, probe::Explode {});
    bench.pass(50);
    assert_eq!(take_trace(), [""; 0], "neither then nor at the start of the next life, at 60");
    bench.pass(10);
    assert_eq!(take_trace(), ["tick at 70 due 70"]);
}

#[test]
fn activations_report_about_themselves() {
    let bench = bench(Does::Ticks);
    let reports = bench.worker.reports();
    assert_eq!(reports.len(), 1);
    let (actor, report) = &reports[0];
    assert_eq!((*actor, report.downcast_ref::<Mono>()), (probe_id(1), Some(&Mono::from_millis(1_010))));
}
