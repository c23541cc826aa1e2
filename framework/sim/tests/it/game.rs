//! A small game with everything that checkers look at: movement, coming and going, changing labels, two zones.

use std::time::Duration;

use bevy_ecs::prelude::*;
use lightmoon_actor::{Actor, Cx};
use lightmoon_client::{Client, ClientOptions, ConnectionState, Event};
use lightmoon_contract::replicate::Replicate;
use lightmoon_contract::{ActorRef, Caller, Mono, NetId, SessionId, contract, contracts, replicate};
use lightmoon_node::Game;
use lightmoon_sim::link::LinkOptions;
use lightmoon_sim::{Judge, Player, Rules, Sight, Staleness, Violation, World as SimWorld};
use lightmoon_zone::{
    EntityLook, InterestOptions, NetIdentity, Update, Zone, ZoneBuilder, ZoneOptions, ZoneRandom, ZoneTime,
};

/// The player.
#[contract]
pub trait Pilot {
    /// Goes into a zone, out of the one before.
    #[operation(client = own, timeout_ms = 3000, rate = 20)]
    async fn enter(zone: u64) -> NetId;
}

/// The zone.
#[contract(ticking)]
pub trait Field {
    /// Makes an avatar.
    #[operation]
    fn spawn(player: u64) -> NetId;
    /// Removes it.
    #[operation]
    fn remove(player: u64);
    /// Moves the caller's avatar.
    #[operation(client = zone, reliability = unreliable_latest, rate = 60)]
    fn go(x: f32, y: f32);
}

/// Where something is.
#[replicate(state)]
#[derive(Clone, Copy, Debug, PartialEq, Component)]
pub(crate) struct Place {
    /// East.
    #[quantise(min = -256.0, max = 255.75, step = 0.25)]
    pub x: f32,
    /// North.
    #[quantise(min = -256.0, max = 255.75, step = 0.25)]
    pub y: f32,
}

/// What something is called; changes now and then.
#[replicate(sticky)]
#[derive(Clone, Debug, PartialEq, Component)]
pub(crate) struct Tag {
    /// The name.
    pub name: String,
}

contracts! { game = "sim-tests", contracts = [Pilot, Field], components = [Place, Tag], lock = none }

const SIDE: f32 = 150.0;
const RADIUS: f32 = 90.0;

#[derive(Debug, Default)]
struct TestPilot {
    session: Option<SessionId>,
    zone: Option<u64>,
}

impl Actor for TestPilot {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self::default()
    }

    fn connected(&mut self, _cx: &mut Cx, session: SessionId) {
        self.session = Some(session);
    }

    fn disconnected(&mut self, cx: &mut Cx, session: SessionId) {
        if self.session == Some(session) {
            self.session = None;
            self.leave(cx);
        }
    }
}

impl TestPilot {
    fn leave(&mut self, cx: &mut Cx) {
        if let Some(zone) = self.zone.take() {
            let player = cx.key();
            let _undelivered = cx.to(ActorRef::<FieldContract>::new(zone)).remove(player);
        }
    }
}

impl Pilot<Cx> for TestPilot {
    async fn enter(&mut self, cx: &mut Cx, zone: u64) -> NetId {
        self.leave(cx);
        let player = cx.key();
        let field = ActorRef::<FieldContract>::new(zone);
        let Ok(avatar) = cx.to(field).spawn(player).await else { return NetId::NONE };
        self.zone = Some(zone);
        if let Some(session) = self.session {
            cx.attach(session, field.id(), avatar);
        }
        avatar
    }
}

#[derive(Component)]
struct Avatar(u64);

/// Something that drifts for a while.
#[derive(Component)]
struct Drifter {
    way: [f32; 2],
    until: u64,
}

#[derive(Debug)]
struct TestField;

/// The zone that is full, and rests now and then.
pub(crate) const HERD: u64 = 3;

/// What a zone is like.
#[derive(Resource)]
struct Nature {
    drifters: usize,
    /// Most that they move in a tick, each way.
    speed: f32,
    rests: bool,
}

impl Nature {
    /// Ticks of which each `PERIOD` begins with `MOVES` of motion; in the others nothing changes.
    const PERIOD: u64 = 260;
    const MOVES: u64 = 120;

