//! Child processes.
//!
//! *Responsible for*: running one program to its end or its time limit, showing what it prints, counting its tests.
//! *Not responsible for*: which programs (`suite`, `command`).
//!
//! Invariants:
//! - I1: a child is stopped by its own handle, and only when its time is over.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::screen;
use crate::tally::Tally;

/// Lines that may wait between the reading thread and us; a full channel makes the child wait.
const LINES_WAITING_MAX: usize = 1_024;

/// Lines kept of an output that a caller asked for: a simulation prints a few for each seed.
const LINES_KEPT_MAX: usize = 100_000;

/// What became of a child.
#[derive(Debug)]
pub(crate) struct Run {
    /// Whether it ended by itself, with exit code 0.
    pub(crate) succeeded: bool,
    /// The tests it counted on its standard output.
    pub(crate) tally: Tally,
    /// What it printed on its standard output.
    pub(crate) lines: Vec<String>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Whether the lines of a child are shown while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Show {
    /// Each line as it comes.
    All,
    /// None.
    Nothing,
}

/// Runs a program and reads its standard output. Standard error goes where ours goes.
///
/// # Errors
/// The program could not be started.
pub(crate) fn run(command: &mut Command, limit: Duration, show: Show) -> Result<Run> {
    let started = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}; is it installed?"))?;
    let output = child.stdout.take().context("the output is a pipe")?;
    let (sender, receiver) = mpsc::sync_channel(LINES_WAITING_MAX);
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    let mut run = Run { succeeded: false, tally: Tally::default(), lines: Vec::new(), took: Duration::ZERO };
    loop {
        match receiver.recv_timeout(limit.saturating_sub(started.elapsed())) {
            Ok(line) => {
                run.tally.read(&line);
                if show == Show::All {
                    screen::line(&line);
                }
                if run.lines.len() < LINES_KEPT_MAX {
                    run.lines.push(line);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                screen::complain(&format!("{program} took longer than {} s and is stopped", limit.as_secs()));
                stop(&mut child)?;
                run.took = started.elapsed();
                return Ok(run);
            }
        }
    }
    run.succeeded = child.wait().context("cannot wait for a child")?.success();
    run.took = started.elapsed();
    Ok(run)
}

fn stop(child: &mut Child) -> Result<()> {
    child.kill().context("cannot stop a child")?;
    child.wait().context("cannot wait for a child")?;
    Ok(())
}

/// The first line that a program prints when asked for its version; `None` if it is not there.
pub(crate) fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Show, run};

    /// Longer than any of these programs takes.
    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn the_exit_code_decides_and_lines_are_kept() {
        let good = run(Command::new("sh").args(["-c", "echo one; echo two"]), LIMIT, Show::Nothing).unwrap();
        assert!(good.succeeded);
        assert_eq!(good.lines, ["one", "two"]);
        let bad = run(Command::new("sh").args(["-c", "echo one; exit 3"]), LIMIT, Show::Nothing).unwrap();
        assert!(!bad.succeeded);
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let hung = run(Command::new("sleep").arg("600"), Duration::from_millis(50), Show::Nothing).unwrap();
        assert!(!hung.succeeded);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("lightmoon-no-such-program"), LIMIT, Show::Nothing).unwrap_err();
        assert!(error.to_string().contains("lightmoon-no-such-program"), "{error}");
    }
}
