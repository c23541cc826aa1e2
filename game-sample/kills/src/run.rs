//! One run: kills until there were enough, audits in between, a report.
//!
//! *Responsible for*: the order of things. *Not responsible for*: doing them (see the crate's root).
//!
//! Invariants:
//! - I1: an end of the server is judged once, when the trail is complete up to the next end.
//! - I2: a run goes on after a violation up to the next audit, where it ends.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use game_sample::trade::OFFER_MS;
use game_sample_bots::ledger::wall_ms;
use game_sample_rig::limits::LOOK_EVERY;
use game_sample_rig::{Bots, Place, Proxy, Server, Weather};
use rustix::time::{ClockId, clock_gettime};

use crate::audit::Audit;
use crate::limits::{
    BACK_WITHIN_MS, BEGIN_WITHIN, GOOD_LIFE, LINE_WITHIN, REST_SLACK_MS, STOP_MAX_MS, TRAIL_LAG,
};
use crate::plan::{self, Kind, Step};
use crate::report::Report;
use crate::trail::{End, Trail};
use crate::{Arguments, say};

/// An end of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Ended {
    /// `None`: it was stopped in order.
    kind: Option<Kind>,
    /// Whether the node had served for a while, so that its parent does not pause.
    is_first: bool,
    end: End,
}

/// A run.
pub(crate) struct Run {
    kills: usize,
    audit_every: usize,
    count: usize,
    seed: u64,
    place: Place,
    store: String,
    trail: Trail,
    /// Ends that are not judged yet; the last one has no next.
    ends: Vec<Ended>,
    report: Report,
    began: Instant,
    script: String,
    /// Between two kills, if not drawn.
    every: Option<Duration>,
    /// Play after the last kill.
    rest: Duration,
    weather: Weather,
    /// No kill begins after this.
    until: Option<Instant>,
}

impl Run {
    pub(crate) fn new(arguments: &Arguments, place: Place) -> Self {
        let Arguments { kills, seed, count, audit_every, .. } = *arguments;
        let weather = arguments.weather();
        let head = format!("{}: {weather}", arguments.again());
        Self {
            kills,
            audit_every: audit_every.max(1),
            count,
            seed,
            place,
            store: arguments.store.clone(),
            trail: Trail::default(),
            ends: Vec::new(),
            report: Report { head, ..Report::default() },
            began: Instant::now(),
            script: arguments.script.clone(),
            every: arguments.every.map(Duration::from_secs),
            rest: Duration::from_secs(arguments.rest),
            weather,
            until: arguments.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
        }
    }

    /// Everything, from a fresh folder to the report.
    pub(crate) fn finish(mut self) -> Result<Report> {
        let mut random = Rng::with_seed(self.seed);
        let mut server = self.start()?;
        let proxy = self.network()?;
        let ready = if proxy.is_some() { self.proxied_json() } else { self.place.ready_json() };
        let mut bots = self.bots(&ready)?;
        self.await_first_sight(&mut bots)?;
        for number in 1..=self.kills {
            if self.until.is_some_and(|until| Instant::now() >= until) {
                say("the time is over");
                break;
            }
            let step = self.next(&mut random);
            if let Err(error) = self.kill(number, &mut server, step) {
                self.violate(format!("kill {number}: {error:#}"));
                break;
            }
            if number % self.audit_every == 0 && number < self.kills {
                server = self.stop_and_audit(server)?;
                if !self.report.violations.is_empty() {
                    break;
                }
            }
            if !bots.play() {
                self.violate("the bots ended by themselves; see bots.log".to_owned());
                break;
            }
        }
        self.await_all_back()?;
        std::thread::sleep(self.rest);
        // Long enough for every offer that was open at the last kill to end.
        let played_until = (self.rest >= Duration::from_millis(OFFER_MS + REST_SLACK_MS)).then(boot_ms);
        self.judge(wall_ms())?;
        self.report.network = proxy.as_ref().map(|proxy| proxy.counts.to_string());
        match bots.stop() {
            Ok(report) => self.report.bots = report,
            Err(error) => self.violate(format!("{error:#}")),
        }
        self.stop(server);
        self.audit(played_until)?;
        Ok(self.report)
    }

