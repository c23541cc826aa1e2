// @ts-check
/**
 * Frames: the units on the wire, as `docs/wire.md` describes them.
 *
 * Responsible for: every frame's layout, kinds, length prefixes, incoming streams cut anyhow.
 * Not responsible for: when a frame is allowed (`wire.js`).
 *
 * Invariants:
 * - I1: a frame's body ends exactly where the frame ends; no prefix of a frame is a frame.
 * - I2: a length over the limit is refused before a byte of that frame is kept.
 */

import { DecodeError, Reader, Writer } from "./bytes.js";
import { Violation } from "./close.js";
import {
  CALL_BYTES_MAX,
  HEADER_BYTES_MAX,
  INPUT_CALLS_MAX,
  PUSH_BYTES_MAX,
  SOLO_FRAME_BYTES_MAX,
  STATE_BYTES_MAX,
  TEXT_BYTES_MAX,
  TICKET_BYTES_MAX,
  TOKEN_BYTES_MAX,
  VIEW_BYTES_MAX,
} from "./limits.js";

/**
 * @typedef {{is: "own"} | {is: "zone", generation: number} | {is: "actor", key: bigint}} Aimed
 */

/**
 * What arrived of an attachment.
 * @typedef {object} Receipt
 * @property {number} generation
 * @property {number} tick that of the newest Delta that was applied; 0 with `received` 0: none
 * @property {number} received bit `k`: the Delta of `k` ticks before was applied
 * @property {number} views View payloads that were applied
 */

/**
 * Any frame.
 * @typedef {| {is: "Hello", minor: number, features: bigint, fingerprint: bigint, token: Uint8Array,
 *       ticket: Uint8Array, firstRequest: bigint, held: import("./lanes.js").Held[]}
 *   | {is: "Describe"}
 *   | {is: "Describing", descriptor: Uint8Array}
 *   | {is: "Welcome", minor: number, features: bigint, session: bigint, player: bigint, tickHz: number,
 *       goesOn: boolean, held: import("./lanes.js").Held[]}
 *   | {is: "Refuse", code: number, reason: string}
 *   | {is: "Goodbye", code: number, reason: string}
 *   | {is: "Ticket", ticket: Uint8Array}
 *   | {is: "LaneAck", lane: number, bytes: bigint, frames: bigint}
 *   | {is: "Call", request: bigint, target: Aimed, kind: number, number: number, args: Uint8Array}
 *   | {is: "Answer", request: bigint, value: Uint8Array | undefined, code: number, text: string}
 *   | {is: "Push", kind: number, key: bigint, number: number, args: Uint8Array}
 *   | {is: "Attach", generation: number, zoneKind: number, zoneKey: bigint, avatar: bigint, tickHz: number}
 *   | {is: "Detach", generation: number}
 *   | {is: "View", generation: number, payload: Uint8Array}
 *   | {is: "State", generation: number, payload: Uint8Array}
 *   | {is: "UnreliableCall", sequence: number, lane: number, target: Aimed, kind: number, number: number, args: Uint8Array}
 *   | {is: "Delta", generation: number, payload: Uint8Array}
 *   | ({is: "Input", calls: Unreliable[]} & Receipt)
 *   | {is: "Ping", nonce: bigint}
 *   | {is: "Pong", nonce: bigint}} Frame
 */

/** @typedef {{sequence: number, lane: number, target: Aimed, kind: number, number: number, args: Uint8Array}} Unreliable */

/** @typedef {Frame["is"]} FrameName */

/** The first minor version of tickets: they, and the number of the first request, end a Hello from there on. */
const MINOR_TICKETS = 1;

/** The first minor version of acknowledged lanes: what is held ends a Hello and a Welcome from there on. */
export const MINOR_LANES = 2;

/** Reliable lanes there are. */
const LANES_MAX = 8;

/**
 * @typedef {object} FrameKind
 * @property {FrameName} name
 * @property {"client" | "server" | "both"} by
 * @property {"stream" | "datagram"} on
 * @property {number} most bytes of the body
 */

