// @ts-check
/**
 * The client's side of one connection, without sockets or clocks: bytes and `now` in, bytes and events out.
 *
 * Responsible for: Hello and Describing, what a server may send when, the present attachment, pings, the end.
 * Not responsible for: reconnecting (`link.js`), answers (`client.js`), views (`view.js`).
 *
 * Invariants:
 * - I1: `welcome` is the first event unless the connection ends before; what overtook it waits, bounded.
 * - I2: view and state events belong to the newest attachment; others are dropped.
 * - I3: `closed` is the last event and comes exactly once; after it nothing is sent.
 */

import { closeName, closeNumber, Violation } from "./close.js";
import { IncomingStream, MINOR_LANES, readFrame, SOLO_BIT, writeDatagram, writeStream } from "./frames.js";
import { Inputs } from "./inputs.js";
import { Arrived, OutgoingLanes, Sequences, Solos } from "./lanes.js";
import { DATAGRAM_BYTES_MAX, EARLY_BYTES_MAX, HANDSHAKE_MS, INCOMING_STREAMS_MAX, INPUT_DELAY_MOST_MS, PING_EVERY_MS, PINGS_OPEN_MAX, SILENCE_MS, SOLO_STREAMS_MAX, STALL_MS } from "./limits.js";

/** @typedef {import("./close.js").Closing} Closing */
/** @typedef {import("./frames.js").Frame} Frame */

/** The newest minor version that we speak, and the oldest. */
export const MINOR = 2;
const MINOR_OLDEST = 0;
/** The first minor version of Delta and Input. */
const MINOR_DELTAS = 2;

const CONTROL_LANE = 0x03;
const VIEW_LANE = 0x13;
const NOTHING = new Uint8Array(0);

/**
 * An attachment: the zone that the session looks at.
 * @typedef {object} Attachment
 * @property {number} generation
 * @property {{kind: number, key: bigint}} zone
 * @property {bigint} avatar id of the own entity; 0 is none
 * @property {number} tickHz
 */

/**
 * What a connection tells its owner.
 * @typedef {object} WireEvents
 * @property {(welcome: {session: bigint, player: bigint, tickHz: number}) => void} welcome
 * @property {(ticket: Uint8Array) => void} ticket what resumes the session; the newest counts
 * @property {(request: bigint, value: Uint8Array | undefined, code: number, text: string) => void} answer
 * @property {(push: {kind: number, key: bigint, number: number, args: Uint8Array}) => void} push
 * @property {(attachment: Attachment) => void} attached
 * @property {() => void} detached
 * @property {(generation: number, payload: Uint8Array) => void} view
 * @property {(generation: number, payload: Uint8Array) => void} state
 * @property {(generation: number, payload: Uint8Array) => void} delta
 * @property {(closing: Closing) => void} closed
 */

/**
 * What carries a connection's bytes.
 * @typedef {object} WireOutput
 * @property {(lane: number, bytes: Uint8Array<ArrayBuffer>) => void} stream in order, per lane
 * @property {(lane: number, bytes: Uint8Array<ArrayBuffer>) => void} alone a stream of its own, with this first byte, that ends behind the bytes
 * @property {(bytes: Uint8Array<ArrayBuffer>) => void} datagram
 * @property {(code: number, reason: string, now?: boolean) => void} close `now`: without waiting for what was sent
 */

/**
 * What a client says of itself.
 * @typedef {object} WireConfig
 * @property {bigint} fingerprint
 * @property {Uint8Array} descriptor
 * @property {Uint8Array} token
 * @property {Uint8Array} ticket what resumes the session of before; empty: none
 * @property {bigint} firstRequest the lowest number that no request had before
 * @property {number} [inputDelayMs] from a Delta to its answer, at most; 18 to 24, another one for each client
 * @property {import("./lanes.js").KeptLanes} kept of the session that the ticket resumes, and then of the one that is welcomed
 */

