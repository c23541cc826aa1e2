//! Programs that run beside each other, mostly one alone, and all that they start.
//!
//! *Responsible for*: knowing which processes the programs started, seeing them end, ending those that are left.
//! *Not responsible for*: what a program prints, and how long it may take (`program`).
//!
//! On Linux this process becomes the *subreaper* of its descendants: what loses its parent becomes our child, whatever
//! group, session or environment it made for itself (browsers and servers do). So nothing that was started here gets out
//! of sight, and what is below us in the tree of processes is exactly what the programs of now have started. Elsewhere only
//! the programs themselves are seen.
//!
//! Programs stay in our group of processes: Ctrl-C at a terminal reaches them as it reaches us. It also ends those that
//! have a group of their own, see [`end_with_signals`].
//!
//! Invariants:
//! - I1: one family runs at a time in this process (`TURN`), so that every descendant belongs to it.
//! - I2: nothing but descendants is ever stopped.
//! - I3: every process is started here; a lint forbids it elsewhere. Who started one outside would lose it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{ChildStdout, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, fs, thread};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::screen;

/// What may be needed until killed processes are gone; more means that one hangs in the kernel.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// Between two looks at processes that were killed.
const LOOK: Duration = Duration::from_millis(5);
/// Processes named in one line: a build has dozens.
const NAMES_MAX: usize = 8;

/// Held for as long as a family runs (I1): tests of this crate run beside each other.
static TURN: Mutex<()> = Mutex::new(());
/// Held to start a program, and kept by who ends this process: nothing is started behind its back.
static DOOR: Mutex<()> = Mutex::new(());

/// A panic of who held it before left nothing half done: the processes are looked at anew.
fn lock(mutex: &'static Mutex<()>) -> MutexGuard<'static, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Running programs with their descendants; all of them end with this value.
pub(super) struct Family {
    members: Vec<Member>,
    _turn: MutexGuard<'static, ()>,
}

/// A program.
struct Member {
    pid: Pid,
    /// Whether it ended with exit code 0; `None` while it runs.
    end: Option<bool>,
}

impl Family {
    /// Nobody yet, after the family before has ended.
    pub(super) fn new() -> Self {
        Self { members: Vec::new(), _turn: lock(&TURN) }
    }

    /// Starts a program; what it prints on its standard output.
    pub(super) fn start(&mut self, command: &mut Command) -> Result<ChildStdout> {
        let door = lock(&DOOR);
        adopt()?;
        #[expect(clippy::disallowed_methods, reason = "the one place that starts processes, see I3")]
        let mut child = command.spawn()?;
        drop(door);
        let output = child.stdout.take();
        self.members.push(Member { pid: Pid::from_child(&child), end: None });
        output.context("the output is a pipe")
    }

    /// Whether the program that was started as this one, counted from 0, ended with exit code 0; `None` while it runs. Also lets go of
    /// descendants that have ended: they would stay in the list of processes until somebody asks for their end, and tests look there.
    pub(super) fn end(&mut self, number: usize) -> Option<bool> {
        while let Some((pid, succeeded)) = ended_child() {
            if let Some(member) = self.members.iter_mut().find(|member| member.pid == pid) {
                member.end = Some(succeeded);
            }
        }
        self.members.get(number)?.end
    }

    /// Descendants that still run.
    pub(super) fn rest(&mut self) -> Vec<Process> {
        self.end(0);
        descendants().into_iter().filter(|process| !process.is_dead).collect()
    }

    /// Ends the programs and their descendants; says who they were.
    pub(super) fn stop(&mut self) -> Names {
        self.end(0);
        let running = self.members.iter().filter(|member| member.end.is_none());
        let names = stop_all(&running.map(|member| member.pid).collect::<Vec<Pid>>());
        // Whoever saw their end, it is over, and they were stopped.
        for member in &mut self.members {
            member.end.get_or_insert(false);
        }
        // Where this process is being ended, nothing goes on here.
        drop(lock(&DOOR));
        names
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A process below us.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    name: String,
    /// It has ended, and its parent has not asked for it yet.
    is_dead: bool,
}

/// Processes by name and number, for one line.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<i32, String>);

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (pid, name)) in self.0.iter().take(NAMES_MAX).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name} ({pid})")?;
        }
        match self.0.len().saturating_sub(NAMES_MAX) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// From now on who loses its parent below us becomes our child.
fn adopt() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(getpid()))?;
    Ok(())
}