/** @type {ReadonlyMap<number, FrameKind>} */
const KINDS = new Map([
  [1, kind("Hello", "client", "stream", TOKEN_BYTES_MAX + TICKET_BYTES_MAX + 1 + LANES_MAX * 10)],
  [2, kind("Describe", "server", "stream", -HEADER_BYTES_MAX)],
  [3, kind("Describing", "client", "stream", 64 * 1024)],
  [4, kind("Welcome", "server", "stream", 1 + LANES_MAX * 10)],
  [5, kind("Refuse", "server", "stream", TEXT_BYTES_MAX)],
  [6, kind("Goodbye", "both", "stream", TEXT_BYTES_MAX)],
  [7, kind("Ticket", "server", "stream", TICKET_BYTES_MAX)],
  [8, kind("LaneAck", "both", "stream", 0)],
  [16, kind("Call", "client", "stream", CALL_BYTES_MAX)],
  [17, kind("Answer", "server", "stream", PUSH_BYTES_MAX)],
  [18, kind("Push", "server", "stream", PUSH_BYTES_MAX)],
  [32, kind("Attach", "server", "stream", 0)],
  [33, kind("Detach", "server", "stream", 0)],
  [34, kind("View", "server", "stream", VIEW_BYTES_MAX)],
  [48, kind("State", "server", "datagram", STATE_BYTES_MAX)],
  [49, kind("UnreliableCall", "client", "datagram", 1_200)],
  [50, kind("Ping", "both", "datagram", 0)],
  [51, kind("Pong", "both", "datagram", 0)],
  [52, kind("Delta", "server", "datagram", STATE_BYTES_MAX)],
  [53, kind("Input", "client", "datagram", 1_200)],
]);

/** @type {ReadonlyMap<FrameName, number>} */
const NUMBERS = new Map([...KINDS].map(([number, { name }]) => [name, number]));

/**
 * @param {FrameName} name
 * @param {"client" | "server" | "both"} by
 * @param {"stream" | "datagram"} on
 * @param {number} payload
 * @returns {FrameKind}
 */
function kind(name, by, on, payload) {
  return { name, by, on, most: payload + HEADER_BYTES_MAX };
}

/**
 * A frame's bytes without a length: what a datagram is.
 * @param {Frame} frame
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeDatagram(frame) {
  const to = new Writer();
  writeFrame(to, frame);
  return to.finish();
}

/**
 * A frame's bytes with its length: what stands on a stream.
 * @param {Frame} frame
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeStream(frame) {
  const to = new Writer();
  to.growing((inner) => writeFrame(inner, frame));
  return to.finish();
}

/**
 * @param {Writer} to
 * @param {Frame} frame
 */
function writeFrame(to, frame) {
  to.u8(/** @type {number} */ (NUMBERS.get(frame.is)));
  switch (frame.is) {
    case "Hello":
      to.u16(frame.minor);
      to.u64(frame.features);
      to.u128(frame.fingerprint);
      to.bytes(frame.token);
      if (frame.minor < MINOR_TICKETS) return;
      to.bytes(frame.ticket);
      to.u64(frame.firstRequest);
      if (frame.minor >= MINOR_LANES) writeHeld(to, frame.held);
      return;
    case "Describe":
      return;
    case "Describing":
      return to.bytes(frame.descriptor);
    case "Welcome":
      to.u16(frame.minor);
      to.u64(frame.features);
      to.u64(frame.session);
      to.u64(frame.player);
      to.u16(frame.tickHz);
      if (frame.minor < MINOR_LANES) return;
      to.u8(frame.goesOn ? 1 : 0);
      return writeHeld(to, frame.held);
    case "Refuse":
    case "Goodbye":
      to.u32(frame.code);
      return to.text(frame.reason);
    case "Ticket":
      return to.bytes(frame.ticket);
    case "LaneAck":
      to.u8(frame.lane);
      to.u64(frame.bytes);
      return to.u64(frame.frames);
    case "Call":
      to.u64(frame.request);
      return writeCall(to, frame);
    case "Answer":
      to.u64(frame.request);
      to.u8(frame.value === undefined ? 1 : 0);
      if (frame.value !== undefined) return to.bytes(frame.value);
      to.u16(frame.code);
      return to.text(frame.text);
    case "Push":
      to.u16(frame.kind);
      to.u64(frame.key);
      to.u16(frame.number);
      return to.bytes(frame.args);
    case "Attach":
      to.u32(frame.generation);
      to.u16(frame.zoneKind);
      to.u64(frame.zoneKey);
      to.u64(frame.avatar);
      return to.u16(frame.tickHz);
    case "Detach":
      return to.u32(frame.generation);
    case "View":
    case "State":
    case "Delta":
      to.u32(frame.generation);
      return to.bytes(frame.payload);
    case "UnreliableCall":
      return writeUnreliable(to, frame);
    case "Input":
      return writeInput(to, frame);
    case "Ping":
    case "Pong":
      return to.u64(frame.nonce);
  }
}

