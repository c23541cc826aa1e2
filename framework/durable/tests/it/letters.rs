//! Messages that take effect exactly once, between keepers that crash at any moment and a store that lies.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::{ActorId, Kind, Mono, OperationNumber, Priority};
use lightmoon_durable::{Commit, Event, Keeper, Mail, Posted, Saved, Undelivered, layout, limits, record};
use lightmoon_store::{Area, Request, Scan};

use crate::desk::{Desk, Lies};

const ANN: ActorId = ActorId::new(Kind(7), 1);
const BOB: ActorId = ActorId::new(Kind(7), 2);

fn posted(to: ActorId, text: &str) -> Posted {
    let (operation, priority) = (OperationNumber(3), Priority::Normal);
    Posted { to, operation, priority, arguments: Bytes::copy_from_slice(text.as_bytes()) }
}

fn sending(texts: &[&str]) -> Mail {
    Mail { posted: texts.iter().map(|text| posted(BOB, text)).collect(), ..Mail::default() }
}

fn taking(from: ActorId, number: u64) -> Mail {
    Mail { taken: vec![(from, number)], ..Mail::default() }
}

fn hand_in(keeper: &mut Keeper, actor: ActorId, number: u64, mail: Mail) {
    keeper.commit(actor, Commit { number, is_urgent: true, mail, ..Commit::default() });
}

/// What is delivered: number, the one before it, text.
fn delivered(events: &[Event]) -> Vec<(u64, u64, String)> {
    let text = |posted: &Posted| String::from_utf8(posted.arguments.to_vec()).unwrap();
    let one = |event: &Event| {
        let Event::Deliver { from: ANN, number, after, posted } = event else { return None };
        Some((*number, *after, text(posted)))
    };
    events.iter().filter_map(one).collect()
}

fn both(desk: &mut Desk, generation: u64) -> Keeper {
    let mut keeper = Keeper::new(generation);
    desk.load(&mut keeper, ANN);
    desk.load(&mut keeper, BOB);
    keeper
}

/// How many rows outboxes and inboxes of both have.
fn left(desk: &mut Desk) -> usize {
    let mail = |key: &[u8]| (2..=3).contains(&layout::numbers(key).unwrap().0);
    let mut count = |actor| {
        let (_, rows) = desk.page(Area::Commits, &layout::actor(actor));
        rows.iter().filter(|row| mail(&row.key)).count()
    };
    count(ANN) + count(BOB)
}

