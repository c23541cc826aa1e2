//! One storm: clients at work, faults of all kinds, auditors after each crash; then all heals and everything must work.

use std::time::Duration;

use lightmoon_client::ClientOptions;
use lightmoon_contract::Mono;
use lightmoon_node::NodeOptions;
use lightmoon_sim::checker::ledger::Moment;
use lightmoon_sim::checker::{Forward, Ledger};
use lightmoon_sim::{ClientNumber, LinkOptions, StoreOptions, Violation, World};

use super::client::{Asker, NAMES, News};
use super::{audit, game};

const CLIENTS: u64 = 3;

/// A commit, or a snapshot of some parts, over a sound store, with room for the turn that makes it.
const FLUSH: Duration = Duration::from_secs(1);

/// What a storm was like: one that saw nothing proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) crashes: u64,
    pub(crate) told: u64,
    pub(crate) compared: u64,
    pub(crate) snapshots: u64,
    pub(crate) unknown: u64,
    pub(crate) formers: u64,
    pub(crate) stops: u64,
}

impl Seen {
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            crashes: self.crashes + other.crashes,
            told: self.told + other.told,
            compared: self.compared + other.compared,
            snapshots: self.snapshots + other.snapshots,
            unknown: self.unknown + other.unknown,
            formers: self.formers + other.formers,
            stops: self.stops + other.stops,
        }
    }
}

/// Runs the storm of a seed with the right product.
pub(crate) fn storm(seed: u64) -> Result<Seen, Violation> {
    let mut storm = Storm::new(seed, Storm::options());
    storm.rage()?;
    storm.heal()?;
    Ok(storm.seen())
}

/// A storm under way.
pub(crate) struct Storm {
    random: fastrand::Rng,
    world: World<Asker>,
    ledger: Ledger,
    forward: Forward,
    /// Only crashes and orderly ends: then `behind` effects are held to their bound.
    is_sound: bool,
    /// Until then, at least, something is disturbed.
    disturbed_until: Mono,
    /// When the last answer of a former node has arrived.
    forgive_at: Option<Mono>,
    seen: Seen,
}

impl Storm {
    pub(crate) fn options() -> NodeOptions {
        NodeOptions::default()
    }

    pub(crate) fn new(seed: u64, options: NodeOptions) -> Self {
        game::take_kept();
        let mut random = fastrand::Rng::with_seed(seed);
        let is_sound = random.u8(..3) == 0;
        let links =
            if is_sound || random.bool() { LinkOptions::CLEAN } else { LinkOptions::drawn(&mut random) };
        let mut world = World::with(game::game, seed, links, options).expect("the test game fits together");
        for number in 0..CLIENTS {
            let options = ClientOptions::new(game::descriptor(), &[]).expect("there are no components");
            world.join(options.token(format!("asker {number}")), Asker::new(seed, number));
        }
        if !is_sound {
            world.set_store(drawn(&mut random));
        }
        let (ledger, forward) = (Ledger::default(), Forward::default());
        let (disturbed_until, forgive_at) = (Mono(0), None);
        Self { random, world, ledger, forward, is_sound, disturbed_until, forgive_at, seen: Seen::default() }
    }

    pub(crate) fn hashes(&self) -> (u64, u64) {
        (self.world.trace_hash(), self.world.state_hash())
    }

    fn seen(mut self) -> Seen {
        let (told, compared, snapshots) = (self.ledger.told, self.ledger.compared, self.forward.compared);
        Seen { told, compared, snapshots, unknown: self.world.store().unknown_told(), ..self.seen }
    }

    /// Anything may fail, nothing wrong may happen.
    pub(crate) fn rage(&mut self) -> Result<(), Violation> {
        self.run_for(200..2_000)?;
        for _ in 0..self.random.u32(8..16) {
            self.run_for(1..1_500)?;
            match self.random.u8(..if self.is_sound { 6 } else { 12 }) {
                0 | 1 => self.crash()?,
                2 => self.crash_again_and_again()?,
                3 => self.stop()?,
                4 | 5 => self.run_for(2_500..6_000)?,
                6 | 7 => self.replace(),
                8 => {
                    let length = self.random_time(1..3_000);
                    self.world.pause(length);
                    self.disturb(length);
                }
                9 => {
                    let length = self.random_time(1..5_000);
                    self.world.store_down(length);
                    self.disturb(length);
                }
                10 => {
                    let options = drawn(&mut self.random);
                    self.world.set_store(options);
                }
                _ => self.world.cut(ClientNumber(self.random.u32(..3))),
            }
        }
        Ok(())
    }

    /// All faults are over: everybody is served within 30 s, and then everything comes to rest and is stored.
    pub(crate) fn heal(&mut self) -> Result<(), Violation> {
        self.world.set_links(LinkOptions::CLEAN);
        self.world.set_store(StoreOptions::default());
        self.is_sound = true;
        self.disturb(Duration::ZERO);
        self.each(|asker| {
            asker.answered.clear();
            asker.failures.clear();
        });
        for _ in 0..30 {
            self.run(Duration::from_secs(1))?;
        }
        for (client, core, asker) in self.world.clients() {
            if let Some(name) = NAMES.iter().find(|name| !asker.answered.contains(*name)) {
                let state = core.state();
                let what = format!("{client}, {state:?}, was not served `{name}` for 30 s: {asker:?}");
                return Err(Violation::new("liveness", what));
            }
        }
        self.each(|asker| asker.is_quiet = true);
        self.run(Duration::from_secs(5))?;
        let mut tries = 0;
        while self.world.node().report().store.requests > 0 {
            tries += 1;
            if tries > 50 {
                return Err(Violation::new("liveness", "the store's queue is never empty".to_owned()));
            }
            self.run(Duration::from_millis(37))?;
        }
        self.stop()
    }

