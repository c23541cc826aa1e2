//! Several workers: messages and answers between them, circles over them, what happens when too much waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use lightmoon_actor::{
    Class, Envelope, In, Kinds, MessageId, Next, Out, Place, Placement, ReplyTo, Worker, WorkerId,
    WorkerOptions, limits, plain,
};
use lightmoon_contract::{
    Body, CallError, Caller, Contract, ErrorCode, Limits, Mono, Operation, Priority, codec,
};

use crate::harness::probe_id;
use crate::probe::{ProbeContract, Prober, probe, take_trace};

/// Three workers on one thread, probe `key` on worker `key % 3`.
struct Crew {
    workers: Vec<Worker>,
    inputs: Vec<Vec<In>>,
    now: Mono,
    token: u64,
    answers: BTreeMap<u64, Result<Vec<u8>, CallError>>,
    failed: usize,
    /// Workers that have no turn.
    asleep: Vec<bool>,
}

impl Crew {
    fn new() -> Self {
        take_trace();
        let places =
            BTreeMap::from([(ProbeContract::KIND, Place::Chosen(|key, _| u16::try_from(key % 3).unwrap()))]);
        let placement = Placement::new(3, places);
        let worker = |number| {
            let mut kinds = Kinds::default();
            kinds.register(ProbeContract::KIND, ProbeContract::NAME, plain::<ProbeContract, Prober>());
            let options = WorkerOptions { seed: u64::from(number), ..WorkerOptions::default() };
            Worker::one_of(options, kinds, WorkerId(number), placement.clone(), Arc::default())
        };
        Self {
            workers: (0..3).map(worker).collect(),
            inputs: vec![Vec::new(), Vec::new(), Vec::new()],
            now: Mono::from_millis(1_000),
            token: 0,
            answers: BTreeMap::new(),
            failed: 0,
            asleep: vec![false; 3],
        }
    }

    fn put<O: Operation>(&mut self, key: u64, message: &O, reply_to: ReplyTo) {
        self.inputs[usize::try_from(key % 3).unwrap()].push(In::Envelope(Envelope {
            to: probe_id(key),
            from: Caller::Node,
            number: O::SPEC.number,
            priority: O::SPEC.lane.priority,
            reliability: O::SPEC.lane.reliability,
            reply_to,
            timeout_ms: O::SPEC.timeout_ms,
            id: MessageId::None,
            body: Body::Bytes(codec::encode(message).into()),
        }));
    }

    fn ask<O: Operation>(&mut self, key: u64, message: &O) -> u64 {
        self.token += 1;
        self.put(key, message, ReplyTo::Outside(self.token));
        self.token
    }

    fn answer<O: Operation>(&self, token: u64) -> Option<Result<O::Reply, CallError>> {
        let answer = self.answers.get(&token)?.clone();
        Some(answer.map(|bytes| codec::decode(&bytes, Limits::NODE).unwrap()))
    }

    /// One turn of each; whether there is more to do now.
    fn turn(&mut self) -> bool {
        let mut more = false;
        for number in 0..3 {
            if self.asleep[number] {
                continue;
            }
            let mut out = Vec::new();
            let Next { more: again, .. } =
                self.workers[number].turn(self.now, &mut self.inputs[number], &mut out);
            more |= again;
            for out in out {
                match out {
                    Out::Answer { token, result } => {
                        let bytes = result.map(|answer| match answer {
                            Some(Body::Bytes(bytes)) => bytes.to_vec(),
                            other => panic!("{other:?}"),
                        });
                        assert!(self.answers.insert(token, bytes).is_none(), "{token} is answered twice");
                    }
                    Out::Failed { .. } => self.failed += 1,
                    Out::Stopped => {}
                    other @ (Out::Envelope(_)
                    | Out::Load(_)
                    | Out::Commit(_)
                    | Out::Snapshot { .. }
                    | Out::Peek(_)
                    | Out::Released(_)
                    | Out::Delivered { .. }
                    | Out::Unreadable { .. }) => panic!("{other:?}"),
                }
            }
            self.hand_over(number);
        }
        more || self.inputs.iter().zip(&self.asleep).any(|(inputs, asleep)| !inputs.is_empty() && !asleep)
    }