#[test]
fn messages_leave_after_their_commit_and_in_order_and_leave_nothing_behind_once_taken() {
    let mut desk = Desk::new(1);
    let mut keeper = both(&mut desk, 1);
    hand_in(&mut keeper, ANN, 1, sending(&["a", "b"]));
    assert_eq!(delivered(&Vec::from_iter(std::iter::from_fn(|| keeper.poll_event()))), []);
    let events = desk.settle(&mut keeper);
    let at = |found: &dyn Fn(&Event) -> bool| events.iter().position(found).unwrap();
    let committed = at(&|event| matches!(event, Event::Committed { actor: ANN, .. }));
    assert!(committed < at(&|event| matches!(event, Event::Deliver { .. })));
    let there = delivered(&events);
    let [(first, 0, _), (second, after, _)] = there[..] else { panic!("{there:?}") };
    assert_eq!(after, first, "the second waits for the first");
    assert_eq!(there.iter().map(|(.., text)| text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    hand_in(&mut keeper, BOB, 1, taking(ANN, first));
    hand_in(&mut keeper, BOB, 2, taking(ANN, second));
    let events = desk.settle(&mut keeper);
    let taken =
        events.iter().filter(|event| matches!(event, Event::Acknowledged { actor: ANN, count: 1, bytes: 1 }));
    assert_eq!(taken.count(), 2);
    assert!(events.iter().any(|event| matches!(event, Event::Settled { actor: BOB, from: ANN, .. })));
    assert_eq!((keeper.letters(), left(&mut desk)), (0, 0), "no row, no mark");
}

#[test]
fn what_was_not_taken_is_delivered_by_the_next_node_to_whom_nobody_spoke() {
    let mut desk = Desk::new(1);
    let mut keeper = both(&mut desk, 1);
    hand_in(&mut keeper, ANN, 1, sending(&["a"]));
    let before = delivered(&desk.settle(&mut keeper));
    // The node dies. The next one is asked nothing, and finds by itself who has something to send.
    let mut keeper = Keeper::new(2);
    let events = desk.settle(&mut keeper);
    assert!(events.iter().any(|event| matches!(event, Event::Wake(ANN))), "{events:?}");
    assert!(!events.iter().any(|event| matches!(event, Event::Wake(BOB))), "it has nothing to send");
    keeper.load(desk.now, ANN);
    assert_eq!(delivered(&desk.settle(&mut keeper)), before);
}

#[test]
fn a_mark_is_found_again_and_what_it_covers_is_only_acknowledged() {
    let mut desk = Desk::new(1);
    let mut keeper = both(&mut desk, 1);
    hand_in(&mut keeper, ANN, 1, sending(&["a"]));
    let [(number, ..)] = delivered(&desk.settle(&mut keeper))[..] else { panic!("one message") };
    hand_in(&mut keeper, BOB, 1, taking(ANN, number));
    // The commit happens, and the node dies before the sender's row leaves.
    loop {
        match keeper.poll_event() {
            Some(Event::Acknowledged { .. }) => break,
            Some(_) => {}
            None => assert!(desk.carry(&mut keeper)),
        }
    }
    let mut keeper = Keeper::new(2);
    assert_eq!(desk.load(&mut keeper, BOB).inbox, [(ANN, number)]);
    keeper.load(desk.now, ANN);
    assert_eq!(delivered(&desk.settle(&mut keeper)).len(), 1, "it is delivered once more");
    keeper.delivered(desk.now, BOB, ANN, number, Undelivered::Known);
    desk.settle(&mut keeper);
    assert_eq!((keeper.letters(), left(&mut desk)), (0, 0));
}

#[test]
fn a_message_that_fails_each_time_is_a_dead_letter_and_those_behind_it_go_on() {
    let mut desk = Desk::new(1);
    let mut keeper = both(&mut desk, 1);
    hand_in(&mut keeper, ANN, 1, sending(&["poison", "sound"]));
    let began = desk.now;
    let mut tries = 0;
    let mut there = delivered(&desk.settle(&mut keeper));
    let poison = there[0].0;
    while keeper.dead_letters().is_empty() {
        let ours: Vec<_> = std::mem::take(&mut there);
        assert!(!ours.is_empty(), "it is tried again by itself");
        for (number, ..) in ours {
            let end = if number == poison { Undelivered::Failed } else { Undelivered::Gap };
            tries += u32::from(number == poison);
            keeper.delivered(desk.now, BOB, ANN, number, end);
        }
        // Only as far as the next try: the desk jumps from deadline to deadline.
        while there.is_empty() && keeper.dead_letters().is_empty() {
            desk.carry_or_wait(&mut keeper);
            there.extend(delivered(&Vec::from_iter(std::iter::from_fn(|| keeper.poll_event()))));
        }
    }
    assert_eq!(tries, limits::TRIES_MAX);
    assert!(desk.now.since(began) < Duration::from_secs(30), "within half a minute");
    if there.is_empty() {
        there = delivered(&desk.settle(&mut keeper));
    }
    let sound = there.iter().find(|(.., text)| text == "sound").expect("the queue behind goes on").clone();
    assert_eq!(sound.1, 0, "it waits for nothing any more");
    hand_in(&mut keeper, BOB, 1, taking(ANN, sound.0));
    desk.settle(&mut keeper);
    // It is there still after a restart, is not delivered by itself, and can be sent again.
    let mut keeper = both(&mut desk, 2);
    assert_eq!(delivered(&desk.settle(&mut keeper)), []);
    let [dead] = &keeper.dead_letters()[..] else { panic!("one dead letter") };
    assert_eq!((dead.from, dead.number, dead.tries), (ANN, poison, limits::TRIES_MAX));
    assert!(!keeper.replay(desk.now, ANN, poison + 1), "there is no other");
    assert!(keeper.replay(desk.now, ANN, poison));
    let there = delivered(&desk.settle(&mut keeper));
    let [(number, 0, text)] = &there[..] else { panic!("{there:?}") };
    assert!(*number > sound.0 && text == "poison", "under a new number, so that its receiver takes it");
    hand_in(&mut keeper, BOB, 1, taking(ANN, *number));
    desk.settle(&mut keeper);
    assert_eq!((keeper.letters(), keeper.dead_letters().len()), (0, 0));
}

#[test]
fn those_behind_a_dead_letter_wait_until_the_store_knows_that_it_is_dead() {
    let mut desk = Desk::new(1);
    let mut keeper = both(&mut desk, 1);
    hand_in(&mut keeper, ANN, 1, sending(&["poison", "sound"]));
    let there = delivered(&desk.settle(&mut keeper));
    let (poison, sound) = (there[0].0, there[1].0);
    for tries in 1..limits::TRIES_MAX {
        keeper.delivered(desk.now, BOB, ANN, poison, Undelivered::Failed);
        if tries == 1 {
            keeper.delivered(desk.now, BOB, ANN, sound, Undelivered::Gap);
        }
        desk.settle(&mut keeper);
    }
    keeper.delivered(desk.now, BOB, ANN, poison, Undelivered::Failed);
    assert_eq!(keeper.dead_letters().len(), 1);
    // The commit that says so is under way for long. If its receiver took what is behind it now and the node died, the mark
    // would cover a letter that the store shows as alive: the next node would take it for taken.
    let (ticket, request) = keeper.poll_request(desk.now).expect("it is to be noted");
    desk.now = desk.now + Duration::from_secs(10);
    assert_eq!(delivered(&desk.settle(&mut keeper)), []);
    let outcome = desk.ask(request);
    keeper.outcome(desk.now, ticket, outcome);
    let there = delivered(&desk.settle(&mut keeper));
    assert_eq!(
        there.iter().map(|(_, after, text)| (*after, text.as_str())).collect::<Vec<_>>(),
        [(0, "sound")]
    );
}

#[test]
fn messages_of_two_priorities_keep_their_order() {
    let mut desk = Desk::new(1);
    let mut keeper = both(&mut desk, 1);
    let urgent = Posted { priority: Priority::Critical, ..posted(BOB, "second") };
    let mail = Mail { posted: vec![posted(BOB, "first"), urgent], ..Mail::default() };
    hand_in(&mut keeper, ANN, 1, mail);
    let there = delivered(&desk.settle(&mut keeper));
    let [(number, 0, _)] = there[..] else { panic!("the urgent one would overtake: {there:?}") };
    hand_in(&mut keeper, BOB, 1, taking(ANN, number));
    assert_eq!(delivered(&desk.settle(&mut keeper))[0].2, "second");
}

#[test]
fn a_window_of_messages_is_under_way_and_no_more() {
    let mut desk = Desk::new(1);
    let mut keeper = both(&mut desk, 1);
    let texts: Vec<String> = (0..limits::WINDOW + 10).map(|text| text.to_string()).collect();
    hand_in(&mut keeper, ANN, 1, sending(&texts.iter().map(String::as_str).collect::<Vec<_>>()));
    let there = delivered(&desk.settle(&mut keeper));
    assert_eq!(there.len(), limits::WINDOW);
    hand_in(&mut keeper, BOB, 1, taking(ANN, there[4].0));
    assert_eq!(delivered(&desk.settle(&mut keeper)).len(), 5, "as many more as were taken");
}

#[test]
fn who_has_nothing_left_to_send_leaves_the_list_once_no_former_node_can_write() {
    let mut desk = Desk::new(1);
    let mut keeper = both(&mut desk, 1);
    hand_in(&mut keeper, ANN, 1, sending(&["a"]));
    let [(number, ..)] = delivered(&desk.settle(&mut keeper))[..] else { panic!("one message") };
    hand_in(&mut keeper, BOB, 1, taking(ANN, number));
    desk.settle(&mut keeper);
    let listed = |desk: &mut Desk| desk.page(Area::Log, &layout::outboxes()).1.len();
    assert_eq!(listed(&mut desk), 1);
    let mut keeper = Keeper::new(2);
    let events = desk.settle(&mut keeper);
    assert!(!events.iter().any(|event| matches!(event, Event::Wake(_))));
    assert_eq!(listed(&mut desk), 0, "after a minute alone");
    assert!(matches!(
        desk.ask(Request::Scan(Scan::Partitions {
            area: Area::Log,
            space: layout::LISTS,
            after: None,
            limit: 10
        })),
        lightmoon_store::Outcome::Done(_)
    ));
}

/// A receiver as its worker would drive it: its state is the list of what it took.
struct Receiver {
    mark: u64,
    commits: u64,
    took: Vec<u64>,
}

impl Receiver {
    fn load(desk: &mut Desk, keeper: &mut Keeper) -> Self {
        let loaded = desk.load(keeper, BOB);
        let mark = loaded.inbox.first().map_or(0, |(_, number)| *number);
        let state = loaded.state.map(|state| record::open_as("took", &state).unwrap().body);
        let words = state.iter().flat_map(|body| body.chunks(8));
        let took = words.map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
        Self { mark, commits: 0, took }
    }

    /// Takes what is next, says of what it knows that it does, and of what comes too early that something is missing.
    fn serve(&mut self, now: Mono, keeper: &mut Keeper, (number, after, text): (u64, u64, u64)) {
        if number <= self.mark {
            return keeper.delivered(now, BOB, ANN, number, Undelivered::Known);
        }
        if self.mark < after {
            return keeper.delivered(now, BOB, ANN, number, Undelivered::Gap);
        }
        (self.mark, self.commits) = (number, self.commits + 1);
        self.took.push(text);
        let bytes: Vec<u8> = self.took.iter().flat_map(|text| text.to_le_bytes()).collect();
        let saved = Saved { state: Some(record::seal("took", 1, &bytes)), ..Saved::default() };
        let commit = Commit { number: self.commits, is_urgent: true, saved, ..Commit::default() };
        keeper.commit(BOB, Commit { mail: taking(ANN, number), ..commit });
    }
}

#[test]
fn over_crashes_and_lies_each_message_is_taken_once_and_in_order() {
    let mut crossed = 0;
    for seed in 0..200 {
        let mut desk = Desk::new(seed);
        let (mut sent, mut acknowledged) = (0, BTreeSet::new());
        for life in 1..8 {
            desk.lies = Lies { unknown: 0.25, unavailable: 0.1 };
            run_a_life(&mut desk, life, &mut sent, &mut acknowledged);
        }
        desk.lies = Lies::default();
        let mut keeper = Keeper::new(8);
        let mut bob = Receiver::load(&mut desk, &mut keeper);
        crossed += bob.took.len();
        keeper.load(desk.now, ANN);
        loop {
            let there = delivered(&desk.settle(&mut keeper));
            if there.is_empty() {
                break;
            }
            for (number, after, text) in there {
                bob.serve(desk.now, &mut keeper, (number, after, text.parse().unwrap()));
            }
        }
        let took: BTreeSet<u64> = bob.took.iter().copied().collect();
        assert_eq!(took.len(), bob.took.len(), "seed {seed}: twice: {:?}", bob.took);
        assert!(bob.took.is_sorted(), "seed {seed}: out of order: {:?}", bob.took);
        assert!(acknowledged.is_subset(&took), "seed {seed}: lost: {acknowledged:?} {took:?}");
        assert!(acknowledged.len() > 5, "seed {seed}: {acknowledged:?}");
        assert_eq!((keeper.letters(), left(&mut desk)), (0, 0), "seed {seed}");
    }
    assert!(crossed > 1_000, "few were taken while nodes crashed: {crossed}");
}

/// A node with both actors, until it is gone. Texts that the sender was told to be durable are acknowledged.
fn run_a_life(desk: &mut Desk, life: u64, sent: &mut u64, acknowledged: &mut BTreeSet<u64>) {
    let mut keeper = Keeper::new(life);
    desk.load(&mut keeper, ANN);
    let mut bob = Receiver::load(desk, &mut keeper);
    let mut commits: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for step in 0..desk.random.u64(20..120) {
        if desk.random.u8(..4) == 0 {
            let texts: Vec<u64> = (1..=desk.random.u64(1..4)).map(|n| *sent + n).collect();
            *sent += texts.len() as u64;
            let posted = texts.iter().map(|text| posted(BOB, &text.to_string())).collect();
            hand_in(&mut keeper, ANN, step, Mail { posted, ..Mail::default() });
            commits.insert(step, texts);
        }
        desk.carry_or_wait(&mut keeper);
        for event in Vec::from_iter(std::iter::from_fn(|| keeper.poll_event())) {
            if let Event::Committed { actor: ANN, number } = event {
                acknowledged.extend(commits.remove(&number).unwrap());
            }
            for (number, after, text) in delivered(&[event]) {
                bob.serve(desk.now, &mut keeper, (number, after, text.parse().unwrap()));
            }
        }
    }
}
