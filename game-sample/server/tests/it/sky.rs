//! All sectors and pilots on one worker, with the hands of clients and the eyes of a tool.

use std::collections::BTreeMap;
use std::time::Duration;

use game_sample::pilot::PilotActor;
use game_sample::sector::SectorZone;
use game_sample::world_map::SECTORS;
use game_sample_bots::brain::Place;
use game_sample_contracts::{
    EnterRefused, Entered, Entry, Label, PilotContract, Pose, Role, SectorContract, Steer, pilot, sector,
};
use lightmoon::actor::reserved::{ToActor, ToSession};
use lightmoon::actor::{
    Commit, Delivery, Envelope, In, Kinds, Memory, MessageId, Out, Posted, ReplyTo, Stored, Worker,
    WorkerOptions,
};
use lightmoon::contract::codec::{self, Limits};
use lightmoon::contract::{ActorId, Body, Caller, Contract, Mono, NetId, Operation, Replicate, SessionId};
use lightmoon::zone::{EntityLook, ZoneLook, ZoneOptions, world_actor, zone};

use crate::forgetful::{Forgetful, Newborn};

/// One step of the worker: shorter than a tick.
const STEP: Duration = Duration::from_millis(10);

/// The game on one worker.
pub(crate) struct Sky {
    worker: Worker,
    now: Mono,
    inputs: Vec<In>,
    requests: u64,
    /// Messages that took effect exactly once so far.
    letters: u64,
    answers: BTreeMap<u64, Body>,
    /// What sessions were told.
    pub(crate) told: Vec<(SessionId, ToSession)>,
}

/// A ship as it is seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) sector: u64,
    pub(crate) net: NetId,
    pub(crate) label: Label,
    pub(crate) pose: Pose,
}

