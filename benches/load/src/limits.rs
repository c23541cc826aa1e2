//! Every bound of this program, with its reason and what happens when it is reached.

/// Most clients of one run: bots of the sample refuse more, too.
pub(crate) const CLIENTS_MAX: u32 = 5_000;
/// Samples kept of one run: one a second, for a day. Reached: every second one is dropped.
pub(crate) const SAMPLES_MAX: usize = 86_400;
