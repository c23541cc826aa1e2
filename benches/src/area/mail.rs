//! Messages that take effect exactly once, through a whole node on the embedded store, beside requests of one actor.
//!
//! *Responsible for*: the bodies. *Not responsible for*: that messages take effect once; the tests of `durable`, `actor` and
//! `node` say that.
//!
//! A client asks an actor for something that is `sync`: one commit, one answer. Then it asks an actor to give to another one:
//! one commit, one answer, and then the other's commit. `answered` is the time until the answer, which should cost nothing
//! more; `taken` the time until the receiver's commit is durable too, which is two commits one after the other. With
//! `64-at-once` as many pairs do it at once and share syncs; times are for one of them.
//!
//! Bytes go from the client's link to the node's and back without a network.

use std::path::Path;
use std::time::{Duration, Instant};

use lightmoon_actor::{Actor, Cx};
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, ActorRef, Contract, Mono, Operation, codec, contract, contracts, data};
use lightmoon_node::{Game, Input, LinkId, Node, NodeOptions, Output, Transport};
use lightmoon_store::{Outcome, Store as _};
use lightmoon_store_files::{FilesOptions, FilesStore};
use lightmoon_wire::{ClientConfig, ClientEvent, ClientLink, OutgoingCall, StreamKey, Transmit};
use lightmoon_zone::DurableActor;

use super::store::Folder;
use crate::figure::{Figure, Goal};
use crate::measure::{Body, Effort, Times};

/// Pairs of actors that are busy at once.
const AT_ONCE: u64 = 64;

/// The answer waits for the same one commit.
const GOAL_ANSWERED: Goal = Goal::Ratio(1.25);
/// Two commits one after the other, and the way between them.
const GOAL_TAKEN: Goal = Goal::Ratio(2.5);
/// The same at once: each sync is shared by all senders, or by all receivers.
const GOAL_AT_ONCE: Goal = Goal::Ratio(3.0);

/// Somebody with coins.
#[contract]
pub trait Purse {
    /// Adds coins.
    #[operation(client = any, durability = sync, rate = 1000000)]
    fn fill(coins: u64) -> u64;
    /// Gives coins to another one.
    #[operation(client = any, durability = sync, rate = 1000000)]
    fn give(to: u64, coins: u64) -> u64;
    /// Coins of another one.
    #[operation(reliability = exactly_once)]
    fn got(coins: u64);
}

contracts! { game = "mail-bench", contracts = [Purse], components = [], lock = none }

/// What is kept.
#[data(persist = "coins")]
#[derive(Default)]
pub(crate) struct Coins {
    count: u64,
}

struct ThePurse(Coins);

impl Actor for ThePurse {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self(Coins { count: 1 << 40 })
    }
}

impl DurableActor for ThePurse {
    type State = Coins;

    fn state(&self) -> &Coins {
        &self.0
    }

    fn restore(_: &mut Cx, _: u64, state: Coins) -> Self {
        Self(state)
    }
}

impl Purse<Cx> for ThePurse {
    fn fill(&mut self, _: &mut Cx, coins: u64) -> u64 {
        self.0.count += coins;
        self.0.count
    }

    fn give(&mut self, cx: &mut Cx, to: u64, coins: u64) -> u64 {
        if cx.to(ActorRef::<PurseContract>::new(to)).got(coins).is_ok() {
            self.0.count -= coins;
        }
        self.0.count
    }

    fn got(&mut self, _: &mut Cx, coins: u64) {
        self.0.count += coins;
    }
}

/// Measures one pair, then many.
pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let folder = Folder::new("mail");
    let desk = std::cell::RefCell::new(Desk::open(folder.path()));
    let times = {
        let with = |act: fn(&mut Desk)| -> Body<'_> {
            let desk = &desk;
            Box::new(move |times| (0..times).for_each(|_| act(&mut desk.borrow_mut())))
        };
        let mut bodies: [Body<'_>; 5] = [
            with(|desk| desk.fill(1)),
            with(|desk| desk.give(1, false)),
            with(|desk| desk.give(1, true)),
            with(|desk| desk.fill(AT_ONCE)),
            with(|desk| desk.give(AT_ONCE, true)),
        ];
        Times::measure(effort, &mut bodies)
    };
    let figure = |name: &str, body, other, each: f64, beside, goal| Figure {
        name: format!("mail.{name}"),
        value: times.of(body) * 1e-3 / each,
        unit: "us",
        ratio: times.ratio(body, other),
        beside,
        goal,
    };
    let each = 64.0;
    vec![
        figure("request-sync", 0, 0, 1.0, "itself", None),
        figure("give.answered", 1, 0, 1.0, "a sync request", Some(GOAL_ANSWERED)),
        figure("give.taken", 2, 0, 1.0, "a sync request", Some(GOAL_TAKEN)),
        figure("request-sync.64-at-once", 3, 3, each, "itself", None),
        figure("give.taken.64-at-once", 4, 3, each, "64 sync requests", Some(GOAL_AT_ONCE)),
    ]
}

const LINK: LinkId = LinkId(1);

/// A node, its store and one client.
struct Desk {
    node: Node,
    store: FilesStore,
    link: ClientLink,
    began: Instant,
    inputs: Vec<Input>,
    request: u64,
    answers: u64,
    /// Streams of one message so far.
    solos: u64,
    /// Messages sent so far.
    given: u64,
}

