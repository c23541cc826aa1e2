//! The rules: people are dots that walk in a meadow.
//!
//! There is no line here that sends, saves or locks. What a client may call stands in the trait; what clients see is the
//! component `Dot`; what is kept has a name to be kept under. Who comes gets a dot, and who goes takes it away: `Host`.

use bevy_ecs::prelude::*;
use lightmoon::prelude::*;

/// A dot, as clients see it, in steps of a sixteenth of a metre.
#[replicate(state, persist = "dot")]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Dot {
    /// Metres to the right of the middle.
    #[quantise(min = -64.0, max = 64.0, step = 0.0625)]
    pub x: f32,
    /// Metres above the middle.
    #[quantise(min = -64.0, max = 64.0, step = 0.0625)]
    pub y: f32,
}

/// Where a dot walks to.
#[data(persist = "goal")]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Goal {
    /// Metres to the right of the middle.
    pub x: f32,
    /// Metres above the middle.
    pub y: f32,
}

/// The meadow: a world that ticks.
#[contract(ticking)]
pub trait Meadow {
    /// Walks there. Of several calls on the way the newest wins.
    #[operation(client = zone, reliability = unreliable_latest, rate = 60)]
    fn walk(to: Goal);
}

contracts! { game = "meadow", contracts = [Meadow], components = [Dot] }

/// Puts the game together: one meadow, which every player visits.
pub fn game() -> Game {
    Game::new(descriptor())
        .host::<MeadowContract, TheMeadow>(ZoneOptions::default())
        .start::<MeadowContract>([1])
        .visits::<MeadowContract>(|_player| 1)
}

struct TheMeadow;

impl Zone for TheMeadow {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Dot>()
            .interest::<Dot>(InterestOptions::radius(200.0), |dot| [dot.x, dot.y])
            .persist_all::<(Dot, Goal)>()
            .add_systems(Update, walk);
    }
}

impl Host for TheMeadow {
    fn enter(world: &mut World, _player: u64) -> Option<Entity> {
        Some(world.spawn((Dot::default(), Goal::default())).id())
    }
}

impl Meadow<Cx, World> for TheMeadow {
    fn walk(world: &mut World, cx: &mut Cx, to: Goal) {
        // A client may send what is no number.
        if (to.x + to.y).is_finite() {
            Avatar::put(world, cx, to);
        }
    }
}

/// Metres that a dot walks in a second.
const SPEED: f32 = 12.0;

/// An ordinary system: each dot comes a step closer to its goal, and no dot leaves the meadow.
fn walk(time: Res<'_, ZoneTime>, mut dots: Query<'_, '_, (&mut Dot, &Goal)>) {
    let step = SPEED * time.step_seconds();
    for (mut dot, to) in &mut dots {
        let (x, y) = (to.x.clamp(-60.0, 60.0) - dot.x, to.y.clamp(-60.0, 60.0) - dot.y);
        let part = step / (x * x + y * y).sqrt().max(step);
        dot.set_if_neq(Dot { x: dot.x + x * part, y: dot.y + y * part });
    }
}
