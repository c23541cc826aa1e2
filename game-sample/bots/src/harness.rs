//! Many bots in one thread, and one report.
//!
//! *Responsible for*: what each bot of a run is, its sessions, what is written down of it, the sums.
//! *Not responsible for*: sockets, seeds and the end of a run ([`lightmoon_bots::fleet`]), what a bot does ([`crate::bot`]),
//! reconnecting (the client core).
//!
//! Invariants:
//! - I1: every session that was begun is closed in order before [`run`] returns.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use lightmoon_bots::fleet::{self, FleetOptions, Member, Over};
use lightmoon_bots::{Location, Stop};
use lightmoon_client::{Client, ClientStats, ConnectOptions, Endpoint, Event, Session};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::bot::Bot;
use crate::ledger::{Ledger, LedgerLine, Trail, TrailLine};
use crate::report::{Report, Tally};

/// Shortest session of a bot that comes and goes, and how much longer it may be.
const STAY_MIN: Duration = Duration::from_secs(20);
/// See [`STAY_MIN`].
const STAY_MORE: Duration = Duration::from_secs(100);
/// How long it stays away at least, and how much longer.
const AWAY_MIN: Duration = Duration::from_secs(1);
/// See [`AWAY_MIN`].
const AWAY_MORE: Duration = Duration::from_secs(4);

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
    /// They fly about in one sector of bad sight, steer at every state packet and measure how they are served: of a thousand some
    /// fifty are in view of each.
    Crowd,
    /// As [`Self::Mine`], but they leave after a while and come back.
    Churn,
    /// They hold their sessions and do nothing.
    Idle,
}

impl Script {
    /// The names of all scripts.
    pub const NAMES: [&'static str; 6] = ["wander", "mine", "trade", "crowd", "churn", "idle"];
}

impl FromStr for Script {
    type Err = NoScript;

