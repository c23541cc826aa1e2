//! Many bots in one thread: a few UDP sockets, one tokio runtime, one report.
//!
//! *Responsible for*: connecting bots a few at a time, letting them play until time is up or [`Stop`] says so, the sums.
//! *Not responsible for*: what a bot does ([`crate::bot`]), reconnecting (the client core).
//!
//! Invariants:
//! - I1: every session that was begun is closed in order before [`run`] returns.
//! - I2: at most [`BOTS_MAX`] bots, over at most four sockets.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use lightmoon_client::{Client, ConnectOptions, Endpoint, Event, Session};
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::bot::Bot;
use crate::ledger::{Ledger, LedgerLine, Trail, TrailLine};
use crate::location::Location;
use crate::report::{Report, Tally};

/// Most bots of one run: a connection costs some 60 KiB and a core carries a few thousand.
pub const BOTS_MAX: usize = 5_000;
/// Sockets that bots share: more than one, so that the server sees several addresses.
const ENDPOINTS_MAX: usize = 4;
/// Time between two bots that begin, so that their handshakes do not arrive at one moment.
const BEGIN_EVERY: Duration = Duration::from_millis(15);
/// All bots have begun after this, however many they are.
const BEGIN_WITHIN: Duration = Duration::from_secs(10);

/// Time between two trail lines of a bot.
const TRAIL_EVERY: Duration = Duration::from_secs(1);

/// What bots do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Script {
    /// They fly about, talk a little, and go through gates now and then.
    #[default]
    Wander,
    /// As [`Self::Wander`], but they fly to crystals and mine them.
    Mine,
    /// As [`Self::Mine`], but they also trade with ships in sight.
    Trade,
}

impl Script {
    /// The names of all scripts.
    pub const NAMES: [&'static str; 3] = ["wander", "mine", "trade"];
}

impl FromStr for Script {
    type Err = NoScript;

    fn from_str(name: &str) -> Result<Self, NoScript> {
        match name {
            "wander" => Ok(Self::Wander),
            "mine" => Ok(Self::Mine),
            "trade" => Ok(Self::Trade),
            _ => Err(NoScript(name.to_owned())),
        }
    }
}

/// A script that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoScript(String);

impl fmt::Display for NoScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no script `{}`; there are: {}", self.0, Script::NAMES.join(", "))
    }
}

impl std::error::Error for NoScript {}

/// A run of bots.
#[derive(Clone, Debug)]
pub struct BotsOptions {
    /// The server.
    pub location: Location,
    /// How many bots, 1 to [`BOTS_MAX`].
    pub count: usize,
    /// How long they play; `None`: until [`Stop`].
    pub time: Option<Duration>,
    /// Decides names, colours and choices.
    pub seed: u64,
    /// What they do.
    pub script: Script,
    /// Begins their tokens. Bots of equal crew and seed are the same pilots, also in another run.
    pub crew: String,
    /// File that gets a line for each acknowledged crystal and step of a trade before its bot goes on; see [`crate::ledger`].
    pub ledger: Option<PathBuf>,
    /// File that gets a line for each bot and second.
    pub trail: Option<PathBuf>,
    /// Whether SIGINT and SIGTERM end the run in order, with its report.
    pub signals: bool,
}

