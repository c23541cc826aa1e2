//! Bots for the server's binary: some beside the server for a first look, and the verb `bots` for measuring from outside.
//!
//! *Responsible for*: settings, the thread of the bots beside, printing and writing reports.
//! *Not responsible for*: what bots do (`game-sample-bots`).
//!
//! Invariants:
//! - I1: bots beside the server are clients over UDP like any others; nothing tells them from people.

use std::fmt;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use game_sample_bots::{BotsOptions, Location, Report, Script, Stop};
use lightmoon::{Extension, Failure, Ready, Setting, Settings, Verb};

use crate::world_map::MURK;

/// A number of bots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count(usize);

impl FromStr for Count {
    type Err = NoCount;

    fn from_str(text: &str) -> Result<Self, NoCount> {
        let max = game_sample_bots::harness::BOTS_MAX;
        text.parse().ok().filter(|count| *count <= max).map(Self).ok_or(NoCount(max))
    }
}

/// A text that is no number of bots.
struct NoCount(usize);

impl fmt::Display for NoCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it must be a whole number up to {}", self.0)
    }
}

/// Bots that play beside the server, in a thread of its process.
#[derive(Debug, Default)]
pub struct BotsBeside {
    stop: Stop,
}

impl Extension for BotsBeside {
    fn settings(&self) -> Vec<Setting> {
        let help = "Bots that fly about beside the server, as clients in its own process, so that there is something to see";
        vec![Setting { name: "bots", value: "N", default: "50", help }]
    }

    fn on_ready(&self, ready: &Ready, settings: &Settings) -> Result<(), Failure> {
        let Count(count) = settings.parse("bots")?;
        if count == 0 {
            return Ok(());
        }
        let options = BotsOptions {
            location: Location::known(ready.game_here(), &ready.certificate_hashes)?,
            count,
            time: None,
            warm_up: Duration::ZERO,
            crowd_sector: MURK,
            seed: 1,
            script: Script::Wander,
            // Bots of the verb with the same seed are other pilots than these.
            crew: "beside".to_owned(),
            ledger: None,
            trail: None,
            signals: false,
        };
        let stop = self.stop.clone();
        let thread = std::thread::Builder::new().name("bots".to_owned()).spawn(move || {
            if let Err(error) = game_sample_bots::run(&options, &stop) {
                let _closed =
                    writeln!(std::io::stderr(), "warning: no bots fly beside the server: {error:#}");
            }
        });
        let failed = |error| Failure::new(format!("no thread for the bots: {error}"), "try --bots 0");
        thread.map(drop).map_err(failed)
    }

    fn on_stopping(&self) {
        self.stop.stop();
    }
}

/// The verb `bots`: drives a server through the public Rust client and reports how that went.
#[derive(Clone, Copy, Debug)]
pub struct BotsVerb;

impl Verb for BotsVerb {
    fn name(&self) -> &'static str {
        "bots"
    }

    fn about(&self) -> &'static str {
        "plays with bots on a running server and reports what they measured"
    }

    fn settings(&self) -> Vec<Setting> {
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
            setting("seconds", "S", "60", "How long they play; SIGINT and SIGTERM end it earlier"),
            setting("seed", "K", "1", "Decides names, colours and choices; the same seed is the same pilots"),
            setting(
                "script",
                "NAME",
                "wander",
                "What they do: wander; mine crystals; mine and trade with each other; crowd together where one sees some fifty of a thousand; churn: mine, leave and come back; idle",
            ),
            setting("warm-up", "S", "0", "Seconds at the beginning that the report leaves out"),
            setting(
                "ledger",
                "FILE",
                "",
                "Append a line of JSON for each crystal and each step of a trade that was acknowledged, synced before its bot goes on; for `audit`",
            ),
            setting(
                "trail",
                "FILE",
                "",
                "Append a line of JSON for each bot and second: where its ship was; for `audit`",
            ),
            setting("report", "FILE", "", "File for the report, JSON; without it, stdout"),
        ]
    }

    fn run(&self, settings: &Settings) -> Result<(), Failure> {
        let options = options(settings)?;
        let report = game_sample_bots::run(&options, &Stop::default())?;
        publish(&report, settings.text("report"))?;
        if report.connects == 0 {
            let why = report.errors.first().cloned().unwrap_or_default();
            return Err(Failure::new(
                format!("no bot reached {}: {why}", options.location.game),
                "is the server running?",
            ));
        }
        Ok(())
    }
}

fn options(settings: &Settings) -> Result<BotsOptions, Failure> {
    let script = settings.parse("script")?;
    let Count(count) = settings.parse("count")?;
    let seconds: u64 = settings.parse("seconds")?;
    let seed = settings.parse("seed")?;
    let warm_up = Duration::from_secs(settings.parse("warm-up")?);
    let location = match settings.text("ready-json") {
        "" => Location::from_web(settings.text("server"))?,
        path => Location::from_ready_json(Path::new(path))?,
    };
    let time = Some(Duration::from_secs(seconds));
    let file = |name| Some(settings.text(name)).filter(|path| !path.is_empty()).map(PathBuf::from);
    let (ledger, trail) = (file("ledger"), file("trail"));
    Ok(BotsOptions {
        location,
        count,
        time,
        warm_up,
        crowd_sector: MURK,
        seed,
        script,
        crew: "bots".to_owned(),
        ledger,
        trail,
        signals: true,
    })
}

fn publish(report: &Report, path: &str) -> Result<(), Failure> {
    let json = report.to_json();
    if path.is_empty() {
        // A reader that left early wants no more.
        let _closed = writeln!(std::io::stdout(), "{json}");
        return Ok(());
    }
    let failed = |error| Failure::new(format!("cannot write {path}: {error}"), "choose another --report");
    std::fs::write(path, format!("{json}\n")).map_err(failed)
}

/// What a server's start-up says about itself, made usable for bots on this machine.
trait Here {
    /// The game's address as it is reached from this machine.
    fn game_here(&self) -> SocketAddr;
}

impl Here for Ready {
    fn game_here(&self) -> SocketAddr {
        let mut game = self.game;
        if game.ip().is_unspecified() {
            let loopback =
                if game.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
            game.set_ip(loopback);
        }
        game
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::defaults(&BotsVerb.settings())
    }

    #[test]
    fn scripts_and_counts_that_do_not_exist_are_refused_before_anything_connects() {
        for (name, value, says) in [
            ("script", "crowds", "wander"),
            ("count", "-1", "5000"),
            ("count", "9999", "5000"),
            ("seconds", "x", ""),
        ] {
            let failure = options(&settings().with(name, value)).unwrap_err();
            assert_eq!(failure.code(), 2, "{failure}");
            assert!(failure.to_string().contains(says), "{failure}");
        }
    }

    #[test]
    fn a_server_that_is_not_there_is_one_sentence() {
        let failure = options(&settings().with("ready-json", "/nonexistent/ready.json")).unwrap_err();
        assert_eq!((failure.code(), failure.to_string().lines().count()), (1, 1), "{failure}");
    }
}
