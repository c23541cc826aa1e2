//! Counts of one link: what went in and out, what was dropped and why.
//!
//! *Responsible for*: the numbers as plain values. *Not responsible for*: publishing them; nodes and clients do.

/// Counts since the link was made. They never go down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Bytes received on streams.
    pub stream_bytes_in: u64,
    /// Bytes handed out for streams.
    pub stream_bytes_out: u64,
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Bytes of datagrams received.
    pub datagram_bytes_in: u64,
    /// Datagrams handed out.
    pub datagrams_out: u64,
    /// Bytes of datagrams handed out.
    pub datagram_bytes_out: u64,
    /// Frames understood, of streams and datagrams.
    pub frames_in: u64,
    /// Frames written, of streams and datagrams.
    pub frames_out: u64,
    /// Unreliable calls that came twice, or so late that this cannot be told; dropped.
    pub doubled: u64,
    /// Frames of an older attachment, or unreliable-latest calls older than one already seen; dropped.
    pub stale: u64,
    /// Datagrams that came before the Welcome; dropped.
    pub early: u64,
    /// Answers to requests that are not open; dropped.
    pub unasked: u64,
    /// Requests answered `busy` because too many were open.
    pub busy: u64,
    /// Outgoing datagrams dropped because too many waited.
    pub datagrams_dropped: u64,
    /// Outgoing datagrams that a newer one of the same key replaced before it left.
    pub datagrams_replaced: u64,
    /// Outgoing datagrams dropped because the path carries no packet of that size.
    pub datagrams_too_large: u64,
    /// Times that datagrams had to wait because a reliable lane waited too.
    pub datagrams_rationed: u64,
    /// Times that a lane had to wait for an acknowledgement.
    pub lanes_held_back: u64,
    /// Times that more urgent lanes paused for a starved one.
    pub lanes_let_through: u64,
    /// Requests and answers sent on streams of their own.
    pub solos_out: u64,
    /// Acknowledgements of lanes sent.
    pub lane_acks_out: u64,
    /// Acknowledgements of lanes received.
    pub lane_acks_in: u64,
    /// Kept frames sent again after a reconnect.
    pub frames_resent: u64,
    /// Reads and datagrams ignored because the link was closing.
    pub ignored: u64,
}

impl std::ops::AddAssign for Counters {
    /// Adds what another link counted.
    fn add_assign(&mut self, other: Self) {
        macro_rules! add {
            ($($field:ident)*) => {{
                // Each field is named, so that none is forgotten.
                let Self { $($field),* } = other;
                $(self.$field += $field;)*
            }};
        }
        add!(
            stream_bytes_in
            stream_bytes_out
            datagrams_in
            datagram_bytes_in
            datagrams_out
            datagram_bytes_out
            frames_in
            frames_out
            doubled
            stale
            early
            unasked
            busy
            datagrams_dropped
            datagrams_replaced
            datagrams_too_large
            datagrams_rationed
            lanes_held_back
            lanes_let_through
            solos_out
            lane_acks_out
            lane_acks_in
            frames_resent
            ignored
        );
    }
}
