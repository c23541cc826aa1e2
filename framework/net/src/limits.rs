//! Every bound of this crate, with its reason and what happens when it is reached.
//!
//! *Responsible for*: constants that are not options. *Not responsible for*: bounds of frames and calls (`wire`, `node`).

use std::time::Duration;

/// ALPN of native clients; carries the major number of the wire format.
pub const ALPN_NATIVE: &[u8] = b"lightmoon/1";
/// ALPN of browsers: WebTransport is a session within HTTP/3.
pub const ALPN_WEB_TRANSPORT: &[u8] = b"h3";

/// Handshakes in progress at once, unless the options say otherwise: half a second of what one core can do, 40 MiB. From half of it
/// on a client must show that its address is its own. Over it: the oldest of the source that holds the most is ended; counted by
/// `handshakes_evicted`.
pub const HANDSHAKES_MAX: usize = 1_024;

/// Of them those of one source, an IPv4 address or an IPv6 network of 64 bits, unless the options say otherwise: a quarter, so that
/// four sources are needed to fill all places. Over it: who did not show that the address is its own is asked to, who did is
/// refused; counted by `refused_source`.
pub const SOURCE_HANDSHAKES_MAX: usize = HANDSHAKES_MAX / 4;

/// Handshakes that one source may begin in a second, for ever: 4 % of a core. Over it: as [`SOURCE_HANDSHAKES_MAX`].
pub const SOURCE_HANDSHAKES_PER_SECOND: u32 = 100;

/// Handshakes that one source may begin at once before that rate holds it: a thousand players behind one address, or a thousand bots
/// of one machine, come back after a restart without waiting; 0.4 s of a core. Over it: as [`SOURCE_HANDSHAKES_MAX`].
pub const SOURCE_HANDSHAKES_BURST: u32 = 1_024;

/// Handshakes that an endpoint begins in a second, unless the options say otherwise, beyond [`HANDSHAKES_BURST`]: 8 % of a core, the rest is for
/// those at play. Over it: attempts wait their turn, one of each source after the other; a thousand players are back five seconds after a restart.
pub const HANDSHAKES_PER_SECOND: u32 = 200;

/// Handshakes that an endpoint begins at once before that rate holds: friends who log in together, 25 ms of a core. Over it: as
/// [`HANDSHAKES_PER_SECOND`].
pub const HANDSHAKES_BURST: u32 = 64;

/// How long a round trip of a new connection is taken to be until one was measured (RFC 9002 6.2.2 proposes 333 ms; browsers take this, too). A packet
/// of the handshake that was lost is sent again after three of it: of a thousand players who come back over a network that loses 5 %, a
/// tenth waits for that. Too little for who is farther away: one packet comes twice.
pub const INITIAL_RTT: Duration = Duration::from_millis(100);

/// Links at once, unless the options say otherwise: above what a core can serve, so that the machine, not this number, is the limit
/// in play. Over it: refused; counted by `refused`.
pub const LINKS_MAX: usize = 10_000;

/// Of them those of one source, unless the options say otherwise: a quarter. Carriers put hundreds of players behind one address,
/// not thousands. Over it: as [`SOURCE_HANDSHAKES_MAX`].
pub const SOURCE_LINKS_MAX: usize = LINKS_MAX / 4;

/// Sources that are remembered, 2 MiB. Over it: those are forgotten that hold nothing; they may begin handshakes as if they were new.
/// Those that hold something are bounded by handshakes and links.
pub const SOURCES_MAX: usize = 16_384;

/// Bytes of one stream read at once. Larger pieces would let one stream take the whole credit of its link.
pub const CHUNK_BYTES_MAX: usize = 16 * 1024;

/// Bytes of streams and datagrams that the receiver of events may hold per link, for each of the two. Reached: the link
/// is not read until some are given back; counted by `read_stalls`. One stream window, so that a full credit equals what
/// QUIC already allowed the client to have in flight.
pub const CREDIT_BYTES: u32 = 64 * 1024;

/// What an event costs of the credit at least: many tiny chunks are bounded in number too (256 per link).
pub const EVENT_COST_MIN: u32 = 256;

/// Bytes waiting per link for quinn to take them (lanes.md rule 9). Reached: the link is closed as overloaded.
pub const QUEUE_BYTES_MAX: usize = 256 * 1024;

/// Transmits that wait for the driver, of all links: some turns of ten thousand links. Reached: further datagrams are dropped, and links
/// with further bytes are closed as overloaded; the runtime's thread has not run for seconds then.
pub const TRANSMITS_WAITING_MAX: usize = 256 * 1024;

/// Places for transmits that the driver keeps between two turns.
pub const TRANSMITS_KEPT: usize = 16 * 1024;

/// Transmits that are carried out in one round of the driver, but for the rest of a link's: about a quarter of a millisecond, so that packets
/// that come meanwhile are not late.
pub const CARRIED_AT_ONCE: usize = 64;

