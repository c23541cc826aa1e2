//! Actors that are kept: nothing is told before it is durable, nothing durable is lost.

use lightmoon_actor::{In, LoadError, Out, Step, StoreState, limits};
use lightmoon_contract::{ActorId, CallError};

use crate::bank::{Bank, id};
use crate::till::{UNSAVABLE, client, take_told, till};

#[test]
fn an_actor_serves_only_what_the_store_has_of_it() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 500);
    let token = bank.bench.ask_from(client(), 1, till::Look {});
    bank.bench.settle();
    assert_eq!(bank.answer::<till::Look>(token), None, "it is being loaded");
    bank.serve_loads();
    assert_eq!(bank.answer::<till::Look>(token), Some(Ok(500)));
}

#[test]
fn an_answer_of_a_sync_operation_leaves_when_its_commit_is_durable() {
    let mut bank = Bank::new();
    let token = bank.ask(1, till::Pay { amount: 5 });
    assert_eq!(bank.answer::<till::Pay>(token), None);
    assert_eq!(bank.commits, [(id(1), 1, Some(5), 1)], "with its log entry");
    bank.commit();
    assert_eq!(bank.answer::<till::Pay>(token), Some(Ok(5)));
}

#[test]
fn operations_that_come_while_a_commit_is_under_way_share_the_next_one() {
    let mut bank = Bank::new();
    let first = bank.ask(1, till::Pay { amount: 1 });
    let others: Vec<u64> = (0..10).map(|_| bank.ask(1, till::Pay { amount: 1 })).collect();
    assert_eq!(bank.commits.len(), 1, "one under way");
    bank.commit();
    assert_eq!(bank.answer::<till::Pay>(first), Some(Ok(1)));
    assert_eq!(bank.commits, [(id(1), 2, Some(11), 10)]);
    assert!(others.iter().all(|token| !bank.bench.answers.contains_key(token)));
    bank.commit();
    let answers: Vec<_> = others.iter().map(|token| bank.answer::<till::Pay>(*token)).collect();
    assert_eq!(answers, (2..=11).map(|amount| Some(Ok(amount))).collect::<Vec<_>>());
}

#[test]
fn what_is_told_after_a_sync_effect_waits_for_it_too() {
    let mut bank = Bank::new();
    bank.ask(2, till::Look {});
    bank.ask(1, till::PayAndTell { amount: 7, other: 2 });
    assert!(take_told().is_empty(), "till 2 would know of money that may never be");
    // A look tells of it as well.
    let look = bank.ask(1, till::Look {});
    assert_eq!(bank.answer::<till::Look>(look), None);
    bank.commit();
    assert_eq!(take_told(), [7]);
    assert_eq!(bank.answer::<till::Look>(look), Some(Ok(7)));
}

#[test]
fn however_much_waits_for_a_commit_no_answer_is_dropped_nor_says_that_nothing_was_done() {
    let mut bank = Bank::new();
    let many = u32::try_from(limits::HELD_PER_WORLD_MAX).unwrap() + 10;
    let token = bank.bench.ask_from(client(), 1, till::PayAndShow { amount: 7, times: many });
    bank.settle();
    assert_eq!(bank.answer::<till::PayAndShow>(token), None);
    assert_eq!(bank.bench.worker.counters().discarded, 10, "pushes over the bound");
    bank.commit();
    assert_eq!(bank.answer::<till::PayAndShow>(token), Some(Ok(7)));
    assert_eq!(bank.bench.left.len(), limits::HELD_PER_WORLD_MAX);
}

#[test]
fn a_request_of_a_sync_operation_is_not_held_by_the_operation_itself() {
    let mut bank = Bank::new();
    bank.stored.insert(id(2), 30);
    let token = bank.ask(1, till::PayAfter { amount: 4, other: 2 });
    assert_eq!(bank.commits, [(id(1), 1, Some(34), 0)]);
    assert!(bank.bench.left.is_empty(), "the push waits");
    bank.commit();
    assert_eq!(bank.answer::<till::PayAfter>(token), Some(Ok(34)));
    assert_eq!(bank.bench.left.len(), 1);
}