/**
 * @param {Writer} to
 * @param {Unreliable} call
 */
function writeUnreliable(to, call) {
  to.u32(call.sequence);
  to.u8(call.lane);
  writeCall(to, call);
}

/**
 * @param {Writer} to
 * @param {Receipt & {calls: readonly Unreliable[]}} input
 */
function writeInput(to, input) {
  to.u32(input.generation);
  to.u64(BigInt(input.tick));
  to.u32(input.received);
  to.u64(BigInt(input.views));
  to.u8(input.calls.length);
  for (const call of input.calls) writeUnreliable(to, call);
}

/**
 * @param {Writer} to
 * @param {readonly import("./lanes.js").Held[]} held
 */
function writeHeld(to, held) {
  to.u8(held.length);
  for (const { lane, frames } of held) {
    to.u8(lane);
    to.u64(frames);
  }
}

/**
 * @param {Reader} from
 * @returns {import("./lanes.js").Held[]}
 */
function readHeld(from) {
  const count = from.u8();
  if (count > LANES_MAX) throw new DecodeError(`${count} lanes`);
  /** @type {import("./lanes.js").Held[]} */
  const held = [];
  for (let before = -1; held.length < count; ) {
    const lane = reliableLane(from);
    if (lane <= before) throw new DecodeError("lanes that do not ascend");
    before = lane;
    held.push({ lane, frames: from.u64() });
  }
  return held;
}

/** @param {Reader} from */
function reliableLane(from) {
  const number = from.u8();
  const reliability = number & 15;
  if (number >> 4 > 3 || reliability < 2 || reliability > 3) throw new DecodeError(`${number} is no reliable lane`);
  return number;
}

/**
 * @param {Reader} from
 * @returns {Frame}
 */
function readWelcome(from) {
  const head = { minor: from.u16(), features: from.u64(), session: from.u64(), player: from.u64(), tickHz: from.u16() };
  if (head.minor < MINOR_LANES) return { is: "Welcome", ...head, goesOn: false, held: [] };
  const goesOn = from.u8();
  if (goesOn > 1) throw new DecodeError(`a truth of ${goesOn}`);
  return { is: "Welcome", ...head, goesOn: goesOn === 1, held: readHeld(from) };
}

/**
 * @param {Writer} to
 * @param {{target: Aimed, kind: number, number: number, args: Uint8Array}} call
 */
function writeCall(to, call) {
  const target = call.target;
  if (target.is === "own") to.u8(0);
  if (target.is === "zone") {
    to.u8(1);
    to.u32(target.generation);
  }
  if (target.is === "actor") {
    to.u8(2);
    to.u64(target.key);
  }
  to.u16(call.kind);
  to.u16(call.number);
  to.bytes(call.args);
}

/**
 * Reads one frame without its length; `bytes` is exactly the frame.
 * @param {"client" | "server"} sender
 * @param {"stream" | "datagram"} on
 * @param {Uint8Array} bytes
 * @returns {Frame}
 * @throws {Violation} when the bytes are no frame that `sender` may send there
 */
export function readFrame(sender, on, bytes) {
  const from = new Reader(bytes);
  if (from.remaining === 0) throw new Violation("protocol-violation", "frame without a kind");
  const found = checkKind(sender, on, from.u8());
  if (bytes.length > found.most + 1) throw tooLarge(`${found.name} of ${bytes.length} bytes`);
  try {
    const frame = readBody(found.name, from);
    from.finish();
    return frame;
  } catch (error) {
    if (error instanceof DecodeError) throw new Violation("protocol-violation", `${found.name}: ${error.message}`);
    throw error;
  }
}

/**
 * @param {"client" | "server"} sender
 * @param {"stream" | "datagram"} on
 * @param {number} number
 */
