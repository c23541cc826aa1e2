//! Server, bots and a Prometheus that run.
//!
//! *Responsible for*: starting and stopping them, waiting until expressions return series. *Not responsible for*: the programs
//! (`game_sample_rig`), how an expression is asked (`promtool`).

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use game_sample_rig::{Bots, Place, Server};
use lightmoon_dashboards::{Metrics, RULES, alerts, root};

use crate::promtool::{INTERVAL, Promtool, expressions};
use crate::{Arguments, say};

/// Rates need two scrapes a second apart, histograms some play before: a few seconds, on a busy machine several times that. Reached:
/// what still returns nothing is wrong.
const SERIES_WITHIN: Duration = Duration::from_secs(35);
/// A Prometheus with an empty store answers within a second, on a busy machine later. Reached: an error.
const READY_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks: each expression is a process.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A Prometheus that reads the sample.
struct Prometheus {
    child: Child,
    address: String,
}

impl Prometheus {
    fn start(place: &Place, programs: &Path, port: u16, config: &Path) -> Result<Self> {
        let address = format!("127.0.0.1:{port}");
        let log = File::create(place.file("prometheus.log")).context("cannot write prometheus.log")?;
        let program = programs.join("prometheus").canonicalize().context("the folder of prometheus")?;
        let child = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", place.file("prometheus").display()))
            .arg(format!("--web.listen-address={address}"))
            .current_dir(&place.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start prometheus")?;
        Ok(Self { child, address: format!("http://{address}") })
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // One that ended cannot be killed, which is what we want.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// What is wrong.
pub(crate) fn run(place: &Place, arguments: &Arguments, promtool: &Promtool) -> Result<Vec<String>> {
    let server = Server::start(place.clone(), &[], None)?;
    let count = ["--count".to_owned(), arguments.count.to_string()];
    let bots = Bots::start(place, &place.ready_json(), "bots.json", &count, None)?;
    let console = server.console()?;
    let config = place.file("prometheus.yml");
    fs::write(&config, configuration(place, &console.address().to_string())?).context("cannot write")?;
    let mut problems: Vec<String> = promtool.check_config(&config)?.into_iter().collect();
    let prometheus = Prometheus::start(place, &arguments.programs, free_port()?, &config)?;
    until_ready(promtool, &prometheus.address)?;
    problems.extend(until_all_answer(promtool, &prometheus.address)?);
    problems.extend(rules_evaluate(promtool, &prometheus.address)?);
    let text = console.metrics_text()?;
    problems.extend(promtool.check_metrics(&text)?);
    problems.extend(not_in_the_book(&text)?);
    drop(prometheus);
    bots.stop()?;
    let status = server.stop()?;
    ensure!(status.success(), "the server ended with {status}");
    Ok(problems)
}

/// As the book says, but faster.
fn configuration(place: &Place, target: &str) -> Result<String> {
    let rules = root().join(RULES).canonicalize().context("the rules")?;
    Ok(format!(
        "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files:\n  - '{}'\nscrape_configs:\n  - job_name: lightmoon\n    \
         authorization:\n      credentials_file: '{}'\n    static_configs:\n      - targets: ['{target}']\n",
        rules.display(),
        place.data().join("keys/console-token").display(),
    ))
}

/// A port that was free a moment ago: prometheus cannot say which one it took.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port")?.local_addr()?.port())
}

/// Waits until a Prometheus answers.
fn until_ready(promtool: &Promtool, server: &str) -> Result<()> {
    let began = Instant::now();
    while let Err(error) = promtool.ask(server, "vector(1)") {
        ensure!(began.elapsed() < READY_WITHIN, "prometheus does not answer: {error:#}; see prometheus.log");
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Expressions of dashboards that return nothing within the time, or cannot be evaluated.
fn until_all_answer(promtool: &Promtool, server: &str) -> Result<Vec<String>> {
    let (began, mut silent) = (Instant::now(), expressions()?);
    let all = silent.len();
    loop {
        let mut still = Vec::new();
        for expression in silent {
            let filled = expression.filled(INTERVAL);
            match promtool.ask(server, &filled) {
                Ok(series) if series > 0 => {}
                Ok(_) => still.push((format!("{}: {filled} returns nothing", expression.place), expression)),
                Err(error) => still.push((format!("{}: {error:#}", expression.place), expression)),
            }
        }
        if still.is_empty() {
            say(&format!("{all} expressions returned series within {:.0} s", began.elapsed().as_secs_f64()));
            return Ok(Vec::new());
        }
        if began.elapsed() > SERIES_WITHIN {
            return Ok(still.into_iter().map(|(problem, _)| problem).collect());
        }
        silent = still.into_iter().map(|(_, expression)| expression).collect();
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Rules that a Prometheus cannot evaluate on real series. Whether one rings depends on the machine.
fn rules_evaluate(promtool: &Promtool, server: &str) -> Result<Vec<String>> {
    let asked = alerts()?.into_iter().map(|alert| (promtool.ask(server, &alert.expression), alert.name));
    Ok(asked.filter_map(|(answer, name)| Some(format!("{name}: {:#}", answer.err()?))).collect())
}

/// What a server exports and the book does not have, or the other way round.
fn not_in_the_book(text: &str) -> Result<Vec<String>> {
    let book = Metrics::of_the_book()?;
    let headers = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let mut exported: Vec<&str> = headers.collect();
    exported.sort_unstable();
    let missing = exported.iter().filter(|name| !book.names().any(|known| known == **name));
    let missing = missing.map(|name| format!("{name} is exported and not in the book"));
    let gone = book.names().filter(|name| exported.binary_search(name).is_err());
    let gone = gone.map(|name| format!("{name} is in the book and not exported"));
    Ok(missing.chain(gone).collect())
}