#[test]
fn a_sync_operation_that_changes_nothing_waits_for_nothing() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 5);
    let token = bank.ask(1, till::LookHard {});
    assert_eq!(bank.answer::<till::LookHard>(token), Some(Ok(())));
    assert!(bank.commits.is_empty());
}

#[test]
fn behind_effects_are_answered_at_once_and_saved_within_two_seconds() {
    let mut bank = Bank::new();
    let token = bank.ask(1, till::PayLazily { amount: 3 });
    assert_eq!(bank.answer::<till::PayLazily>(token), Some(Ok(())));
    bank.bench.pass(1_999);
    bank.serve_loads();
    assert!(bank.commits.is_empty());
    bank.bench.pass(1);
    bank.serve_loads();
    assert_eq!(bank.commits, [(id(1), 1, Some(3), 0)]);
    // Nothing waits for it.
    let look = bank.ask(1, till::Look {});
    assert_eq!(bank.answer::<till::Look>(look), Some(Ok(3)));
}

#[test]
fn an_operation_that_may_lose_less_is_saved_sooner() {
    let mut bank = Bank::new();
    bank.ask(1, till::PayLazily { amount: 3 });
    bank.bench.pass(500);
    bank.ask(1, till::PaySoon { amount: 4 });
    bank.bench.pass(999);
    bank.serve_loads();
    assert!(bank.commits.is_empty());
    bank.bench.pass(1);
    bank.serve_loads();
    assert_eq!(bank.commits, [(id(1), 1, Some(7), 0)]);
}

#[test]
fn a_sync_commit_takes_what_was_behind_along() {
    let mut bank = Bank::new();
    bank.ask(1, till::PayLazily { amount: 3 });
    bank.ask(1, till::Pay { amount: 4 });
    assert_eq!(bank.commits, [(id(1), 1, Some(7), 1)]);
    bank.commit();
    bank.bench.pass(10_000);
    bank.serve_loads();
    assert!(bank.commits.is_empty(), "nothing is left to save");
}

#[test]
fn a_panic_takes_back_what_was_in_no_commit_and_keeps_what_was() {
    let mut bank = Bank::new();
    let first = bank.ask(1, till::Pay { amount: 5 });
    let second = bank.ask(1, till::Pay { amount: 6 });
    let exploded = bank.ask(1, till::Explode {});
    assert_eq!(bank.answer::<till::Explode>(exploded), Some(Err(CallError::Panicked)));
    assert_eq!(bank.answer::<till::Pay>(second), Some(Err(CallError::Panicked)), "it is in no commit");
    assert_eq!(bank.answer::<till::Pay>(first), None);
    bank.commit();
    assert_eq!(bank.answer::<till::Pay>(first), Some(Ok(5)), "its commit was under way");
    let look = bank.bench.ask_from(client(), 1, till::Look {});
    bank.bench.pass(1_000);
    bank.serve_loads();
    assert_eq!(bank.answer::<till::Look>(look), Some(Ok(5)));
}

#[test]
fn an_actor_that_another_owns_ends_and_nothing_of_it_leaves() {
    let mut bank = Bank::new();
    let token = bank.ask(1, till::PayAndTell { amount: 5, other: 2 });
    bank.commits.clear();
    bank.bench.put_in(In::Lost { actor: id(1), message: "claimed by another".to_owned() });
    bank.settle();
    assert_eq!(bank.answer::<till::PayAndTell>(token), Some(Err(CallError::Gone)));
    assert!(take_told().is_empty());
    assert!(matches!(bank.bench.failed[..], [(_, Step::Lost, _)]), "{:?}", bank.bench.failed);
    bank.stored.insert(id(1), 90);
    let look = bank.bench.ask_from(client(), 1, till::Look {});
    bank.bench.pass(1_000);
    bank.serve_loads();
    assert_eq!(bank.answer::<till::Look>(look), Some(Ok(90)));
}

