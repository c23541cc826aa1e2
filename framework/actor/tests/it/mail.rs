//! Messages that take effect exactly once, and requests that come again: what a worker does with them.

use std::time::Duration;

use lightmoon_actor::{Delivery, DeliveryEnd, In, Load, Memory, Step, Taken, limits};
use lightmoon_contract::{ActorId, CallError, Caller, Operation, SessionId, codec};

use crate::bank::{Bank, id};
use crate::till::{UNSAVABLE, client, till};

const FROM: ActorId = id(9);

fn deliver(bank: &mut Bank, number: u64, after: u64, amount: u64) {
    bank.bench.deliver(FROM, Delivery { number, after }, 1, till::Receive { amount });
    bank.settle();
}

const fn taken(number: u64) -> Taken {
    Taken { from: FROM, number }
}

fn look(bank: &mut Bank) -> Option<Result<u64, CallError>> {
    let token = bank.ask(1, till::Look {});
    bank.answer::<till::Look>(token)
}

fn posted(bank: &Bank) -> Vec<u64> {
    let mails = bank.mails.iter().flat_map(|mail| &mail.posted);
    mails
        .map(|posted| {
            assert_eq!(posted.operation, till::Receive::SPEC.number);
            codec::decode::<till::Receive>(&posted.arguments, lightmoon_contract::Limits::NODE)
                .expect("what was sent can be read")
                .amount
        })
        .collect()
}

#[test]
fn what_is_sent_exactly_once_stands_in_the_commit_of_the_operation_and_nowhere_else() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 50);
    let token = bank.ask(1, till::Give { amount: 7, other: 2 });
    assert_eq!(bank.commits, [(id(1), 1, Some(43), 0)]);
    assert_eq!(posted(&bank), [7]);
    assert!(!bank.stored.contains_key(&id(2)) && bank.bench.worker.actors() == 1, "nobody else was called");
    bank.commit();
    assert_eq!(bank.answer::<till::Give>(token), Some(Ok(true)));
}

#[test]
fn a_lazy_operation_sends_with_the_flush_that_saves_it() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 50);
    bank.ask(1, till::GiveLazily { amount: 7, other: 2 });
    assert!(bank.commits.is_empty(), "not yet");
    bank.bench.now = bank.bench.now + Duration::from_secs(2);
    bank.settle();
    assert_eq!((bank.commits[0].2, posted(&bank)), (Some(43), vec![7]));
}

#[test]
fn an_operation_that_waits_sends_when_it_has_ended() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 50);
    bank.ask(1, till::GiveSlowly { amount: 7, other: 2 });
    bank.bench.now = bank.bench.now + Duration::from_secs(4);
    bank.settle();
    assert!(bank.mails.is_empty(), "its effect may not be there yet");
    for _ in 0..2 {
        bank.bench.now = bank.bench.now + Duration::from_secs(2);
        bank.settle();
    }
    assert_eq!((bank.commits[0].2, posted(&bank)), (Some(43), vec![7]));
}

#[test]
fn a_panic_sends_nothing() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 3);
    bank.ask(1, till::GiveLazily { amount: 1, other: 2 });
    bank.ask(1, till::Explode {});
    bank.bench.now = bank.bench.now + Duration::from_secs(9);
    bank.settle();
    assert!(bank.mails.iter().all(|mail| mail.posted.is_empty()), "{:?}", bank.mails);
    assert_eq!(look(&mut bank), Some(Ok(3)));
}

#[test]
fn a_zone_sends_only_from_what_is_in_its_commits() {
    let mut bank = Bank::of_copied();
    bank.stored.insert(id(1), 50);
    bank.ask(1, till::GiveLazily { amount: 7, other: 2 });
    let token = bank.ask(1, till::Give { amount: 5, other: 2 });
    assert_eq!(posted(&bank), [5], "what is lazy stands in copies, which may be older than the message");
    bank.commit();
    assert_eq!(bank.answer::<till::Give>(token), Some(Ok(true)));
}

