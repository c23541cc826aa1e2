//! The smallest game that has a player, a zone and one operation of each sort.

use bevy_ecs::prelude::*;
use lightmoon_actor::{Actor, Cx};
use lightmoon_contract::{ActorId, ActorRef, NetId, SessionId, contract, contracts, replicate};
use lightmoon_node::Game;
use lightmoon_zone::{InterestOptions, NetIdentity, Outgoing, Update, Zone, ZoneBuilder, ZoneOptions};

/// The player.
#[contract]
pub trait Pilot {
    /// Goes into a zone; answers the avatar.
    #[operation(client = own)]
    async fn enter(zone: u64) -> NetId;
    /// Leaves the zone.
    #[operation(client = own)]
    fn leave();
    /// Twice the number.
    #[operation(client = own, rate = 1000)]
    fn double(number: u32) -> u32;
    /// Twice the number, at most two a second.
    #[operation(client = own, rate = 2)]
    fn rarely(number: u32) -> u32;
    /// Waits for an answer that never comes within its time.
    #[operation(client = own, timeout_ms = 1000)]
    async fn never() -> u32;
    /// Fails.
    #[operation(client = own)]
    fn fail() -> u32;
    /// Waits, then fails.
    #[operation(client = own, timeout_ms = 5000)]
    async fn fail_late() -> u32;
    /// Ends this activation, whose drop fails.
    #[operation(client = own)]
    fn end_badly();
    /// Asks another player for twice the number.
    #[operation(client = own)]
    async fn ask_other(player: u64, number: u32) -> u32;
    /// Asks another player, who asks back.
    #[operation(client = own, timeout_ms = 5000)]
    async fn ask_in_circle(player: u64, back: u64) -> String;
    /// Not for clients.
    #[operation]
    fn hidden() -> u32;
    /// How often clients came and went: connected * 1000 + disconnected.
    #[operation(client = own)]
    fn visits() -> u32;
    /// Keys of the zones that failed while the client looked at them.
    #[operation(client = own)]
    fn lost() -> Vec<u64>;
    /// Greets its client by a push.
    #[operation(client = own)]
    fn greet();
    /// A greeting.
    #[operation(push)]
    fn greeted(text: String);
    /// Tells its client where something is, twice; only the newer one is worth having.
    #[operation(client = own)]
    fn point();
    /// Where it is.
    #[operation(push, reliability = unreliable_latest)]
    fn pointed(place: u32);
    /// Greets its client by more than a link takes at once.
    #[operation(client = own)]
    fn flood();
}

/// The zone.
#[contract(ticking)]
pub trait Arena {
    /// Makes an avatar.
    #[operation]
    fn spawn() -> NetId;
    /// Counts a touch; answers all of them.
    #[operation(client = zone, priority = high)]
    fn touch() -> u32;
    /// Makes a system of the next tick panic.
    #[operation(client = zone)]
    fn break_next_tick();
    /// Anybody may ask the time.
    #[operation(client = any)]
    fn ticks() -> u32;
}

/// Where something is.
#[replicate(state)]
#[derive(Clone, Copy, Debug, PartialEq, Component)]
pub(crate) struct Place {
    /// East.
    #[quantise(min = -128.0, max = 128.0, step = 0.25)]
    pub x: f32,
    /// North.
    #[quantise(min = -128.0, max = 128.0, step = 0.25)]
    pub y: f32,
}

contracts! { game = "node-tests", contracts = [Pilot, Arena], components = [Place] }

/// A player that counts its clients.
#[derive(Debug, Default)]
pub(crate) struct TestPilot {
    session: Option<SessionId>,
    connected: u32,
    disconnected: u32,
    zones_lost: Vec<u64>,
    ends_badly: bool,
}

impl Drop for TestPilot {
    fn drop(&mut self) {
        assert!(!self.ends_badly || std::thread::panicking(), "asked to end badly");
    }
}

impl Actor for TestPilot {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self::default()
    }

    fn connected(&mut self, _cx: &mut Cx, session: SessionId) {
        self.session = Some(session);
        self.connected += 1;
    }

    fn disconnected(&mut self, _cx: &mut Cx, session: SessionId) {
        self.disconnected += 1;
        if self.session == Some(session) {
            self.session = None;
        }
    }

    fn zone_lost(&mut self, _cx: &mut Cx, _session: SessionId, zone: ActorId) {
        self.zones_lost.push(zone.key);
    }
}

