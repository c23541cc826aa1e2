//! Every bound of this program, with its reason and what happens when it is reached.

use std::time::Duration;

/// A server that does not listen by then does not start. Reached: the run ends.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(20);
/// A stop in order takes less than two seconds, on a busy machine more. Reached: killed, and the run says so.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(20);
/// Closing thousands of sessions in order takes a while on a full core. Reached: killed, and the run fails.
pub(crate) const FLEET_STOP_WITHIN: Duration = Duration::from_secs(60);
/// How often a file or a child is looked at while something is waited for.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The console answers in milliseconds, on a full core later. Reached: that sample is left out.
pub(crate) const CONSOLE_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of the console's answer: 200 sessions and all counters are some 40 KiB. Reached: an error.
pub(crate) const CONSOLE_BYTES_MAX: u64 = 1024 * 1024;
/// Most clients of one run: bots of the sample refuse more, too.
pub(crate) const CLIENTS_MAX: u32 = 5_000;
/// Samples kept of one run: one a second, for a day. Reached: every second one is dropped.
pub(crate) const SAMPLES_MAX: usize = 86_400;
