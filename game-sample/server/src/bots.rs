//! Bots for the server's binary: some beside the server for a first look, and the verb `bots` for measuring from outside.
//!
//! *Responsible for*: settings, the thread of the bots beside, printing and writing reports.
//! *Not responsible for*: what bots do (`game-sample-bots`).
//!
//! Invariants:
//! - I1: bots beside the server are clients over UDP like any others; nothing tells them from people.

use std::path::PathBuf;
use std::time::Duration;

use game_sample_bots::{BotsOptions, Location, Script, Stop};
use lightmoon::{Extension, Failure, Ready, Setting, Settings, Verb};
use lightmoon_bots::program::{self, Count};

use crate::world_map::MURK;

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
            location: Location::known(ready.game, &ready.certificate_hashes).map_err(program::failure)?,
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
        program::start(move || game_sample_bots::run(&options, &stop).map(drop))
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
        let mut settings = program::settings();
        settings.extend([
            setting(
                "script",
                "NAME",
                "wander",
                "What they do: wander, mine (crystals), trade (mine, and trade with each other), crowd (come together where one sees some fifty of a thousand), churn (mine, leave and come back) or idle",
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
        ]);
        settings
    }

    fn run(&self, settings: &Settings) -> Result<(), Failure> {
        let options = options(settings)?;
        let report = game_sample_bots::run(&options, &Stop::default())?;
        program::publish(settings, &report.to_json())?;
        if report.connects == 0 {
            return Err(program::nobody_came(&options.location, &report.errors));
        }
        Ok(())
    }
}

fn options(settings: &Settings) -> Result<BotsOptions, Failure> {
    let script = settings.parse("script")?;
    let Count(count) = settings.parse("count")?;
    let time = program::time(settings)?;
    let file = |name| Some(settings.text(name)).filter(|path| !path.is_empty()).map(PathBuf::from);
    Ok(BotsOptions {
        count,
        time: Some(time),
        warm_up: Duration::from_secs(settings.parse("warm-up")?),
        crowd_sector: MURK,
        seed: settings.parse("seed")?,
        script,
        crew: "bots".to_owned(),
        ledger: file("ledger"),
        trail: file("trail"),
        signals: true,
        location: program::location(settings).map_err(program::failure)?,
    })
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