/// A child of ours that has ended and was not asked for yet, and whether its exit code was 0.
fn ended_child() -> Option<(Pid, bool)> {
    // `waitpid` without a number would look only at our group, which some leave.
    let (pid, status) = wait(WaitOptions::NOHANG).ok()??;
    Some((pid, status.exit_status() == Some(0)))
}

/// Everything below us, by the parents that `/proc` tells; empty where there is none.
fn descendants() -> Vec<Process> {
    let Ok(folders) = fs::read_dir("/proc") else { return Vec::new() };
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for folder in folders.filter_map(std::result::Result::ok) {
        let number = folder.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else { continue };
        // One that has ended meanwhile has no file any more.
        let Ok(stat) = fs::read(folder.path().join("stat")) else { continue };
        if let Some((parent, process)) = parse(pid, &String::from_utf8_lossy(&stat)) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = Vec::new();
    let mut parents = vec![getpid()];
    let mut seen = BTreeSet::new();
    while let Some(parent) = parents.pop() {
        let parent = parent.as_raw_nonzero().get();
        if seen.insert(parent) {
            let below = children.remove(&parent).unwrap_or_default();
            parents.extend(below.iter().map(|process| process.pid));
            found.extend(below);
        }
    }
    found
}

/// `1234 (a name) S 1 …`: number, name, state, parent. The name may hold anything, so the last bracket counts.
fn parse(pid: Pid, stat: &str) -> Option<(i32, Process)> {
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    let mut rest = rest.split_whitespace();
    let (state, parent) = (rest.next()?, rest.next()?);
    let process = Process { pid, name: name.to_owned(), is_dead: matches!(state, "Z" | "X") };
    Some((parent.parse().ok()?, process))
}

/// Kills everything below us, again and again until nothing is left: what is killed may have started another just before.
/// `children` are killed also where descendants cannot be seen.
fn stop_all(children: &[Pid]) -> Names {
    let mut names = Names::default();
    let until = Instant::now() + STOP_LIMIT;
    for pid in children {
        // It may have ended by itself.
        let _ = kill_process(*pid, Signal::KILL);
    }
    loop {
        while ended_child().is_some() {}
        let rest = descendants();
        if rest.is_empty() {
            return names;
        }
        let is_over = Instant::now() >= until;
        for process in rest {
            let _ = kill_process(process.pid, Signal::KILL);
            let Process { pid, name, is_dead } = process;
            if is_over {
                screen::complain(&format!("{name} ({pid}) was killed and does not end: look at it by hand"));
            } else if !is_dead {
                names.0.insert(pid.as_raw_nonzero().get(), name);
            }
        }
        if is_over {
            return names;
        }
        thread::sleep(LOOK);
    }
}

/// From now on a signal that ends this process ends first what it started: also what has a group or a session of its own,
/// which Ctrl-C at a terminal does not reach, and when the signal was for us alone (`kill`).
///
/// # Errors
/// The system does not let us listen.
pub(crate) fn end_with_signals() -> Result<()> {
    let listened = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
    let mut signals = Signals::new(listened).context("cannot listen for signals")?;
    thread::spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        // Never opened again: nothing is started from here on.
        let _door = lock(&DOOR);
        let names = stop_all(&[]);
        if !names.is_empty() {
            screen::complain(&format!("xtask was told to end, and stopped what it had started: {names}"));
        }
        // Ends this process as if we had not listened: who started it sees why.
        let _ = emulate_default_handler(signal);
    });
    Ok(())
}

/// Whether who started us wants this signal ignored, as `nohup` does.
fn is_ignored(signal: i32) -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use rustix::process::getpid;

    use super::{NAMES_MAX, Names, parse};

    #[test]
    fn a_name_with_brackets_and_spaces_hides_no_parent() {
        let (parent, process) = parse(getpid(), "7 (a ) S 9 (b)) Z 42 7 7 0 -1").unwrap();
        assert_eq!((parent, process.name.as_str(), process.is_dead), (42, "a ) S 9 (b)", true));
        assert!(parse(getpid(), "7 (cut off").is_none());
    }

    #[test]
    fn a_line_of_names_has_an_end() {
        let names = Names((1..=20).map(|pid| (pid, "cc".to_owned())).collect());
        let text = names.to_string();
        assert!(text.starts_with("cc (1), cc (2)") && text.ends_with(" and 12 more"), "{text}");
        assert_eq!(text.matches("cc").count(), NAMES_MAX);
    }
}