export class Wire {
  /**
   * A connection that was just opened; its Hello leaves at once.
   * @param {WireConfig} config
   * @param {WireOutput} output
   * @param {WireEvents} events
   * @param {number} nowMs
   */
  constructor(config, output, events, nowMs) {
    this.config = config;
    this.output = output;
    this.events = events;
    /** @type {"greeting" | "described" | "open" | "closed"} */
    this.phase = "greeting";
    this.openedAtMs = nowMs;
    this.heardAtMs = nowMs;
    this.nextPingMs = nowMs;
    this.nonce = 0n;
    /** @type {Map<bigint, number>} nonce to the time it was sent */
    this.pings = new Map();
    /** @type {number | undefined} smoothed, milliseconds */
    this.rttMs = undefined;
    /** @type {Map<number, IncomingStream>} */
    this.streams = new Map();
    /** @type {[number, Uint8Array][]} bytes of other lanes that overtook the Welcome */
    this.early = [];
    this.earlyBytes = 0;
    /** @type {Attachment | undefined} */
    this.attachment = undefined;
    /** @type {number | undefined} also after its Detach */
    this.newestGeneration = undefined;
    this.sequence = 0;
    this.nowMs = nowMs;
    this.inputs = new Inputs(config.inputDelayMs ?? INPUT_DELAY_MOST_MS);
    /** The version both speak; 0 before the Welcome. */
    this.minor = 0;
    this.arrived = new Arrived();
    this.outgoing = new OutgoingLanes(output);
    this.solos = new Solos();
    this.unreliable = new Sequences();
    /** @type {Map<number, number>} numbers of the next kept frames of the server, per lane */
    this.numbers = new Map();
    /** @type {Set<bigint>} requests that were sent again because the server lacked them */
    this.askedAgain = new Set();
    this.counters = { framesIn: 0, datagramsIn: 0, bytesIn: 0, stale: 0, doubled: 0, resent: 0 };
    const { fingerprint, token, ticket, firstRequest } = config;
    const held = config.kept.held();
    for (const { lane, frames } of held) this.numbers.set(lane, Number(frames));
    this.#write(CONTROL_LANE, writeStream({ is: "Hello", minor: MINOR, features: 0n, fingerprint, token, ticket, firstRequest, held }));
  }

  /**
   * Bytes arrived on a stream, in its order.
   * @param {number} nowMs
   * @param {number} key any number that is not used twice for streams of this connection
   * @param {Uint8Array} bytes
   */
  onStream(nowMs, key, bytes) {
    if (this.phase === "closed") return;
    this.heardAtMs = nowMs;
    this.nowMs = nowMs;
    this.counters.bytesIn += bytes.length;
    this.#guarded(() => this.#readStream(nowMs, key, bytes));
    this.#acknowledge(nowMs);
  }

  /**
   * @param {number} nowMs
   * @param {Uint8Array} bytes
   */
  onDatagram(nowMs, bytes) {
    if (this.phase === "closed") return;
    this.heardAtMs = nowMs;
    this.nowMs = nowMs;
    this.counters.bytesIn += bytes.length;
    this.counters.datagramsIn += 1;
    this.#guarded(() => this.#readDatagram(nowMs, bytes));
  }

  /**
   * The transport is gone.
   * @param {{code: number, reason: string} | undefined} peer what the server closed it with, if it did
   */
  onClosed(peer) {
    if (peer !== undefined) this.#end({ reason: closeName(peer.code), text: peer.reason, by: "peer" });
    else this.#end({ reason: "idle", text: "the connection went away", by: "transport" });
  }

  /**
   * Time passed; call it a few times a second.
   * @param {number} nowMs
   */
  onTime(nowMs) {
    if (this.phase === "closed") return;
    if (this.phase !== "open") {
      if (nowMs - this.openedAtMs >= HANDSHAKE_MS) this.close("handshake-timeout", "no answer to the handshake in time");
      return;
    }
    this.nowMs = nowMs;
    if (this.inputs.dueMs !== undefined && nowMs >= this.inputs.dueMs) this.#sendInput();
    if (nowMs - this.heardAtMs >= SILENCE_MS) return this.close("idle", "nothing was heard from the server");
    if (this.outgoing.isStalled(nowMs, STALL_MS)) return this.close("overloaded", "the server does not read what is sent to it");
    this.#acknowledge(nowMs);
    if (nowMs >= this.nextPingMs) this.ping(nowMs);
  }