    const fn of(key: u64) -> Self {
        if key == HERD {
            Self { drifters: 120, speed: 0.5, rests: true }
        } else {
            Self { drifters: 40, speed: 2.0, rests: false }
        }
    }

    fn moves(nature: Res<'_, Self>, time: Res<'_, ZoneTime>) -> bool {
        !nature.rests || time.tick().0 % Self::PERIOD < Self::MOVES
    }
}

impl Zone for TestField {
    fn build(zone: &mut ZoneBuilder<'_>) {
        let nature = Nature::of(zone.key());
        zone.insert_resource(nature)
            .replicate::<Place>()
            .replicate::<Tag>()
            .interest(InterestOptions::radius(RADIUS), |place: &Place| [place.x, place.y])
            .add_systems(Update, (drift, wither, sprout, rename).chain().run_if(Nature::moves));
    }
}

fn drift(mut drifters: Query<'_, '_, (&Drifter, &mut Place)>) {
    for (drifter, mut place) in &mut drifters {
        place.x = (place.x + drifter.way[0]).clamp(-SIDE, SIDE);
        place.y = (place.y + drifter.way[1]).clamp(-SIDE, SIDE);
    }
}

fn wither(
    time: Res<'_, ZoneTime>,
    drifters: Query<'_, '_, (Entity, &Drifter)>,
    mut commands: Commands<'_, '_>,
) {
    for (entity, _) in drifters.iter().filter(|(_, drifter)| drifter.until <= time.tick().0) {
        commands.entity(entity).despawn();
    }
}

fn sprout(
    time: Res<'_, ZoneTime>,
    mut random: ResMut<'_, ZoneRandom>,
    nature: Res<'_, Nature>,
    drifters: Query<'_, '_, &Drifter>,
    mut commands: Commands<'_, '_>,
) {
    for _ in drifters.iter().count()..nature.drifters {
        let mut within = |side: f32| (random.f32() * 2.0 - 1.0) * side;
        let place = Place { x: within(SIDE), y: within(SIDE) };
        let way = [within(nature.speed), within(nature.speed)];
        let until = time.tick().0 + random.u64(10..300);
        commands.spawn((place, Tag { name: format!("drifter {until}") }, Drifter { way, until }));
    }
}

fn rename(time: Res<'_, ZoneTime>, mut tags: Query<'_, '_, (&NetIdentity, &mut Tag)>) {
    let tick = time.tick().0;
    for (_, mut tag) in tags.iter_mut().filter(|(identity, _)| (identity.id().0 + tick).is_multiple_of(37)) {
        tag.name = format!("renamed {tick}");
    }
}

impl Field<Cx, World> for TestField {
    fn spawn(world: &mut World, _cx: &mut Cx, player: u64) -> NetId {
        let tag = Tag { name: format!("player {player}") };
        let entity = world.spawn((Avatar(player), Place { x: 0.0, y: 0.0 }, tag)).id();
        world.flush();
        world.get::<NetIdentity>(entity).map_or(NetId::NONE, NetIdentity::id)
    }

    fn remove(world: &mut World, _cx: &mut Cx, player: u64) {
        if let Some(entity) = avatar_of(world, player) {
            world.despawn(entity);
        }
    }

    fn go(world: &mut World, cx: &mut Cx, x: f32, y: f32) {
        let Caller::Client { player, .. } = cx.caller() else { return };
        if !world.run_system_cached(Nature::moves).unwrap_or(true) {
            return;
        }
        let Some(mut place) = avatar_of(world, player).and_then(|entity| world.get_mut::<Place>(entity))
        else {
            return;
        };
        *place = Place { x: x.clamp(-SIDE, SIDE), y: y.clamp(-SIDE, SIDE) };
    }
}

fn avatar_of(world: &mut World, player: u64) -> Option<Entity> {
    world
        .query::<(Entity, &Avatar)>()
        .iter(world)
        .find(|(_, avatar)| avatar.0 == player)
        .map(|(entity, _)| entity)
}

/// The game.
pub(crate) fn game() -> Game {
    Game::new(descriptor())
        .player::<PilotContract, TestPilot>()
        .zone::<FieldContract, TestField>(ZoneOptions::default())
        .start::<FieldContract>([1, 2])
}