impl Pilot<Cx> for TestPilot {
    async fn enter(&mut self, cx: &mut Cx, zone: u64) -> NetId {
        let zone = ActorRef::<ArenaContract>::new(zone);
        let Ok(avatar) = cx.to(zone).spawn().await else { return NetId::NONE };
        if let Some(session) = self.session {
            cx.attach(session, zone.id(), avatar);
        }
        avatar
    }

    fn leave(&mut self, cx: &mut Cx) {
        if let Some(session) = self.session {
            cx.detach(session);
        }
    }

    fn double(&mut self, _cx: &mut Cx, number: u32) -> u32 {
        number.wrapping_mul(2)
    }

    fn rarely(&mut self, _cx: &mut Cx, number: u32) -> u32 {
        number.wrapping_mul(2)
    }

    async fn never(&mut self, cx: &mut Cx) -> u32 {
        cx.sleep(std::time::Duration::from_secs(5)).await;
        0
    }

    fn fail(&mut self, _cx: &mut Cx) -> u32 {
        panic!("asked to fail")
    }

    async fn fail_late(&mut self, cx: &mut Cx) -> u32 {
        cx.sleep(std::time::Duration::from_millis(20)).await;
        panic!("asked to fail late")
    }

    fn end_badly(&mut self, cx: &mut Cx) {
        self.ends_badly = true;
        cx.stop();
    }

    async fn ask_other(&mut self, cx: &mut Cx, player: u64, number: u32) -> u32 {
        cx.to(ActorRef::<PilotContract>::new(player)).double(number).await.unwrap_or(0)
    }

    async fn ask_in_circle(&mut self, cx: &mut Cx, player: u64, back: u64) -> String {
        let answer = cx.to(ActorRef::<PilotContract>::new(player)).ask_in_circle(back, player).await;
        answer.unwrap_or_else(|error| error.to_string())
    }

    fn hidden(&mut self, _cx: &mut Cx) -> u32 {
        1
    }

    fn visits(&mut self, _cx: &mut Cx) -> u32 {
        self.connected * 1_000 + self.disconnected
    }

    fn lost(&mut self, _cx: &mut Cx) -> Vec<u64> {
        self.zones_lost.clone()
    }

    fn greet(&mut self, cx: &mut Cx) {
        if let Some(session) = self.session {
            cx.push(session, pilot::Greeted { text: "hello".into() });
        }
    }

    fn point(&mut self, cx: &mut Cx) {
        if let Some(session) = self.session {
            cx.push(session, pilot::Pointed { place: 1 });
            cx.push(session, pilot::Pointed { place: 2 });
        }
    }

    fn flood(&mut self, cx: &mut Cx) {
        for _ in 0..20 {
            if let Some(session) = self.session {
                cx.push(session, pilot::Greeted { text: "a".repeat(60_000) });
            }
        }
    }
}

/// What a zone counts.
#[derive(Resource, Default)]
struct Count {
    touches: u32,
    ticks: u32,
    breaks: bool,
}

/// The zone's kind.
#[derive(Debug)]
pub(crate) struct TestArena;

impl Zone for TestArena {
    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.tick_rate(20)
            .replicate::<Place>()
            .interest(InterestOptions::default(), |place: &Place| [place.x, place.y])
            .init_resource::<Count>()
            .add_systems(Update, advance);
    }
}

fn advance(mut count: ResMut<'_, Count>, mut places: Query<'_, '_, &mut Place>, _out: ResMut<'_, Outgoing>) {
    assert!(!count.breaks, "asked to break");
    count.ticks += 1;
    for mut place in &mut places {
        place.x = (place.x + 0.25) % 100.0;
    }
}

impl Arena<Cx, World> for TestArena {
    fn spawn(world: &mut World, _cx: &mut Cx) -> NetId {
        let entity = world.spawn(Place { x: 0.0, y: 0.0 }).id();
        world.get::<NetIdentity>(entity).map_or(NetId::NONE, |identity| identity.id())
    }

    fn touch(world: &mut World, _cx: &mut Cx) -> u32 {
        let mut count = world.resource_mut::<Count>();
        count.touches += 1;
        count.touches
    }

    fn break_next_tick(world: &mut World, _cx: &mut Cx) {
        world.resource_mut::<Count>().breaks = true;
    }

    fn ticks(world: &mut World, _cx: &mut Cx) -> u32 {
        world.resource::<Count>().ticks
    }
}

/// The game.
pub(crate) fn game() -> Game {
    Game::new(descriptor())
        .player::<PilotContract, TestPilot>()
        .zone::<ArenaContract, TestArena>(ZoneOptions::default())
        .start::<ArenaContract>([1, 2])
}
