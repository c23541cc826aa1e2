//! One storm: clients that pay, faults of all kinds, auditors at any moment; then all heals and everything must arrive.

use std::time::Duration;

use lightmoon_client::ClientOptions;
use lightmoon_node::NodeOptions;
use lightmoon_sim::{ClientNumber, LinkOptions, StoreOptions, Violation, World};

use super::audit::{Audit, audit};
use super::client::{Deed, NAMES, Payer};
use super::game::{self, PURSES};
use super::watch::Watch;

/// Within this all are served again once all faults are over.
const SERVED_WITHIN: Duration = Duration::from_secs(30);

/// Within this nothing is in flight any more.
const DRAINED_WITHIN: Duration = Duration::from_secs(60);

/// What a storm was like: one that saw nothing proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) crashes: u64,
    pub(crate) audits: u64,
    /// Acknowledgements.
    pub(crate) told: u64,
    /// Exactly-once messages.
    pub(crate) sent: u64,
    /// Of them, those that auditors saw on their way.
    pub(crate) under_way: u64,
    pub(crate) items: u64,
    pub(crate) unknown: u64,
    /// Messages that came again and were known, in lives that ended well.
    pub(crate) known: u64,
    pub(crate) formers: u64,
    /// Dead letters that auditors saw, and those that were sent again.
    pub(crate) dead: u64,
    pub(crate) replayed: u64,
    /// Histories for which an order was found, and those that were too hard.
    pub(crate) decided: u64,
    pub(crate) undecided: u64,
}

impl Seen {
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            crashes: self.crashes + other.crashes,
            audits: self.audits + other.audits,
            told: self.told + other.told,
            sent: self.sent + other.sent,
            under_way: self.under_way + other.under_way,
            items: self.items + other.items,
            unknown: self.unknown + other.unknown,
            known: self.known + other.known,
            formers: self.formers + other.formers,
            dead: self.dead + other.dead,
            replayed: self.replayed + other.replayed,
            decided: self.decided + other.decided,
            undecided: self.undecided + other.undecided,
        }
    }
}

/// Runs the storm of a seed with the right product.
pub(crate) fn storm(seed: u64) -> Result<Seen, Violation> {
    let mut storm = Storm::new(seed, Storm::options());
    storm.rage()?;
    storm.heal()?;
    Ok(storm.seen)
}

/// A storm under way.
pub(crate) struct Storm {
    random: fastrand::Rng,
    pub(crate) world: World<Payer>,
    pub(crate) watch: Watch,
    is_calm: bool,
    seen: Seen,
}

impl Storm {
    pub(crate) fn options() -> NodeOptions {
        NodeOptions::default()
    }