/// The same, with so few bytes that a herd does not fit them.
pub(crate) fn narrow_game() -> Game {
    let options = ZoneOptions { bytes_per_second: 1_000, ..ZoneOptions::default() };
    Game::new(descriptor())
        .player::<PilotContract, TestPilot>()
        .zone::<FieldContract, TestField>(options)
        .start::<FieldContract>([1, 2, HERD])
}

/// A player that walks in circles and changes zones.
#[derive(Debug)]
pub(crate) struct Walker {
    random: fastrand::Rng,
    next: Mono,
    asked: Vec<(u64, Mono)>,
    waiting: bool,
    steps: u64,
    zones: std::ops::RangeInclusive<u64>,
    /// One step of so many goes to another zone, or into the same again.
    enters_every: u16,
    /// Angle of a step.
    turn: f32,
}

impl Walker {
    pub(crate) fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self {
            random,
            next: Mono::default(),
            asked: Vec::new(),
            waiting: false,
            steps: 0,
            zones: 1..=2,
            enters_every: 40,
            turn: 0.1,
        }
    }

    /// The same, among a herd most of the time.
    pub(crate) fn of_herd(seed: u64) -> Self {
        Self { zones: HERD..=HERD, enters_every: 150, turn: 0.01, ..Self::new(seed) }
    }

    fn enter(&mut self, now: Mono, client: &mut Client) {
        let zone = self.random.u64(self.zones.clone());
        let pending = client.me::<PilotContract>().enter(zone);
        self.asked.push((pending.request(), now + Duration::from_secs(4)));
        self.waiting = true;
    }
}

impl Player for Walker {
    fn on_event(&mut self, _now: Mono, event: &Event, _client: &mut Client) {
        if matches!(event, Event::Answered { .. }) {
            self.waiting = false;
        }
    }

    fn think(&mut self, now: Mono, client: &mut Client) {
        self.next = now + Duration::from_millis(100);
        self.steps += 1;
        if *client.state() != ConnectionState::Connected || self.waiting {
            return;
        }
        if client.attached().is_none() || self.random.u16(..self.enters_every) == 0 {
            return self.enter(now, client);
        }
        let angle = self.steps as f32 * self.turn;
        let _unsent = client.zone::<FieldContract>().go(angle.cos() * 100.0, angle.sin() * 100.0);
    }

    fn next_thought(&self) -> Option<Mono> {
        Some(self.next)
    }

    fn asked(&mut self) -> Vec<(u64, Mono)> {
        std::mem::take(&mut self.asked)
    }
}

/// A world of walkers and a judge that knows its rules.
pub(crate) fn world(seed: u64, links: LinkOptions, walkers: u64) -> (SimWorld<Walker>, Judge) {
    let mut world = SimWorld::new(game, seed, links).expect("the test game fits together");
    for number in 0..walkers {
        let options = ClientOptions::new(descriptor(), &[Place::SPEC, Tag::SPEC])
            .expect("the components have different numbers");
        world.join(options.token(format!("walker {number}")), Walker::new(seed * 100 + number));
    }
    (world, Judge::new(&[Place::SPEC, Tag::SPEC], rules(links)))
}

pub(crate) fn rules(links: LinkOptions) -> Rules {
    let sight = Sight { place_of, radius: RADIUS.into(), radius_leave: f64::from(RADIUS) * 1.1, room: 1.0 };
    // Five ticks: four until the viewer looks around, one until the zone sends.
    let staleness = Staleness::of(&links);
    Rules { in_flight: links.slowest() + Duration::from_millis(250), sight, staleness }
}

fn place_of(look: &EntityLook) -> Option<[f64; 2]> {
    let place = Place::restore(look.state.get(&Place::SPEC.number)?)?;
    Some([place.x.into(), place.y.into()])
}

/// Runs a judged world for some seconds.
pub(crate) fn run(world: &mut SimWorld<Walker>, judge: &mut Judge, seconds: u64) -> Result<(), Violation> {
    let until = world.now() + Duration::from_secs(seconds);
    world.run_until(until, |world| judge.look(world))
}
