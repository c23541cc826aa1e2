// @ts-check
/**
 * Lanes above the network: what of a session outlives its connections, and what the server is told of what arrived.
 *
 * Responsible for: numbers of kept frames, keeping them until acknowledged, when an acknowledgement is due, windows of what is under way,
 * requests that travel alone.
 * Not responsible for: when frames are allowed (`wire.js`), whose session it is (`client.js`).
 *
 * Invariants:
 * - I1: a kept frame is in its list until the server said that it has it.
 * - I2: a lane's list costs at most `KEPT_BYTES_MAX`.
 * - I3: acknowledgements are never acknowledged.
 * - I4: bytes of a lane that are handed over and not acknowledged are at most its window, once the server acknowledges at all.
 */

import { Violation } from "./close.js";
import {
  ACK_AFTER_BYTES,
  ACK_MS,
  HEADER_BYTES_MAX,
  KEPT_BYTES_MAX,
  KEPT_FRAME_COST,
  SOLO_BYTES_MAX,
  SOLO_FRAME_BYTES_MAX,
  SOLO_STREAMS_MAX,
  WINDOWS,
  WRITE_BYTES_MIN,
} from "./limits.js";

const CONTROL_LANE = 0x03;

/** @typedef {{lane: number, frames: bigint}} Held */
/** @typedef {{bytes: Uint8Array<ArrayBuffer>, request: bigint}} KeptFrame */

/**
 * @typedef {object} KeptLane
 * @property {number} first the number of the first frame in `sent`
 * @property {KeptFrame[]} sent
 * @property {number} cost
 * @property {number} received frames of the server that arrived
 */

/** What outlives connections. One per session, shared by a connection and the one that races it. */
export class KeptLanes {
  constructor() {
    /** @type {Map<number, KeptLane>} */
    this.lanes = new Map();
  }

  /** Another session begins. */
  clear() {
    this.lanes.clear();
  }

  /**
   * Keeps a frame that is sent now.
   * @param {number} lane
   * @param {KeptFrame} frame
   * @returns {boolean} false: too much is kept already, and it is not
   */
  keep(lane, frame) {
    const kept = this.#lane(lane);
    const after = kept.cost + cost(frame);
    if (after > KEPT_BYTES_MAX) return false;
    kept.cost = after;
    kept.sent.push(frame);
    return true;
  }

  /**
   * The kept frame with this number arrived.
   * @param {number} lane
   * @param {number} number
   * @returns {boolean} false: it came before
   */
  receive(lane, number) {
    const kept = this.#lane(lane);
    if (number < kept.received) return false;
    kept.received = number + 1;
    return true;
  }

  /** @param {number} lane */
  received(lane) {
    return this.lanes.get(lane)?.received ?? 0;
  }

  /**
   * What we have, for a Hello.
   * @returns {Held[]}
   */
  held() {
    return [...this.lanes]
      .filter(([, kept]) => kept.received > 0)
      .sort(([a], [b]) => a - b)
      .map(([lane, kept]) => ({ lane, frames: BigInt(kept.received) }));
  }

  /**
   * The server has this many frames of a lane.
   * @param {number} lane
   * @param {bigint} frames
   */
  acknowledged(lane, frames) {
    const kept = this.lanes.get(lane);
    const sent = kept === undefined ? 0 : kept.first + kept.sent.length;
    if (frames > BigInt(sent)) throw new Violation("protocol-violation", `${frames} frames of lane ${lane} acknowledged of ${sent}`);
    if (kept === undefined) return;
    const gone = kept.sent.splice(0, Math.max(0, Number(frames) - kept.first));
    kept.first += gone.length;
    for (const frame of gone) kept.cost -= cost(frame);
  }

  /**
   * Forgets what the server has.
   * @param {readonly Held[]} held
   * @returns {[number, KeptFrame][]} what it lacks, in order within each lane
   */
  resume(held) {
    for (const { lane, frames } of held) this.acknowledged(lane, frames);
    for (const [lane, kept] of this.lanes) {
      const said = held.find((one) => one.lane === lane)?.frames ?? 0n;
      if (said < BigInt(kept.first)) throw new Violation("protocol-violation", `lane ${lane} lacks frames that it had`);
    }
    return [...this.lanes]
      .sort(([a], [b]) => a - b)
      .flatMap(([lane, kept]) => kept.sent.map((frame) => /** @type {[number, KeptFrame]} */ ([lane, frame])));
  }

  /** @param {number} lane */
  #lane(lane) {
    let kept = this.lanes.get(lane);
    if (kept === undefined) {
      kept = { first: 0, sent: [], cost: 0, received: 0 };
      this.lanes.set(lane, kept);
    }
    return kept;
  }
}

/** What arrived on the lanes of one connection. */
export class Arrived {
  constructor() {
    /** @type {Map<number, {bytes: number, told: number, owed: boolean}>} */
    this.lanes = new Map();
    /** When the oldest frame without acknowledgement has to be acknowledged. */
    this.dueMs = Infinity;
  }

  /**
   * Bytes of a lane's stream arrived, with the lane byte. On the control lane they may be an acknowledgement.
   * @param {number} nowMs
   * @param {number} lane
   * @param {number} bytes
   */
  bytes(nowMs, lane, bytes) {
    this.#lane(lane).bytes += bytes;
    if (lane !== CONTROL_LANE) this.frame(nowMs, lane);
  }

