//! The cores of this machine.
//!
//! *Responsible for*: how many this process may use, keeping a thread on one of them. *Not responsible for*: who is pinned
//! (`node_thread`, `workers`).

/// How many cores this process may use.
pub(crate) fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Workers for so many cores: one is left to transport, and with several workers one to the hub, which has a thread of its own then.
/// On up to three cores there is one worker, which shares the hub's thread: two would cost a change of threads for each message
/// and win nothing.
pub(crate) fn workers_for(cores: usize) -> u16 {
    match cores {
        0..=3 => 1,
        // Beyond this one hub is what limits a node, not its workers.
        _ => u16::try_from(cores - 2).unwrap_or(u16::MAX).min(crate::limits::WORKERS_CHOSEN_MAX),
    }
}

/// Keeps this thread on one core, so that its worlds stay in that core's cache: the `number`th from the last one. Interrupts
/// mostly go to the first, which is left to others, as are cores that are not there.
#[cfg(target_os = "linux")]
pub(crate) fn pin(number: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let mut cores = (0..CpuSet::MAX_CPU).rev().filter(|cpu| allowed.is_set(*cpu));
    let Some(core) = cores.nth(number) else { return };
    if cores.next().is_none() {
        return;
    }
    let mut one = CpuSet::new();
    one.set(core);
    // It runs without, too.
    let _ = sched_setaffinity(None, &one);
}

/// Leaves this thread where the system puts it.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn pin(_number: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transport_has_a_core_of_its_own_wherever_there_are_two() {
        for (cores, workers) in [(1, 1), (2, 1), (3, 1), (4, 2), (8, 6), (64, 16)] {
            assert_eq!(workers_for(cores), workers, "{cores} cores");
        }
    }
}
