//! Child processes.
//!
//! *Responsible for*: running a program, or several beside each other, to the end or a time limit, showing what they print, counting tests.
//! *Not responsible for*: which programs (`suite`, `command`), which processes they start (`family`).
//!
//! Invariants:
//! - I1: only what was started here is stopped: a program whose time is over with everything that it started, and what
//!   programs that ended have left running.
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
    let mut runs = run_beside([(command, show)], limit)?;
    runs.pop().context("there was one program")
}

/// As [`run`], of several programs that run beside each other: what became of each, in their order. They mostly wait: to those that
/// keep the processor busy it gives nothing. What one started is stopped when all have ended.
///
/// # Errors
/// A program could not be started; those before it are stopped.
pub(crate) fn run_beside<'a>(
    commands: impl IntoIterator<Item = (&'a mut Command, Show)>,
    limit: Duration,
) -> Result<Vec<Run>> {
    let mut family = Family::new();
    let started = Instant::now();
    let mut outputs = Vec::new();
    for (command, show) in commands {
        let name = command.get_program().to_string_lossy().into_owned();
        let output = family.start(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        let output = output.with_context(|| format!("cannot start {name}; is it installed?"))?;
        outputs.push(Output {
            name,
            lines: read(output),
            is_closed: false,
            show,
            end: None,
            run: Run::default(),
        });
    }
    while outputs.iter().any(|output| output.end.is_none()) && started.elapsed() < limit {
        for (number, output) in outputs.iter_mut().enumerate().filter(|(_, output)| output.end.is_none()) {
            output.end = family.end(number);
            output.run.took = started.elapsed();
        }
        wait_all(&mut outputs, LOOK);
    }
    let have_ended = outputs.iter().all(|output| output.end.is_some());
    if have_ended {
        let until = Instant::now() + GRACE;
        while Instant::now() < until && !(are_closed(&outputs) && family.rest().is_empty()) {
            wait_all(&mut outputs, LOOK);
        }
    }
    let stopped = family.stop();
    let named = |has_ended: bool| {
        let names =
            outputs.iter().filter(|output| output.end.is_some() == has_ended).map(|output| &*output.name);
        names.collect::<Vec<&str>>().join(", ")
    };
    if !have_ended {
        let limit = limit.as_secs();
        screen::complain(&format!("took longer than {limit} s: {}; stopped, with: {stopped}", named(false)));
    } else if !stopped.is_empty() {
        screen::complain(&format!("{} has ended and left running, now stopped: {stopped}", named(true)));
    }
    // Nobody is left who could hold the pipes; a thread whose read does not end all the same is left alone.
    let until = Instant::now() + GRACE;
    while Instant::now() < until && !are_closed(&outputs) {
        wait_all(&mut outputs, LOOK);
    }
    Ok(outputs.into_iter().map(|output| Run { succeeded: output.end == Some(true), ..output.run }).collect())
}

fn are_closed(outputs: &[Output]) -> bool {
    outputs.iter().all(|output| output.is_closed)
}

/// Takes lines that are there, and waits a little where there are none.
fn wait_all(outputs: &mut [Output], time: Duration) {
    let share = time / u32::try_from(outputs.len()).unwrap_or(1).max(1);
    outputs.iter_mut().for_each(|output| output.wait(share));
}

/// What a program prints, and what became of it so far.
struct Output {
    /// The program's.
    name: String,
    lines: Receiver<String>,
    is_closed: bool,
    show: Show,
    /// Whether it ended with exit code 0; `None`: it runs, or was stopped.
    end: Option<bool>,
    run: Run,
}

impl Output {
    /// Takes the lines that are there, or passes this time where there is none.
    fn wait(&mut self, time: Duration) {
        if self.is_closed {
            thread::sleep(time);
            return;
        }
        match self.lines.recv_timeout(time) {
            Ok(line) => {
                self.take(line);
                // No more than that, so that a program that never stops printing reaches its time limit.
                let more: Vec<String> = self.lines.try_iter().take(LINES_WAITING_MAX).collect();
                more.into_iter().for_each(|line| self.take(line));
            }
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

    use super::{Show, run, run_beside};

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
    fn programs_run_beside_each_other_and_each_has_its_own_end() {
        // The first ends only after the second began, which it could not if they ran one after the other.
        let folder = crate::fixture::Fixture::new();
        let flag = folder.root().join("flag");
        let waits = format!("until [ -e {0} ]; do sleep 0.01; done; echo seen", flag.display());
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let mut commands = [shell(&waits), shell(&format!("touch {}; echo touched; exit 3", flag.display()))];
        let runs = run_beside(commands.iter_mut().map(|one| (one, Show::Nothing)), LIMIT).unwrap();
        let ends: Vec<(bool, &str)> = runs.iter().map(|run| (run.succeeded, run.lines[0].as_str())).collect();
        assert_eq!(ends, [(true, "seen"), (false, "touched")]);
    }

    #[test]
    fn of_several_programs_only_the_one_that_hangs_has_failed_when_the_time_is_over() {
        let mut commands = [Command::new("true"), Command::new("sleep")];
        commands[1].arg("600");
        let limit = Duration::from_secs(2);
        let runs = run_beside(commands.iter_mut().map(|one| (one, Show::Nothing)), limit).unwrap();
        assert_eq!(runs.iter().map(|run| run.succeeded).collect::<Vec<bool>>(), [true, false]);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("lightmoon-no-such-program"), LIMIT, Show::Nothing).unwrap_err();
        assert!(error.to_string().contains("lightmoon-no-such-program"), "{error}");
    }
}