    fn random_time(&mut self, millis: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(millis))
    }

    fn each(&mut self, act: impl Fn(&mut Asker)) {
        (0..3).map(ClientNumber).for_each(|client| act(self.world.player_mut(client)));
    }

    fn disturb(&mut self, length: Duration) {
        self.disturbed_until = self.disturbed_until.max(self.world.now() + length);
    }

    fn run_for(&mut self, millis: std::ops::Range<u64>) -> Result<(), Violation> {
        let time = self.random_time(millis);
        self.run(time)
    }

    fn run(&mut self, time: Duration) -> Result<(), Violation> {
        let until = self.world.now() + time;
        if let Some(at) = self.forgive_at.take_if(|at| *at <= until) {
            self.run_until(at)?;
            self.ledger.forgive();
        }
        self.run_until(until)?;
        if self.world.is_fenced() {
            // A former node took its generation after this one. Whoever watches over nodes starts another.
            self.world.restart();
            self.lingers(Duration::ZERO);
        }
        Ok(())
    }

    /// What a node does that is none any more may be told for so long, and a moment.
    fn lingers(&mut self, length: Duration) {
        self.disturb(length + Duration::from_secs(3));
        self.forgive_at = Some(self.disturbed_until);
    }

    fn run_until(&mut self, until: Mono) -> Result<(), Violation> {
        let (ledger, forward) = (&mut self.ledger, &mut self.forward);
        let ran = self.world.run_until(until, |world| {
            for client in (0..3).map(ClientNumber) {
                let news = std::mem::take(&mut world.player_mut(client).news);
                news.into_iter().try_for_each(|news| hear(news, ledger, forward))?;
            }
            game::take_kept().into_iter().for_each(|(zone, tick, hash)| forward.had(zone, tick, hash));
            Ok(())
        });
        ran.map_err(|found: Violation| self.dated(found))
    }

    fn dated(&self, Violation { checker, what }: Violation) -> Violation {
        Violation { checker, what: format!("at {} ms: {what}", self.world.now().as_millis()) }
    }

    fn crash(&mut self) -> Result<(), Violation> {
        self.world.restart();
        self.seen.crashes += 1;
        self.audit(false)
    }

    /// Also while actors are being loaded.
    fn crash_again_and_again(&mut self) -> Result<(), Violation> {
        for _ in 0..self.random.u32(2..6) {
            self.crash()?;
            let pause = self.random_time(0..400);
            self.run(pause)?;
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), Violation> {
        self.world.stop();
        let until = self.world.now() + Duration::from_secs(3);
        while !self.world.has_stopped() && !self.world.is_fenced() && self.world.now() < until {
            self.run(Duration::from_millis(20))?;
        }
        let in_order = self.is_sound && self.sound_since().is_some() && self.world.has_stopped();
        if self.is_sound && !self.world.has_stopped() && self.sound_since().is_some() {
            return Err(self.dated(Violation::new("liveness", "the node did not stop within 3 s".to_owned())));
        }
        self.seen.stops += u64::from(in_order);
        self.world.restart();
        self.audit(in_order)
    }

    /// A new node begins while the old one goes on, also with its clients.
    fn replace(&mut self) {
        let length = self.random_time(1..5_000);
        self.world.replace(length);
        self.seen.formers += 1;
        self.lingers(length);
        if self.random.bool() {
            (0..3).map(ClientNumber).for_each(|client| self.world.cut(client));
        }
    }

    fn sound_since(&self) -> Option<Mono> {
        (self.is_sound && self.disturbed_until <= self.world.now()).then_some(self.disturbed_until)
    }

    /// No node runs, or none that has begun: what the store has is what there is.
    fn audit(&mut self, in_order: bool) -> Result<(), Violation> {
        let moment = Moment { at: self.world.now(), sound_since: self.sound_since(), flush: FLUSH, in_order };
        let found = audit::find(moment.at, self.world.store(), &mut self.forward, &mut self.ledger);
        let checked = found.and_then(|found| self.ledger.check(moment, &found));
        checked.map_err(|found| self.dated(found))
    }
}

/// A store that is slow, lies and is away, or is sound.
fn drawn(random: &mut fastrand::Rng) -> StoreOptions {
    let mut share = |most: f64| if random.u8(..3) == 0 { 0.0 } else { random.f64() * most };
    let (unknown, unavailable, slow) = (share(0.3), share(0.1), share(1.0));
    StoreOptions {
        latency: Duration::from_micros(200) + Duration::from_millis(300).mul_f64(slow * slow),
        unknown,
        unavailable,
    }
}

fn hear(news: News, ledger: &mut Ledger, forward: &mut Forward) -> Result<(), Violation> {
    match news {
        News::Asked(token, promise) => {
            ledger.asked(token, promise);
            Ok(())
        }
        News::Told(at, token) => ledger.told(at, token),
        News::Refused(token) => ledger.refused(token),
        News::Named(net, token) => forward.named(net, token),
    }
}
