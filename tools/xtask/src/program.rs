//! Child processes.
//!
//! *Responsible for*: running one program to its end or its time limit, showing what it prints, counting its tests.
//! *Not responsible for*: which programs (`suite`, `command`), which processes they start (`family`).
//!
//! Invariants:
//! - I1: only what was started here is stopped: a program whose time is over with everything that it started, and what a
//!   program that ended has left running.
//! - I2: a run ends at most its limit and a few seconds after it began, whatever its descendants do with its output.

mod family;

use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use self::family::Family;
pub(crate) use self::family::end_with_signals;
use crate::screen;
use crate::tally::Tally;

/// Lines that may wait between the reading thread and us; a full channel makes the child wait.
const LINES_WAITING_MAX: usize = 1_024;

/// Lines kept of an output that a caller asked for: a simulation prints a few for each seed.
const LINES_KEPT_MAX: usize = 100_000;

/// Between two looks whether a program has ended, while it prints nothing.
const LOOK: Duration = Duration::from_millis(20);

/// What a program started may end this much after it: a browser's processes do.
const GRACE: Duration = Duration::from_secs(1);

/// A question about a version or a commit is answered at once.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// What became of a child.
#[derive(Debug, Default)]
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

/// Runs a program and reads its standard output. Standard error goes where ours goes. Whatever it started has ended when
/// this returns.
///
/// # Errors
/// The program could not be started.
pub(crate) fn run(command: &mut Command, limit: Duration, show: Show) -> Result<Run> {
    let started = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let mut family = Family::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))
        .with_context(|| format!("cannot start {program}; is it installed?"))?;
    let mut output = Output { lines: read(family.output()?), is_closed: false, show, run: Run::default() };
    let end = loop {
        match family.end() {
            Some(succeeded) => break Some(succeeded),
            None if started.elapsed() >= limit => break None,
            None => output.wait(LOOK),
        }
    };
    if end.is_some() {
        let until = Instant::now() + GRACE;
        while Instant::now() < until && !(output.is_closed && family.rest().is_empty()) {
            output.wait(LOOK);
        }
    }
    let stopped = family.stop();
    if end.is_none() {
        let limit = limit.as_secs();
        screen::complain(&format!("{program} took longer than {limit} s and is stopped, with: {stopped}"));
    } else if !stopped.is_empty() {
        screen::complain(&format!("{program} has ended and left running, now stopped: {stopped}"));
    }
    // Nobody is left who could hold the pipe; a thread whose read does not end all the same is left alone.
    let until = Instant::now() + GRACE;
    while Instant::now() < until && !output.is_closed {
        output.wait(LOOK);
    }
    Ok(Run { succeeded: end == Some(true), took: started.elapsed(), ..output.run })
}

/// What a program prints, and what became of it so far.
struct Output {
    lines: Receiver<String>,
    is_closed: bool,
    show: Show,
    run: Run,
}

impl Output {
    /// Takes the next line, or passes this time where there is none.
    fn wait(&mut self, time: Duration) {
        if self.is_closed {
            thread::sleep(time);
            return;
        }
        match self.lines.recv_timeout(time) {
            Ok(line) => self.take(line),
            Err(RecvTimeoutError::Disconnected) => self.is_closed = true,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }

    fn take(&mut self, line: String) {
        self.run.tally.read(&line);
        if self.show == Show::All {
            screen::line(&line);
        }
        if self.run.lines.len() < LINES_KEPT_MAX {
            self.run.lines.push(line);
        }
    }
}

/// A thread that reads lines until nobody can write any more, or nobody takes them.
fn read(output: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(LINES_WAITING_MAX);
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The first line that a program prints; `None` if it is not there or fails.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let run = run(command.stderr(Stdio::null()), ANSWER_LIMIT, Show::Nothing).ok()?;
    let line = run.lines.into_iter().next().unwrap_or_default();
    run.succeeded.then(|| line.trim().to_owned())
}

/// The first line that a program prints when asked for its version; `None` if it is not there.
pub(crate) fn version(program: &str) -> Option<String> {
    first_line(Command::new(program).arg("--version"))
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

    /// Two processes that run on: one as it is, and one that cuts all ties, as browsers and servers do. It prints their numbers.
    const LEAVE: &str = "sleep 600 & echo $!; env -i setsid sh -c 'sleep 600 & echo $!'";

    /// Whether none of the processes with these numbers is there any more.
    fn are_gone(numbers: &[String]) -> bool {
        let is_there = |number: &String| std::path::Path::new("/proc").join(number).exists();
        assert!(
            numbers.len() == 2 && numbers.iter().all(|number| number.parse::<u32>().is_ok()),
            "{numbers:?}"
        );
        !numbers.iter().any(is_there)
    }

    #[test]
    fn what_a_program_leaves_running_ends_with_it() {
        let run = run(Command::new("sh").args(["-c", LEAVE]), LIMIT, Show::Nothing).unwrap();
        assert!(run.succeeded);
        assert!(are_gone(&run.lines));
        assert!(run.took < LIMIT, "an output that is held open must not make the run wait");
    }

    #[test]
    fn all_that_a_program_started_ends_when_its_time_is_over() {
        let script = format!("{LEAVE}; wait");
        let limit = Duration::from_secs(2);
        let run = run(Command::new("sh").args(["-c", &script]), limit, Show::Nothing).unwrap();
        assert!(!run.succeeded);
        assert!(are_gone(&run.lines));
    }

    #[test]
    fn a_program_that_closes_its_output_is_waited_for_and_stopped() {
        let mut command = Command::new("sh");
        let run_for = |limit, command: &mut Command| run(command, limit, Show::Nothing).unwrap().succeeded;
        assert!(!run_for(LIMIT, command.args(["-c", "exec >&-; sleep 0.1; exit 3"])));
        let mut command = Command::new("sh");
        assert!(!run_for(Duration::from_millis(50), command.args(["-c", "exec >&-; sleep 600"])));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("lightmoon-no-such-program"), LIMIT, Show::Nothing).unwrap_err();
        assert!(error.to_string().contains("lightmoon-no-such-program"), "{error}");
    }
}
