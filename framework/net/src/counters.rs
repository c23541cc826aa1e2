//! Counts of what happened, for metrics.
//!
//! *Responsible for*: the counters of an endpoint. *Not responsible for*: names and export of metrics (`lightmoon`).

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Totals of an endpoint since it was made, but for `links` and `handshakes`, which are now.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: u64,)* }

        /// The counters while they are counted.
        #[derive(Debug, Default)]
        pub(crate) struct Tally { $(pub(crate) $name: Count,)* }

        impl Tally {
            /// All counters as they are now; not one instant for all of them.
            pub(crate) fn snapshot(&self) -> Counters {
                Counters { $($name: self.$name.get(),)* }
            }
        }

        impl Counters {
            /// Name and value of each counter, in a fixed order.
            #[must_use]
            pub fn list(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

counters! {
    /// Links open now.
    links,
    /// Handshakes in progress now.
    handshakes,
    /// Links that opened.
    links_opened,
    /// Handshakes that failed or took too long.
    handshakes_failed,
    /// Connections refused because of the limit of handshakes or links.
    refused,
    /// Connections refused because their source has its share, of handshakes, links or handshakes in a time.
    refused_source,
    /// Handshakes ended since others wanted a place and their source held the most.
    handshakes_evicted,
    /// Connections asked to show that they own their address.
    retried,
    /// Links closed because more waited for them than is allowed.
    overloaded,
    /// Packets and connections given up because dealing with them panicked: faults of the server.
    panicked,
    /// Bytes of streams received.
    stream_bytes_received,
    /// Bytes handed to streams.
    stream_bytes_sent,
    /// Datagrams received.
    datagrams_received,
    /// Datagrams handed to the network.
    datagrams_sent,
    /// Datagrams dropped because a queue was full.
    datagrams_dropped,
    /// Datagrams dropped because they did not fit a packet.
    datagrams_too_large,
    /// Times a link was not read because its events were not yet dealt with.
    read_stalls,
}

/// One counter. Relaxed everywhere: a statistic that no other memory access depends on.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, by: usize) {
        self.0.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, by: u64) {
        self.0.fetch_sub(by, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
