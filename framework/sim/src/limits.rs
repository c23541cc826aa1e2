//! Bounds of the simulator.
//!
//! *Responsible for*: every maximum of this crate, with its reason. *Not responsible for*: the limits of what is simulated.

/// Clients of one world: one thread in debug builds is busy with fewer.
pub const CLIENTS_MAX: u32 = 1_000;

/// Steps within one moment, after which the world is taken to be in a loop without time.
pub const STEPS_PER_MOMENT_MAX: u32 = 10_000;

/// Ticks kept of each zone: 30 s at 20 Hz, longer than the slowest packet the link model can make.
pub const TICKS_KEPT: usize = 600;

/// Removed entities remembered of each zone; more would have left every client long ago.
pub const REMOVALS_KEPT: usize = 10_000;

/// Operations in a history of one key: its search is about quadratic.
pub const HISTORY_OPERATIONS_MAX: usize = 1_000;

/// Sets of operations that the search for an order looks at before it gives up: some 30 MB, seconds without
/// optimisation.
pub const HISTORY_STATES_MAX: usize = 1 << 17;
