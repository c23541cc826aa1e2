//! A zone of walkers as it runs on a worker, with clients that tell what arrived.
//!
//! *Responsible for*: the zone, its worker, subscriptions, receipts three ticks late. *Not responsible for*: the way from the worker
//! to a client (`load` measures that).

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::Instant;

use bevy_ecs::prelude::*;
use lightmoon_actor::reserved::{ToActor, ToSession};
use lightmoon_actor::{Cx, Envelope, In, Kinds, MessageId, Out, ReplyTo, Worker, WorkerOptions};
use lightmoon_contract::call::Body as CallBody;
use lightmoon_contract::codec::Limits;
use lightmoon_contract::{
    ActorId, Caller, Contract, Mono, NetId, Operation, OperationNumber, Priority, Replicate as _, SessionId,
    Tick, contract,
};
use lightmoon_replica::{ClientView, Schema};
use lightmoon_zone::{
    InterestOptions, NetIdentity, Phases, Update, Zone, ZoneBuilder, ZoneOptions, ZoneReport, zone,
};

use super::Workload;
use super::walker::{Pose, Walk, scattered, side_for};

/// Nanoseconds of a tick.
const TICK: u64 = 50_000_000;
/// Ticks from a packet to its receipt: 150 ms.
const WAY: usize = 3;
/// Radius within which nobody is out of sight.
const EVERYWHERE: f32 = 10_000.0;

/// A place with walkers.
#[contract(ticking, number = 1)]
pub(crate) trait Meadow {
    /// Makes walkers on a square with this side; gives their ids.
    #[operation]
    fn fill(count: u32, side: f32) -> Vec<u64>;
}

/// The zone: its key 2 lets everybody see everything.
pub(crate) struct MeadowZone;

/// The square.
#[derive(Resource)]
pub(crate) struct Side(pub(crate) f32);

impl Meadow<Cx, World> for MeadowZone {
    fn fill(world: &mut World, _: &mut Cx, count: u32, side: f32) -> Vec<u64> {
        world.insert_resource(Side(side));
        let made = fill(world, count as usize, side);
        world.flush();
        let id = |entity: &Entity| world.get::<NetIdentity>(*entity).map_or(0, |identity| identity.id().0);
        made.iter().map(id).collect()
    }
}

impl Zone for MeadowZone {
    fn build(zone: &mut ZoneBuilder<'_>) {
        let radius = if zone.key() == ALL_SEEN { EVERYWHERE } else { 100.0 };
        let stagger = if zone.key() == STAGGERED { 4 } else { 1 };
        let area = Some(([-2_048.0; 2], [2_048.0; 2]));
        zone.replicate::<Pose>()
            .interest::<Pose>(InterestOptions { area, stagger, ..InterestOptions::radius(radius) }, |pose| {
                [pose.x, pose.y]
            });
        zone.world().insert_resource(Side(100.0));
        zone.add_systems(Update, wander);
    }
}

/// The key of the zone in which everybody sees everything.
const ALL_SEEN: u64 = 2;
/// The key of the zone in which each viewer looks around at each fourth tick.
const STAGGERED: u64 = 3;

/// What the game does: everybody walks.
pub(crate) fn wander(side: Res<'_, Side>, mut walkers: Query<'_, '_, (&mut Pose, &mut Walk)>) {
    for (mut pose, mut walk) in &mut walkers {
        walk.step(&mut pose, side.0);
    }
}

/// Spawns walkers.
pub(crate) fn fill(world: &mut World, count: usize, side: f32) -> Vec<Entity> {
    scattered(count, side).into_iter().map(|walker| world.spawn(walker).id()).collect()
}

/// What the receipts of one client are made of.
#[derive(Clone, Copy, Default)]
struct Told {
    received: u32,
    views: u64,
}

/// The zone on its worker, and its clients.
pub(crate) struct Arena {
    worker: Worker,
    id: ActorId,
    now: Mono,
    inputs: Vec<In>,
    out: Vec<Out>,
    told: Vec<Told>,
    /// What each client told with each of the last ticks.
    on_the_way: VecDeque<(Tick, Vec<Told>)>,
    ids: Vec<u64>,
    /// The first client, to see that what is measured is right.
    witness: ClientView,
    visible: usize,
}

