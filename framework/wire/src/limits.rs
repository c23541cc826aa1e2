//! Every maximum of the protocol, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers. *Not responsible for*: limits per operation (rate, size), which are in the contract
//! and are held by the node.
//!
//! Those that both sides must agree on are part of the protocol and stand in `docs/wire.md`; the rest is local.

use std::time::Duration;

/// Bytes of a Hello's token: a signed token with a few claims is 200 to 600 bytes. Over it: `too-large`.
pub const TOKEN_BYTES_MAX: usize = 1_024;

/// Bytes of a ticket, which a server makes for itself: today's is 65, the rest is for more claims. Over it: `too-large`; the
/// server's own is not sent.
pub const TICKET_BYTES_MAX: usize = 96;

/// Bytes of a descriptor: a game of 200 operations needs about 20 KiB. Over it: `too-large`.
pub const DESCRIPTOR_BYTES_MAX: usize = 64 * 1_024;

/// Bytes a server takes before it has welcomed: one Hello and one Describing with their headers, nothing else. Over it:
/// `too-large`. It bounds what somebody without a valid token can make a server hold.
pub const HANDSHAKE_BYTES_MAX: usize = 66 * 1_024;

/// Bytes of the arguments of a client's call. Over it: `too-large`.
pub const ARGS_BYTES_MAX: usize = 16 * 1_024;

/// Bytes of an answer's value: four times what a client may ask with, so that lists come in one piece. Over it: the
/// server's own call is refused with [`crate::SendError::TooLarge`].
pub const ANSWER_BYTES_MAX: usize = 64 * 1_024;

/// Bytes of a push's arguments, as for answers.
pub const PUSH_BYTES_MAX: usize = 64 * 1_024;

/// Bytes of one View payload; a larger late join is cut into several by the zone.
pub const VIEW_BYTES_MAX: usize = 64 * 1_024;

/// Bytes of one State payload: what every path carries in one packet, and below the 1,211 that a browser reports.
pub const STATE_BYTES_MAX: usize = 1_100;

/// Bytes that a State frame adds to its payload: kind, generation and length.
pub const STATE_HEADER_BYTES: usize = 1 + 5 + 3;

/// Bytes of one datagram with its header. Over it: `too-large`.
pub const DATAGRAM_BYTES_MAX: usize = 1_200;

/// Bytes of UTF-8 in the reason of a Refuse, a Goodbye or a close: a sentence or two. Our own longer ones are cut.
pub const REASON_BYTES_MAX: usize = 256;

/// Bytes of UTF-8 in the text of an error answer: a sentence with a few identifiers. Our own longer ones are cut.
pub const ERROR_TEXT_BYTES_MAX: usize = 256;

/// Bytes that a frame's kind, numbers and lengths can add to its payload: at most two 64-bit ids, three 16-bit numbers
/// and two lengths, generously rounded.
pub const HEADER_BYTES_MAX: usize = 64;

/// Incoming streams per link: one for each of the four priorities and two reliable reliabilities. Over it:
/// `protocol-violation`.
pub const STREAMS_MAX: usize = 8;

/// Requests of a link under way on streams of their own, and thus such streams from one side that are not whole: what a player's windows ask at
/// once. Each costs the other side a slot. Over it: further requests go on their lane's stream; a server closes with `protocol-violation`.
pub const SOLO_STREAMS_MAX: usize = 64;

/// Bytes of a frame on a stream of its own, with its kind: a request whose cost is worth a stream is small. Over it: it goes on its lane's
/// stream; who receives it closes with `too-large`. So what all unfinished ones hold is at most 256 KiB.
pub const SOLO_FRAME_BYTES_MAX: usize = 4 * 1_024;

/// Bytes of requests under way on streams of their own, as for a low lane: they stand in no lane's window. Over it: as
/// [`SOLO_STREAMS_MAX`].
pub const SOLO_BYTES_MAX: usize = WINDOW_LOW_BYTES;

/// Bytes of the list of kept frames in a Hello or Welcome: a lane and a number for each reliable lane.
pub const HELD_BYTES_MAX: usize = 1 + STREAMS_MAX * 10;

/// Requests that wait for an answer, per link: a player who opens every window of a game at once has a few dozen open.
/// Over it: the server answers `busy` at once; the client's own call is handed back.
pub const REQUESTS_OPEN_MAX: usize = 256;

/// Keys (target, kind, operation) for which a link remembers the newest unreliable-latest call: games have a handful
/// of such operations. Over it: the key that was silent longest is forgotten.
pub const LATEST_KEYS_MAX: usize = 64;

/// Events a server's link queues between two polls: 64 KiB of the smallest calls make more, an honest client never does. Over
/// it: `rate-exceeded`. It bounds the memory that many tiny frames in one read can take.
pub const CALLS_AT_ONCE_MAX: usize = 1_024;

/// The same for a client's link, wider, since a server may write a backlog of small pushes at once. Over it:
/// `rate-exceeded`.
pub const PUSHES_AT_ONCE_MAX: usize = 16_384;

/// Bytes that wait in one outgoing lane between two polls. A late join of 5,000 entities is about 500 KB. Over it:
/// the link closes with `overloaded`.
pub const LANE_BACKLOG_BYTES_MAX: usize = 1_024 * 1_024;

/// Bytes that wait in all lanes of a link beyond what their windows let go at once. Over it: `overloaded`, since the peer reads slower than
/// it is written to, and would hold ever more of our memory. With a window of the view lane it still takes a late join in one piece.
pub const LINK_BACKLOG_BYTES_MAX: usize = 256 * 1_024;

/// Bytes handed to the transport and not acknowledged by the peer, per lane of low priority. Whatever is in flight cannot be overtaken, so
/// the bulk lane's share is what a more urgent lane waits for at most. At 20 ms round trip it still moves 3 MB/s.
pub const WINDOW_LOW_BYTES: usize = 64 * 1_024;

