//! Bots that a game writes, and runs of them.
//!
//! *Responsible for*: [`Bot`], [`Bots`]: connecting each, calling it while it is in a zone, the report. *Not responsible for*: the sockets
//! and the end of a run ([`crate::fleet`]).
//!
//! Invariants:
//! - I1: every session that was begun is closed in order before a run ends.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use lightmoon_client::{Client, ClientOptions, ConnectOptions, Event, Session};
use lightmoon_contract::Descriptor;
use lightmoon_contract::replicate::ComponentSpec;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::fleet::{self, FleetOptions, Member, Stop};
use crate::limits::{PAUSE_MAX, PAUSE_MIN};
use crate::report::Tally;
use crate::{Error, Location, Report};

/// What one bot wants.
pub trait Bot: 'static {
    /// Acts, and says how long it rests then. Called while its client is attached to a zone: the first time at once. What it knows is
    /// in `client`; chance comes from `random`, so that one seed is one play.
    ///
    /// The pause is between 10 ms and a minute.
    fn act(&mut self, client: &mut Client, random: &mut Rng) -> Duration;

    /// Something happened to its client. Default: nothing is done.
    fn on_event(&mut self, event: &Event, client: &mut Client) {
        let _ = (event, client);
    }
}

/// Makes a bot.
type Make = Arc<dyn Fn() -> Box<dyn Bot> + Send + Sync>;

/// The bots of a game: what they see, and what they can do.
#[derive(Clone)]
pub struct Bots {
    descriptor: Descriptor,
    components: Vec<ComponentSpec>,
    scripts: Vec<(&'static str, Make)>,
}

impl Bots {
    /// Bots that speak the contracts of `descriptor` and see these components: `&[Pose::SPEC]`.
    #[must_use]
    pub fn new(descriptor: Descriptor, components: &[ComponentSpec]) -> Self {
        Self { descriptor, components: components.to_vec(), scripts: Vec::new() }
    }

    /// Adds something that bots can do, under a name. The first one is what they do if nobody says anything.
    #[must_use]
    pub fn script<B: Bot>(
        mut self,
        name: &'static str,
        make: impl Fn() -> B + Send + Sync + 'static,
    ) -> Self {
        self.scripts.push((name, Arc::new(move || Box::new(make()))));
        self
    }

    /// The names of what they can do.
    #[must_use]
    pub fn scripts(&self) -> Vec<&'static str> {
        self.scripts.iter().map(|(name, _)| *name).collect()
    }

    /// Plays on this thread until the time is up, and says how it went.
    ///
    /// # Errors
    /// The run cannot begin, or the code of a bot panicked. A server that does not answer is no error: it is in the report.
    pub fn run(&self, options: &RunOptions, stop: &Stop) -> Result<Report, Error> {
        let make = self.find(&options.script)?;
        let client = ClientOptions::new(self.descriptor.clone(), &self.components)
            .map_err(|error| Error::Components(error.to_string()))?;
        let tally = Rc::new(RefCell::new(Tally::default()));
        let fleet = FleetOptions {
            count: options.count,
            time: options.time,
            seed: options.seed,
            signals: options.signals,
        };
        let played = fleet::run(&fleet, stop, async {}, |member| {
            let token = format!("{}-{}-{}", options.crew, options.seed, member.number);
            let connect = ConnectOptions {
                server: options.location.game.to_string(),
                certificates: options.location.certificates.clone(),
                client: client.clone().token(token.into_bytes()),
                seed: member.seed,
            };
            play(member, connect, make(), Rc::clone(&tally))
        })?;
        let report = tally.borrow().report(options.count, played, options.seed, &options.script);
        Ok(report)
    }

    /// Whether so many bots can do this, before anybody is asked for anything.
    #[cfg(feature = "program")]
    pub(crate) fn check(&self, count: usize, script: &str) -> Result<(), Error> {
        self.find(script)?;
        fleet::check(count)
    }

    fn find(&self, name: &str) -> Result<&Make, Error> {
        let found = self.scripts.iter().find(|(known, _)| *known == name).map(|(_, make)| make);
        found.ok_or_else(|| Error::NoScript { name: name.to_owned(), known: self.scripts().join(", ") })
    }
}

