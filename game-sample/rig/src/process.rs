//! What the system says of a process: CPU of each thread, memory.
//!
//! *Responsible for*: reading `/proc`, choosing cores for children. *Not responsible for*: what the threads do.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The tenth of a full share that one gets who gives way.
const NICE: i32 = 10;

/// CPU time of the threads of a process by their names, in seconds.
pub type Threads = BTreeMap<String, f64>;

/// Clock ticks of `/proc` in a second: the same on every Linux that we know.
const TICKS_PER_SECOND: f64 = 100.0;
/// Field of `stat` behind the name that counts ticks in user mode (the 14th of all); the next one is of the kernel.
const USER_FIELD: usize = 11;

/// Lets the C library take memory in large pages (variable and value), so that a process of thousands of clients leaves more of its core to them. For clients only:
/// a server is measured as it comes.
pub const LARGE_PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1");

/// CPU time of each thread until now. Threads of one name are added up.
///
/// # Errors
/// The process is gone.
pub fn threads(pid: u32) -> Result<Threads> {
    let mut threads = Threads::new();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).context("the process is gone")?;
    for task in tasks.flatten() {
        // A thread may end while we look.
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
        if let Some((name, seconds)) = parse(&stat) {
            *threads.entry(name.to_owned()).or_default() += seconds;
        }
    }
    Ok(threads)
}

/// CPU time of the whole process, with threads that have ended.
///
/// # Errors
/// The process is gone.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    parse(&stat).map(|(_, seconds)| seconds).context("`/proc/PID/stat` reads otherwise here")
}

fn parse(stat: &str) -> Option<(&str, f64)> {
    // The name is in parentheses and may hold anything, also parentheses.
    let (from, to) = (stat.find('(')?, stat.rfind(')')?);
    let mut fields = stat.get(to + 1..)?.split_whitespace().skip(USER_FIELD);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((stat.get(from + 1..to)?, (f64::from(user) + f64::from(system)) / TICKS_PER_SECOND))
}

/// Memory of a process that is in RAM, in KiB.
///
/// # Errors
/// The process is gone.
pub fn resident_kib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmRSS is no number")
}

/// Two cores: one for the server, one for its clients. On a machine with one, they share it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cores {
    /// The server's.
    pub server: usize,
    /// All others'.
    pub clients: usize,
}

impl Cores {
    /// The last two that this process may use: interrupts mostly go to the first.
    ///
    /// # Errors
    /// The system does not say which cores may be used.
    pub fn choose() -> Result<Self> {
        let allowed = sched_getaffinity(None).context("which cores may be used")?;
        let mut cores = (0..CpuSet::MAX_CPU).rev().filter(|core| allowed.is_set(*core));
        let server = cores.next().context("no core may be used")?;
        Ok(Self { server, clients: cores.next().unwrap_or(server) })
    }
}

/// Does `start` while this thread may run on one core only, if one is named: a child started by it keeps to that core.
///
/// # Errors
/// Those of `start`, or there is no such core.
pub fn on_core<T>(core: Option<usize>, start: impl FnOnce() -> Result<T>) -> Result<T> {
    let Some(core) = core else { return start() };
    let before = sched_getaffinity(None).context("which cores may be used")?;
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).with_context(|| format!("core {core} cannot be chosen"))?;
    let started = start();
    sched_setaffinity(None, &before).context("the cores of before cannot be chosen")?;
    started
}

/// Keeps this thread, and those that it starts from now on, to one core.
///
/// # Errors
/// There is no such core.
pub fn keep_to(core: usize) -> Result<()> {
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).with_context(|| format!("core {core} cannot be chosen"))
}

/// Lets other threads of this machine go before this one, and before those that it starts from now on.
///
/// # Errors
/// The system does not allow it.
pub fn give_way() -> Result<()> {
    // Linux holds it for each thread.
    setpriority_process(None, NICE).context("the thread cannot give way")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_read() {
        let stat = "17 (a) b (c) S 1 17 17 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 1 0 99";
        assert_eq!(parse(stat), Some(("a) b (c", 2.0)));
    }

    #[test]
    fn this_process_has_memory_and_threads() {
        let own = std::process::id();
        assert!(resident_kib(own).unwrap() > 0.0);
        assert!(!threads(own).unwrap().is_empty());
        assert!(cpu_seconds(own).unwrap() >= 0.0);
    }
}