    fn start(&self) -> Result<Server> {
        Server::start(self.place.clone(), &["--pin", "off", "--store", &self.store], None)
    }

    /// Bots for the whole run, with the server that the file `ready` names.
    fn bots(&self, ready: &Path) -> Result<Bots> {
        let path = |name: &str| self.place.file(name).display().to_string();
        let arguments = [
            ["--script".to_owned(), self.script.clone()],
            ["--count".to_owned(), self.count.to_string()],
            ["--seed".to_owned(), self.seed.to_string()],
            ["--ledger".to_owned(), path("ledger.jsonl")],
            ["--trail".to_owned(), path("trail.jsonl")],
        ];
        Bots::start(&self.place, ready, "bots.json", arguments.as_flattened(), None)
    }

    /// A bad network, if one is wanted; what bots are told of the server names it then.
    fn network(&self) -> Result<Option<Proxy>> {
        if self.weather.is_fair() {
            return Ok(None);
        }
        let ready = std::fs::read(self.place.ready_json()).context("the server's addresses")?;
        let mut ready: serde_json::Value =
            serde_json::from_slice(&ready).context("the server's addresses")?;
        let game = ready["game"].as_str().context("the server does not say where the game is")?;
        let proxy = Proxy::start(game.parse().context("the game's address")?, self.weather, self.seed)?;
        // The port of the server is the same after each kill.
        ready["game"] = proxy.address.to_string().into();
        std::fs::write(self.proxied_json(), ready.to_string()).context("cannot write for the bots")?;
        Ok(Some(proxy))
    }

    fn proxied_json(&self) -> PathBuf {
        self.place.folder.join("proxied.json")
    }

    fn next(&self, random: &mut Rng) -> Step {
        let step = plan::next(random);
        Step { wait: self.every.unwrap_or(step.wait), ..step }
    }

    fn kill(&mut self, number: usize, server: &mut Server, step: Step) -> Result<()> {
        let Step { wait, kind, at_line, between } = step;
        std::thread::sleep(wait);
        let began = Instant::now();
        let hit = at_line && self.await_line();
        let served = wait + began.elapsed();
        let at = wall_ms();
        server.kill(kind != Kind::Parent, kind.takes_parent())?;
        if kind.takes_parent() {
            server.start_again()?;
        }
        let in_time = if kind == Kind::Twice { server.kill_follower(between)? } else { false };
        server.await_ready()?;
        let ready = wall_ms();
        let is_first = served >= GOOD_LIFE && kind == Kind::Node;
        self.ended(Ended { kind: Some(kind), is_first, end: End { at, ready, next: u64::MAX } });
        *self.report.kills.entry(kind).or_default() += 1;
        self.report.ready_ms.push(ready - at);
        self.report.at_lines += u64::from(hit);
        let while_it_began = if in_time { ", once while it began" } else { "" };
        say(&format!(
            "kill {number}/{} after {:.1} s: {kind} killed {} ms after it was ready{while_it_began}, ready again in {} ms",
            self.kills,
            self.began.elapsed().as_secs_f64(),
            served.as_millis(),
            ready - at
        ));
        Ok(())
    }

