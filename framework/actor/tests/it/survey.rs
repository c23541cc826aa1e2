//! What tools see of the actors of a worker.

use lightmoon_actor::{ActorState, In, Sought, Step, limits};
use lightmoon_contract::{Contract, Operation};

use crate::bank::{Bank, id};
use crate::harness::{Bench, probe_id};
use crate::probe::{ProbeContract, probe};
use crate::till::till;

#[test]
fn the_first_actors_are_listed_and_all_are_counted() {
    let mut bench = Bench::new();
    let count = limits::ACTORS_LISTED_MAX as u64 + 50;
    for key in (0..count).rev() {
        bench.tell(key, probe::Note { value: 1 });
    }
    bench.settle();
    let list = bench.worker.seek(Sought::default());
    assert_eq!((list.actors.len(), list.found), (limits::ACTORS_LISTED_MAX, 250));
    assert_eq!(list.kinds.get(&ProbeContract::KIND), Some(&250));
    let keys: Vec<u64> = list.actors.iter().map(|look| look.actor.key).collect();
    assert!(keys.iter().copied().eq(0..limits::ACTORS_LISTED_MAX as u64), "in order of their keys");
    let one = bench.worker.seek(Sought { key: Some(249), ..Sought::default() });
    assert_eq!((one.actors[0].actor, one.found), (probe_id(249), 1), "also one beyond the list");
}

#[test]
fn an_actor_shows_what_it_waits_in_and_what_waits_for_it() {
    let mut bench = Bench::new();
    bench.ask(1, probe::Wait { ms: 50, value: 1 });
    bench.tell(1, probe::Note { value: 2 });
    bench.tell(1, probe::Note { value: 3 });
    bench.settle();
    let look = bench.worker.seek(Sought { key: Some(1), ..Sought::default() }).actors[0];
    assert_eq!(look.state, ActorState::Waiting(<probe::Wait as Operation>::SPEC.number));
    assert_eq!(look.waiting, 2);
}

#[test]
fn only_the_traced_actor_leaves_a_trail_and_it_is_bounded() {
    let mut bench = Bench::new();
    bench.worker.trace(Some(probe_id(1)));
    bench.tell(2, probe::Note { value: 0 });
    for value in 0..100 {
        bench.tell(1, probe::Note { value });
    }
    bench.settle();
    let steps = bench.worker.traced();
    assert_eq!(steps.len(), limits::TRACED_MAX);
    let note = Step::Operation(<probe::Note as Operation>::SPEC.number);
    assert!(steps.iter().all(|traced| traced.step == note), "{steps:?}");
    bench.worker.trace(Some(probe_id(2)));
    assert!(bench.worker.traced().is_empty(), "another's trail is forgotten");
}

#[test]
fn a_snapshot_between_those_that_come_by_themselves_changes_nothing_of_their_times() {
    let mut bank = Bank::of_copied();
    bank.ask(1, till::PayLazily { amount: 5 });
    let pass = |bank: &mut Bank, seconds: u64| {
        for _ in 0..seconds {
            bank.bench.pass(1_000);
            bank.serve_loads();
            bank.bench.put_in(In::Snapshotted { actor: id(1) });
            bank.settle();
        }
    };
    bank.bench.put_in(In::Snapshotted { actor: id(1) });
    for _ in 0..3 {
        bank.bench.put_in(In::SnapshotAll);
        bank.settle();
        pass(&mut bank, 1);
    }
    assert_eq!(bank.copies, [0, 5, 5, 5], "one for each command");
    pass(&mut bank, 22);
    assert_eq!(bank.copies.len(), 6, "one each ten seconds, as if nobody had asked");
}