function checkKind(sender, on, number) {
  const found = KINDS.get(number);
  if (found === undefined) throw new Violation("protocol-violation", `unknown frame kind ${number}`);
  if (found.on !== on || (found.by !== "both" && found.by !== sender)) {
    throw new Violation("protocol-violation", `${found.name} does not travel this way`);
  }
  return found;
}

/**
 * @param {Reader} from
 * @returns {Frame}
 */
function readHello(from) {
  const minor = from.u16();
  const features = from.u64();
  const fingerprint = from.u128();
  const token = bounded(from, TOKEN_BYTES_MAX);
  const hasTicket = minor >= MINOR_TICKETS;
  const ticket = hasTicket ? bounded(from, TICKET_BYTES_MAX) : new Uint8Array();
  const firstRequest = hasTicket ? from.u64() : 0n;
  const held = minor >= MINOR_LANES ? readHeld(from) : [];
  return { is: "Hello", minor, features, fingerprint, token, ticket, firstRequest, held };
}

/**
 * @param {FrameName} name
 * @param {Reader} from
 * @returns {Frame}
 */
function readBody(name, from) {
  switch (name) {
    case "Hello":
      return readHello(from);
    case "Describe":
      return { is: name };
    case "Describing":
      return { is: name, descriptor: bounded(from, 64 * 1024) };
    case "Welcome":
      return readWelcome(from);
    case "Refuse":
    case "Goodbye":
      return { is: name, code: from.u32(), reason: boundedText(from) };
    case "Ticket":
      return { is: name, ticket: bounded(from, TICKET_BYTES_MAX) };
    case "LaneAck":
      return { is: name, lane: reliableLane(from), bytes: from.u64(), frames: from.u64() };
    case "Call":
      return { is: name, request: from.u64(), ...readCall(from, CALL_BYTES_MAX) };
    case "Answer":
      return readAnswer(from);
    case "Push":
      return { is: name, kind: from.u16(), key: from.u64(), number: from.u16(), args: bounded(from, PUSH_BYTES_MAX) };
    case "Attach":
      return { is: name, generation: from.u32(), zoneKind: from.u16(), zoneKey: from.u64(), avatar: from.u64(), tickHz: from.u16() };
    case "Detach":
      return { is: name, generation: from.u32() };
    case "View":
      return { is: name, generation: from.u32(), payload: bounded(from, VIEW_BYTES_MAX) };
    case "State":
      return { is: name, generation: from.u32(), payload: bounded(from, STATE_BYTES_MAX) };
    case "Delta":
      return { is: name, generation: from.u32(), payload: bounded(from, STATE_BYTES_MAX) };
    case "UnreliableCall":
      return { is: name, ...readUnreliable(from) };
    case "Input":
      return readInput(from);
    case "Ping":
    case "Pong":
      return { is: name, nonce: from.u64() };
  }
}

/**
 * @param {Reader} from
 * @returns {Unreliable}
 */
function readUnreliable(from) {
  return { sequence: from.u32(), lane: unreliableLane(from), ...readCall(from, 1_200) };
}

/**
 * @param {Reader} from
 * @returns {Frame}
 */
function readInput(from) {
  const receipt = { generation: from.u32(), tick: from.safe(), received: from.u32(), views: from.safe() };
  const count = from.u8();
  if (count > INPUT_CALLS_MAX) throw tooLarge(`${count} calls at once`);
  const calls = [];
  for (let call = 0; call < count; call += 1) calls.push(readUnreliable(from));
  return { is: "Input", ...receipt, calls };
}

/**
 * @param {Reader} from
 * @returns {Frame}
 */
function readAnswer(from) {
  const request = from.u64();
  const tag = from.u8();
  if (tag > 1) throw new DecodeError(`result ${tag}`);
  if (tag === 0) return { is: "Answer", request, value: bounded(from, PUSH_BYTES_MAX), code: 0, text: "" };
  return { is: "Answer", request, value: undefined, code: from.u16(), text: boundedText(from) };
}

/**
 * @param {Reader} from
 * @param {number} most
 */
function readCall(from, most) {
  const target = readTarget(from);
  return { target, kind: from.u16(), number: from.u16(), args: bounded(from, most) };
}

/**
 * @param {Reader} from
 * @returns {Aimed}
 */