#[test]
fn an_outbox_that_is_full_refuses_before_anything_is_committed() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 1 << 40);
    let count = |bank: &mut Bank| {
        let token = bank.ask(1, till::GiveAll { other: 2 });
        bank.commit();
        usize::try_from(bank.answer::<till::GiveAll>(token).unwrap().unwrap()).unwrap()
    };
    let mut sent = 0;
    while sent < limits::OUTBOX_MAX {
        let more = count(&mut bank);
        assert_eq!(more, limits::POSTED_PER_COMMIT_MAX.min(limits::OUTBOX_MAX - sent));
        sent += more;
    }
    let token = bank.ask(1, till::GiveAll { other: 2 });
    assert_eq!(bank.answer::<till::GiveAll>(token), Some(Ok(0)), "refused, and nothing changed");
    bank.bench.put_in(In::Acknowledged { actor: id(1), load: Load { messages: 3, bytes: 30 } });
    bank.settle();
    assert_eq!(count(&mut bank), 3);
    // The same after a restart.
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 1 << 40);
    bank.memories.insert(
        id(1),
        Memory { outbox: Load { messages: limits::OUTBOX_MAX - 2, bytes: 0 }, ..Memory::default() },
    );
    assert_eq!(count(&mut bank), 2);
}

#[test]
fn a_message_is_taken_in_the_commit_of_its_effect_and_only_once() {
    let mut bank = Bank::new();
    deliver(&mut bank, 10, 0, 5);
    assert_eq!(bank.commits, [(id(1), 1, Some(5), 0)]);
    assert_eq!(bank.mails[0].taken, [taken(10)]);
    bank.commit();
    deliver(&mut bank, 10, 0, 5);
    assert_eq!(bank.ends, [(id(1), taken(10), DeliveryEnd::Known)]);
    assert_eq!((look(&mut bank), bank.commits.len()), (Some(Ok(5)), 0));
    // Also by an activation that knows it from the store only.
    let mut bank = Bank::new();
    bank.memories.insert(id(1), Memory { inbox: vec![(FROM, 10)], ..Memory::default() });
    deliver(&mut bank, 10, 0, 5);
    deliver(&mut bank, 11, 0, 2);
    assert_eq!(bank.ends, [(id(1), taken(10), DeliveryEnd::Known)]);
    assert_eq!(bank.mails[0].taken, [taken(11)]);
}

#[test]
fn a_message_that_comes_before_its_turn_is_not_served() {
    let mut bank = Bank::new();
    deliver(&mut bank, 20, 10, 5);
    assert_eq!(bank.ends, [(id(1), taken(20), DeliveryEnd::Gap)]);
    deliver(&mut bank, 10, 0, 1);
    deliver(&mut bank, 20, 10, 5);
    bank.commit();
    bank.commit();
    assert_eq!(look(&mut bank), Some(Ok(6)));
}

#[test]
fn a_lazy_message_is_taken_with_the_flush_also_by_what_is_copied() {
    for mut bank in [Bank::new(), Bank::of_copied()] {
        let message = till::ReceiveLazily { amount: 5 };
        bank.bench.deliver(FROM, Delivery { number: 10, after: 0 }, 1, message);
        bank.settle();
        assert!(bank.mails.is_empty());
        bank.bench.now = bank.bench.now + Duration::from_secs(2);
        bank.settle();
        assert_eq!(bank.mails[0].taken, [taken(10)]);
    }
}

#[test]
fn a_message_whose_service_panics_is_to_be_tried_again_and_costs_no_other_caller() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 4);
    for number in 1..=6 {
        deliver(&mut bank, number, 0, 666);
        assert_eq!(bank.ends.pop(), Some((id(1), taken(number), DeliveryEnd::Failed)));
        assert!(matches!(bank.bench.failed.pop(), Some((_, Step::Delivery(_), _))));
        bank.bench.now = bank.bench.now + Duration::from_millis(100);
        bank.settle();
    }
    assert_eq!(look(&mut bank), Some(Ok(4)), "it is not set aside");
    assert!(bank.commits.is_empty());
}

#[test]
fn what_was_taken_and_never_committed_is_to_be_delivered_again() {
    let mut bank = Bank::new();
    deliver(&mut bank, 10, 0, 5);
    deliver(&mut bank, 11, 0, 1);
    // The first commit is under way, the second message waits for the next one, and the till explodes.
    bank.ask(1, till::Explode {});
    assert_eq!(bank.ends, [(id(1), taken(11), DeliveryEnd::Unserved)]);
    bank.commit();
    bank.bench.now = bank.bench.now + Duration::from_secs(1);
    bank.memories.insert(id(1), Memory { inbox: vec![(FROM, 10)], ..Memory::default() });
    deliver(&mut bank, 11, 0, 1);
    bank.commit();
    assert_eq!(look(&mut bank), Some(Ok(6)));
}

