//! A worker with one zone, a virtual clock, and clients.

use std::collections::BTreeMap;

use bevy_ecs::prelude::World;
use lightmoon_actor::reserved::{ToActor, ToSession};
use lightmoon_actor::{
    Cx, Envelope, In, Inspect, Inspected, Kinds, MessageId, Out, ReplyTo, StateLook, Worker, WorkerOptions,
};
use lightmoon_contract::call::{Body, ServeWorld};
use lightmoon_contract::codec::{Limits, decode};
use lightmoon_contract::{
    ActorId, CallError, Caller, Contract, Mono, NetId, Operation, Priority, Replicate, SessionId,
};
use lightmoon_replica::{Applied, ClientView, DeltaHeader, Receipt, Schema, StateHeader};
use lightmoon_zone::{Zone, ZoneChart, ZoneOptions, ZoneReport, zone};

use crate::game::{Health, Label, Pose, SpaceContract, SpaceZone, space};

/// Nanoseconds of a tick at 20 Hz.
pub(crate) const TICK: u64 = 50_000_000;

/// What a session was sent, in order.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Sent {
    View(u32, Vec<u8>),
    State(u32, Vec<u8>),
    Delta(u32, Vec<u8>),
    Push(String),
}

/// A worker with zones of `SpaceContract`; the one with key 1 is used.
pub(crate) struct Arena {
    worker: Worker,
    now: Mono,
    inputs: Vec<In>,
    token: u64,
    answers: BTreeMap<u64, Result<Option<Body>, CallError>>,
    /// What each session was sent and has not taken.
    pub(crate) sent: BTreeMap<SessionId, Vec<Sent>>,
    /// Panics that the worker told of.
    pub(crate) failed: Vec<String>,
}

impl Arena {
    /// The zone of the tests with radius 100.
    pub(crate) fn new(seed: u64) -> Self {
        Self::of::<SpaceZone<100, 1>>(seed)
    }

    /// Any zone of the tests.
    pub(crate) fn of<Z: Zone>(seed: u64) -> Self
    where
        SpaceContract: ServeWorld<Z, Cx, World>,
    {
        Self::with::<Z>(seed, ZoneOptions::default())
    }

    pub(crate) fn with<Z: Zone>(seed: u64, options: ZoneOptions) -> Self
    where
        SpaceContract: ServeWorld<Z, Cx, World>,
    {
        crate::game::truth().lock().unwrap().clear();
        let mut kinds = Kinds::default();
        kinds.register(SpaceContract::KIND, "Space", zone::<SpaceContract, Z>(options));
        let worker = Worker::new(WorkerOptions { seed, ..WorkerOptions::default() }, kinds);
        let mut arena = Self {
            worker,
            now: Mono(0),
            inputs: Vec::new(),
            token: 0,
            answers: BTreeMap::new(),
            sent: BTreeMap::new(),
            failed: Vec::new(),
        };
        arena.worker.start(Mono(0), me());
        arena.turn();
        arena
    }

    /// Runs the worker until it has nothing to do at the present time.
    pub(crate) fn turn(&mut self) {
        loop {
            let mut out = Vec::new();
            let next = self.worker.turn(self.now, &mut self.inputs, &mut out);
            out.into_iter().for_each(|out| self.take(out));
            if !next.more && next.deadline.is_none_or(|deadline| deadline > self.now) {
                break;
            }
        }
    }

    /// Lets time pass in one step, as on a node that was held up.
    pub(crate) fn pass(&mut self, nanos: u64) {
        self.now = Mono(self.now.0 + nanos);
        self.turn();
    }

    /// Runs `count` ticks of 20 Hz.
    pub(crate) fn ticks(&mut self, count: u64) {
        for _ in 0..count {
            self.pass(TICK);
        }
    }

    pub(crate) fn tell<O: Operation>(&mut self, message: O) {
        self.envelope(O::SPEC.number, Body::typed(message), ReplyTo::Nobody, O::SPEC.lane.priority);
    }

    /// Calls and takes the answer, which comes in the same turn.
    pub(crate) fn ask<O: Operation>(&mut self, message: O) -> Result<O::Reply, CallError> {
        self.token += 1;
        let token = self.token;
        self.envelope(O::SPEC.number, Body::typed(message), ReplyTo::Outside(token), O::SPEC.lane.priority);
        self.turn();
        let answer = self.answers.remove(&token).expect("an answer within the turn")?;
        answer.expect("a request has an answer").open(Limits::NODE)
    }

    pub(crate) fn spawn(&mut self, name: &str, x: f32, y: f32) -> NetId {
        self.ask(space::Spawn { name: name.to_owned(), x, y, vx: 0.0, vy: 0.0 }).unwrap()
    }

    /// As a client that takes no deltas.
    pub(crate) fn subscribe(&mut self, session: u64, avatar: NetId, generation: u32, budget_bytes: usize) {
        self.subscribe_as(session, avatar, generation, budget_bytes, false);
    }

    /// Tells the zone what arrived at a client.
    pub(crate) fn receive(&mut self, session: u64, receipt: &Receipt) {
        let Receipt { generation, tick, received, views } = *receipt;
        let session = SessionId(session);
        self.reserved(ToActor::Received { session, generation, tick: tick.0, received, views });
    }

    pub(crate) fn subscribe_as(
        &mut self,
        session: u64,
        avatar: NetId,
        generation: u32,
        budget_bytes: usize,
        takes_deltas: bool,
    ) {
        let session = SessionId(session);
        self.reserved(ToActor::Subscribe {
            session,
            player: session.0 * 10,
            avatar,
            generation,
            budget_bytes,
            takes_deltas,
        });
    }