impl Arena {
    pub(crate) fn new(workload: Workload) -> Self {
        let Workload { entities, clients, visible, .. } = workload;
        let mut kinds = Kinds::default();
        let options = ZoneOptions { probe: clock, ..ZoneOptions::default() };
        kinds.register(MeadowContract::KIND, "Meadow", zone::<MeadowContract, MeadowZone>(options));
        let mut witness = ClientView::new(Schema::new(&[Pose::SPEC]).expect("a pose is small"));
        witness.attach(1);
        let is_all = visible == entities;
        let key = match workload {
            _ if is_all => ALL_SEEN,
            Workload { is_staggered: true, .. } => STAGGERED,
            _ => 1,
        };
        let mut arena = Self {
            worker: Worker::new(WorkerOptions::default(), kinds),
            id: ActorId::new(MeadowContract::KIND, key),
            now: Mono(0),
            inputs: Vec::new(),
            out: Vec::new(),
            told: vec![Told::default(); clients],
            on_the_way: VecDeque::new(),
            ids: Vec::new(),
            witness,
            visible,
        };
        arena.worker.start(Mono(0), arena.id);
        arena.turn();
        if entities > 0 {
            let side = if is_all { 400.0 } else { side_for(entities, visible) };
            let count = u32::try_from(entities).expect("few");
            let fill = meadow::Fill { count, side };
            arena.send(meadow::Fill::SPEC.number, CallBody::typed(fill), ReplyTo::Outside(1));
            arena.turn();
            arena.take();
        }
        for nth in 0..clients {
            let avatar = NetId(arena.ids[nth * entities / clients]);
            arena.reserved(ToActor::Subscribe {
                session: session(nth),
                player: 1,
                avatar,
                generation: 1,
                budget_bytes: 1_100,
                takes_deltas: true,
            });
        }
        arena.turn();
        // Joins are over, and clients have told of all that they need.
        for _ in 0..if clients > 0 { 60 } else { 5 } {
            arena.hear();
            arena.tick();
        }
        arena
    }

    /// Receipts that have come back, which cost the zone little and are no part of its tick.
    pub(crate) fn hear(&mut self) {
        if self.on_the_way.len() >= WAY {
            let (tick, told) = self.on_the_way.pop_front().expect("it has some");
            for (nth, Told { received, views }) in told.into_iter().enumerate() {
                let message =
                    ToActor::Received { session: session(nth), generation: 1, tick: tick.0, received, views };
                self.reserved(message);
            }
            self.turn();
        }
    }

    /// One tick.
    pub(crate) fn tick(&mut self) {
        self.now = Mono(self.now.0 + TICK);
        self.turn();
        self.told.iter_mut().for_each(|told| told.received = told.received << 1 | 1);
        self.take();
        if !self.told.is_empty() {
            self.on_the_way.push_back((self.report().tick, self.told.clone()));
        }
    }

    /// What was measured of the last tick.
    pub(crate) fn phases(&self) -> Phases {
        self.report().phases
    }

    pub(crate) fn report(&self) -> ZoneReport {
        let reports = self.worker.reports();
        let (_, report) = reports.into_iter().find(|(actor, _)| *actor == self.id).expect("the zone lives");
        *report.downcast::<ZoneReport>().expect("zones report so")
    }

    /// The first client sees about as many as are meant to be seen.
    pub(crate) fn check(&self) {
        let seen = self.witness.len();
        assert!(
            seen > self.visible / 5 && seen < self.visible * 2,
            "{seen} are seen instead of {}",
            self.visible
        );
    }

    fn turn(&mut self) {
        loop {
            let next = self.worker.turn(self.now, &mut self.inputs, &mut self.out);
            if !next.more && next.deadline.is_none_or(|deadline| deadline > self.now) {
                return;
            }
        }
    }

    /// Counts what went to clients, and drops it.
    fn take(&mut self) {
        for out in std::mem::take(&mut self.out) {
            match out {
                Out::Envelope(envelope) => self.deliver(envelope),
                Out::Answer { result, .. } => {
                    let answer = result.expect("filling cannot fail").expect("it gives ids");
                    self.ids = answer.open::<Vec<u64>>(Limits::NODE).expect("they are ids");
                }
                Out::Failed { message, .. } => panic!("{message}"),
                Out::Load(_)
                | Out::Commit(_)
                | Out::Snapshot { .. }
                | Out::Peek(_)
                | Out::Released(_)
                | Out::Unreadable { .. }
                | Out::Delivered { .. }
                | Out::Stopped => {}
            }
        }
    }

    fn deliver(&mut self, envelope: Envelope) {
        let nth = usize::try_from(envelope.to.key).expect("few clients");
        let CallBody::Typed(message) = envelope.body else { panic!("framework messages are typed") };
        match message.take::<ToSession>() {
            Ok(ToSession::View { bytes, .. }) => {
                self.told[nth].views += 1;
                if nth == 0 {
                    self.witness.apply_view(1, &bytes).expect("the zone wrote it");
                }
            }
            Ok(ToSession::State { bytes, .. }) if nth == 0 => {
                self.witness.apply_delta(1, &bytes).expect("the zone wrote it");
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn reserved(&mut self, message: ToActor) {
        self.send(message.number(), CallBody::typed(message), ReplyTo::Nobody);
    }

    fn send(&mut self, number: OperationNumber, body: CallBody, reply_to: ReplyTo) {
        self.inputs.push(In::Envelope(Envelope {
            to: self.id,
            from: Caller::Node,
            number,
            priority: Priority::High,
            reliability: lightmoon_contract::Reliability::ReliableOrdered,
            reply_to,
            timeout_ms: 0,
            id: MessageId::None,
            body,
        }));
        if self.inputs.len() >= 512 {
            self.turn();
        }
    }
}

fn session(nth: usize) -> SessionId {
    SessionId(nth as u64)
}

/// Time of the phases.
fn clock() -> Mono {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    Mono(0) + BEGAN.get_or_init(Instant::now).elapsed()
}
