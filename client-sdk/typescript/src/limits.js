// @ts-check
/**
 * Maxima of this client, each with its reason. What exceeds one is refused with an error, never grown into.
 *
 * Responsible for: numbers. Those of the protocol stand in `docs/wire.md` too.
 * Not responsible for: enforcing them (the module that holds the queue or buffer does).
 */

/** Deepest nesting of values read from bytes; deeper input is hostile, contracts refuse such types. */
export const NESTING_MAX = 32;

/** Bytes of the token in a Hello. */
export const TOKEN_BYTES_MAX = 1_024;

/** Bytes of a ticket, which resumes a session. */
export const TICKET_BYTES_MAX = 96;

/** Bytes of UTF-8 in reasons and error texts. */
export const TEXT_BYTES_MAX = 256;

/** Bytes of the arguments of one call; the server refuses larger ones. */
export const CALL_BYTES_MAX = 16 * 1_024;

/** Bytes of a push's arguments or an answer's value. */
export const PUSH_BYTES_MAX = 64 * 1_024;

/** Bytes of one View payload. */
export const VIEW_BYTES_MAX = 64 * 1_024;

/** Bytes of one State payload: what every path carries in one packet. */
export const STATE_BYTES_MAX = 1_100;

/** Bytes of a datagram that we send. */
export const DATAGRAM_BYTES_MAX = 1_200;

/** Incoming streams: one for each of the four priorities and two reliable reliabilities. */
export const INCOMING_STREAMS_MAX = 8;

/** Requests under way on streams of their own, and unfinished such streams of the server; further requests go on their lane. */
export const SOLO_STREAMS_MAX = 64;

/** Bytes of a frame on a stream of its own, and of all requests that are under way so. */
export const SOLO_FRAME_BYTES_MAX = 4 * 1_024;
export const SOLO_BYTES_MAX = 64 * 1_024;

/** What a frame adds to its payload at most. */
export const HEADER_BYTES_MAX = 64;

/**
 * Bytes of a lane that may be under way before the server acknowledges some of them, by priority: more waits here, so that it delays no more
 * urgent lane. Critical ones are small by nature.
 */
export const WINDOWS = [Infinity, 256 * 1_024, 128 * 1_024, 64 * 1_024];

/** Numbers of unreliable pushes that are remembered; older ones are dropped. */
export const SEQUENCES_KNOWN = 128;

/** Keys (actor and operation) whose newest unreliable-latest push is remembered; over it the one that was silent longest is forgotten. */
export const LATEST_KEYS_MAX = 64;

/** The least that is handed over while more waits: a packet's worth. */
export const WRITE_BYTES_MIN = 1_200;

/** Milliseconds that a lane may wait for an acknowledgement; beyond it the server does not read, and the connection is given up. */
export const STALL_MS = 8_000;

/** Bytes of other lanes kept while the Welcome, on its own stream, is still on its way. */
export const EARLY_BYTES_MAX = 512 * 1_024;

/** Bytes that wait for a stream which the network does not take; a page that writes more lost its connection long ago. */
export const LANE_BACKLOG_BYTES_MAX = 1_024 * 1_024;

/** Bytes of calls on one lane that the server has not acknowledged, and what each costs besides; beyond it a call is not sent. */
export const KEPT_BYTES_MAX = 256 * 1_024;
export const KEPT_FRAME_COST = 32;

/** Received bytes of a lane after which the server is told at once, and milliseconds after which it is told anyway. */
export const ACK_AFTER_BYTES = 16 * 1_024;
export const ACK_MS = 1_000;

/** Requests that wait for their answer at once; a page that asks more has a loop without an end. */
export const REQUESTS_MAX = 256;

/** Pings without a pong that are remembered; over it the oldest is forgotten. */
export const PINGS_OPEN_MAX = 8;

/** Entities in a view; the server lets no more in. */
export const ENTITIES_MAX = 4_096;

/** Bytes of one sticky value. */
export const STICKY_BYTES_MAX = 4_096;

/** Components of a game: one bit each in a 64 bit mask. */
export const COMPONENTS_MAX = 64;

/** Bits of all state components together. */
export const STATE_BITS_MAX = 4_096;

/**
 * Values kept per entity and state component: one for each tick that a delta may be against, and the one before. Playback
 * lags at most {@link PLAYBACK_LAG_TICKS} behind the newest.
 */
export const HISTORY_VALUES = 32;

/** Unreliable calls in one Input; the server refuses more. */
export const INPUT_CALLS_MAX = 16;

/** Milliseconds that an unreliable call waits for a Delta to answer: two intervals at 20 Hz, so that one that is lost is waited out. */
export const INPUT_HOLD_MS = 99;

/**
 * Longest milliseconds from a Delta to the answer, of which each client has one: what lets the transport's acknowledgements, which wait for
 * 25 ms at most, ride along.
 */
export const INPUT_DELAY_LEAST_MS = 18;
export const INPUT_DELAY_MOST_MS = 24;

/** Milliseconds from a Delta to the answer, at least: calls that the game makes because of the Delta go with the answer. */
export const INPUT_DELAY_MIN_MS = 2;

/** An answer is at the server so many milliseconds before the tick it is meant for, besides twice the mean jitter; and with it at most. */
export const INPUT_MARGIN_MS = 6;
export const INPUT_MARGIN_MAX_MS = 20;

/** Ticks that playback may lag behind after a stall and still catch up by running faster; beyond it jumps. */
export const PLAYBACK_LAG_TICKS = 13;

/**
 * Milliseconds of the first and the longest wait before an attempt to connect; each is cut by chance to no less than its
 * half. A session of the longest wait's length makes the next wait the first one again.
 */
export const BACK_OFF_FIRST_MS = 100;
export const BACK_OFF_MOST_MS = 2_000;

/** Milliseconds from opening the transport to Welcome; the server gives up after the same time. */
export const HANDSHAKE_MS = 5_000;

/** Milliseconds for `/lightmoon.json`. */
export const INFO_MS = 3_000;

/** Milliseconds between two pings. */
export const PING_EVERY_MS = 1_000;

/** Milliseconds of silence after which a connection is given up, whatever it carries: five lost pings. */
export const SILENCE_MS = 5_000;

/** Least milliseconds of silence, while state packets flow, after which another connection is tried beside this one. */
export const SUSPICION_MS = 600;