    /// Until the next operation is acknowledged; `false`: none was in time.
    fn await_line(&self) -> bool {
        let path = self.place.folder.join("ledger.jsonl");
        let length = || std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        let (before, began) = (length(), Instant::now());
        while began.elapsed() < LINE_WITHIN {
            if length() > before {
                return true;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        false
    }

    /// Notes an end of the server.
    fn ended(&mut self, ended: Ended) {
        if let Some(last) = self.ends.last_mut() {
            last.end.next = ended.end.at;
        }
        self.ends.push(ended);
    }

    /// Stops the server, compares, and starts it again.
    fn stop_and_audit(&mut self, server: Server) -> Result<Server> {
        self.await_all_back()?;
        self.stop(server);
        let at = wall_ms();
        self.audit(None)?;
        let server = self.start()?;
        let end = End { at, ready: wall_ms(), next: u64::MAX };
        self.ended(Ended { kind: None, is_first: false, end });
        std::thread::sleep(TRAIL_LAG);
        self.judge(at)?;
        Ok(server)
    }

    fn stop(&mut self, server: Server) {
        let began = Instant::now();
        let stopped = server.stop();
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.report.stop_ms.push(took);
        match stopped {
            Ok(status) if status.success() && took > STOP_MAX_MS => {
                self.violate(format!("a stop in order took {took} ms, more than {STOP_MAX_MS} ms"));
            }
            Ok(status) if status.success() => {}
            Ok(status) => self.violate(format!("a stop in order ended with {status}; see server.log")),
            Err(error) => self.violate(format!("a stop in order: {error:#}")),
        }
    }

    fn audit(&mut self, played_until: Option<u64>) -> Result<()> {
        let audit = Audit::run(&self.place, played_until)?;
        say(&format!(
            "audit after {:.0} s: {} crystals logged, {} trades settled, {} lines of the ledger, {} wrong",
            self.began.elapsed().as_secs_f64(),
            audit.count("crystals in operation logs"),
            audit.count("trades settled"),
            audit.count("lines of the ledger"),
            audit.wrong.len()
        ));
        self.report.audits += 1;
        audit.wrong.iter().for_each(|wrong| self.violate(format!("audit: {wrong}")));
        self.report.audit = audit;
        Ok(())
    }

    /// Judges the ends whose next is known; the last one waits unless `now` is its next.
    fn judge(&mut self, now: u64) -> Result<()> {
        self.trail.read(&self.place.folder.join("trail.jsonl"))?;
        for mut ended in std::mem::take(&mut self.ends) {
            if ended.end.next == u64::MAX {
                if ended.end.at >= now {
                    self.ends.push(ended);
                    continue;
                }
                ended.end.next = now;
            }
            let judged = self.trail.judge(&ended.end);
            judged.violations.iter().for_each(|violation| say(&format!("violated: {violation}")));
            self.report.judged(ended.kind, ended.is_first, judged);
        }
        Ok(())
    }

    /// Until every bot has its ship for the first time.
    fn await_first_sight(&mut self, bots: &mut Bots) -> Result<()> {
        while self.trail.seen_after(0) < self.count && self.began.elapsed() < BEGIN_WITHIN {
            anyhow::ensure!(bots.play(), "the bots ended by themselves; see bots.log");
            std::thread::sleep(LOOK_EVERY);
            self.trail.read(&self.place.folder.join("trail.jsonl"))?;
        }
        let seen = self.trail.seen_after(0);
        anyhow::ensure!(
            seen == self.count,
            "{seen} of {} bots have a ship after {BEGIN_WITHIN:?}",
            self.count
        );
        say(&format!("{seen} bots play after {:.1} s", self.began.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Until every bot is in play after the last end, or should have been.
    fn await_all_back(&mut self) -> Result<()> {
        let Some(Ended { end: End { at, ready, .. }, .. }) = self.ends.last().copied() else { return Ok(()) };
        let until = ready + BACK_WITHIN_MS + 2_000;
        loop {
            self.trail.read(&self.place.folder.join("trail.jsonl"))?;
            if self.trail.attached_after(at) >= self.count || wall_ms() > until {
                break;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        std::thread::sleep(TRAIL_LAG);
        Ok(())
    }

    fn violate(&mut self, what: String) {
        say(&format!("violated: {what}"));
        self.report.violations.push(what);
    }
}

/// The machine's boot time: a node's clock on Linux, which does not start anew with a process.
fn boot_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let whole = u64::try_from(time.tv_sec).unwrap_or(0) * 1_000;
    whole + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000
}