impl Desk {
    fn open(folder: &Path) -> Self {
        let caller = std::thread::current();
        let options = FilesOptions { ballast_bytes: 0, ..FilesOptions::default() };
        let (store, _) = FilesStore::open(folder, options, move || caller.unpark()).expect("the store opens");
        let game = Game::new(descriptor()).durable_player::<PurseContract, ThePurse>();
        let config =
            ClientConfig::new(descriptor().fingerprint(), descriptor().to_bytes().into(), "bench".into());
        let now = Mono::from_millis(1_000);
        let opened = Input::Opened { link: LINK, remote: "here".to_owned(), transport: Transport::Native };
        let mut desk = Self {
            node: Node::new(game, NodeOptions::default(), 1, now).expect("the game fits together"),
            store,
            link: ClientLink::new(config, now),
            began: Instant::now(),
            inputs: vec![opened],
            request: 0,
            answers: 0,
            solos: 0,
            given: 0,
        };
        desk.until(|desk| desk.link.is_open());
        // Everybody is loaded, and listed as somebody who sends.
        desk.fill(2 * AT_ONCE);
        desk.give(AT_ONCE, true);
        desk
    }

    fn now(&self) -> Mono {
        Mono::from_millis(1_000) + self.began.elapsed()
    }

    fn ask<O: Operation>(&mut self, key: u64, message: &O) {
        self.request += 1;
        let call = OutgoingCall {
            request: Some(self.request),
            lane: O::SPEC.lane,
            target: Target::Actor(ActorId::new(O::Contract::KIND, key)),
            kind: O::Contract::KIND,
            number: O::SPEC.number,
            args: codec::encode(message).into(),
        };
        self.link.call(call).expect("the link is open and not full");
    }

    /// `count` actors get coins; until all are answered.
    fn fill(&mut self, count: u64) {
        let until = self.answers + count;
        (1..=count).for_each(|key| self.ask(key, &purse::Fill { coins: 1 }));
        self.until(|desk| desk.answers == until);
    }

    /// `count` actors give to as many others; until all are answered, or until all have their coins.
    fn give(&mut self, count: u64, until_taken: bool) {
        let until = self.answers + count;
        // Those of earlier calls that did not wait are to be taken too.
        self.given += count;
        (1..=count).for_each(|key| self.ask(key, &purse::Give { to: key + AT_ONCE, coins: 1 }));
        self.until(|desk| desk.answers == until);
        if until_taken {
            self.until(|desk| desk.taken() == desk.given);
        }
    }

    fn taken(&self) -> u64 {
        self.node.report().store.counters.letters_taken
    }

    fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            if !self.round() {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
    }

    /// One turn and what goes with it; false: nothing moved.
    fn round(&mut self) -> bool {
        let now = self.now();
        self.link.on_deadline(now);
        while let Some(transmit) = self.link.poll_transmit() {
            match transmit {
                Transmit::Stream { lane, bytes } => {
                    let stream = StreamKey(u64::from(lane.number()));
                    self.inputs.push(Input::Stream { link: LINK, stream, bytes });
                }
                Transmit::Solo { bytes, .. } => {
                    self.solos += 1;
                    self.inputs.push(Input::Stream {
                        link: LINK,
                        stream: StreamKey(256 + self.solos),
                        bytes,
                    });
                }
                Transmit::Datagram(bytes) => self.inputs.push(Input::Datagram { link: LINK, bytes }),
                Transmit::Close { reason, .. } => panic!("the link closed: {reason}"),
            }
        }
        while let Some((ticket, outcome)) = self.store.poll(now) {
            self.inputs.push(Input::Stored { ticket, outcome });
        }
        let mut moved = !self.inputs.is_empty();
        let mut outputs = Vec::new();
        let next = self.node.turn(now, &mut self.inputs, &mut outputs);
        moved |= next.more || !outputs.is_empty();
        outputs.into_iter().for_each(|output| self.carry(now, output));
        while let Some(event) = self.link.poll_event() {
            if let ClientEvent::Answer { result, .. } = event {
                result.expect("nothing is refused");
                self.answers += 1;
            }
        }
        moved
    }

    fn carry(&mut self, now: Mono, output: Output) {
        match output {
            Output::Transmit { transmit: Transmit::Stream { lane, bytes }, .. } => {
                self.link.on_stream(now, StreamKey(u64::from(lane.number())), &bytes);
            }
            Output::Transmit { transmit: Transmit::Solo { bytes, .. }, .. } => {
                self.solos += 1;
                self.link.on_stream(now, StreamKey(256 + self.solos), &bytes);
            }
            Output::Transmit { transmit: Transmit::Datagram(bytes), .. } => {
                self.link.on_datagram(now, &bytes)
            }
            Output::Store { ticket, request } => {
                if self.store.submit(ticket, request).is_err() {
                    self.inputs.push(Input::Stored { ticket, outcome: Outcome::Unavailable });
                }
            }
            Output::Encode(job) => self.inputs.push(Input::Encoded(job.run())),
            Output::Transmit { transmit: Transmit::Close { reason, .. }, .. } | Output::Fenced { reason } => {
                panic!("the node gave up: {reason}");
            }
            Output::Operated { .. } => {}
            Output::Stopped => panic!("nobody stopped the node"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::measure::Effort;

    #[test]
    fn every_body_does_its_work() {
        assert_eq!(run(Effort::SMALL).len(), 5);
    }
}