    fn hand_over(&mut self, from: usize) {
        for to in 0..3 {
            if self.asleep[to] {
                continue;
            }
            let crossings = self.workers[from].take_across(WorkerId(u16::try_from(to).unwrap()));
            let from = WorkerId(u16::try_from(from).unwrap());
            self.inputs[to].extend(crossings.into_iter().map(|crossing| In::Across { from, crossing }));
        }
    }

    fn settle(&mut self) {
        while self.turn() {}
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now = self.now + std::time::Duration::from_millis(1);
            self.settle();
        }
    }

    fn count(&self, count: fn(&lightmoon_actor::Counters) -> u64) -> u64 {
        self.workers.iter().map(|worker| count(&worker.counters())).sum()
    }
}

#[test]
fn an_ask_over_three_workers_and_back_is_answered() {
    let mut crew = Crew::new();
    let token = crew.ask(1, &probe::Relay { path: vec![2, 3, 4, 5, 6] });
    crew.settle();
    assert_eq!(crew.answer::<probe::Relay>(token), Some(Ok(0)));
    assert_eq!(crew.count(|counters| counters.across_sent), 5, "every hop crosses");
}

#[test]
fn a_circle_over_workers_is_named_at_once() {
    for path in [vec![2, 1], vec![2, 3, 1], vec![2, 3, 4, 2], vec![4, 2, 1], vec![2, 5, 2]] {
        let mut crew = Crew::new();
        let token = crew.ask(1, &probe::Relay { path: path.clone() });
        crew.settle();
        let answer = crew.answer::<probe::Relay>(token);
        assert_eq!(answer, Some(Ok(ErrorCode::DEADLOCK.0)), "1 -> {path:?}, without time passing");
        assert_eq!(crew.count(|counters| counters.deadlocks), 1);
        let again = crew.ask(1, &probe::Relay { path: vec![2] });
        crew.settle();
        assert_eq!(crew.answer::<probe::Relay>(again), Some(Ok(0)), "the actors are free again");
    }
}

#[test]
fn two_ways_over_workers_to_one_actor_are_no_circle() {
    let mut crew = Crew::new();
    let token = crew.ask(1, &probe::Diamond {});
    crew.pass(100);
    assert_eq!(crew.answer::<probe::Diamond>(token), Some(Ok(0)));
    assert_eq!(crew.count(|counters| counters.deadlocks), 0);
}

#[test]
fn an_ask_to_a_worker_that_does_not_turn_ends_in_time_and_its_late_answer_harms_nobody() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    let token = crew.ask(1, &probe::Relay { path: vec![2] });
    crew.settle();
    crew.pass(1_999);
    assert_eq!(crew.answer::<probe::Relay>(token), None);
    crew.pass(1);
    let answer = crew.answer::<probe::Relay>(token);
    assert!(matches!(answer, Some(Ok(9) | Err(CallError::TimedOut))), "{answer:?}");
    crew.asleep[2] = false;
    crew.pass(10);
    assert!(crew.count(|counters| counters.answers_late) >= 1, "it was answered, and nobody waited any more");
    let again = crew.ask(1, &probe::Relay { path: vec![2] });
    crew.settle();
    assert_eq!(crew.answer::<probe::Relay>(again), Some(Ok(0)));
}

#[test]
fn a_panic_on_another_worker_answers_who_asked_and_ends_that_activation_only() {
    let mut crew = Crew::new();
    // 2 waits for itself in vain, then 1 asks it; 2 panics meanwhile.
    let late = crew.ask(2, &probe::ExplodeLate { ms: 20 });
    let token = crew.ask(1, &probe::Relay { path: vec![2] });
    let other = crew.ask(4, &probe::Count {});
    crew.pass(19);
    assert_eq!(crew.answer::<probe::Relay>(token), None);
    crew.pass(200);
    assert_eq!(crew.answer::<probe::ExplodeLate>(late), Some(Err(CallError::Panicked)));
    assert_eq!(
        crew.answer::<probe::Relay>(token),
        Some(Ok(0)),
        "what was parked is served by the next activation"
    );
    assert!(crew.answer::<probe::Count>(other).is_some());
    assert_eq!(crew.failed, 1);
}

