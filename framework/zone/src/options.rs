//! The options of a kind of zones.

use std::time::Duration;

use lightmoon_actor::Keeping;
use lightmoon_contract::Mono;

use crate::limits::{BYTES_PER_SECOND_DEFAULT, MAX_LOSS_DEFAULT, MAX_LOSS_MAX, MAX_LOSS_MIN};

/// Reads a clock for measuring phases. Zones read no clock themselves: the binary gives a real one, tests none.
pub type Probe = fn() -> Mono;

/// Options of all zones of one kind.
#[derive(Clone, Copy, Debug)]
pub struct ZoneOptions {
    /// Reads the time between the phases of a tick, for [`crate::ZoneReport`] only; the game never sees it.
    /// Default: always 0, so every phase takes 0 ns and runs from one seed are equal.
    pub probe: Probe,
    /// Allocator block of the ids of a zone's entities: this plus the zone's key, of which 24 bits count. Default 0.
    /// Give kinds of zones whose entities meet clients together different blocks, since an id must be one of its kind.
    pub id_block: u32,
    /// Time between two snapshots of a zone with [`crate::Zone::KEEPS`]: what a crash may take of everything that no `sync`
    /// operation did. Default 10 s, clamped to 1 ..= 60 s. A snapshot copies what is kept, about 1 ns for each value, and
    /// writes all of it: shorter costs disk, longer costs players.
    pub max_loss: Duration,
    /// Bytes of state that each viewer is sent in a second, at most, whatever it sees. Default 32,000, at least 1,000. When
    /// not all fits, what is near goes more often; the own avatar always goes. A packet has at most 1,100 bytes, so at 20 Hz
    /// more than 22,000 changes nothing. [`crate::Viewers::set_bytes_per_second`] decides for one viewer. Since 0.1.
    pub bytes_per_second: u32,
    /// Deliberately wrong replication. Overridden by the one of the node.
    #[cfg(feature = "flaws")]
    pub flaw: Option<lightmoon_replica::Flaw>,
}

impl Default for ZoneOptions {
    fn default() -> Self {
        Self {
            probe: no_time,
            id_block: 0,
            max_loss: MAX_LOSS_DEFAULT,
            bytes_per_second: BYTES_PER_SECOND_DEFAULT,
            #[cfg(feature = "flaws")]
            flaw: None,
        }
    }
}

impl ZoneOptions {
    /// How zones are kept that are.
    pub(crate) fn keeping(&self) -> Keeping {
        let every = self.max_loss.clamp(MAX_LOSS_MIN, MAX_LOSS_MAX);
        // It ticks, so it never idles.
        Keeping { snapshot_every: Some(every), idle_after: None, ..Keeping::default() }
    }

    /// The block of the zone with this key.
    pub(crate) fn block_of(&self, key: u64) -> u32 {
        let low = u32::try_from(key & 0xFF_FFFF).expect("24 bits fit");
        self.id_block.wrapping_add(low) & 0xFF_FFFF
    }
}

const fn no_time() -> Mono {
    Mono(0)
}