    pub(crate) fn unsubscribe(&mut self, session: u64, generation: u32) {
        self.reserved(ToActor::Unsubscribe { session: SessionId(session), generation });
    }

    /// What a session was sent since the last call.
    pub(crate) fn take_sent(&mut self, session: u64) -> Vec<Sent> {
        self.sent.remove(&SessionId(session)).unwrap_or_default()
    }

    pub(crate) fn report(&self) -> ZoneReport {
        let reports = self.worker.reports();
        let (_, report) = reports.into_iter().find(|(actor, _)| *actor == me()).expect("the zone lives");
        *report.downcast::<ZoneReport>().expect("zones report so")
    }

    pub(crate) fn chart(&self, places_max: usize) -> ZoneChart {
        let charts = self.worker.charts(places_max);
        let (_, chart) = charts.into_iter().find(|(actor, _)| *actor == me()).expect("the zone lives");
        *chart.downcast::<ZoneChart>().expect("zones have charts")
    }

    pub(crate) fn inspect(&mut self, entities_from: u64) -> StateLook {
        match self.worker.inspect(Inspect { actor: me(), entities_from }) {
            Some(Inspected::Shown(look)) => look,
            other => panic!("the zone lives and shows itself, not {other:?}"),
        }
    }

    fn reserved(&mut self, message: ToActor) {
        self.envelope(message.number(), Body::typed(message), ReplyTo::Nobody, Priority::High);
        self.turn();
    }

    fn envelope(
        &mut self,
        number: lightmoon_contract::OperationNumber,
        body: Body,
        reply_to: ReplyTo,
        priority: Priority,
    ) {
        let envelope = Envelope {
            to: me(),
            from: Caller::Node,
            number,
            priority,
            reliability: lightmoon_contract::Reliability::ReliableOrdered,
            reply_to,
            timeout_ms: 0,
            id: MessageId::None,
            body,
        };
        self.inputs.push(In::Envelope(envelope));
    }

    fn take(&mut self, out: Out) {
        match out {
            Out::Envelope(envelope) => {
                let session = SessionId(envelope.to.key);
                assert_eq!(envelope.to, ActorId::session(session), "the zone speaks to sessions only");
                let Body::Typed(message) = envelope.body else { panic!("framework messages are typed") };
                let sent = match message.take::<ToSession>().unwrap() {
                    ToSession::View { generation, bytes } => Sent::View(generation, bytes.to_vec()),
                    ToSession::State { generation, bytes, is_delta: true } => {
                        Sent::Delta(generation, bytes.to_vec())
                    }
                    ToSession::State { generation, bytes, .. } => Sent::State(generation, bytes.to_vec()),
                    ToSession::Push { bytes, .. } => {
                        Sent::Push(decode::<space::Said>(&bytes, Limits::NODE).unwrap().text)
                    }
                    other @ (ToSession::Attach { .. } | ToSession::Detach | ToSession::Close { .. }) => {
                        panic!("a zone sends no {other:?}")
                    }
                };
                self.sent.entry(session).or_default().push(sent);
            }
            Out::Answer { token, result } => {
                self.answers.insert(token, result);
            }
            Out::Stopped => {}
            Out::Failed { message, .. } => self.failed.push(message),
            Out::Load(_)
            | Out::Commit(_)
            | Out::Snapshot { .. }
            | Out::Peek(_)
            | Out::Released(_)
            | Out::Delivered { .. }
            | Out::Unreadable { .. } => {
                panic!("the arena is not kept")
            }
        }
    }
}

/// The zone.
pub(crate) fn me() -> ActorId {
    ActorId::new(SpaceContract::KIND, 1)
}

/// A client that takes everything at once.
pub(crate) struct Client {
    pub(crate) session: u64,
    pub(crate) view: ClientView,
    pub(crate) states: Vec<StateHeader>,
    pub(crate) deltas: Vec<DeltaHeader>,
    pub(crate) heard: Vec<String>,
}

impl Client {
    pub(crate) fn new(session: u64, generation: u32) -> Self {
        let schema = Schema::new(&[Pose::SPEC, Label::SPEC, Health::SPEC]).unwrap();
        let mut view = ClientView::new(schema);
        view.attach(generation);
        Self { session, view, states: Vec::new(), deltas: Vec::new(), heard: Vec::new() }
    }

    /// Takes what the arena has for it.
    pub(crate) fn take(&mut self, arena: &mut Arena) {
        for sent in arena.take_sent(self.session) {
            self.apply(sent);
        }
    }

    pub(crate) fn apply(&mut self, sent: Sent) -> Applied {
        match sent {
            Sent::View(generation, bytes) => self.view.apply_view(generation, &bytes).unwrap(),
            Sent::State(generation, bytes) => {
                let header = self.view.apply_state(generation, &bytes).unwrap();
                self.states.extend(header);
                if header.is_some() { Applied::Taken } else { Applied::Ignored }
            }
            Sent::Delta(generation, bytes) => {
                let header = self.view.apply_delta(generation, &bytes).unwrap();
                self.deltas.extend(header);
                if header.is_some() { Applied::Taken } else { Applied::Ignored }
            }
            Sent::Push(text) => {
                self.heard.push(text);
                Applied::Taken
            }
        }
    }

    pub(crate) fn ids(&self) -> Vec<NetId> {
        self.view.entities().map(|entity| entity.id()).collect()
    }

    pub(crate) fn label(&self, id: NetId) -> Option<String> {
        self.view.entity(id)?.get::<Label>().map(|label| label.name)
    }
}
