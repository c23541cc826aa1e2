//! Panics of a game's code on one to four workers: whatever panics, wherever it is, only that activation begins anew.
//!
//! Players tell actors and zones numbered messages; some of them make their receiver panic, in an operation, in a system, in a `Drop`, or
//! in several of these. What was served is written down outside of the game.

mod game;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lightmoon_actor::limits::REST_FIRST;
use lightmoon_client::{Client, ClientOptions, ConnectionState, Event, Pending};
use lightmoon_contract::replicate::Replicate as _;
use lightmoon_contract::{CallError, Mono};
use lightmoon_node::NodeOptions;
use lightmoon_sim::{LinkOptions, Player, World};

use game::{Deed, GuestContract, Served, Spot, TABLES, TABLES_FROM, Word, descriptor, guest};

const GUESTS: u64 = 4;
const PEERS: u64 = 12;
/// Panics of one receiver: one more within a minute would set it aside.
const PANICS_EACH: usize = 2;
const ROUNDS: usize = 40;

/// A client that has its player tell what is planned, one request after the other.
struct Stirrer {
    number: u64,
    /// Requests to make, each with whether the player panics at its end.
    rounds: Vec<(Vec<Word>, bool)>,
    done: usize,
    told: u64,
    next: Mono,
    pending: Option<Waiting>,
    is_seated: bool,
    /// Answers that were not what was planned.
    wrong: Vec<String>,
    breaks: u32,
}

enum Waiting {
    Sits(Pending<guest::Sit>),
    Stirs(Pending<guest::Stir>),
    Fails(Pending<guest::StirAndFail>),
}

impl Stirrer {
    fn answered(&mut self, client: &mut Client) {
        let right = match &self.pending {
            Some(Waiting::Sits(pending)) => client.reply(pending).map(|reply| {
                self.is_seated = true;
                // The table may be the one that panics just now.
                reply.is_ok() || reply == Err(CallError::Panicked)
            }),
            Some(Waiting::Stirs(pending)) => client.reply(pending).map(|reply| reply.is_ok()),
            Some(Waiting::Fails(pending)) => {
                client.reply(pending).map(|reply| reply == Err(CallError::Panicked))
            }
            None => None,
        };
        if let Some(right) = right {
            self.pending = None;
            if !right {
                self.wrong.push(format!("request {} of guest {}", self.done, self.number));
            }
        }
    }
}

impl Player for Stirrer {
    fn on_event(&mut self, _now: Mono, event: &Event, client: &mut Client) {
        self.breaks += u32::from(matches!(event, Event::Resuming(_) | Event::Lost(_)));
        if matches!(event, Event::Answered { .. }) {
            self.answered(client);
        }
    }

    fn think(&mut self, now: Mono, client: &mut Client) {
        self.next = now + Duration::from_millis(70 + self.number * 13);
        if *client.state() != ConnectionState::Connected || self.pending.is_some() {
            return;
        }
        if !self.is_seated {
            let table = TABLES_FROM + self.number % 3;
            self.pending = Some(Waiting::Sits(client.me::<GuestContract>().sit(table)));
            return;
        }
        let Some((words, fails)) = self.rounds.get(self.done) else { return };
        let plan: Vec<u64> = words.iter().map(|word| word.number()).collect();
        let (first, count) = (self.told, plan.len() as u64);
        let mut me = client.me::<GuestContract>();
        self.pending = Some(if *fails {
            Waiting::Fails(me.stir_and_fail(self.number, first, plan))
        } else {
            Waiting::Stirs(me.stir(self.number, first, plan))
        });
        self.done += 1;
        self.told += count;
    }

    fn next_thought(&self) -> Option<Mono> {
        Some(self.next)
    }
}

/// What guests will do, and what must come of it.
#[derive(Default)]
struct Plan {
    guests: Vec<Vec<(Vec<Word>, bool)>>,
    /// Receivers that may panic. Half of them never do: they must not notice.
    may_panic: Vec<(u64, bool)>,
    /// Receivers that panic, with how often.
    victims: BTreeMap<u64, usize>,
    /// Guests that panic, with how often.
    failing: BTreeMap<u64, usize>,
}

impl Plan {
    fn drawn(random: &mut fastrand::Rng) -> Self {
        let may_panic = (0..PEERS).chain(TABLES).map(|receiver| (receiver, random.bool())).collect();
        let mut plan = Self { may_panic, ..Self::default() };
        for number in 0..GUESTS {
            let rounds = (0..ROUNDS).map(|_| plan.round(number, random)).collect();
            plan.guests.push(rounds);
        }
        plan
    }

    fn round(&mut self, guest: u64, random: &mut fastrand::Rng) -> (Vec<Word>, bool) {
        let words = (0..random.u32(1..12)).map(|_| self.word(random)).collect();
        let fails = guest % 2 == 1 && random.u8(..10) == 0 && once_more(&mut self.failing, guest);
        (words, fails)
    }

    fn word(&mut self, random: &mut fastrand::Rng) -> Word {
        let (receiver, may_panic) = self.may_panic[random.usize(..self.may_panic.len())];
        let is_bad = may_panic && random.u8(..6) == 0 && once_more(&mut self.victims, receiver);
        let deed = if is_bad { Deed::ALL[random.usize(1..5)] } else { Deed::Nothing };
        Word { receiver, deed }
    }
}