  /**
   * Asks whether the server is there.
   * @param {number} nowMs
   */
  ping(nowMs) {
    if (this.phase !== "open") return;
    this.nextPingMs = nowMs + PING_EVERY_MS;
    this.nonce += 1n;
    this.pings.set(this.nonce, nowMs);
    if (this.pings.size > PINGS_OPEN_MAX) {
      for (const oldest of this.pings.keys()) {
        this.pings.delete(oldest);
        break;
      }
    }
    this.output.datagram(writeDatagram({ is: "Ping", nonce: this.nonce }));
  }

  /**
   * Sends a call.
   * @param {import("./contract.js").Target} target
   * @param {import("./contract.js").Operation} operation
   * @param {bigint} request 0 wants no answer
   * @param {Uint8Array} args
   * @returns {boolean} whether it was sent: not before Welcome, not to a zone while attached to none, not while too much waits for the
   *   server's acknowledgement
   */
  call(target, operation, request, args) {
    if (this.phase !== "open") return false;
    const aimed = this.#aim(target);
    if (aimed === undefined) return false;
    const { kind, number, lane } = operation;
    const unreliable = (lane & 15) < 2;
    if (unreliable && request === 0n) {
      const sequence = this.sequence;
      const call = { is: /** @type {const} */ ("UnreliableCall"), sequence, lane, target: aimed, kind, number, args };
      const bytes = writeDatagram(call);
      if (bytes.length > DATAGRAM_BYTES_MAX) throw new RangeError(`${operation.name}: ${bytes.length} bytes do not fit a datagram`);
      this.sequence = (sequence + 1) >>> 0;
      this.#unreliable(call, bytes);
    } else {
      // A request is promised an answer: it takes the reliable-ordered lane of its priority.
      const reliable = unreliable ? (lane & 0xf0) | 3 : lane;
      const bytes = writeStream({ is: "Call", request, target: aimed, kind, number, args });
      if (request !== 0n && (reliable & 15) === 2 && this.minor >= MINOR_LANES && this.solos.begin(request, bytes.length)) {
        // Not kept: a request without an answer is repeated over the next connection.
        this.output.alone(reliable | SOLO_BIT, bytes);
        return true;
      }
      if (this.minor >= MINOR_LANES && !this.config.kept.keep(reliable, { bytes, request })) return false;
      this.#write(reliable, bytes);
    }
    return true;
  }

  /**
   * Sends a call with the next Input, or at once where there is none to wait for.
   * @param {Extract<Frame, {is: "UnreliableCall"}>} call
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  #unreliable(call, bytes) {
    const inputs = this.inputs;
    if (inputs.receipt === undefined) return this.output.datagram(bytes);
    if (!inputs.hasRoom(call)) this.#sendInput();
    if (!inputs.hasRoom(call)) this.output.datagram(bytes);
    else if (inputs.call(call, this.nowMs)) this.#sendInput();
  }

  /**
   * What the view has taken so far, after each payload: the server is told a moment later, at {@link Inputs.dueMs}.
   * @param {import("./frames.js").Receipt | undefined} receipt
   */
  applied(receipt) {
    if (receipt === undefined || this.phase !== "open" || this.minor < MINOR_DELTAS) return;
    if (this.attachment?.generation === receipt.generation) this.inputs.applied(receipt, this.nowMs);
  }

  /**
   * What a Delta said of the newest Input, before {@link applied} of that Delta: it decides when the next one leaves.
   * @param {number} periodMs between ticks
   * @param {number} waitedMs
   */
  waited(periodMs, waitedMs) {
    this.inputs.waited(periodMs, waitedMs);
  }

