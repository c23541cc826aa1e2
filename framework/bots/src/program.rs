//! Bots in a game's program: the verb `bots`, and some beside the server.
//!
//! *Responsible for*: settings, the thread of the bots beside, printing and writing the report. *Not responsible for*: what bots do.
//!
//! Invariants:
//! - I1: bots beside a server are clients over UDP like any others; nothing tells them from people.
//! - I2: what is asked for wrongly is told before a server is asked.
//! - I3: a run is bounded in count and time, also if nobody says anything.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use lightmoon::{Extension, Failure, Ready, Setting, Settings, Verb};

use crate::bot::RunOptions;
use crate::limits::{BOTS_MAX, SECONDS_MAX};
use crate::{Bots, Error, Location, Report, Stop};

impl Bots {
    /// The verb `bots` of a game's program: `App::verb(bots.verb())`.
    #[must_use]
    pub fn verb(&self) -> BotsVerb {
        BotsVerb(self.clone())
    }

    /// Bots that play beside the server, `count` unless `--bots` says otherwise: `App::extension(bots.beside(12))`.
    #[must_use]
    pub fn beside(&self, count: usize) -> BotsBeside {
        // Once in the life of a program: the text of a default lives as long as it.
        let count = Box::leak(count.to_string().into_boxed_str());
        BotsBeside { bots: self.clone(), count, stop: Stop::default() }
    }

    fn first(&self) -> &'static str {
        self.scripts().first().copied().unwrap_or_default()
    }
}

/// A number of bots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub usize);

impl FromStr for Count {
    type Err = NoCount;

    fn from_str(text: &str) -> Result<Self, NoCount> {
        text.parse().ok().filter(|count| *count <= BOTS_MAX).map(Self).ok_or(NoCount)
    }
}

/// A text that is no number of bots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCount;

impl fmt::Display for NoCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it must be a whole number up to {BOTS_MAX}")
    }
}

/// The settings that say where the server is, how many bots play, for how long and from which seed, and where the report goes.
#[must_use]
pub fn settings() -> Vec<Setting> {
    let setting = |name, value, default, help| Setting { name, value, default, help };
    vec![
        setting(
            "server",
            "ADDR",
            "127.0.0.1:4433",
            "The server's web address, host:port or URL; it tells where the game is and its certificate. The page of a game has the game's port number",
        ),
        setting(
            "ready-json",
            "FILE",
            "",
            "Take address and certificate from the file that the server wrote, instead of asking --server",
        ),
        setting("count", "N", "50", "Number of bots, 1 to 5000"),
        setting("seconds", "S", "60", "How long they play, up to a week; SIGINT and SIGTERM end it earlier"),
        setting("seed", "K", "1", "Decides names and choices; the same seed is the same players"),
        setting("report", "FILE", "", "File for the report, JSON; without it, stdout"),
    ]
}

/// Where the settings say that the server is.
///
/// # Errors
/// There is none, or the file is none.
pub fn location(settings: &Settings) -> Result<Location, Error> {
    match settings.text("ready-json") {
        "" => Location::from_web(settings.text("server")),
        path => Location::from_ready_json(Path::new(path)),
    }
}

/// How long the settings say that bots play.
///
/// # Errors
/// It is no number of seconds up to a week.
pub fn time(settings: &Settings) -> Result<Duration, Failure> {
    match settings.parse::<u64>("seconds")? {
        seconds @ 0..=SECONDS_MAX => Ok(Duration::from_secs(seconds)),
        _ => Err(settings.wrong("seconds", "it is a number of seconds up to 604800, a week")),
    }
}

/// Writes a report where the settings say, or to stdout.
///
/// # Errors
/// The file cannot be written.
pub fn publish(settings: &Settings, json: &str) -> Result<(), Failure> {
    let path = settings.text("report");
    if path.is_empty() {
        // A reader that left early wants no more.
        let _closed = writeln!(std::io::stdout(), "{json}");
        return Ok(());
    }
    let failed = |error| Failure::new(format!("cannot write {path}: {error}"), "choose another --report");
    std::fs::write(path, format!("{json}\n")).map_err(failed)
}