  /**
   * A frame arrived that is no acknowledgement itself.
   * @param {number} nowMs
   * @param {number} lane
   */
  frame(nowMs, lane) {
    this.#lane(lane).owed = true;
    this.dueMs = Math.min(this.dueMs, nowMs + ACK_MS);
  }

  /**
   * @param {number} nowMs
   * @returns {[number, number][]} lanes to acknowledge now, with their bytes
   */
  take(nowMs) {
    const owed = [...this.lanes].filter(([, lane]) => lane.owed);
    if (nowMs < this.dueMs && !owed.some(([, lane]) => lane.bytes - lane.told >= ACK_AFTER_BYTES)) return [];
    this.dueMs = Infinity;
    return owed.map(([number, lane]) => {
      lane.owed = false;
      lane.told = lane.bytes;
      return [number, lane.bytes];
    });
  }

  /** @param {number} lane */
  #lane(lane) {
    let arrived = this.lanes.get(lane);
    if (arrived === undefined) {
      arrived = { bytes: 0, told: 0, owed: false };
      this.lanes.set(lane, arrived);
    }
    return arrived;
  }
}

/**
 * @typedef {object} OutgoingLane
 * @property {number} handed bytes handed over, with the lane byte
 * @property {number} acknowledged of them
 * @property {Uint8Array<ArrayBuffer>[]} waiting what the window does not let go
 * @property {number | undefined} heldSinceMs since when it waits for an acknowledgement
 */

/** What leaves on the lanes of one connection. */
export class OutgoingLanes {
  /** @param {{stream: (lane: number, bytes: Uint8Array<ArrayBuffer>) => void}} output */
  constructor(output) {
    this.output = output;
    /** @type {Map<number, OutgoingLane>} */
    this.lanes = new Map();
  }

  /**
   * Sends bytes, or lets them wait until the server has some of those before. What waits is bounded by what is kept.
   * @param {number} lane
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {number} nowMs
   * @param {boolean} acknowledges whether the server does
   */
  write(lane, bytes, nowMs, acknowledges) {
    let out = this.lanes.get(lane);
    if (out === undefined) {
      out = { handed: 1, acknowledged: 0, waiting: [], heldSinceMs: undefined };
      this.lanes.set(lane, out);
    }
    out.waiting.push(bytes);
    this.#pump(lane, out, nowMs, acknowledges ? /** @type {number} */ (WINDOWS[lane >> 4]) : Infinity);
  }

  /**
   * The server has this many bytes of a lane's stream.
   * @param {number} lane
   * @param {bigint} bytes
   * @param {number} nowMs
   */
  acknowledged(lane, bytes, nowMs) {
    const out = this.lanes.get(lane);
    const handed = out?.handed ?? 0;
    if (bytes > BigInt(handed)) throw new Violation("protocol-violation", `${bytes} bytes of lane ${lane} acknowledged of ${handed}`);
    if (out === undefined || Number(bytes) <= out.acknowledged) return;
    out.acknowledged = Number(bytes);
    out.heldSinceMs = undefined;
    this.#pump(lane, out, nowMs, /** @type {number} */ (WINDOWS[lane >> 4]));
  }

  /**
   * Whether the server acknowledges nothing of a lane that waits for it, for too long.
   * @param {number} nowMs
   * @param {number} mostMs
   */
  isStalled(nowMs, mostMs) {
    return [...this.lanes.values()].some((out) => out.heldSinceMs !== undefined && nowMs - out.heldSinceMs >= mostMs);
  }

  /**
   * @param {number} lane
   * @param {OutgoingLane} out
   * @param {number} nowMs
   * @param {number} window
   */
  #pump(lane, out, nowMs, window) {
    for (let bytes = out.waiting[0]; bytes !== undefined; bytes = out.waiting[0]) {
      const room = window - (out.handed - out.acknowledged);
      if (room < Math.min(bytes.length, WRITE_BYTES_MIN)) {
        out.heldSinceMs ??= nowMs;
        return;
      }
      const part = bytes.subarray(0, room);
      if (part.length === bytes.length) out.waiting.shift();
      else out.waiting[0] = bytes.subarray(part.length);
      out.handed += part.length;
      this.output.stream(lane, part);
    }
  }
}

/** Requests under way on streams of their own: each until it is answered, the sign that it arrived. */
export class Solos {
  constructor() {
    /** @type {Map<bigint, number>} the size of each */
    this.open = new Map();
    this.bytes = 0;
  }

  /**
   * @param {bigint} request
   * @param {number} size
   * @returns {boolean} false: it has to go on its lane's stream
   */
  begin(request, size) {
    if (this.open.size >= SOLO_STREAMS_MAX || size > SOLO_FRAME_BYTES_MAX || this.bytes + size + HEADER_BYTES_MAX > SOLO_BYTES_MAX) return false;
    this.end(request);
    this.open.set(request, size);
    this.bytes += size;
    return true;
  }

  /** @param {bigint} request */
  end(request) {
    this.bytes -= this.open.get(request) ?? 0;
    this.open.delete(request);
  }
}

/** @param {KeptFrame} frame */
function cost(frame) {
  return frame.bytes.length + KEPT_FRAME_COST;
}
