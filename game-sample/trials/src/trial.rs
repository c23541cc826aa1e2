//! One run of one scenario: the world of the sample game, its bots, its judges.
//!
//! *Responsible for*: what scenarios are written with. *Not responsible for*: the scenarios.

use std::fmt;
use std::time::Duration;

use game_sample::world_map;
use game_sample_bots::Bot;
use game_sample_bots::report::Tally;
use game_sample_contracts::{Label, Pose};
use lightmoon::node::{Authenticate as _, Guests};
use lightmoon::zone::EntityLook;
use lightmoon_contract::{Mono, Replicate};
use lightmoon_sim::{
    ClientNumber, Judge, LinkOptions, Rules, Sight, Staleness, StoreOptions, Violation, World,
};

use crate::fleet::Fleet;
use crate::market;
use crate::mines::Mines;
use crate::ore::Ores;
use crate::pilot::Pilot;

/// Two ships that fly apart at full boost move this far in a tick of 50 ms; a tick lies between truth and view.
const ROOM: f64 = 2.0 * 320.0 * 0.05;

/// Room for the two ticks between a change, its being noticed and its being sent.
const TICKS: Duration = Duration::from_millis(100);

/// A run under way.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Chances of the scenario itself.
    pub(crate) random: fastrand::Rng,
    seed: u64,
    links: LinkOptions,
    /// When nothing is on its way any more that was sent over other links.
    settled_at: Option<Mono>,
    world: World<Pilot>,
    judge: Judge,
    fleet: Fleet,
    mines: Mines,
    ores: Ores,
}

/// What a run came to; equal for equal seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) trace: u64,
    pub(crate) state: u64,
    pub(crate) compared: u64,
    pub(crate) answered: u64,
}

/// Why a run failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    what: String,
}