#[test]
fn what_cannot_be_saved_counts_as_a_failure_of_what_was_taken() {
    let mut bank = Bank::new();
    deliver(&mut bank, 10, 0, UNSAVABLE);
    assert_eq!(bank.ends, [(id(1), taken(10), DeliveryEnd::Failed)]);
    assert!(bank.commits.is_empty());
}

#[test]
fn arguments_that_are_none_count_as_a_failure() {
    let mut bank = Bank::new();
    let message = till::Receive { amount: 1 };
    bank.bench.deliver(FROM, Delivery { number: 10, after: 0 }, 1, message);
    bank.bench.spoil_last();
    bank.settle();
    assert_eq!(bank.ends, [(id(1), taken(10), DeliveryEnd::Failed)]);
    assert!(bank.commits.is_empty());
}

#[test]
fn an_actor_that_has_something_to_send_is_brought_to_life_as_soon_as_it_can_be_loaded() {
    let mut bank = Bank::new();
    bank.bench.put_in(In::Wake(id(1)));
    bank.bench.turn();
    assert_eq!(bank.bench.to_store.len(), 1, "it is loaded");
    bank.bench.to_store.clear();
    let result = Err(lightmoon_actor::LoadError::Away);
    bank.bench.put_in(In::Loaded { actor: id(1), result });
    bank.settle();
    assert_eq!(bank.bench.worker.actors(), 0);
    bank.bench.now = bank.bench.now + Duration::from_secs(1);
    bank.settle();
    assert_eq!(bank.bench.worker.actors(), 1, "tried again by itself");
}

fn ask_as<O: Operation>(bank: &mut Bank, request: u64, message: O) -> u64 {
    let token = bank.bench.ask_as(client(), request, 1, message);
    bank.settle();
    token
}

#[test]
fn a_request_that_comes_again_is_answered_with_the_first_answer_once_that_is_durable() {
    let mut bank = Bank::new();
    let first = ask_as(&mut bank, 1, till::Pay { amount: 5 });
    let again = ask_as(&mut bank, 1, till::Pay { amount: 5 });
    assert_eq!((bank.answer::<till::Pay>(first), bank.answer::<till::Pay>(again)), (None, None));
    bank.commit();
    assert_eq!(bank.answer::<till::Pay>(first), Some(Ok(5)));
    assert_eq!(bank.answer::<till::Pay>(again), Some(Ok(5)));
    assert_eq!(bank.mails[0].replies.len(), 1, "its reply stands in the commit of its effect");
    let reused = ask_as(&mut bank, 1, till::Pay { amount: 6 });
    assert_eq!(bank.answer::<till::Pay>(reused), Some(Err(CallError::RequestReused)));
    assert_eq!(look(&mut bank), Some(Ok(5)));
}

#[test]
fn a_stored_reply_answers_after_a_restart_and_another_session_is_another_request() {
    let mut bank = Bank::new();
    ask_as(&mut bank, 1, till::Pay { amount: 5 });
    bank.commit();
    let replies = bank.mails[0].replies.clone();
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 5);
    bank.memories.insert(id(1), Memory { replies, ..Memory::default() });
    let again = ask_as(&mut bank, 1, till::Pay { amount: 5 });
    assert_eq!(bank.answer::<till::Pay>(again), Some(Ok(5)));
    assert!(bank.commits.is_empty(), "nothing was done");
    let other = Caller::Client { session: SessionId(78), player: 77 };
    let token = bank.bench.ask_as(other, 1, 1, till::Pay { amount: 5 });
    bank.settle();
    bank.commit();
    assert_eq!(bank.answer::<till::Pay>(token), Some(Ok(10)));
}

#[test]
fn a_reply_that_no_commit_holds_is_forgotten_with_its_activation() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 1);
    ask_as(&mut bank, 1, till::PayLazily { amount: 5 });
    bank.ask(1, till::Explode {});
    bank.bench.now = bank.bench.now + Duration::from_secs(1);
    ask_as(&mut bank, 1, till::PayLazily { amount: 5 });
    bank.bench.now = bank.bench.now + Duration::from_secs(3);
    bank.settle();
    assert_eq!((bank.commits[0].2, bank.mails[0].replies.len()), (Some(6), 1));
}