#[test]
fn messages_of_one_sender_keep_their_order_over_workers() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    for value in 0..500 {
        crew.put(1, &probe::Pass { to: 2, value }, ReplyTo::Nobody);
    }
    crew.settle();
    crew.asleep[2] = false;
    crew.settle();
    let noted = take_trace();
    let taken: Vec<&String> = noted.iter().filter(|line| line.starts_with("2 pass")).collect();
    // Each tells the other one less.
    let sent: Vec<String> = (1..500).map(|value| format!("2 pass {}", value - 1)).collect();
    assert_eq!(taken.iter().map(|line| line.as_str()).collect::<Vec<_>>()[..499], sent[..]);
}

#[test]
fn what_waits_for_a_worker_is_bounded_and_urgent_messages_still_get_through() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    let most = u64::try_from(limits::ACROSS_MAX).unwrap();
    for value in 1..=most + 100 {
        crew.put(1, &probe::Pass { to: 2, value: 1 + value % 2 }, ReplyTo::Nobody);
        if value % 512 == 0 {
            crew.settle();
        }
    }
    crew.settle();
    assert!(crew.workers[1].waiting_across() <= limits::ACROSS_MAX, "{}", crew.workers[1].waiting_across());
    assert!(crew.count(|counters| counters.across_full) > 0, "the sender is told: this one panics then");
    assert!(crew.workers[1].has_room(Class::Bulk));
    // The other way is free: an answer and an urgent message have a class of their own.
    let token = crew.ask(4, &probe::Relay { path: vec![3] });
    crew.settle();
    assert_eq!(crew.answer::<probe::Relay>(token), Some(Ok(0)));
    assert_eq!(crew.workers[1].queue_lengths()[Priority::Normal as usize], 0);
}

/// What probe 2 noted under `word`, in order.
fn noted(word: &str) -> Vec<u64> {
    let start = format!("2 {word} ");
    take_trace().iter().filter_map(|line| line.strip_prefix(&start)?.parse().ok()).collect()
}

/// Room on the way from one worker to another, as a number of messages.
fn room() -> u64 {
    u64::try_from(limits::ACROSS_MAX).unwrap()
}

#[test]
fn of_unreliable_messages_the_oldest_give_way_and_nobody_is_refused() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    let token = crew.ask(1, &probe::Flood { to: 2, how: 1, from: 0, until: room() + 1_000 });
    crew.settle();
    assert_eq!(crew.answer::<probe::Flood>(token), Some(Ok(0)), "none is handed back");
    assert_eq!(crew.workers[1].waiting_across(), limits::ACROSS_MAX);
    assert_eq!(crew.count(|counters| counters.across_dropped), 1_000, "each is counted");
    crew.asleep[2] = false;
    crew.settle();
    let noted = noted("maybe");
    let at_once = u64::try_from(limits::CARRIED_AT).unwrap();
    // What was sent before there was any pressure stands among all else.
    let expected: Vec<u64> = (0..at_once).chain(at_once + 1_000..room() + 1_000).collect();
    assert_eq!(noted, expected);
}

#[test]
fn of_latest_messages_the_newest_takes_the_place_of_the_one_that_waits() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    // Pressure first.
    crew.ask(1, &probe::Flood { to: 2, how: 0, from: 0, until: 200 });
    crew.settle();
    for (sender, from) in [(1, 0), (4, 500), (1, 1_000)] {
        crew.ask(sender, &probe::Flood { to: 2, how: 3, from, until: from + 100 });
        crew.settle();
    }
    assert_eq!(crew.count(|counters| counters.across_replaced), 99 + 99 + 100);
    assert_eq!(crew.workers[1].waiting_across(), 202, "one for each sender");
    crew.asleep[2] = false;
    crew.settle();
    assert_eq!(noted("newest"), [1_099, 599], "the newest of each sender, in its place");
    assert_eq!(crew.count(|counters| counters.across_dropped), 0);
}

