// @ts-check
/**
 * When a client speaks unreliably: shortly after it was spoken to.
 *
 * A Delta is answered by one Input a moment later, with all unreliable calls of the meantime: then the transport's
 * acknowledgements ride in packets that are sent anyway, 20 a second each way instead of 30.
 *
 * Responsible for: what waits, and until when. Not responsible for: sending (`wire.js`), timers (`link.js`).
 *
 * Invariants:
 * - I1: a call waits at most {@link INPUT_HOLD_MS} if no Delta comes, else at most the delay after the next Delta.
 * - I2: each Delta that was applied is told of, with calls or without.
 */

import { DATAGRAM_BYTES_MAX, INPUT_CALLS_MAX, INPUT_HOLD_MS } from "./limits.js";

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
  /** @param {number} delayMs from a Delta to its answer */
  constructor(delayMs) {
    this.delayMs = delayMs;
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
    this.dueMs = nowMs + this.delayMs;
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
   * @returns {Extract<import("./frames.js").Frame, {is: "Input"}> | undefined}
   */
  take() {
    const { receipt, news, calls } = this;
    this.dueMs = undefined;
    this.calls = [];
    this.bytes = 0;
    this.news = false;
    if (receipt === undefined || (!news && calls.length === 0)) return undefined;
    return { is: "Input", ...receipt, calls };
  }
}