/// Packets that one connection sends in one round of the driver: a fast client does not hold up the others.
pub const PACKETS_AT_ONCE: usize = 20;

/// Packets that the kernel is given with one call: more of them make a call no cheaper (as quinn has it).
pub const SEGMENTS_MAX: usize = 10;

/// What one read of a packet may bring: as many as the kernel joins to one at most.
pub const RECEIVED_BYTES_MAX: usize = 64 * 1024;

/// Least time between two looks at timers. QUIC's own are 25 ms and more, and its specification asks for no finer grain (RFC 9002 §6.1.2).
pub const TIMERS_EVERY: Duration = Duration::from_millis(1);

/// Bytes of a browser's settings, of its request or of what it says of its session that are held at once. Browsers send less than 1 KiB.
/// Over it: the connection ends.
pub const REQUEST_BYTES_MAX: usize = 20 * 1024;

/// Room in quinn's buffer of datagrams below which a path is reported as tight: two packets.
pub const DATAGRAM_ROOM_TIGHT: usize = 2 * 1_232;

/// Room from which on it is not any more.
pub const DATAGRAM_ROOM_FREE: usize = DATAGRAM_SEND_BUFFER / 2;

/// Datagrams of a link between two looks at round trip and packet size, which change slowly: about three seconds of a game.
pub const PATH_EVERY_DATAGRAMS: u32 = 64;

/// One gathered write to a lane's stream. quinn looks ranges up in a list of writes, so few large ones are 17 times
/// cheaper than many small; more than this would delay what is queued on the same lane's turn.
pub const GATHER_BYTES_MAX: usize = 32 * 1024;

/// A message of at least this size is handed over as it is; copying it to gather saves nothing.
pub const GATHER_BELOW_BYTES: usize = 4 * 1024;

/// Bytes that quinn may hold unacknowledged for one client over all its streams.
pub const SEND_WINDOW: u64 = 1024 * 1024;
/// Bytes a client may send on one stream before we read them.
pub const STREAM_RECEIVE_WINDOW: u32 = 64 * 1024;
/// Bytes a client may send on all streams together before we read them.
pub const RECEIVE_WINDOW: u32 = 256 * 1024;
/// quinn's own queue of outgoing datagrams: about fifteen state packets; more is old news.
pub const DATAGRAM_SEND_BUFFER: usize = 16 * 1024;
/// quinn's own queue of incoming datagrams; beyond it the oldest are dropped.
pub const DATAGRAM_RECEIVE_BUFFER: usize = 64 * 1024;
/// Streams a client may have open: at most one per reliable lane (8), three of HTTP/3, and some air.
pub const STREAMS_MAX: u32 = 16;
/// Unidirectional ones: these, and as many as requests may have for themselves.
pub const UNI_STREAMS_MAX: u32 = STREAMS_MAX + 64;
/// Streams of one message that wait for a client or are on the way to it: as many as it may have open requests on such streams, and as
/// many again, whose answers it has while the word of that is on its way. Reached: the link is closed as overloaded.
pub const SOLOS_MAX: usize = 2 * lightmoon_wire::limits::SOLO_STREAMS_MAX;
/// The largest UDP payload that path MTU discovery tries: Ethernet minus IPv6 and UDP headers, minus some tunnel.
pub const MTU_UPPER_BOUND: u16 = 1452;

/// Bytes buffered for a connection attempt that waits for its turn: a first flight with its repetitions. Over it: further packets of it are dropped, and
/// come again.
pub const INCOMING_BYTES_MAX: u64 = 16 * 1024;
/// The same for all attempts together.
pub const INCOMING_BYTES_TOTAL_MAX: u64 = 4 * 1024 * 1024;

/// How long a TLS handshake and the WebTransport request may take. Reached: closed, counted by `handshakes_failed`.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Least time between two answers to packets of connections that are not known. After a restart each client needs one to
/// learn that its connection is gone: quinn's 20 ms would let the thousandth wait for twenty seconds. An answer is smaller
/// than what it answers, and ten thousand a second cost a few percent of a core.
pub const RESET_EVERY_MIN: Duration = Duration::from_micros(100);

/// How long a closing link may still send what was queued before the close. Then it is closed without.
pub const LINGER: Duration = Duration::from_millis(250);
/// How long a browser has at most to read why its session ends, before the connection does: three round trips within these bounds.
pub const FAREWELL_MAX: Duration = Duration::from_millis(750);
/// The least of it.
pub const FAREWELL_MIN: Duration = Duration::from_millis(100);
/// How long bytes that arrived before the peer's close may wait for credit: a node that is busier than this drops them, and its windows bound them.
pub const DRAIN: Duration = Duration::from_secs(1);

/// Characters kept of a reason that a peer gave for closing.
pub const REASON_CHARS_MAX: usize = 256;

/// What we ask the kernel for, both ways. Linux defaults (208 KiB) lose packets at the first burst of a busy tick.
pub const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;