  #sendInput() {
    const input = this.inputs.take(this.nowMs);
    if (input !== undefined) this.output.datagram(writeDatagram(input));
  }

  /** The attachment is over: what waits leaves as it is. */
  #endInputs() {
    this.#sendInput();
    this.inputs.receipt = undefined;
  }

  /**
   * @param {number} lane
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  #write(lane, bytes) {
    this.outgoing.write(lane, bytes, this.nowMs, this.minor >= MINOR_LANES);
  }

  /**
   * Tells the server what arrived, if that is due.
   * @param {number} nowMs
   */
  #acknowledge(nowMs) {
    if (this.phase !== "open" || this.minor < MINOR_LANES) return;
    for (const [lane, bytes] of this.arrived.take(nowMs)) {
      const frames = BigInt(this.config.kept.received(lane));
      this.#write(CONTROL_LANE, writeStream({ is: "LaneAck", lane, bytes: BigInt(bytes), frames }));
    }
  }

  /** @param {Extract<Frame, {is: "LaneAck"}>} ack */
  #onLaneAck(ack) {
    this.outgoing.acknowledged(ack.lane, ack.bytes, this.nowMs);
    this.config.kept.acknowledged(ack.lane, ack.frames);
  }

  /**
   * @param {number} lane
   * @param {Extract<Frame, {is: "Push"}>} push
   */
  #onPush(lane, push) {
    if (this.minor >= MINOR_LANES) {
      const number = this.numbers.get(lane) ?? 0;
      this.numbers.set(lane, number + 1);
      // While two connections race, the older one may have brought it after the newer one said what there was.
      if (!this.config.kept.receive(lane, number)) {
        this.counters.doubled += 1;
        return;
      }
    }
    this.events.push(push);
  }

  /** @param {Extract<Frame, {is: "UnreliablePush"}>} push */
  #onUnreliablePush(push) {
    const latest = (push.lane & 15) === 1 ? `${push.kind} ${push.key} ${push.number}` : undefined;
    if (this.unreliable.accept(push.sequence, latest)) this.events.push(push);
    else this.counters.doubled += 1;
  }

  /**
   * Sends again what the server lacks of a session that goes on, or forgets what was kept for another one.
   * @param {Extract<Frame, {is: "Welcome"}>} welcome
   */
  #goOn(welcome) {
    if (!welcome.goesOn) {
      this.config.kept.clear();
      this.numbers.clear();
      return;
    }
    for (const [lane, { bytes, request }] of this.config.kept.resume(welcome.held)) {
      this.counters.resent += 1;
      if (request !== 0n) this.askedAgain.add(request);
      this.#write(lane, bytes);
    }
  }

  /**
   * @param {import("./contract.js").Target} target
   * @returns {import("./frames.js").Aimed | undefined}
   */
  #aim(target) {
    if (target.is !== "zone") return target;
    return this.attachment === undefined ? undefined : { is: "zone", generation: this.attachment.generation };
  }

  /**
   * Ends the connection from this side.
   * @param {string} reason a close code's name
   * @param {string} text
   * @param {boolean} [now] the page is going away
   */
  close(reason, text, now = false) {
    if (this.phase === "closed") return;
    if (this.phase === "open" && reason === "normal") {
      this.#write(CONTROL_LANE, writeStream({ is: "Goodbye", code: 0, reason: text }));
    }
    this.#end({ reason, text, by: "us" }, now);
  }

  /**
   * @param {number} nowMs
   * @param {number} key
   * @param {Uint8Array} bytes
   * @param {boolean} [counted] these bytes were counted when they arrived
   */
  #readStream(nowMs, key, bytes, counted = false) {
    let rest = bytes;
    do {
      rest = this.#readOne(nowMs, key, rest, counted);
    } while (rest.length > 0 && !this.isOver);
    if (this.phase === "open" && this.early.length > 0) {
      const early = this.early;
      this.early = [];
      this.earlyBytes = 0;
      for (const [earlyKey, earlyBytes] of early) this.#readStream(nowMs, earlyKey, earlyBytes, true);
    }
  }

  /**
   * Reads on one stream.
   * @param {number} nowMs
   * @param {number} key
   * @param {Uint8Array} bytes
   * @param {boolean} counted
   * @returns {Uint8Array} what follows the frame of a stream of one: it is read as another stream
   */
  #readOne(nowMs, key, bytes, counted) {
    let stream = this.streams.get(key);
    if (stream === undefined) {
      if (this.streams.size >= INCOMING_STREAMS_MAX + SOLO_STREAMS_MAX) throw new Violation("protocol-violation", "too many streams");
      stream = new IncomingStream("server");
      this.streams.set(key, stream);
    }
    if (bytes.length === 0) return bytes;
    const count = counted ? 0 : bytes.length;
    if (stream.lane === undefined) {
      stream.open(/** @type {number} */ (bytes[0]));
      this.#checkStreams(stream);
      bytes = bytes.subarray(1);
    }
    const lane = /** @type {number} */ (stream.lane);
    if (count > 0 && !stream.solo) this.arrived.bytes(nowMs, lane, count);
    if (this.phase !== "open" && (stream.solo || lane !== CONTROL_LANE)) {
      this.earlyBytes += bytes.length + 64;
      if (this.earlyBytes > EARLY_BYTES_MAX) throw new Violation("protocol-violation", "too much before the Welcome");
      this.early.push([key, bytes.slice()]);
      return NOTHING;
    }
    stream.push(bytes);
    if (stream.solo) return this.#readSolo(key, stream);
    for (let frame = stream.next(); frame !== undefined; frame = stream.next()) {
      this.counters.framesIn += 1;
      if (frame.is !== "LaneAck") this.arrived.frame(nowMs, lane);
      this.#onFrame(lane, frame);
      if (this.isOver) break;
    }
    return NOTHING;
  }

  /**
   * @param {number} key
   * @param {IncomingStream} stream of one frame
   */
  #readSolo(key, stream) {
    const frame = stream.next();
    if (frame === undefined) return NOTHING;
    if (frame.is !== "Answer" || this.minor < MINOR_LANES) throw new Violation("protocol-violation", `${frame.is} on a stream of its own`);
    this.counters.framesIn += 1;
    this.streams.delete(key);
    this.#onAnswer(frame);
    return stream.kept;
  }

  /**
   * A lane has one stream, and those of one frame are bounded.
   * @param {IncomingStream} stream whose first byte arrived
   */
  #checkStreams(stream) {
    const others = [...this.streams.values()].filter((other) => other !== stream && other.solo === stream.solo);
    if (others.length >= (stream.solo ? SOLO_STREAMS_MAX : INCOMING_STREAMS_MAX)) throw new Violation("protocol-violation", "too many streams");
    if (!stream.solo && others.some((other) => other.lane === stream.lane)) {
      throw new Violation("protocol-violation", `a second stream for lane ${stream.lane}`);
    }
  }

  /** Whether the connection has ended; a getter, because handling a frame may end it. */
  get isOver() {
    return this.phase === "closed";
  }

  /**
   * @param {number} lane
   * @param {Frame} frame
   */
  #onFrame(lane, frame) {
    if (lane === CONTROL_LANE && this.#onControl(frame)) return;
    const open = this.phase === "open";
    if (open && frame.is === "Answer") return this.#onAnswer(frame);
    if (open && frame.is === "Push") return this.#onPush(lane, frame);
    if (open && lane === VIEW_LANE) {
      if (frame.is === "Attach") return this.#attach(frame);
      if (frame.is === "Detach") return this.#detach(frame.generation);
      if (frame.is === "View") return this.#ofAttachment(frame, this.events.view);
    }
    throw new Violation("protocol-violation", `${frame.is} is not allowed here`);
  }

  /** @param {Extract<Frame, {is: "Answer"}>} frame */
  #onAnswer(frame) {
    this.solos.end(frame.request);
    this.events.answer(frame.request, frame.value, frame.code, frame.text);
  }

  /**
   * @param {Frame} frame
   * @returns {boolean} whether it belonged here
   */
  #onControl(frame) {
    if (frame.is === "Goodbye" || (frame.is === "Refuse" && this.phase !== "open")) {
      this.#end({ reason: closeName(frame.code), text: frame.reason, by: "peer" });
      return true;
    }
    if (frame.is === "Describe" && this.phase === "greeting") {
      this.phase = "described";
      this.#write(CONTROL_LANE, writeStream({ is: "Describing", descriptor: this.config.descriptor }));
      return true;
    }
    if (frame.is === "Ticket" && this.phase === "open") {
      this.events.ticket(frame.ticket);
      return true;
    }
    if (frame.is === "LaneAck" && this.phase === "open" && this.minor >= MINOR_LANES) {
      this.#onLaneAck(frame);
      return true;
    }
    if (frame.is !== "Welcome" || this.phase === "open") return false;
    if (frame.minor > MINOR || frame.minor < MINOR_OLDEST) {
      throw new Violation("incompatible", `the server speaks protocol 1.${frame.minor}, not 1.${MINOR}`);
    }
    this.phase = "open";
    this.minor = frame.minor;
    this.#goOn(frame);
    this.events.welcome(frame);
    return true;
  }

  /** @param {Extract<Frame, {is: "Attach"}>} frame */
  #attach(frame) {
    const { generation } = frame;
    // Generations wrap: newer is at most half the circle ahead.
    const ahead = this.newestGeneration === undefined ? 1 : (generation - this.newestGeneration) >>> 0;
    if (ahead === 0 || ahead >= 0x8000_0000) throw new Violation("protocol-violation", `attachment ${generation} is not new`);
    this.newestGeneration = generation;
    this.#endInputs();
    const { avatar, tickHz } = frame;
    this.attachment = { generation, zone: { kind: frame.zoneKind, key: frame.zoneKey }, avatar, tickHz };
    this.events.attached(this.attachment);
  }

  /** @param {number} generation */
  #detach(generation) {
    if (this.attachment?.generation !== generation) {
      this.counters.stale += 1;
      return;
    }
    this.#endInputs();
    this.attachment = undefined;
    this.events.detached();
  }

  /**
   * @param {{generation: number, payload: Uint8Array}} frame
   * @param {(generation: number, payload: Uint8Array) => void} event
   */
  #ofAttachment(frame, event) {
    if (this.attachment?.generation === frame.generation) event(frame.generation, frame.payload);
    else this.counters.stale += 1;
  }

  /**
   * @param {number} nowMs
   * @param {Uint8Array} bytes
   */
  #readDatagram(nowMs, bytes) {
    if (bytes.length > DATAGRAM_BYTES_MAX) throw new Violation("too-large", `datagram of ${bytes.length} bytes`);
    const frame = readFrame("server", "datagram", bytes);
    if (this.phase !== "open") return;
    this.counters.framesIn += 1;
    if (frame.is === "State") this.#ofAttachment(frame, this.events.state);
    else if (frame.is === "Delta") this.#ofAttachment(frame, this.events.delta);
    else if (frame.is === "UnreliablePush" && this.minor >= MINOR_LANES) this.#onUnreliablePush(frame);
    else if (frame.is === "Ping") this.output.datagram(writeDatagram({ is: "Pong", nonce: frame.nonce }));
    else if (frame.is === "Pong") this.#pong(nowMs, frame.nonce);
    else throw new Violation("protocol-violation", `${frame.is} as a datagram`);
  }

  /**
   * @param {number} nowMs
   * @param {bigint} nonce
   */
  #pong(nowMs, nonce) {
    const sentMs = this.pings.get(nonce);
    if (sentMs === undefined) return;
    this.pings.delete(nonce);
    const sample = nowMs - sentMs;
    // RFC 9002 section 5.3, smoothed_rtt.
    this.rttMs = this.rttMs === undefined ? sample : (this.rttMs * 7 + sample) / 8;
  }

  /**
   * Runs `work`; what the server did wrong ends the connection.
   * @param {() => void} work
   */
  #guarded(work) {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.close(error.reason, error.message);
    }
  }

  /**
   * @param {Closing} closing
   * @param {boolean} [now]
   */
  #end(closing, now = false) {
    if (this.phase === "closed") return;
    this.phase = "closed";
    this.early = [];
    this.streams.clear();
    this.output.close(closeNumber(closing.reason), closing.text, now);
    this.events.closed(closing);
  }
}