    pub(crate) fn new(seed: u64, options: NodeOptions) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let links = if random.bool() { LinkOptions::CLEAN } else { LinkOptions::drawn(&mut random) };
        let mut world = World::with(game::game, seed, links, options).expect("the test game fits together");
        let is_poisoned = random.u8(..4) == 0;
        game::bear_poison(false);
        for key in PURSES {
            let options = ClientOptions::new(game::descriptor(), &[]).expect("there are no components");
            let client = world.join(options.token(key.to_string()), Payer::new(seed, key));
            world.player_mut(client).is_poisoner = is_poisoned;
        }
        if random.u8(..4) > 0 {
            world.set_store(drawn(&mut random));
        }
        let watch = Watch::new(is_poisoned);
        Self { random, world, watch, is_calm: false, seen: Seen::default() }
    }

    pub(crate) fn trace_hash(&self) -> u64 {
        self.world.trace_hash()
    }

    /// Anything may fail, nothing wrong may happen.
    pub(crate) fn rage(&mut self) -> Result<(), Violation> {
        self.run_for(200..2_000)?;
        for _ in 0..self.random.u32(8..14) {
            self.run_for(1..1_200)?;
            match self.random.u8(..16) {
                0..5 => self.all_at_one_moment()?,
                5 => self.crash()?,
                6 | 7 => self.crash_again_and_again()?,
                8 => self.stop()?,
                9 | 10 => self.replace(),
                11 => {
                    let length = self.random_time(1..3_000);
                    self.world.pause(length);
                }
                12 => {
                    let length = self.random_time(1..4_000);
                    self.world.store_down(length);
                }
                13 => {
                    let options = drawn(&mut self.random);
                    self.world.set_store(options);
                }
                14 => drop(self.look()?),
                _ => {
                    let client = self.client();
                    self.world.cut(client);
                }
            }
        }
        self.look()?;
        self.look_at_histories()
    }

    /// All faults are over: everybody is served, everything arrives, and sums are exact.
    pub(crate) fn heal(&mut self) -> Result<(), Violation> {
        self.world.set_links(LinkOptions::CLEAN);
        self.world.set_store(StoreOptions::default());
        self.is_calm = true;
        let began = self.world.now();
        self.each(|payer| {
            payer.answered.clear();
            payer.failures.clear();
        });
        while let Some(unserved) = self.unserved() {
            if self.world.now().since(began) >= SERVED_WITHIN {
                return Err(self.dated(Violation::new("liveness", unserved)));
            }
            self.run(Duration::from_millis(250))?;
        }
        self.each(|payer| payer.is_quiet = true);
        game::bear_poison(true);
        loop {
            let audit = self.look()?;
            for dead in self.world.node().dead_letters() {
                self.seen.replayed += 1;
                self.world.replay(dead.from, dead.number);
            }
            if audit.letters == 0 && self.world.clients().all(|(_, _, payer)| payer.is_done()) {
                break;
            }
            if self.world.now().since(began) >= DRAINED_WITHIN {
                let what = format!("{} letters are in outboxes after {DRAINED_WITHIN:?}", audit.letters);
                return Err(self.dated(Violation::new("liveness", what)));
            }
            self.run(Duration::from_millis(500))?;
        }
        self.look_for_the_last_time()?;
        self.seen.known += self.world.node().report().worker.deliveries_known;
        self.seen.unknown = self.world.store().unknown_told();
        self.stop()?;
        let audit = self.look()?;
        self.check_end(&audit)?;
        self.seen.told = self.watch.ledger.told;
        self.seen.sent = audit.messages;
        self.seen.items = audit.items as u64;
        self.look_at_histories()
    }

    /// Each client looks at its purse, at rest.
    fn look_for_the_last_time(&mut self) -> Result<(), Violation> {
        let now = self.world.now();
        for (client, of) in (0..).map(ClientNumber).zip(PURSES) {
            let payer = self.world.player_mut(client);
            payer.orders.extend([0, 1].map(|currency| Deed::Look { of, currency }));
        }
        while !self.world.clients().all(|(_, _, payer)| payer.is_done()) {
            if self.world.now().since(now) >= SERVED_WITHIN {
                let what = "nobody says what is in the purses".to_owned();
                return Err(self.dated(Violation::new("liveness", what)));
            }
            self.run(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// At rest nothing is on its way, and what clients saw last is what is stored.
    fn check_end(&self, audit: &Audit) -> Result<(), Violation> {
        if audit.letters > 0 {
            return Err(self.dated(Violation::new("bank", format!("{} letters are left", audit.letters))));
        }
        for ((purse, currency), seen) in &self.watch.seen {
            let stored = audit.coins.get(purse).map_or(0, |coins| coins[usize::from(*currency)]);
            if stored != *seen {
                let what =
                    format!("purse {purse} was seen with {seen} of currency {currency}, and has {stored}");
                return Err(self.dated(Violation::new("bank", what)));
            }
        }
        Ok(())
    }

    /// The first client that was not served something yet.
    fn unserved(&self) -> Option<String> {
        self.world.clients().find_map(|(client, core, payer)| {
            let name = NAMES.iter().find(|name| !payer.answered.contains(*name))?;
            let state = core.state();
            Some(format!("{client}, {state:?}, was not served `{name}` within {SERVED_WITHIN:?}: {payer:?}"))
        })
    }

    fn client(&mut self) -> ClientNumber {
        let clients = u32::try_from(PURSES.len()).expect("there are few purses");
        ClientNumber(self.random.u32(..clients))
    }

    fn random_time(&mut self, millis: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(millis))
    }

    fn each(&mut self, act: impl Fn(&mut Payer)) {
        let clients = (0..).map(ClientNumber).take(PURSES.len());
        clients.for_each(|client| act(self.world.player_mut(client)));
    }

    pub(crate) fn run_for(&mut self, millis: std::ops::Range<u64>) -> Result<(), Violation> {
        let time = self.random_time(millis);
        self.run(time)
    }

    pub(crate) fn run(&mut self, time: Duration) -> Result<(), Violation> {
        let (until, watch) = (self.world.now() + time, &mut self.watch);
        let ran = self.world.run_until(until, |world| {
            let now = world.now();
            for (client, key) in (0..).map(ClientNumber).zip(PURSES) {
                let news = std::mem::take(&mut world.player_mut(client).news);
                news.into_iter().try_for_each(|news| watch.hear(now, key, news))?;
            }
            Ok(())
        });
        ran.map_err(|found: Violation| self.dated(found))?;
        if self.world.is_fenced() {
            // A former node took its generation after this one. Whoever watches over nodes starts another.
            self.world.restart();
        }
        Ok(())
    }

    fn dated(&self, Violation { checker, what }: Violation) -> Violation {
        Violation { checker, what: format!("at {} ms: {what}", self.world.now().as_millis()) }
    }

    /// Transfers, a cut connection and the end of the node, within milliseconds and in any order.
    fn all_at_one_moment(&mut self) -> Result<(), Violation> {
        let (now, client) = (self.world.now(), self.client());
        let count = self.random.u32(1..12);
        self.world.player_mut(client).hurry(now, count);
        let (cuts, kills_first) = (self.random.u8(..4) > 0, self.random.bool());
        // Up to a few round trips: sometimes nothing has arrived yet, sometimes all is done but the answer.
        self.run_for(0..180)?;
        if cuts && !kills_first {
            self.world.cut(client);
            self.run_for(0..20)?;
        }
        self.crash()?;
        if cuts && kills_first {
            self.run_for(0..400)?;
            self.world.cut(client);
        }
        Ok(())
    }

    fn crash(&mut self) -> Result<(), Violation> {
        self.world.restart();
        self.seen.crashes += 1;
        self.look().map(drop)
    }

    /// Also while actors are being loaded.
    fn crash_again_and_again(&mut self) -> Result<(), Violation> {
        for _ in 0..self.random.u32(2..6) {
            self.crash()?;
            let pause = self.random_time(0..600);
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
        if self.is_calm && !self.world.has_stopped() {
            let what = "the node did not stop within 3 s".to_owned();
            return Err(self.dated(Violation::new("liveness", what)));
        }
        self.world.restart();
        self.look().map(drop)
    }

    /// A new node begins while the old one goes on, also with its clients.
    fn replace(&mut self) {
        let length = self.random_time(1..5_000);
        self.world.replace(length);
        self.seen.formers += 1;
        if self.random.bool() {
            (0..).map(ClientNumber).take(PURSES.len()).for_each(|client| self.world.cut(client));
        }
    }

    /// An audit: what must be true is true at any moment, whether a node runs or not.
    pub(crate) fn look(&mut self) -> Result<Audit, Violation> {
        self.seen.audits += 1;
        let looked = audit(self.world.now(), self.world.store(), &mut self.watch);
        let audit = looked.map_err(|found| self.dated(found))?;
        self.seen.under_way += audit.letters as u64;
        self.seen.dead += audit.dead as u64;
        Ok(audit)
    }

    fn look_at_histories(&mut self) -> Result<(), Violation> {
        (self.seen.decided, self.seen.undecided) = self.watch.check_histories()?;
        Ok(())
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
