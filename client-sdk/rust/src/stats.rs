//! What a client counts.
//!
//! *Responsible for*: the numbers as plain values. *Not responsible for*: showing them.

use lightmoon_contract::Tick;
use lightmoon_wire::Counters;

/// Counts since the client was made, over all its connections. They never go down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientStats {
    /// Bytes received, of streams and datagrams, without the transport's own.
    pub bytes_in: u64,
    /// Bytes handed to the transport.
    pub bytes_out: u64,
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Datagrams handed to the transport.
    pub datagrams_out: u64,
    /// Bytes in the datagrams received.
    pub datagram_bytes_in: u64,
    /// Bytes in the datagrams handed to the transport.
    pub datagram_bytes_out: u64,
    /// State packets that were of the present attachment.
    pub states: u64,
    /// Ticks for which no state packet came, between two that did.
    pub gaps: u64,
    /// State packets that came for a tick which was there already.
    pub doubles: u64,
    /// State packets that came after one of a later tick.
    pub overtaken: u64,
    /// View and State frames of an attachment that was over, or not yet known.
    pub stale: u64,
    /// Tries to connect.
    pub tries: u64,
    /// Sessions that began.
    pub sessions: u64,
    /// Sessions that went on after a reconnect.
    pub resumes: u64,
    /// Requests sent again after a reconnect.
    pub requests_repeated: u64,
    /// Calls sent, each time.
    pub calls: u64,
    /// Calls that could not be sent and were handed back.
    pub calls_undelivered: u64,
    /// Requests without an answer in time.
    pub requests_timed_out: u64,
    /// Answers dropped because nobody took them.
    pub answers_dropped: u64,
    /// Events dropped because nobody polled them.
    pub events_dropped: u64,
}

impl ClientStats {
    /// What was counted since `before`, counts of the same client.
    #[must_use]
    pub const fn since(&self, before: &Self) -> Self {
        Self {
            bytes_in: self.bytes_in.saturating_sub(before.bytes_in),
            bytes_out: self.bytes_out.saturating_sub(before.bytes_out),
            datagrams_in: self.datagrams_in.saturating_sub(before.datagrams_in),
            datagrams_out: self.datagrams_out.saturating_sub(before.datagrams_out),
            datagram_bytes_in: self.datagram_bytes_in.saturating_sub(before.datagram_bytes_in),
            datagram_bytes_out: self.datagram_bytes_out.saturating_sub(before.datagram_bytes_out),
            states: self.states.saturating_sub(before.states),
            gaps: self.gaps.saturating_sub(before.gaps),
            doubles: self.doubles.saturating_sub(before.doubles),
            overtaken: self.overtaken.saturating_sub(before.overtaken),
            stale: self.stale.saturating_sub(before.stale),
            tries: self.tries.saturating_sub(before.tries),
            sessions: self.sessions.saturating_sub(before.sessions),
            resumes: self.resumes.saturating_sub(before.resumes),
            requests_repeated: self.requests_repeated.saturating_sub(before.requests_repeated),
            calls: self.calls.saturating_sub(before.calls),
            calls_undelivered: self.calls_undelivered.saturating_sub(before.calls_undelivered),
            requests_timed_out: self.requests_timed_out.saturating_sub(before.requests_timed_out),
            answers_dropped: self.answers_dropped.saturating_sub(before.answers_dropped),
            events_dropped: self.events_dropped.saturating_sub(before.events_dropped),
        }
    }

    /// Adds what one connection counted.
    pub(crate) const fn add(&mut self, link: &Counters) {
        self.bytes_in += link.stream_bytes_in + link.datagram_bytes_in;
        self.bytes_out += link.stream_bytes_out + link.datagram_bytes_out;
        self.datagrams_in += link.datagrams_in;
        self.datagrams_out += link.datagrams_out;
        self.datagram_bytes_in += link.datagram_bytes_in;
        self.datagram_bytes_out += link.datagram_bytes_out;
        self.stale += link.stale;
    }

    /// Counts a state packet of `tick`, after the newest one before it.
    pub(crate) const fn on_state(&mut self, newest: Option<Tick>, tick: Tick) {
        self.states += 1;
        let Some(newest) = newest else { return };
        if tick.0 > newest.0 {
            self.gaps += tick.0 - newest.0 - 1;
        } else if tick.0 == newest.0 {
            self.doubles += 1;
        } else {
            // It fills a gap that was counted, unless it is a late double; the two cannot be told without a history.
            self.overtaken += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_doubles_and_overtaken_packets_are_told_apart() {
        let mut stats = ClientStats::default();
        let mut newest = None;
        for tick in [10, 11, 11, 14, 13, 15] {
            let tick = Tick(tick);
            stats.on_state(newest, tick);
            newest = newest.max(Some(tick));
        }
        assert_eq!((stats.states, stats.gaps, stats.doubles, stats.overtaken), (6, 2, 1, 1));
    }
}