/// Counts a panic, if there were not too many.
fn once_more(panics: &mut BTreeMap<u64, usize>, who: u64) -> bool {
    let count = panics.entry(who).or_default();
    let is_free = *count < PANICS_EACH;
    *count += usize::from(is_free);
    is_free
}

/// Plays a seed on so many workers; what was served, and the hash of everything.
fn play(seed: u64, workers: u16) -> (Vec<Served>, u64) {
    game::take_served();
    let mut random = fastrand::Rng::with_seed(seed);
    let plan = Plan::drawn(&mut random);
    let options = NodeOptions { workers, ..NodeOptions::default() };
    let mut world =
        World::with(game::game, seed, LinkOptions::CLEAN, options).expect("the game fits together");
    for (number, rounds) in (0..).zip(&plan.guests) {
        let options = ClientOptions::new(descriptor(), &[Spot::SPEC]).expect("there is one component");
        let stirrer = Stirrer {
            number,
            rounds: rounds.clone(),
            done: 0,
            told: 0,
            next: Mono(0),
            pending: None,
            is_seated: false,
            wrong: Vec::new(),
            breaks: 0,
        };
        world.join(options.token(format!("guest {number}")), stirrer);
    }
    let until = world.now() + Duration::from_secs(25);
    world.run_until(until, |_| Ok::<(), ()>(())).expect("nothing is checked meanwhile");
    let served = game::take_served();
    let what = format!("seed {seed}, {workers} workers");
    assert_eq!(world.node().report().workers.len(), usize::from(workers), "{what}");
    check_clients(&world, &plan, &what);
    check_order(&plan, &served, &what);
    check_lives(&plan, &served, &what);
    (served, world.trace_hash())
}

fn check_clients(world: &World<Stirrer>, plan: &Plan, what: &str) {
    for (_, client, stirrer) in world.clients() {
        assert_eq!(stirrer.done, ROUNDS, "{what}: a guest waits for ever");
        assert_eq!(stirrer.wrong, Vec::<String>::new(), "{what}");
        assert_eq!((client.stats().sessions, client.stats().resumes, stirrer.breaks), (1, 0, 0), "{what}");
    }
    let panics = plan.victims.values().chain(plan.failing.values()).sum::<usize>();
    let report = world.node().report();
    assert_eq!(report.counters.activations_failed, panics as u64, "{what}: others began anew");
    let queued: usize = report.workers.iter().map(|worker| worker.queued.iter().sum::<usize>()).sum();
    assert_eq!(queued, 0, "{what}: messages are left");
}

/// Every message of every pair was served once, in order; but those that an operation told which panicked may have gone with it.
fn check_order(plan: &Plan, served: &[Served], what: &str) {
    let mut sent = BTreeMap::<(u64, u64), Vec<(u64, bool)>>::new();
    for (from, rounds) in (0..).zip(&plan.guests) {
        let mut sequence = 0;
        for (words, fails) in rounds {
            for word in words {
                sent.entry((from, word.receiver)).or_default().push((sequence, *fails));
                sequence += 1;
            }
        }
    }
    let mut got = BTreeMap::<(u64, u64), Vec<u64>>::new();
    for served in served {
        got.entry((served.from, served.receiver)).or_default().push(served.sequence);
    }
    for (pair, sent) in &sent {
        let got = got.remove(pair).unwrap_or_default();
        let kept: BTreeSet<u64> = got.iter().copied().collect();
        let expected: Vec<u64> = sent
            .iter()
            .filter(|(sequence, may_go)| !may_go || kept.contains(sequence))
            .map(|one| one.0)
            .collect();
        assert_eq!(got, expected, "{what}: from {} to {}", pair.0, pair.1);
    }
    assert!(got.is_empty(), "{what}: {got:?} came from nowhere");
}

/// Who panicked has a life for each panic and one more, and rested between them; others have one.
fn check_lives(plan: &Plan, served: &[Served], what: &str) {
    let mut lives = BTreeMap::<u64, Vec<Served>>::new();
    for served in served {
        lives.entry(served.receiver).or_default().push(*served);
    }
    for (receiver, served) in lives {
        let panics = plan.victims.get(&receiver).copied().unwrap_or_default();
        let all: BTreeSet<u64> = served.iter().map(|served| served.life).collect();
        assert!(all.len() <= panics + 1, "{what}: {receiver} has {} lives and {panics} panics", all.len());
        let mut rest = REST_FIRST;
        for pair in served.windows(2).filter(|pair| pair[0].life != pair[1].life) {
            assert!(pair[1].life > pair[0].life, "{what}: {receiver} goes back to an old life");
            let rested = pair[1].at.since(pair[0].at);
            assert!(rested >= rest, "{what}: {receiver} rested {rested:?} instead of {rest:?}");
            rest *= 2;
        }
    }
}

#[test]
fn whatever_panics_on_whatever_worker_only_that_activation_begins_anew_and_no_message_is_lost() {
    let mut served = 0;
    for seed in 0..6 {
        for workers in 1..=4 {
            served += play(seed, workers).0.len();
        }
    }
    assert!(served > 15_000, "only {served} messages were served");
}

#[test]
fn one_seed_is_one_storm_of_panics_on_three_workers() {
    assert!(play(7, 3) == play(7, 3), "one seed gave two worlds");
}
