// @ts-check
/**
 * When a client speaks unreliably: shortly after it was spoken to.
 *
 * A Delta is answered by one Input a moment later (`pace.js` says how long), with all unreliable calls of the meantime: then the transport's
 * acknowledgements ride in packets that are sent anyway, 20 a second each way instead of 30 or 40.
 *
 * Responsible for: what waits, and until when. Not responsible for: sending (`wire.js`), timers (`link.js`).
 *
 * Invariants:
 * - I1: a call waits at most {@link INPUT_HOLD_MS} if no Delta comes, else at most the delay after the next Delta.
 * - I2: each Delta that was applied is told of, with calls or without.
 */

import { DATAGRAM_BYTES_MAX, INPUT_CALLS_MAX, INPUT_HOLD_MS } from "./limits.js";
import { Pace } from "./pace.js";

/** @typedef {Extract<import("./frames.js").Frame, {is: "UnreliableCall"}>} UnreliableCall */
/** @typedef {import("./frames.js").Receipt} Receipt */

/** Bytes that the numbers of an Input, or of a call, can take. */
const HEADER_BYTES_MAX = 64;

/** The reliability unreliable-latest. */
const LATEST = 1;

/** @param {UnreliableCall} call */
function keyOf({ target, kind, number, lane }) {
  const of = target.is === "zone" ? target.generation : target.is === "actor" ? target.key : 0;
  return `${target.is} ${of} ${kind} ${number} ${lane}`;
}

export class Inputs {
  /** @param {number} mostMs from a Delta to its answer, at most */
  constructor(mostMs) {
    this.pace = new Pace(mostMs);
    /** When the last Delta was applied, and how long after its Delta the last answer left. */
    this.appliedMs = 0;
    this.leftAfterMs = mostMs;
    /** @type {Receipt | undefined} */
    this.receipt = undefined;
    this.news = false;
    /** @type {UnreliableCall[]} */
    this.calls = [];
    this.bytes = 0;
    /** @type {number | undefined} when {@link take} has something */
    this.dueMs = undefined;
    /** Whether it is due because a Delta came. */
    this.answers = false;
  }

  /**
   * The server says of the newest answer how long it had waited for the tick of a zone with this time between ticks.
   * @param {number} periodMs
   * @param {number} waitedMs
   */
  waited(periodMs, waitedMs) {
    this.pace.waited(periodMs, this.leftAfterMs, waitedMs);
  }

  /**
   * A Delta or a View payload was applied.
   * @param {Receipt} receipt
   * @param {number} nowMs
   */
  applied(receipt, nowMs) {
    const last = this.receipt;
    const delta = last === undefined || last.generation !== receipt.generation || last.tick !== receipt.tick;
    this.receipt = receipt;
    this.news = true;
    if (this.dueMs !== undefined && (this.answers || !delta)) return;
    this.appliedMs = nowMs;
    this.dueMs = nowMs + this.pace.delayMs;
    this.answers = true;
  }

  /**
   * Whether a call fits beside what waits.
   * @param {UnreliableCall} call
   */
  hasRoom(call) {
    return this.bytes + call.args.length + 2 * HEADER_BYTES_MAX <= DATAGRAM_BYTES_MAX;
  }

  /**
   * A call waits from now on.
   * @param {UnreliableCall} call
   * @param {number} nowMs
   * @returns {boolean} whether all that waits must leave at once
   */
  call(call, nowMs) {
    if ((call.lane & 15) === LATEST) this.#replace(call);
    this.calls.push(call);
    this.bytes += call.args.length + HEADER_BYTES_MAX;
    if (this.dueMs === undefined) {
      this.dueMs = nowMs + INPUT_HOLD_MS;
      this.answers = false;
    }
    return call.lane >> 4 === 0 || this.calls.length === INPUT_CALLS_MAX;
  }

  /**
   * Drops a call that still waits and that this one is newer than.
   * @param {UnreliableCall} call
   */
  #replace(call) {
    const old = this.calls.findIndex((other) => keyOf(other) === keyOf(call));
    if (old < 0) return;
    for (const { args } of this.calls.splice(old, 1)) this.bytes -= args.length + HEADER_BYTES_MAX;
  }

  /**
   * What waits.
   * @param {number} nowMs
   * @returns {Extract<import("./frames.js").Frame, {is: "Input"}> | undefined}
   */
  take(nowMs) {
    const { receipt, news, calls } = this;
    if (this.dueMs !== undefined && this.answers) {
      this.leftAfterMs = nowMs - this.appliedMs;
      this.pace.left(nowMs - this.dueMs);
    }
    this.dueMs = undefined;
    this.calls = [];
    this.bytes = 0;
    this.news = false;
    if (receipt === undefined || (!news && calls.length === 0)) return undefined;
    return { is: "Input", ...receipt, calls };
  }
}