impl fmt::Debug for Bots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bots").field("scripts", &self.scripts()).finish_non_exhaustive()
    }
}

/// A run of a game's bots.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The server.
    pub location: Location,
    /// How many bots, 1 to [`crate::limits::BOTS_MAX`].
    pub count: usize,
    /// How long they play; `None`: until [`Stop`].
    pub time: Option<Duration>,
    /// Decides their choices.
    pub seed: u64,
    /// What they do, one of [`Bots::scripts`].
    pub script: String,
    /// Begins their tokens. Bots of equal crew and seed are the same players, also in another run.
    pub crew: String,
    /// Whether SIGINT and SIGTERM end the run in order, with its report.
    pub signals: bool,
}

/// One bot's part in a run.
async fn play(
    member: Member,
    options: ConnectOptions,
    mut bot: Box<dyn Bot>,
    tally: Rc<RefCell<Tally>>,
) -> Result<(), Error> {
    let Member { mut over, begins, endpoint, seed, .. } = member;
    tokio::select! {
        () = sleep_until(begins) => {}
        () = over.wait() => return Ok(()),
    }
    let mut session = Session::new(&endpoint, options);
    let mut random = Rng::with_seed(seed);
    tokio::select! {
        () = live(&mut session, bot.as_mut(), &mut random, &tally) => {}
        () = over.wait() => {}
    }
    let (stats, rtt) = (session.client().stats(), session.client().rtt());
    tally.borrow_mut().ended(&stats, rtt);
    session.close("the bot has played enough").await;
    Ok(())
}

/// Plays until the session is lost for good.
async fn live(session: &mut Session, bot: &mut dyn Bot, random: &mut Rng, tally: &RefCell<Tally>) {
    let mut is_first = true;
    // When it acts next; none: it is in no zone.
    let mut next: Option<Instant> = None;
    loop {
        let event = match next {
            Some(at) => timeout_at(at, session.next_event()).await,
            None => Ok(session.next_event().await),
        };
        let Ok(event) = event else {
            let pause = bot.act(session.client(), random).clamp(PAUSE_MIN, PAUSE_MAX);
            tally.borrow_mut().acted();
            next = Some(Instant::now() + pause);
            continue;
        };
        let Some(event) = event else { return };
        note(&event, &mut next, &mut is_first, &mut tally.borrow_mut());
        bot.on_event(&event, session.client());
    }
}

fn note(event: &Event, next: &mut Option<Instant>, is_first: &mut bool, tally: &mut Tally) {
    match event {
        Event::Connected(_) => tally.connected(std::mem::replace(is_first, false)),
        Event::Resuming(closing) | Event::Lost(closing) => {
            *next = None;
            tally.lost(format!("{:?}: {}", closing.code, closing.reason));
        }
        Event::Attached(_) => {
            *next = Some(Instant::now());
            tally.attached();
        }
        Event::Detached => *next = None,
        Event::View(_) | Event::State(_) | Event::Answered { .. } | Event::Push(_) => {}
        // Events of newer clients.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::{contract, contracts};

    #[contract(ticking)]
    trait Nowhere {
        #[operation(client = zone)]
        fn wait();
    }

    contracts! { game = "nowhere", contracts = [Nowhere], components = [], lock = none }

    struct Idle;

    impl Bot for Idle {
        fn act(&mut self, _: &mut Client, _: &mut Rng) -> Duration {
            PAUSE_MAX
        }
    }

    #[test]
    fn a_script_that_does_not_exist_is_refused_naming_those_that_do() {
        let bots = Bots::new(descriptor(), &[]).script("idle", || Idle).script("rest", || Idle);
        let options = RunOptions {
            location: Location::known("127.0.0.1:1".parse().unwrap(), &[]).unwrap(),
            count: 1,
            time: None,
            seed: 1,
            script: "run".to_owned(),
            crew: "test".to_owned(),
            signals: false,
        };
        let refused = bots.run(&options, &Stop::default()).unwrap_err().to_string();
        assert_eq!(refused, "there is no script `run`; there are: idle, rest");
    }
}