#[test]
fn reliable_messages_take_the_room_of_those_that_may_be_lost_and_are_handed_back_after_that() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    let pressure = u64::try_from(limits::CARRIED_AT).unwrap();
    crew.ask(1, &probe::Flood { to: 2, how: 0, from: 0, until: pressure });
    crew.ask(1, &probe::Flood { to: 2, how: 2, from: 0, until: room() });
    crew.ask(1, &probe::Flood { to: 2, how: 1, from: 0, until: 300 });
    crew.settle();
    let token = crew.ask(1, &probe::Flood { to: 2, how: 0, from: pressure, until: room() + 50 });
    crew.settle();
    assert_eq!(crew.answer::<probe::Flood>(token), Some(Ok(50)), "all that may be lost has given way");
    assert_eq!(crew.count(|counters| counters.across_full), 50);
    assert_eq!(crew.count(|counters| counters.across_dropped), room() + 300);
    crew.asleep[2] = false;
    crew.settle();
    assert_eq!(noted("note"), (0..room()).collect::<Vec<_>>(), "what was taken arrives in order, whole");
}

#[test]
fn a_low_message_does_not_take_the_room_of_a_normal_one() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    crew.ask(1, &probe::Flood { to: 2, how: 1, from: 0, until: room() });
    crew.ask(1, &probe::Flood { to: 2, how: 2, from: 0, until: 10 });
    crew.settle();
    assert_eq!(crew.count(|counters| counters.across_dropped), 10);
    crew.asleep[2] = false;
    crew.settle();
    assert_eq!(noted("maybe"), (0..room()).collect::<Vec<_>>());
}

#[test]
fn an_operation_that_waits_for_room_sends_everything_in_order() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    let count = 3 * room();
    let token = crew.ask(1, &probe::Pour { to: 2, count });
    crew.settle();
    assert_eq!(crew.workers[1].waiting_across(), limits::ACROSS_MAX, "it waits");
    assert_eq!(crew.count(|counters| counters.across_waited), 1);
    let other = crew.ask(4, &probe::Count {});
    crew.settle();
    assert!(crew.answer::<probe::Count>(other).is_some(), "others of its worker go on");
    crew.asleep[2] = false;
    crew.settle();
    assert_eq!(noted("note"), (0..count).collect::<Vec<_>>());
    assert!(matches!(crew.answer::<probe::Pour>(token), Some(Ok(waits)) if waits >= 2));
}

#[test]
fn a_wait_for_room_that_never_comes_ends_in_time() {
    let mut crew = Crew::new();
    crew.asleep[2] = true;
    let token = crew.ask(1, &probe::Pour { to: 2, count: room() + 1 });
    crew.settle();
    crew.now = crew.now + std::time::Duration::from_millis(u64::from(limits::ANSWER_TIMEOUT_MS));
    crew.settle();
    assert_eq!(crew.answer::<probe::Pour>(token), Some(Err(CallError::Panicked)), "this one expects room");
    assert_eq!(crew.count(|counters| counters.timeouts), 1);
}

#[test]
fn ten_thousand_panics_leave_nothing_behind() {
    let mut crew = Crew::new();
    let tokens: Vec<u64> = (1..=10_000).map(|key| crew.ask(key, &probe::Explode {})).collect();
    crew.settle();
    assert!(tokens.iter().all(|token| crew.answers[token] == Err(CallError::Panicked)));
    assert_eq!(crew.failed, 10_000);
    for seconds in [1, 60, 60] {
        crew.now = crew.now + std::time::Duration::from_secs(seconds);
        crew.settle();
    }
    for worker in &crew.workers {
        assert_eq!((worker.actors(), worker.actors_known(), worker.waiting_across()), (0, 0, 0));
        assert_eq!(worker.queue_lengths(), [0; 4]);
    }
}

#[test]
fn a_stop_answers_everybody_over_workers() {
    let mut crew = Crew::new();
    let waits = crew.ask(2, &probe::Wait { ms: 60_000, value: 1 });
    let token = crew.ask(1, &probe::Relay { path: vec![2] });
    crew.settle();
    for inputs in &mut crew.inputs {
        inputs.push(In::Stop);
    }
    crew.settle();
    assert!(crew.answers.contains_key(&waits) && crew.answers.contains_key(&token), "{:?}", crew.answers);
}
