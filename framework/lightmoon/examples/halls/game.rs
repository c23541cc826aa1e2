//! Donors give coins to halls, which thank them. Each coin is somewhere, whatever is killed when.

use bevy_ecs::prelude::{Commands, Component, Res, Resource, World};
use lightmoon::Game;
use lightmoon::prelude::*;
use lightmoon::zone::DurableActor;

/// How many halls there are; they have the keys from 1.
pub(crate) const HALLS: u64 = 4;

/// What blocks code that is to block: a named pipe in the current folder, until somebody wrote to it.
pub(crate) const BARRIER: &str = "barrier";

/// Who gives.
#[contract]
pub trait Donor {
    /// Gives coins to a hall; answers how many were given so far.
    #[operation(client = own, durability = sync, rate = 1000)]
    fn give(hall: u64, coins: u32) -> Result<u32, ()>;
    /// A hall's thanks.
    #[operation(reliability = exactly_once)]
    fn thanked(coins: u32);
    /// Coins that were given, and those of which a hall said thanks.
    #[operation(client = own, durability = none, rate = 1000)]
    fn account() -> (u32, u32);
    /// Asks a hall how many coins it has.
    #[operation(client = own, durability = none)]
    async fn visit(hall: u64) -> u32;
}

/// What is given to.
#[contract(ticking)]
pub trait Hall {
    /// Coins of a donor.
    #[operation(reliability = exactly_once)]
    fn given(donor: u64, coins: u32);
    /// How many there are.
    #[operation(client = any, durability = none)]
    fn coins() -> u32;
    /// Does not end until the barrier is open.
    #[operation(client = any, durability = none)]
    fn block() -> bool;
    /// The same in the next tick.
    #[operation(client = any, durability = none)]
    fn block_in_tick() -> bool;
}

/// What is kept of a donor.
#[data(persist = "account")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Account {
    given: u32,
    thanked: u32,
}

/// One gift.
#[data(persist = "gift")]
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Gift {
    coins: u32,
}

/// The next tick blocks.
#[derive(Resource)]
struct Blocks;

lightmoon_contract::contracts! { game = "halls", contracts = [Donor, Hall], components = [] }

#[derive(Debug, Default)]
struct TheDonor(Account);

impl Actor for TheDonor {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self::default()
    }
}

impl DurableActor for TheDonor {
    type State = Account;

    fn state(&self) -> &Account {
        &self.0
    }

    fn restore(_cx: &mut Cx, _key: u64, account: Account) -> Self {
        Self(account)
    }
}

impl Donor<Cx> for TheDonor {
    fn give(&mut self, cx: &mut Cx, hall: u64, coins: u32) -> Result<u32, ()> {
        let me = cx.key();
        cx.to(ActorRef::<HallContract>::new(hall)).given(me, coins).map_err(drop)?;
        self.0.given += coins;
        Ok(self.0.given)
    }

    fn thanked(&mut self, _cx: &mut Cx, coins: u32) {
        self.0.thanked += coins;
    }

    fn account(&mut self, _cx: &mut Cx) -> (u32, u32) {
        (self.0.given, self.0.thanked)
    }

    async fn visit(&mut self, cx: &mut Cx, hall: u64) -> u32 {
        cx.to(ActorRef::<HallContract>::new(hall)).coins().await.unwrap_or(u32::MAX)
    }
}

struct TheHall;

impl Zone for TheHall {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.persist::<Gift>().add_systems(Update, block_if_wanted);
    }

    fn populate(_zone: &mut ZoneBuilder<'_>) {}
}

fn block_if_wanted(mut commands: Commands<'_, '_>, blocks: Option<Res<'_, Blocks>>) {
    if blocks.is_some() {
        commands.remove_resource::<Blocks>();
        wait_at_barrier();
    }
}

fn wait_at_barrier() -> bool {
    std::fs::read(BARRIER).is_ok_and(|bytes| !bytes.is_empty())
}

impl Hall<Cx, World> for TheHall {
    fn given(world: &mut World, cx: &mut Cx, donor: u64, coins: u32) {
        world.spawn(Gift { coins });
        let thanks = cx.to(ActorRef::<DonorContract>::new(donor)).thanked(coins);
        assert_eq!(thanks, Ok(()), "without thanks it is not taken");
    }

    fn coins(world: &mut World, _cx: &mut Cx) -> u32 {
        world.query::<&Gift>().iter(world).map(|gift| gift.coins).sum()
    }

    fn block(_world: &mut World, _cx: &mut Cx) -> bool {
        wait_at_barrier()
    }

    fn block_in_tick(world: &mut World, _cx: &mut Cx) -> bool {
        world.insert_resource(Blocks);
        true
    }
}

/// Halls on worker 2, donors on the others, where there are three workers.
pub(crate) fn game() -> Game {
    Game::new(descriptor())
        .durable_player::<DonorContract, TheDonor>()
        .zone::<HallContract, TheHall>(ZoneOptions::default())
        .start::<HallContract>(1..=HALLS)
        .place::<DonorContract>(|key, workers| u16::try_from(key % 2).unwrap_or_default() % workers)
        .place::<HallContract>(|key, workers| (2 + u16::try_from(key / 4).unwrap_or_default()) % workers)
}