#[test]
fn while_the_store_is_away_sync_is_refused_and_the_rest_goes_on() {
    let mut bank = Bank::new();
    bank.ask(1, till::Look {});
    bank.bench.put_in(In::Store(StoreState { is_away: true, is_full: false }));
    let sync = bank.ask(1, till::Pay { amount: 1 });
    let behind = bank.ask(1, till::PayLazily { amount: 2 });
    assert_eq!(bank.answer::<till::Pay>(sync), Some(Err(CallError::StoreUnavailable)));
    assert_eq!(bank.answer::<till::PayLazily>(behind), Some(Ok(())));
    bank.bench.put_in(In::Store(StoreState { is_away: true, is_full: true }));
    let behind = bank.ask(1, till::PayLazily { amount: 2 });
    assert_eq!(bank.answer::<till::PayLazily>(behind), Some(Err(CallError::StoreUnavailable)));
    let look = bank.ask(1, till::Look {});
    assert_eq!(bank.answer::<till::Look>(look), Some(Ok(2)), "what was refused had no effect");
    bank.bench.put_in(In::Store(StoreState::default()));
    bank.ask(1, till::Pay { amount: 1 });
    assert_eq!(bank.commits, [(id(1), 1, Some(3), 1)]);
}

#[test]
fn an_actor_that_cannot_be_loaded_answers_so_and_is_tried_again() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 8);
    let token = bank.bench.ask_from(client(), 1, till::Look {});
    bank.bench.settle();
    assert!(matches!(bank.bench.to_store[..], [Out::Load(_)]));
    bank.bench.to_store.clear();
    bank.bench.put_in(In::Loaded { actor: id(1), result: Err(LoadError::Away) });
    bank.bench.settle();
    assert_eq!(bank.answer::<till::Look>(token), Some(Err(CallError::StoreUnavailable)));
    let token = bank.bench.ask_from(client(), 1, till::Look {});
    bank.bench.pass(300);
    bank.serve_loads();
    assert_eq!(bank.answer::<till::Look>(token), Some(Ok(8)));
}

#[test]
fn state_of_a_newer_build_is_not_served_and_stays() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), u64::MAX);
    let token = bank.ask(1, till::Pay { amount: 1 });
    assert_eq!(bank.answer::<till::Pay>(token), Some(Err(CallError::Unreadable)));
    assert_eq!(bank.unreadable, [id(1)]);
    let token = bank.ask(1, till::Look {});
    assert_eq!(bank.answer::<till::Look>(token), Some(Err(CallError::Unreadable)), "at once");
    assert_eq!(bank.stored[&id(1)], u64::MAX);
    // It is looked at again after a minute.
    bank.stored.insert(id(1), 3);
    bank.bench.pass(60_000);
    bank.serve_loads();
    let token = bank.ask(1, till::Look {});
    assert_eq!(bank.answer::<till::Look>(token), Some(Ok(3)));
}

#[test]
fn state_that_cannot_be_saved_ends_the_activation_and_its_caller_hears_of_it() {
    let mut bank = Bank::new();
    let token = bank.ask(1, till::Pay { amount: UNSAVABLE });
    assert_eq!(bank.answer::<till::Pay>(token), Some(Err(CallError::Panicked)));
    assert!(matches!(&bank.bench.failed[..], [(_, Step::Save, why)] if why.contains("thirteen")));
    assert!(bank.commits.is_empty());
}

#[test]
fn the_end_saves_what_is_behind() {
    let mut bank = Bank::new();
    bank.ask(1, till::PayLazily { amount: 3 });
    bank.ask(2, till::PayLazily { amount: 4 });
    bank.stored.insert(id(3), 9);
    bank.ask(3, till::Look {});
    bank.bench.stop();
    bank.settle();
    assert_eq!(bank.commits, [(id(1), 1, Some(3), 0), (id(2), 1, Some(4), 0)]);
    bank.commit();
    bank.commit();
    assert_eq!(bank.released, [id(3), id(1), id(2)], "nothing of them is remembered");
    assert_eq!(bank.bench.worker.actors_known(), 0);
}