/// Ends a run early, from any thread. Clones end the same runs.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Ends the runs that were given this.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Runs bots on this thread until their time is up, and says how it went.
///
/// # Errors
/// The count is out of range, the system gives no socket, or a file cannot be opened or written. A server that does not answer is no error: it is in the
/// report.
pub fn run(options: &BotsOptions, stop: &Stop) -> Result<Report> {
    if !(1..=BOTS_MAX).contains(&options.count) {
        bail!("{} bots: it must be 1 to {BOTS_MAX}", options.count);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("no tokio runtime")?;
    let tally = Rc::new(RefCell::new(Tally::default()));
    let begun = Instant::now();
    LocalSet::new().block_on(&runtime, play(options, stop, &tally))?;
    let report = tally.borrow().report(options.count, begun.elapsed(), options.seed);
    Ok(report)
}

async fn play(options: &BotsOptions, stop: &Stop, tally: &Rc<RefCell<Tally>>) -> Result<()> {
    let endpoints: Vec<Endpoint> = (0..options.count.min(ENDPOINTS_MAX))
        .map(|_| Endpoint::new())
        .collect::<std::io::Result<_>>()
        .context("no UDP socket for the bots")?;
    let ledger =
        options.ledger.as_deref().map(|path| Ledger::open(path).with_context(|| at(path))).transpose()?;
    let trail =
        options.trail.as_deref().map(|path| Trail::open(path).with_context(|| at(path))).transpose()?;
    let begun = Instant::now();
    let count = u32::try_from(options.count).expect("at most 5,000");
    let gap = BEGIN_EVERY.min(BEGIN_WITHIN / count);
    let ends = options.time.map(|time| begun + time);
    let mut bots = JoinSet::new();
    for number in 0..count {
        let endpoint = endpoints[number as usize % endpoints.len()].clone();
        let run = OneRun {
            begins: begun + gap * number,
            ends,
            stopped: stop.0.subscribe(),
            tally: Rc::clone(tally),
            ledger: ledger.clone(),
            trail: trail.clone(),
            trailed: None,
            player: 0,
        };
        let bot = Bot::new(bot_seed(options.seed, number));
        let bot = match options.script {
            Script::Wander => bot,
            Script::Mine => bot.mining(),
            Script::Trade => bot.trading(),
        };
        bots.spawn_local(run.play(endpoint, connect_options(options, number), bot));
    }
    let asked = options.signals.then(|| tokio::task::spawn_local(stop_when_asked(stop.clone())));
    while let Some(ended) = bots.join_next().await {
        ended.context("a bot panicked")??;
    }
    if let Some(asked) = asked {
        asked.abort();
    }
    for endpoint in &endpoints {
        endpoint.wait_idle().await;
    }
    Ok(())
}

/// Ends the run at a signal.
async fn stop_when_asked(stop: Stop) {
    use tokio::signal::unix::{SignalKind, signal};
    // Without them the run ends by its time.
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    stop.stop();
}

fn at(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

fn connect_options(options: &BotsOptions, number: u32) -> ConnectOptions {
    ConnectOptions {
        server: options.location.game.to_string(),
        certificates: options.location.certificates.clone(),
        client: Bot::client_options(&format!("{}-{}-{number}", options.crew, options.seed)),
        seed: bot_seed(options.seed, number),
    }
}

/// Seeds of one run are far apart, whatever the run's seed is.
fn bot_seed(seed: u64, number: u32) -> u64 {
    fastrand::Rng::with_seed(seed ^ (u64::from(number) << 32)).u64(..)
}

/// One bot's part in a run.
struct OneRun {
    begins: Instant,
    ends: Option<Instant>,
    stopped: watch::Receiver<bool>,
    tally: Rc<RefCell<Tally>>,
    ledger: Option<Ledger>,
    trail: Option<Trail>,
    /// When the last trail line of this attachment was written.
    trailed: Option<Instant>,
    /// Key of the bot's player; 0 before the first session.
    player: u64,
}

impl OneRun {
    async fn play(mut self, endpoint: Endpoint, options: ConnectOptions, mut bot: Bot) -> Result<()> {
        tokio::select! {
            () = sleep_until(self.begins) => {}
            () = is_over(&mut self.stopped, self.ends) => return Ok(()),
        }
        let mut session = Session::new(&endpoint, options);
        let (mut over, ends) = (self.stopped.clone(), self.ends);
        let flown = tokio::select! {
            flown = self.fly(&mut session, &mut bot) => flown,
            () = is_over(&mut over, ends) => Ok(()),
        };
        self.tally.borrow_mut().absorb(&session.client().stats());
        session.close("the bot has played enough").await;
        flown
    }

    /// Plays until the session is lost for good.
    async fn fly(&mut self, session: &mut Session, bot: &mut Bot) -> Result<()> {
        loop {
            let now = session.now();
            bot.think(now, session.client(), &mut self.tally.borrow_mut());
            self.note_place(session.client());
            let until = Instant::now() + bot.next_thought().since(now);
            while let Ok(event) = timeout_at(until, session.next_event()).await {
                let Some(event) = event else { return Ok(()) };
                let now = session.now();
                bot.on_event(now, &event, session.client(), &mut self.tally.borrow_mut());
                self.note_acknowledged(bot).await?;
                if matches!(event, Event::Attached(_)) {
                    self.trailed = None;
                }
                if self.trailed.is_none() {
                    self.note_place(session.client());
                }
                if let Event::Connected(welcome) = event {
                    self.player = welcome.player;
                    break;
                }
            }
        }
    }

    /// Writes down what was acknowledged, before the bot goes on.
    async fn note_acknowledged(&self, bot: &mut Bot) -> Result<()> {
        let acknowledged = bot.take_acknowledged();
        let Some(ledger) = &self.ledger else { return Ok(()) };
        for what in acknowledged {
            let line = LedgerLine::now(self.player, &what);
            ledger.append(&line).await.context("cannot write the ledger")?;
        }
        Ok(())
    }

    /// Writes down where the ship is: at its first sight, then once a second.
    fn note_place(&mut self, client: &Client) {
        let is_due = self.trailed.is_none_or(|trailed| trailed.elapsed() >= TRAIL_EVERY);
        let Some(trail) = self.trail.as_ref().filter(|_| is_due) else { return };
        if let Some((sector, pose)) = Bot::place(client) {
            trail.append(TrailLine::now(self.player, sector, pose.x, pose.y, self.trailed.is_none()));
            self.trailed = Some(Instant::now());
        }
    }
}

/// Until the run is over.
async fn is_over(stopped: &mut watch::Receiver<bool>, ends: Option<Instant>) {
    let stop = async {
        if stopped.wait_for(|stopped| *stopped).await.is_err() {
            // Nobody can stop the run any more; its time still ends it.
            std::future::pending::<()>().await;
        }
    };
    match ends {
        Some(ends) => tokio::select! { () = stop => {}, () = sleep_until(ends) => {} },
        None => stop.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_does_not_exist_is_refused_naming_those_that_do() {
        assert_eq!("wander".parse(), Ok(Script::Wander));
        assert_eq!("mine".parse(), Ok(Script::Mine));
        assert_eq!("trade".parse(), Ok(Script::Trade));
        for name in ["crowd", "churn", ""] {
            let refused = name.parse::<Script>().unwrap_err().to_string();
            assert!(refused.contains("wander") && refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn bots_of_one_run_are_different() {
        let seeds: std::collections::BTreeSet<u64> = (0..1_000).map(|number| bot_seed(1, number)).collect();
        assert_eq!(seeds.len(), 1_000);
        assert_ne!(bot_seed(1, 0), bot_seed(2, 0));
    }
}