function readTarget(from) {
  const tag = from.u8();
  if (tag === 0) return { is: "own" };
  if (tag === 1) return { is: "zone", generation: from.u32() };
  if (tag === 2) return { is: "actor", key: from.u64() };
  throw new DecodeError(`target ${tag}`);
}

/** @param {Reader} from */
function unreliableLane(from) {
  const lane = from.u8();
  if (lane >>> 4 > 3 || (lane & 15) > 1) throw new DecodeError(`${lane} is no unreliable lane`);
  return lane;
}

/**
 * @param {Reader} from
 * @param {number} most
 */
function bounded(from, most) {
  const bytes = from.bytes();
  if (bytes.length > most) throw tooLarge(`${bytes.length} bytes, at most ${most}`);
  return bytes;
}

/** @param {Reader} from */
function boundedText(from) {
  const start = from.position;
  const text = from.text();
  if (from.position - start > TEXT_BYTES_MAX + 3) throw tooLarge(`text of ${from.position - start} bytes`);
  return text;
}

/** @param {string} message */
function tooLarge(message) {
  return new Violation("too-large", message);
}

/** Whether a byte names a reliable lane. */
const isReliableLane = (/** @type {number} */ lane) => lane >>> 4 <= 3 && ((lane & 15) === 2 || (lane & 15) === 3);

/** In the lane byte of a stream that holds one frame. */
export const SOLO_BIT = 0x80;

/** One incoming stream: its lane byte, then frames cut anyhow; or a stream that holds one frame and ends. */
export class IncomingStream {
  /** @param {"client" | "server"} sender */
  constructor(sender) {
    this.sender = sender;
    /** @type {number | undefined} */
    this.lane = undefined;
    /** Whether it holds one frame; what follows that is read as another stream. */
    this.solo = false;
    this.kept = new Uint8Array(0);
  }

  /**
   * Takes the lane byte.
   * @param {number} lane
   */
  open(lane) {
    this.solo = (lane & SOLO_BIT) !== 0;
    const bare = lane & ~SOLO_BIT;
    if (!isReliableLane(bare) || (this.solo && (bare & 15) !== 2)) {
      throw new Violation("protocol-violation", `stream begins with ${lane}, no reliable lane`);
    }
    this.lane = bare;
  }

  /**
   * Takes bytes; {@link IncomingStream.next} gives the frames.
   * @param {Uint8Array} bytes
   */
  push(bytes) {
    if (bytes.length === 0) return;
    if (this.lane === undefined) {
      this.open(/** @type {number} */ (bytes[0]));
      bytes = bytes.subarray(1);
    }
    if (this.kept.length === 0) {
      this.kept = new Uint8Array(bytes);
    } else {
      const joined = new Uint8Array(this.kept.length + bytes.length);
      joined.set(this.kept);
      joined.set(bytes, this.kept.length);
      this.kept = joined;
    }
  }

  /**
   * @returns {Frame | undefined} the next whole frame; `undefined`: more must arrive
   */
  next() {
    const length = readLength(this.kept);
    if (length === undefined || this.kept.length === length.header) return undefined;
    const number = /** @type {number} */ (this.kept[length.header]);
    const found = checkKind(this.sender, "stream", number);
    if (length.bytes === 0) throw new Violation("protocol-violation", "frame without a kind");
    if (length.bytes > found.most + 1) throw tooLarge(`${found.name} of ${length.bytes} bytes`);
    if (this.solo && length.bytes > SOLO_FRAME_BYTES_MAX) throw tooLarge(`${length.bytes} bytes on a stream of their own`);
    const end = length.header + length.bytes;
    if (this.kept.length < end) return undefined;
    const frame = readFrame(this.sender, "stream", this.kept.subarray(length.header, end));
    this.kept = this.kept.subarray(end);
    return frame;
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {{bytes: number, header: number} | undefined}
 */
function readLength(bytes) {
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (first < 0xfb) {
    if (first === 0) throw new Violation("protocol-violation", "frame without a kind");
    return { bytes: first, header: 1 };
  }
  if (first > 0xfc) throw tooLarge("length of a frame is over 32 bits");
  const header = first === 0xfb ? 3 : 5;
  if (bytes.length < header) return undefined;
  return { bytes: new Reader(bytes).u32(), header };
}
