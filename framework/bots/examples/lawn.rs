//! A game with bots: dots that hop about on a lawn. The integration tests play it; `lawn serve --bots 5`, then `lawn bots`.

use std::process::ExitCode;
use std::time::Duration;

use bevy_ecs::prelude::*;
use lightmoon::App;
use lightmoon::contract::Replicate;
use lightmoon::prelude::*;
use lightmoon_bots::{Bot, Bots, Client, Rng};

/// A dot, as clients see it.
#[replicate(state)]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Dot {
    /// Metres to the right of the middle.
    #[quantise(min = -64.0, max = 64.0, step = 0.0625)]
    pub x: f32,
}

/// The lawn: a world that ticks.
#[contract(ticking)]
pub trait Lawn {
    /// Hops there.
    #[operation(client = zone, rate = 60)]
    fn hop(x: f32);
}

contracts! { game = "lawn", contracts = [Lawn], components = [Dot], lock = none }

struct TheLawn;

impl Zone for TheLawn {
    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Dot>().interest::<Dot>(InterestOptions::radius(200.0), |dot| [dot.x, 0.0]);
    }
}

impl Host for TheLawn {
    fn enter(world: &mut World, _player: u64) -> Option<Entity> {
        Some(world.spawn(Dot::default()).id())
    }
}

impl Lawn<Cx, World> for TheLawn {
    fn hop(world: &mut World, cx: &mut Cx, x: f32) {
        if x.is_finite() {
            Avatar::put(world, cx, Dot { x });
        }
    }
}

struct Hopper;

impl Bot for Hopper {
    fn act(&mut self, client: &mut Client, random: &mut Rng) -> Duration {
        // What cannot be sent now is said again soon.
        let _sent = client.zone::<LawnContract>().hop(random.f32() * 100.0 - 50.0);
        Duration::from_millis(200)
    }
}

fn main() -> ExitCode {
    let game = Game::new(descriptor())
        .host::<LawnContract, TheLawn>(ZoneOptions::default())
        .start::<LawnContract>([1])
        .visits::<LawnContract>(|_player| 1);
    let bots = Bots::new(descriptor(), &[Dot::SPEC]).script("hop", || Hopper);
    App::new(game).title("Lawn").verb(bots.verb()).extension(bots.beside(0)).run()
}