impl Failure {
    pub(crate) const fn new(what: String) -> Self {
        Self { what }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Trial {
    /// The sample's world of this seed, without bots, over clean links.
    pub(crate) fn new(seed: u64) -> Self {
        let links = LinkOptions::CLEAN;
        let world =
            World::new(game_sample::game, seed, links).expect("the sample's definition fits together");
        let judge = Judge::new(&[Pose::SPEC, Label::SPEC], rules(links));
        Self {
            random: fastrand::Rng::with_seed(seed ^ 0x7216_a100),
            seed,
            links,
            settled_at: None,
            world,
            judge,
            fleet: Fleet::default(),
            mines: Mines::default(),
            ores: Ores::default(),
        }
    }

    /// Lets bots join; one of `gate_every` of their goals is a gate.
    pub(crate) fn join(&mut self, count: u64, gate_every: u32) {
        self.join_as(count, |bot| bot.with_gate_every(gate_every));
    }

    /// Lets bots join that mine.
    pub(crate) fn join_miners(&mut self, count: u64) {
        self.join_as(count, Bot::mining);
    }

    /// Lets bots join that mine and trade, all of one home, so that they meet.
    pub(crate) fn join_traders(&mut self, count: usize) {
        let home = 1 + self.seed % world_map::HOMES;
        let names = (0..).map(|number| format!("bot {number}"));
        let at_home = names.filter(|name| home_of(name) == home).take(count);
        for (name, number) in at_home.zip(0..) {
            let seed = self.seed.wrapping_mul(1_000).wrapping_add(number);
            let bot = Bot::new(seed).named(name.clone()).with_gate_every(20).trading();
            self.world.join(Bot::client_options(&name), Pilot::new(bot));
        }
    }

    /// Traders begin nothing any more.
    pub(crate) fn rest_from_trading(&mut self) {
        let clients: Vec<ClientNumber> = self.world.clients().map(|(client, _, _)| client).collect();
        for client in clients {
            self.world.player_mut(client).bot.rest_from_trading();
        }
    }

    fn join_as(&mut self, count: u64, make: impl Fn(Bot) -> Bot) {
        for number in 0..count {
            let name = format!("bot {number}");
            let seed = self.seed.wrapping_mul(1_000).wrapping_add(number);
            let bot = make(Bot::new(seed).named(name.clone()));
            self.world.join(Bot::client_options(&name), Pilot::new(bot));
        }
    }

    /// Changes the network from now on.
    pub(crate) fn links(&mut self, links: LinkOptions) {
        // What is on its way keeps its time, and later bytes of its stream wait for it.
        let before = self.links.slowest();
        self.links = links;
        self.world.set_links(links);
        self.judge.disturbed(Rules { in_flight: before + rules(links).in_flight, ..rules(links) });
        self.settled_at = Some(self.now() + before);
    }

    /// Cuts one bot's connection.
    pub(crate) fn cut(&mut self, client: u32) {
        self.world.cut(ClientNumber(client));
    }

    /// Lets the node stand still.
    pub(crate) fn pause(&mut self, length: Duration) {
        self.world.pause(length);
        let links = self.links;
        self.judge.disturbed(Rules { in_flight: rules(links).in_flight + length, ..rules(links) });
    }

    /// Changes what the store is like from now on.
    pub(crate) const fn store(&mut self, options: StoreOptions) {
        self.world.set_store(options);
    }

    /// The node is gone at once, another one begins on the same store, and nothing acknowledged may be missing there.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        self.world.restart();
        self.fleet.killed(self.world.now());
        self.judge.disturbed(rules(self.links));
        self.mined()?;
        self.market(market::check)
    }

    /// Looks at all goods in the store by one of the market's checks.
    pub(crate) fn market<T>(
        &mut self,
        look: fn(&mut World<Pilot>) -> Result<T, Violation>,
    ) -> Result<T, Failure> {
        look(&mut self.world).map_err(|Violation { checker, what }| {
            Failure::new(format!("{checker} at {} ms: {what}", self.now().as_millis()))
        })
    }

    /// Compares what bots were told of their mining with what is in the store.
    pub(crate) fn mined(&mut self) -> Result<(), Failure> {
        let checked = self.mines.check(&mut self.world);
        checked.map_err(|Violation { checker, what }| {
            Failure::new(format!("{checker} at {} ms: {what}", self.now().as_millis()))
        })
    }

    /// Acknowledged crystals so far.
    pub(crate) fn crystals(&self) -> usize {
        self.mines.acknowledged()
    }

    /// All faults are over; from now on everybody must get back to play.
    pub(crate) fn heal(&mut self) {
        self.links(LinkOptions::CLEAN);
        self.store(StoreOptions::default());
        self.judge.heal(self.now());
    }

    /// Runs for some time; the first violation ends it.
    pub(crate) fn run(&mut self, time: Duration) -> Result<(), Failure> {
        let until = self.now() + time;
        if let Some(settled_at) = self.settled_at.filter(|at| *at < until) {
            self.run_until(settled_at)?;
            self.settled_at = None;
            self.judge.disturbed(rules(self.links));
        }
        self.run_until(until)
    }

    fn run_until(&mut self, until: Mono) -> Result<(), Failure> {
        let Self { judge, fleet, mines, ores, .. } = self;
        let ran = self.world.run_until(until, |world| {
            fleet.look(world)?;
            mines.listen(world);
            ores.look(world)?;
            judge.look(world)
        });
        ran.map_err(|Violation { checker, what }| {
            Failure::new(format!("{checker} at {} ms: {what}", self.world.now().as_millis()))
        })
    }

    /// Fails with `what` unless `is` holds.
    pub(crate) fn require(&self, is: bool, what: &str) -> Result<(), Failure> {
        if is { Ok(()) } else { Err(Failure::new(format!("{what}, at {} ms", self.now().as_millis()))) }
    }

    /// What all bots together counted.
    pub(crate) fn count(&self, of: fn(&Tally) -> u64) -> u64 {
        self.world.clients().map(|(_, _, pilot)| of(&pilot.tally)).sum()
    }

    /// Whether every bot sees a sector.
    pub(crate) fn all_play(&self) -> bool {
        self.world.clients().all(|(_, client, _)| client.attached().is_some())
    }

    /// What the run came to.
    pub(crate) fn outcome(&self) -> Result<Outcome, Failure> {
        let (compared, answered) = self.judge.seen();
        self.require(compared > 0 && answered > 0, "nothing was compared, so nothing was proved")?;
        Ok(Outcome { trace: self.world.trace_hash(), state: self.world.state_hash(), compared, answered })
    }

    fn now(&self) -> Mono {
        self.world.now()
    }
}

/// Where a guest of this token has its home.
fn home_of(token: &str) -> u64 {
    let identity = Guests.authenticate(token.as_bytes());
    identity.map_or(0, |identity| world_map::home_of(identity.player))
}

fn rules(links: LinkOptions) -> Rules {
    // Bots of trials start at home, and no gate leads to where one sees less far.
    let interest = game_sample::sector::interest(&world_map::SECTORS[0]);
    let radius = f64::from(interest.radius);
    let radius_leave = radius * (1.0 + f64::from(interest.leave_margin));
    let sight = Sight { place_of, radius, radius_leave, room: ROOM };
    Rules { in_flight: links.slowest() + TICKS, sight, staleness: Staleness::of(&links) }
}

fn place_of(look: &EntityLook) -> Option<[f64; 2]> {
    let pose = Pose::restore(look.state.get(&Pose::SPEC.number)?)?;
    Some([pose.x.into(), pose.y.into()])
}