#[test]
fn an_actor_is_loaded_once_for_all_who_wait_for_it() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 6);
    let tokens: Vec<u64> = (0..5).map(|_| bank.bench.ask_from(client(), 1, till::Look {})).collect();
    bank.bench.settle();
    assert_eq!(bank.bench.to_store.len(), 1);
    bank.serve_loads();
    assert!(tokens.into_iter().all(|token| bank.answer::<till::Look>(token) == Some(Ok(6))));
}

#[test]
fn an_actor_whose_commits_do_not_come_through_takes_only_so_much() {
    let mut bank = Bank::new();
    bank.ask(1, till::Look {});
    for _ in 0..1_500 {
        bank.bench.ask_from(client(), 1, till::Pay { amount: 1 });
    }
    bank.settle();
    assert!(bank.bench.worker.held() <= 1_024, "{} answers are held", bank.bench.worker.held());
    while !bank.commits.is_empty() {
        bank.commit();
    }
    assert_eq!(bank.stored[&id(1)], 1_500, "what waited is served when there is room");
}

#[test]
fn actors_live_whatever_the_order_in_which_they_are_loaded() {
    let mut bank = Bank::new();
    for key in 1..=3 {
        bank.bench.ask_from(client(), key, till::PayLazily { amount: key });
    }
    bank.bench.settle();
    bank.bench.to_store.reverse();
    bank.serve_loads();
    bank.bench.pass(2_000);
    bank.serve_loads();
    let mut saved: Vec<ActorId> = bank.commits.iter().map(|(actor, ..)| *actor).collect();
    saved.sort_unstable();
    assert_eq!(saved, [id(1), id(2), id(3)], "each has its timers");
}

#[test]
fn an_operation_that_waits_begins_when_the_sync_effects_before_it_are_in_a_commit() {
    let mut bank = Bank::new();
    bank.stored.insert(id(2), 30);
    bank.ask(1, till::Look {});
    let pay = bank.bench.ask_from(client(), 1, till::Pay { amount: 1 });
    let first = bank.bench.ask_from(client(), 1, till::PayAfter { amount: 2, other: 2 });
    let second = bank.bench.ask_from(client(), 1, till::PayAfter { amount: 3, other: 2 });
    bank.settle();
    // Else its question would wait for a commit that cannot be made as long as it waits for the answer.
    for _ in 0..3 {
        bank.commit();
    }
    assert_eq!(bank.answer::<till::Pay>(pay), Some(Ok(1)));
    assert_eq!(bank.answer::<till::PayAfter>(first), Some(Ok(33)));
    assert_eq!(bank.answer::<till::PayAfter>(second), Some(Ok(66)));
}

#[test]
fn a_copy_that_was_due_while_another_was_under_way_follows_at_once() {
    let mut bank = Bank::of_copied();
    bank.ask(1, till::PayLazily { amount: 5 });
    assert_eq!(bank.copies, [0], "as it was loaded");
    bank.bench.pass(10_000);
    bank.serve_loads();
    assert_eq!(bank.copies, [0], "one at a time");
    bank.bench.put_in(In::Snapshotted { actor: id(1) });
    bank.settle();
    assert_eq!(bank.copies, [0, 5], "else what is behind waits for the next sync operation");
    bank.bench.put_in(In::Snapshotted { actor: id(1) });
    bank.bench.pass(10_000);
    bank.serve_loads();
    assert_eq!(bank.copies, [0, 5, 5]);
}

#[test]
fn an_actor_that_is_lost_while_it_is_copied_is_copied_again_in_its_next_life() {
    let mut bank = Bank::of_copied();
    bank.bench.worker.start(bank.bench.now, id(1));
    bank.settle();
    bank.bench.put_in(In::Lost { actor: id(1), message: "claimed by another".to_owned() });
    bank.stored.insert(id(1), 90);
    bank.bench.pass(1_000);
    bank.serve_loads();
    assert_eq!(bank.copies, [0, 90]);
}

#[test]
fn the_end_copies_what_is_behind_also_while_a_copy_is_under_way() {
    let mut bank = Bank::of_copied();
    bank.ask(1, till::PayLazily { amount: 5 });
    bank.bench.stop();
    bank.settle();
    assert_eq!(bank.copies, [0, 5]);
}
