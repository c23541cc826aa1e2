//! What tools see of the actors of a worker.

use lightmoon_actor::{ActorState, In, Inspect, Inspected, LoadError, Sought, Step, StoredLook, limits};
use lightmoon_contract::{Contract, Operation};

use crate::bank::{Bank, id};
use crate::harness::{Bench, probe_id};
use crate::probe::{ProbeContract, probe};
use crate::till::{UNSAVABLE, till};

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

/// Looks at a till as an operator does.
fn peek(bank: &mut Bank, key: u64) -> Option<Inspected> {
    let wanted = Inspect { actor: id(key), entities_from: 0 };
    bank.bench.put_in(In::Peek(wanted));
    bank.settle();
    bank.bench.worker.inspect(wanted)
}

/// What it shows of a till that is only stored.
fn seen(bank: &mut Bank, key: u64) -> (ActorState, StoredLook) {
    match peek(bank, key) {
        Some(Inspected::Stored(state, look)) => (state, look),
        other => panic!("it is stored, not {other:?}"),
    }
}

#[test]
fn what_is_stored_is_asked_for_only_while_the_actor_does_not_live() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 7);
    let (state, look) = seen(&mut bank, 1);
    let StoredLook::Shown(look) = look else { panic!("{look:?}") };
    assert_eq!((state, look.values[0].name, look.values[0].length), (ActorState::Empty, "money", 1));
    assert_eq!((bank.bench.worker.actors(), bank.bench.worker.counters().loads), (0, 0));
    assert_eq!(seen(&mut bank, 2).1, StoredLook::Nothing);
    let token = bank.ask(1, till::Look {});
    assert_eq!(bank.answer::<till::Look>(token), Some(Ok(7)));
    let wanted = Inspect { actor: id(2), entities_from: 0 };
    bank.ask(2, till::Look {});
    assert_eq!(bank.bench.worker.inspect(wanted), Some(Inspected::Nothing), "it lives, and shows itself");
    assert_eq!((peek(&mut bank, 1), bank.peeks), (Some(Inspected::Nothing), 2), "the store is not asked");
    assert_eq!(
        peek(&mut Bank::of_copied(), 1),
        Some(Inspected::Stored(ActorState::Empty, StoredLook::World))
    );
}

#[test]
fn an_answer_about_another_actor_is_no_answer() {
    let mut bank = Bank::new();
    let wanted = Inspect { actor: id(2), entities_from: 0 };
    bank.bench.put_in(In::Peek(wanted));
    bank.bench.put_in(In::Peeked { actor: id(1), result: Ok(None) });
    bank.bench.settle();
    assert_eq!(bank.bench.worker.inspect(wanted), None);
    bank.serve_loads();
    let nothing = Inspected::Stored(ActorState::Empty, StoredLook::Nothing);
    assert_eq!(bank.bench.worker.inspect(wanted), Some(nothing));
}

#[test]
fn a_stored_state_that_harms_its_reader_is_shown_as_such_and_ends_nothing() {
    let mut bank = Bank::new();
    bank.stored.extend([(id(1), UNSAVABLE), (id(2), u64::MAX)]);
    assert_eq!(seen(&mut bank, 1), (ActorState::Empty, StoredLook::Failed));
    let (_, unreadable) = seen(&mut bank, 2);
    assert!(
        matches!(&unreadable, StoredLook::Unreadable(why) if why.contains("newer build")),
        "{unreadable:?}"
    );
    // One that was set aside for it shows why, too.
    bank.ask(2, till::Look {});
    assert_eq!(seen(&mut bank, 2), (ActorState::SetAside, unreadable));
    bank.bench.put_in(In::Peeked { actor: id(2), result: Err(LoadError::Away) });
    bank.settle();
    let wanted = Inspect { actor: id(2), entities_from: 0 };
    let away = Some(Inspected::Stored(ActorState::SetAside, StoredLook::Away));
    assert_eq!(bank.bench.worker.inspect(wanted), away);
    bank.bench.worker.trace(None);
    let alone = bank.bench.worker.inspect(wanted);
    assert_eq!(alone, Some(Inspected::Away(ActorState::SetAside)), "forgotten when nobody looks");
}
