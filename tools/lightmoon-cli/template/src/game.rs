//! The rules: people are dots that walk in a meadow.
//!
//! There is no line here that sends, saves or locks. What a client may call stands in the two traits; what clients see is the
//! component `Dot`; what is kept is named by `persist`.

use bevy_ecs::prelude::*;
use lightmoon::contract::{Persist, Ref};
use lightmoon::prelude::*;

/// A dot, as clients see it, in steps of a sixteenth of a metre.
#[replicate(state)]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Dot {
    /// Metres to the right of the middle.
    #[quantise(min = -64.0, max = 64.0, step = 0.0625)]
    pub x: f32,
    /// Metres above the middle.
    #[quantise(min = -64.0, max = 64.0, step = 0.0625)]
    pub y: f32,
}

/// Whose dot it is, and where it walks.
#[data]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Walk {
    player: u64,
    to: Place,
}

/// A place in the meadow.
#[data]
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Place {
    /// Metres to the right of the middle.
    pub x: f32,
    /// Metres above the middle.
    pub y: f32,
}

impl Persist for Dot {
    const NAME: &'static str = "dot";
}

impl Persist for Walk {
    const NAME: &'static str = "walk";
}

/// The meadow: a world that ticks.
#[contract(ticking)]
pub trait Meadow {
    /// Walks there. Of several calls on the way the newest wins.
    #[operation(client = zone, reliability = unreliable_latest, rate = 60)]
    fn walk(to: Place);

    /// Puts a player's dot into the meadow, or finds it there. Asked by the player.
    #[operation(timeout_ms = 5000)]
    fn enter(player: u64) -> NetId;
}

/// A player.
#[contract]
pub trait Walker {
    /// Goes to the meadow.
    #[operation(client = own, rate = 2, timeout_ms = 5000)]
    async fn play() -> bool;
}

contracts! { game = "meadow", contracts = [Meadow, Walker], components = [Dot] }

/// Puts the game together.
pub fn game() -> Game {
    Game::new(descriptor())
        .player::<WalkerContract, ThePlayer>()
        .zone::<MeadowContract, TheMeadow>(ZoneOptions::default())
        .start::<MeadowContract>([1])
}

/// Metres that a dot walks in a second.
const SPEED: f32 = 12.0;

struct TheMeadow;

impl Zone for TheMeadow {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Dot>()
            .interest::<Dot>(InterestOptions::radius(200.0), |dot| [dot.x, dot.y])
            .persist::<Dot>()
            .persist::<Walk>()
            .add_systems(Update, walk);
    }
}

/// An ordinary system: each dot comes a step closer to where it walks.
fn walk(time: Res<'_, ZoneTime>, mut dots: Query<'_, '_, (&mut Dot, &Walk)>) {
    let step = SPEED * time.step_seconds();
    for (mut dot, Walk { to, .. }) in &mut dots {
        let (x, y) = (to.x.clamp(-60.0, 60.0) - dot.x, to.y.clamp(-60.0, 60.0) - dot.y);
        let part = step / (x * x + y * y).sqrt().max(step);
        dot.set_if_neq(Dot { x: dot.x + x * part, y: dot.y + y * part });
    }
}

impl Meadow<Cx, World> for TheMeadow {
    fn walk(world: &mut World, cx: &mut Cx, to: Place) {
        let Caller::Client { player, .. } = cx.caller() else { return };
        let mut dots = world.query::<&mut Walk>();
        if let Some(mut walk) = dots.iter_mut(world).find(|walk| walk.player == player) {
            walk.to = to;
        }
    }

    fn enter(world: &mut World, _cx: &mut Cx, player: u64) -> NetId {
        let mut dots = world.query::<(&Walk, &NetIdentity)>();
        if let Some((_, identity)) = dots.iter(world).find(|(walk, _)| walk.player == player) {
            return identity.id();
        }
        let dot = world.spawn((Dot::default(), Walk { player, ..Walk::default() })).id();
        world.flush();
        world.get::<NetIdentity>(dot).expect("a dot has a place, so it has an identity").id()
    }
}

/// What the server knows of a player while it is here.
struct ThePlayer {
    session: Option<SessionId>,
}

impl Actor for ThePlayer {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self { session: None }
    }

    fn connected(&mut self, _cx: &mut Cx, session: SessionId) {
        self.session = Some(session);
    }
}

impl Walker<Cx> for ThePlayer {
    async fn play(&mut self, cx: &mut Cx) -> bool {
        let (meadow, player) = (Ref::<MeadowContract>::new(1), cx.key());
        let Ok(dot) = cx.to(meadow).enter(player).await else { return false };
        if let Some(session) = self.session {
            cx.attach(session, meadow.id(), dot);
        }
        true
    }
}