impl Sky {
    #[expect(
        clippy::field_reassign_with_default,
        reason = "the worker's options may grow, so no literal is possible"
    )]
    pub(crate) fn new(seed: u64) -> Self {
        let mut kinds = Kinds::default();
        let pilots = world_actor::<PilotContract, PilotActor>();
        kinds.register(PilotContract::KIND, PilotContract::NAME, Newborn(pilots));
        let sectors = zone::<SectorContract, SectorZone>(ZoneOptions::default());
        kinds.register(SectorContract::KIND, SectorContract::NAME, Forgetful(sectors));
        let mut options = WorkerOptions::default();
        options.seed = seed;
        let mut worker = Worker::new(options, kinds);
        let now = Mono::from_millis(1_000);
        for plan in &SECTORS {
            worker.start(now, sector_id(plan.key));
        }
        let mut sky = Self {
            worker,
            now,
            inputs: Vec::new(),
            requests: 0,
            letters: 0,
            answers: BTreeMap::new(),
            told: Vec::new(),
        };
        sky.turn();
        sky
    }

    pub(crate) const fn now(&self) -> Mono {
        self.now
    }

    /// Lets time pass; `each` looks after every step.
    pub(crate) fn run(&mut self, time: Duration, mut each: impl FnMut(&mut Self)) {
        let until = self.now + time;
        while self.now < until {
            self.now = self.now + STEP;
            self.turn();
            each(self);
        }
    }

    fn turn(&mut self) {
        let mut out = Vec::new();
        loop {
            while self.worker.turn(self.now, &mut self.inputs, &mut out).more {}
            if out.is_empty() {
                return;
            }
            out.drain(..).for_each(|out| self.take(out));
        }
    }

    fn take(&mut self, out: Out) {
        match out {
            Out::Envelope(Envelope { to, body: Body::Typed(message), .. }) => {
                let message = message.take::<ToSession>().expect("only sessions are outside");
                self.told.push((SessionId(to.key), message));
            }
            Out::Answer { token, result } => {
                let body = result.expect("nothing times out here").expect("requests have values");
                self.answers.insert(token, body);
            }
            Out::Load(actor) => {
                let result = Ok(Stored { parcel: Box::new(()), memory: Memory::default() });
                self.inputs.push(In::Loaded { actor, result });
            }
            Out::Commit(commit) => self.commit(commit),
            Out::Envelope(other) => panic!("{other:?}"),
            Out::Stopped => {}
            Out::Failed { actor, message, .. } => panic!("{actor}: {message}"),
            other @ (Out::Snapshot { .. }
            | Out::Peek(_)
            | Out::Released(_)
            | Out::Delivered { .. }
            | Out::Unreadable { .. }) => panic!("nothing goes wrong here: {other:?}"),
        }
    }

    /// A store that has everything at once; messages that are to take effect exactly once leave then.
    fn commit(&mut self, commit: Commit) {
        let Commit { actor, number, posted, .. } = commit;
        self.inputs.push(In::Committed { actor, number });
        for Posted { to, operation, priority, arguments } in posted {
            self.letters += 1;
            self.inputs.push(In::Envelope(Envelope {
                to,
                from: Caller::Actor(actor),
                number: operation,
                priority,
                reliability: lightmoon::contract::Reliability::ReliableOrdered,
                reply_to: ReplyTo::Nobody,
                timeout_ms: 0,
                id: MessageId::Posted(Delivery { number: self.letters, after: 0 }),
                body: Body::Bytes(arguments),
            }));
        }
    }

    /// A message of the framework.
    pub(crate) fn tell(&mut self, to: ActorId, message: ToActor) {
        let number = message.number();
        self.send(to, Caller::Node, number, ReplyTo::Nobody, Body::typed(message));
    }

    /// A call of a player's client, without answer.
    pub(crate) fn call<O: Operation>(&mut self, player: u64, to: ActorId, message: O) {
        self.send(to, client(player), O::SPEC.number, ReplyTo::Nobody, Body::typed(message));
    }

    /// A request; the answer is there when it came without waiting for ticks.
    pub(crate) fn ask<O: Operation>(&mut self, from: Caller, to: ActorId, message: O) -> O::Reply {
        self.requests += 1;
        let token = self.requests;
        self.send(to, from, O::SPEC.number, ReplyTo::Outside(token), Body::typed(message));
        self.turn();
        let body = self.answers.remove(&token).expect("the answer needs no time");
        body.open(Limits::NODE).expect("the answer is a reply")
    }

    fn send(
        &mut self,
        to: ActorId,
        from: Caller,
        number: lightmoon::contract::OperationNumber,
        reply_to: ReplyTo,
        body: Body,
    ) {
        let priority = lightmoon::contract::Priority::High;
        self.inputs.push(In::Envelope(Envelope {
            to,
            from,
            number,
            priority,
            reliability: lightmoon::contract::Reliability::ReliableOrdered,
            reply_to,
            timeout_ms: 0,
            id: MessageId::None,
            body,
        }));
    }

    /// A client of this player logs in and enters.
    pub(crate) fn enter(&mut self, player: u64, name: &str) -> Result<Entered, EnterRefused> {
        self.tell(pilot_id(player), ToActor::Connected { session: session_of(player) });
        self.ask(client(player), pilot_id(player), pilot::Enter { name: name.to_owned(), hue: 100 })
    }

    /// Steers a ship towards a place.
    pub(crate) fn steer_to(&mut self, player: u64, ship: &Seen, to: Place) {
        let (dx, dy) = (to.x - ship.pose.x, to.y - ship.pose.y);
        let off = game_sample::flight::wrapped(dy.atan2(dx) - ship.pose.yaw);
        let steer = Steer { thrust: 1.0, turn: off.clamp(-1.0, 1.0), boost: false };
        self.call(player, sector_id(ship.sector), sector::Steer { steer });
    }

    /// Puts a player's ship into its home, near a place, and lets the player enter.
    pub(crate) fn enter_at(&mut self, player: u64, name: &str, at: Pose) -> Entered {
        let home = game_sample::world_map::home_of(player);
        let at = game_sample_contracts::Place { x: at.x, y: at.y, yaw: at.yaw };
        let spawn = sector::Spawn {
            player,
            name: name.to_owned(),
            hue: 100,
            entry: Entry::Berth { at, ship: NetId::NONE },
        };
        self.ask(Caller::Node, sector_id(home), spawn).expect("there is room");
        self.enter(player, name).expect("the ship is there")
    }

    /// All things of a role in a sector, in order of their ids.
    pub(crate) fn things(&self, sector: u64, role: Role) -> Vec<Seen> {
        let all = self.look(sector).entities.into_iter().map(|(net, look)| seen(sector, net, &look));
        all.filter(|seen| seen.label.role == role).collect()
    }

    /// Everything in all sectors, by their keys.
    fn looks(&self) -> BTreeMap<u64, ZoneLook> {
        let zones = self.worker.looks().into_iter().filter(|(actor, _)| actor.kind == SectorContract::KIND);
        zones.map(|(actor, look)| (actor.key, *look.downcast().expect("sectors are zones"))).collect()
    }

    /// Everything in a sector.
    pub(crate) fn look(&self, sector: u64) -> ZoneLook {
        self.looks().remove(&sector).expect("all sectors run")
    }

    /// All ships, in order of their sectors and ids.
    pub(crate) fn ships(&self) -> Vec<Seen> {
        let all = self.looks().into_iter().flat_map(|(sector, look)| {
            look.entities.into_iter().map(move |(net, look)| seen(sector, net, &look))
        });
        all.filter(|seen| seen.label.role == Role::Player).collect()
    }

    /// The ship of this name, if there is exactly one.
    pub(crate) fn ship(&self, name: &str) -> Option<Seen> {
        let mut ships = self.ships();
        ships.retain(|ship| ship.label.name == name);
        assert!(ships.len() <= 1, "{name} has more than one ship: {ships:?}");
        ships.pop()
    }
}

/// An entity, readable.
pub(crate) fn seen(sector: u64, net: NetId, look: &EntityLook) -> Seen {
    let pose = Pose::restore(&look.state[&Pose::SPEC.number]).expect("poses are state");
    let label = codec::decode(&look.sticky[&Label::SPEC.number], Limits::NODE).expect("labels decode");
    Seen { sector, net, label, pose }
}

pub(crate) const fn session_of(player: u64) -> SessionId {
    SessionId(player + 1_000)
}

pub(crate) const fn client(player: u64) -> Caller {
    Caller::Client { session: session_of(player), player }
}

pub(crate) fn sector_id(key: u64) -> ActorId {
    ActorId::new(SectorContract::KIND, key)
}

pub(crate) fn pilot_id(key: u64) -> ActorId {
    ActorId::new(PilotContract::KIND, key)
}