/// What to say of a run in which no bot got in.
#[must_use]
pub fn nobody_came(location: &Location, errors: &[String]) -> Failure {
    let why = errors.first().map(|why| format!(": {why}")).unwrap_or_default();
    Failure::new(format!("no bot reached {}{why}", location.game), "is the server running?")
}

/// The verb `bots`; see [`Bots::verb`].
#[derive(Clone, Debug)]
pub struct BotsVerb(Bots);

impl Verb for BotsVerb {
    fn name(&self) -> &'static str {
        "bots"
    }

    fn about(&self) -> &'static str {
        "plays with bots on a running server and reports what they measured"
    }

    fn settings(&self) -> Vec<Setting> {
        let mut settings = settings();
        let help = "What they do, by name; a name that is none is answered with those that are";
        settings.push(Setting { name: "script", value: "NAME", default: self.0.first(), help });
        settings
    }

    fn run(&self, settings: &Settings) -> Result<(), Failure> {
        let Count(count) = settings.parse("count")?;
        let (time, seed) = (time(settings)?, settings.parse("seed")?);
        let script = settings.text("script").to_owned();
        self.0.check(count, &script).map_err(failure)?;
        let options = RunOptions {
            location: location(settings).map_err(failure)?,
            count,
            time: Some(time),
            seed,
            script,
            crew: "bots".to_owned(),
            signals: true,
        };
        let report: Report = self.0.run(&options, &Stop::default()).map_err(failure)?;
        publish(settings, &report.to_json())?;
        if report.connects == 0 { Err(nobody_came(&options.location, &report.errors)) } else { Ok(()) }
    }
}

/// An error as a program says it: what is asked for wrongly is a wrong argument.
#[must_use]
pub fn failure(error: Error) -> Failure {
    match error {
        Error::NoScript { .. } | Error::Count(_) => Failure::wrong_arguments(error.to_string(), ""),
        Error::Web { .. }
        | Error::ReadyJson { .. }
        | Error::Hash(_)
        | Error::System { .. }
        | Error::Components(_)
        | Error::Panicked(_) => Failure::new(error.to_string(), ""),
    }
}

/// Bots that play beside a server, in a thread of its process; see [`Bots::beside`].
#[derive(Debug)]
pub struct BotsBeside {
    bots: Bots,
    count: &'static str,
    stop: Stop,
}

impl Extension for BotsBeside {
    fn settings(&self) -> Vec<Setting> {
        let help = "Bots that play beside the server, as clients in its own process, so that there is something to see";
        vec![Setting { name: "bots", value: "N", default: self.count, help }]
    }

    fn on_ready(&self, ready: &Ready, settings: &Settings) -> Result<(), Failure> {
        let Count(count) = settings.parse("bots")?;
        if count == 0 {
            return Ok(());
        }
        let options = RunOptions {
            location: Location::known(ready.game, &ready.certificate_hashes).map_err(failure)?,
            count,
            time: None,
            seed: 1,
            script: self.bots.first().to_owned(),
            crew: "beside".to_owned(),
            signals: false,
        };
        let (bots, stop) = (self.bots.clone(), self.stop.clone());
        start(move || bots.run(&options, &stop).map(drop))
    }

    fn on_stopping(&self) {
        self.stop.stop();
    }
}

/// Runs bots in a thread of their own; what goes wrong is a warning, since the server serves without them.
///
/// # Errors
/// There is no thread.
pub fn start<E: fmt::Display>(run: impl FnOnce() -> Result<(), E> + Send + 'static) -> Result<(), Failure> {
    let thread = std::thread::Builder::new().name("bots".to_owned()).spawn(move || {
        if let Err(error) = run() {
            let _closed = writeln!(std::io::stderr(), "warning: no bots play beside the server: {error:#}");
        }
    });
    let failed = |error| Failure::new(format!("no thread for the bots: {error}"), "try --bots 0");
    thread.map(drop).map_err(failed)
}