#[test]
fn replies_of_what_stands_in_copies_are_not_kept_but_those_of_commits_are() {
    let mut bank = Bank::of_copied();
    ask_as(&mut bank, 1, till::PayLazily { amount: 5 });
    ask_as(&mut bank, 2, till::Pay { amount: 5 });
    bank.commit();
    let kept: Vec<u64> = bank.mails[0].replies.iter().map(|reply| reply.key.request).collect();
    assert_eq!(kept, [2]);
}

#[test]
fn messages_of_one_commit_are_bounded_in_bytes_and_none_is_lost_over_it() {
    let mut bank = Bank::new();
    let size = 60 * 1024;
    let tokens: Vec<u64> = (0..100).map(|_| bank.ask(1, till::GiveBytes { size, other: 2 })).collect();
    let mut sent = 0;
    while !bank.commits.is_empty() {
        let posted = &bank.mails.last().unwrap().posted;
        let bytes: usize = posted.iter().map(|posted| posted.arguments.len()).sum();
        assert!(bytes <= limits::POSTED_BYTES_PER_COMMIT_MAX, "{bytes} bytes in one commit");
        sent += posted.len();
        bank.bench.put_in(In::Acknowledged { actor: id(1), load: Load { messages: posted.len(), bytes } });
        bank.commit();
    }
    let is_sent = |token| bank.bench.answers.contains_key(token);
    assert!(tokens.iter().all(is_sent), "all are answered");
    assert_eq!(sent, 100);
}

#[test]
fn an_outbox_is_bounded_in_bytes_too() {
    let mut bank = Bank::new();
    bank.stored.insert(id(1), 100);
    let (size, mut sent) = (60 * 1024, 0);
    loop {
        let token = bank.ask(1, till::GiveBytes { size, other: 2 });
        if !bank.commits.is_empty() {
            bank.commit();
        }
        if bank.answer::<till::GiveBytes>(token) != Some(Ok(true)) {
            break;
        }
        sent += 1;
    }
    assert!((60..=limits::OUTBOX_BYTES_MAX / (60 * 1024)).contains(&sent), "{sent}");
}

#[test]
fn replies_of_one_commit_are_bounded_and_a_commit_is_made_when_there_are_many() {
    let mut bank = Bank::new();
    for session in 0..40 {
        for request in 1..=64 {
            let caller = Caller::Client { session: SessionId(session), player: 1 };
            bank.bench.ask_as(caller, request, 1, till::PayLazily { amount: 1 });
        }
        bank.settle();
        while !bank.commits.is_empty() {
            bank.commit();
        }
    }
    assert!(!bank.mails.is_empty(), "before the flush is due");
    assert!(bank.mails.iter().all(|mail| mail.replies.len() <= limits::REPLIES_PER_COMMIT_MAX));
}

#[test]
fn a_request_whose_reply_is_too_long_to_keep_is_not_served_again() {
    let mut bank = Bank::new();
    let first = ask_as(&mut bank, 1, till::PayVerbosely { amount: 5 });
    bank.commit();
    assert!(matches!(bank.answer::<till::PayVerbosely>(first), Some(Ok(_))));
    let again = ask_as(&mut bank, 1, till::PayVerbosely { amount: 5 });
    assert_eq!(bank.answer::<till::PayVerbosely>(again), Some(Err(CallError::AnswerForgotten)));
    assert!(bank.commits.is_empty(), "paid once");
}

#[test]
fn what_cannot_be_saved_together_is_tried_one_by_one_until_the_culprit_is_known() {
    let mut bank = Bank::new();
    bank.ask(1, till::Pay { amount: 1 });
    // While that commit is under way two messages come; together they make what cannot be saved.
    deliver(&mut bank, 10, 0, UNSAVABLE - 1);
    deliver(&mut bank, 11, 0, 1_000);
    bank.ask(1, till::Pay { amount: 0 });
    bank.commit();
    if bank.ends.is_empty() {
        // The sum can be saved; then nothing is to blame.
        assert_eq!(bank.commits.len(), 1);
    } else {
        assert!(bank.ends.iter().all(|(_, _, end)| *end == DeliveryEnd::Unserved), "{:?}", bank.ends);
    }
}