/// The same for normal priority.
pub const WINDOW_NORMAL_BYTES: usize = 128 * 1_024;

/// The same for high priority. The critical lanes, small by nature, have no window, only [`LANE_BACKLOG_BYTES_MAX`].
pub const WINDOW_HIGH_BYTES: usize = 256 * 1_024;

/// The least that is handed over while more waits: a packet's worth. Smaller pieces cost a packet each.
pub const WRITE_BYTES_MIN: usize = 1_200;

/// How long a lane may wait for an acknowledgement that makes room, before the link closes with `overloaded`. Acknowledgements of a lane
/// that is read come with the data, so a client that sends none for so long does not read, or its network is dead.
pub const STALL_TIME_MAX: Duration = Duration::from_secs(8);

/// Time without an acknowledgement after which a lane with bytes under way counts as starved: those of a lane that moves come within
/// [`ACK_TIME_MAX`] and a round trip.
pub const STARVED_AFTER: Duration = Duration::from_secs(2);

/// How long more urgent lanes pause for a starved one, after what they have under way has arrived: a twentieth of the time at most, so that
/// it never stands wholly.
pub const PAUSE_TIME: Duration = Duration::from_millis(100);

/// Received bytes of a lane after which an acknowledgement leaves at once: a quarter of the smallest window, so that a sender at its window
/// never waits for the timer.
pub const ACK_AFTER_BYTES: u64 = 16 * 1_024;

/// The longest that received frames of a lane stay without acknowledgement. It only frees memory of the sender, so it may be long: one
/// small frame a second on the control lane, beside the ping.
pub const ACK_TIME_MAX: Duration = Duration::from_secs(1);

/// Bytes of kept frames of one lane that the peer has not acknowledged, with [`KEPT_FRAME_COST`] for each. Over it: a client's call is handed
/// back as busy; a server's session ends with `overloaded`, since what is promised may not be dropped.
pub const KEPT_BYTES_MAX: usize = 256 * 1_024;

/// What a kept frame counts besides its bytes: the cost of keeping it.
pub const KEPT_FRAME_COST: usize = 32;

/// The share of datagrams, in percent, of what left in the last round trip, while a reliable lane waits. Transports send datagrams before
/// streams: without a share a full tick of them would keep all streams back.
pub const DATAGRAM_SHARE_PERCENT: usize = 80;

/// The round trip that is assumed until the transport reports one.
pub const RTT_ASSUMED: Duration = Duration::from_millis(100);

/// Datagrams that wait between two polls: a few ticks of one link. Over it: the oldest is dropped.
pub const DATAGRAMS_WAITING_MAX: usize = 64;

/// Bytes of one gathered write: transports take 16 to 64 KiB best, and one small write per frame costs 17 times more.
pub const WRITE_BYTES_MAX: usize = 64 * 1_024;

/// Bytes of other lanes that a client holds while the Welcome, on its own stream, is still on its way. Over it:
/// `protocol-violation`.
pub const EARLY_BYTES_MAX: usize = 512 * 1_024;

/// Verdicts about fingerprints that a server remembers: a live game has a few dozen builds in use. Over it: the oldest
/// is forgotten, and its clients are asked for their descriptor again.
pub const VERDICTS_MAX: usize = 256;

/// Pings without a pong that a client remembers. Over it: the oldest is forgotten.
pub const PINGS_OPEN_MAX: usize = 8;

/// From the first byte to the Welcome. Over it: `handshake-timeout`.
pub const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(5);

/// Silence of frames after which a server gives a link up with `idle`. Pages in the background may run a timer only once
/// a minute, so their pings are rare. A dead connection is found sooner by the transport, whose own keep-alives the browser
/// answers.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(90);

/// Silence after which a client gives a link up with `idle`: five lost pings, while states come 10 to 60 times a second.
pub const SILENCE_TIME_MAX: Duration = Duration::from_secs(5);

/// Between two pings of a client: often enough for a clock and a round-trip time, cheap next to states.
pub const PING_EVERY: Duration = Duration::from_secs(1);

/// How long a link that said Refuse or Goodbye waits for the peer to close before it closes itself: two slow round
/// trips, so that the last frames arrive (closing a QUIC connection drops what is still on its way).
pub const LINGER_TIME_MAX: Duration = Duration::from_secs(1);

/// Unreliable calls in one Input: more than a client means in one tick. Over it: those that wait leave at once; a server closes.
pub const INPUT_CALLS_MAX: usize = 16;

/// Time after a Delta until the client answers, at most, and until the server said how long answers wait for its ticks. A
/// millisecond less than a transport's longest delay of acknowledgements (25 ms, RFC 9000 18.2), so that those ride along.
pub const INPUT_DELAY: Duration = Duration::from_millis(24);

/// Time after a Delta until the client answers, at least: calls that the game makes because of the Delta go with the answer.
pub const INPUT_DELAY_MIN: Duration = Duration::from_millis(2);

/// An answer is at the server so long before the tick that it is meant for, besides twice the mean jitter of the ones before. Above
/// what a client is woken late; each millisecond more makes what players do visible later.
pub const INPUT_MARGIN: Duration = Duration::from_millis(6);

/// The same with the jitter, at most: what arrives more than 25 ms before the next Delta is acknowledged in a packet of its own.
pub const INPUT_MARGIN_MAX: Duration = Duration::from_millis(20);

/// Time that an unreliable call waits for a Delta to answer: two intervals at 20 Hz, so that one that is lost is waited out. Over it: it
/// leaves without one.
pub const INPUT_HOLD_MAX: Duration = Duration::from_millis(99);