    fn from_str(name: &str) -> Result<Self, NoScript> {
        match name {
            "wander" => Ok(Self::Wander),
            "mine" => Ok(Self::Mine),
            "trade" => Ok(Self::Trade),
            "crowd" => Ok(Self::Crowd),
            "churn" => Ok(Self::Churn),
            "idle" => Ok(Self::Idle),
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
    /// How many bots, 1 to [`lightmoon_bots::limits::BOTS_MAX`].
    pub count: usize,
    /// How long they play; `None`: until [`Stop`].
    pub time: Option<Duration>,
    /// What is measured before this time is left out of the report, but for connections and errors.
    pub warm_up: Duration,
    /// Sector in which a [`Script::Crowd`] meets.
    pub crowd_sector: u64,
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

/// Runs bots on this thread until their time is up, and says how it went.
///
/// # Errors
/// The count is out of range, the system gives no socket, or a file cannot be opened or written. A server that does not answer is no error: it is in the
/// report.
pub fn run(options: &BotsOptions, stop: &Stop) -> Result<Report> {
    let ledger =
        options.ledger.as_deref().map(|path| Ledger::open(path).with_context(|| at(path))).transpose()?;
    let trail =
        options.trail.as_deref().map(|path| Trail::open(path).with_context(|| at(path))).transpose()?;
    let fleet = FleetOptions {
        count: options.count,
        time: options.time,
        seed: options.seed,
        signals: options.signals,
    };
    let tally = Rc::new(RefCell::new(Tally::default()));
    let warm = warm_up(options.warm_up, Rc::clone(&tally));
    let played = fleet::run(&fleet, stop, warm, |member| {
        let Member { number, seed, run_began, begins, endpoint, over } = member;
        let bot = bot_of(options, seed);
        let connect = connect_options(options, number, seed, &bot);
        let run = OneRun {
            begins,
            measures_from: run_began + options.warm_up,
            before: None,
            over,
            tally: Rc::clone(&tally),
            ledger: ledger.clone(),
            trail: trail.clone(),
            trailed: None,
            player: 0,
            churn: (options.script == Script::Churn).then(|| fastrand::Rng::with_seed(seed)),
        };
        run.play(endpoint, connect, bot)
    })?;
    let report = tally.borrow().report(options.count, played, options.warm_up, options.seed);
    Ok(report)
}

/// Begins to measure when all is warm.
async fn warm_up(time: Duration, tally: Rc<RefCell<Tally>>) {
    if !time.is_zero() {
        sleep(time).await;
        tally.borrow_mut().begin_measuring();
    }
}

fn bot_of(options: &BotsOptions, seed: u64) -> Bot {
    let bot = Bot::new(seed);
    match options.script {
        Script::Wander => bot,
        Script::Mine | Script::Churn => bot.mining(),
        Script::Trade => bot.trading(),
        Script::Crowd => bot.in_crowd(options.crowd_sector),
        Script::Idle => bot.idle(),
    }
}

fn at(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

fn connect_options(options: &BotsOptions, number: u32, seed: u64, bot: &Bot) -> ConnectOptions {
    ConnectOptions {
        server: options.location.game.to_string(),
        certificates: options.location.certificates.clone(),
        client: bot.options_for(&format!("{}-{}-{number}", options.crew, options.seed)),
        seed,
    }
}

/// One bot's part in a run.
struct OneRun {
    begins: Instant,
    /// Before this nothing counts.
    measures_from: Instant,
    /// What the client had counted then.
    before: Option<ClientStats>,
    over: Over,
    tally: Rc<RefCell<Tally>>,
    ledger: Option<Ledger>,
    trail: Option<Trail>,
    /// When the last trail line of this attachment was written.
    trailed: Option<Instant>,
    /// Key of the bot's player; 0 before the first session.
    player: u64,
    /// It leaves and comes back at times that this draws.
    churn: Option<fastrand::Rng>,
}

impl OneRun {
    async fn play(mut self, endpoint: Endpoint, options: ConnectOptions, mut bot: Bot) -> Result<()> {
        let (mut over, mut again) = (self.over.clone(), self.begins);
        let over = over.wait();
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = sleep_until(again) => {}
                () = &mut over => return Ok(()),
            }
            let mut session = Session::new(&endpoint, options.clone());
            let leaves = self.leaves();
            let flown = tokio::select! {
                flown = self.fly(&mut session, &mut bot) => Some(flown),
                () = wait_until(leaves) => None,
                () = &mut over => Some(Ok(())),
            };
            let (stats, rtt) = (session.client().stats(), session.client().rtt());
            let before = self.before.get_or_insert_default();
            self.tally.borrow_mut().absorb(&stats, before);
            // The next session counts anew.
            *before = ClientStats::default();
            if let Some(rtt) = rtt {
                self.tally.borrow_mut().rtt(rtt);
            }
            session.close("the bot has played enough").await;
            match (flown, &mut self.churn) {
                (None, Some(random)) => again = Instant::now() + AWAY_MIN + AWAY_MORE.mul_f32(random.f32()),
                (flown, _) => return flown.unwrap_or(Ok(())),
            }
        }
    }

    /// When this session is to end, if its bot comes and goes.
    fn leaves(&mut self) -> Option<Instant> {
        let random = self.churn.as_mut()?;
        Some(Instant::now() + STAY_MIN + STAY_MORE.mul_f32(random.f32()))
    }

    /// Plays until the session is lost for good.
    async fn fly(&mut self, session: &mut Session, bot: &mut Bot) -> Result<()> {
        loop {
            self.begin_measuring(session);
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
                }
                if bot.next_thought() <= now {
                    break;
                }
            }
        }
    }

    /// From its time on what the client counts is of the measurement.
    fn begin_measuring(&mut self, session: &mut Session) {
        if self.before.is_none() && Instant::now() >= self.measures_from {
            self.before = Some(session.client().stats());
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

async fn wait_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
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
        for name in Script::NAMES {
            assert!(name.parse::<Script>().is_ok(), "{name}");
        }
        for name in ["crowds", "Churn", ""] {
            let refused = name.parse::<Script>().unwrap_err().to_string();
            assert!(refused.contains("wander") && refused.contains(name), "{refused}");
        }
    }
}
