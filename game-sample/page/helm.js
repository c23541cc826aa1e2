// @ts-check
/**
 * Sends the controls: a change at once, the same again after each state packet.
 *
 * Responsible for: when controls are sent. Not responsible for: what is held down (`input.js`).
 *
 * Invariants:
 * - I1: never more than 1000 / {@link CHANGE_GAP_MS} packets a second, and a change is never forgotten: it waits for the gap.
 * - I2: repeats follow state packets, so that our packet carries the acknowledgement of theirs.
 */

/** Least time between two changes. */
const CHANGE_GAP_MS = 40;
/** Least time between two packets with the same controls: at most 20 a second. */
const REPEAT_GAP_MS = 49;

/** @typedef {import("./input.js").Controls} Controls */

export class Helm {
  /** @param {(controls: Controls) => void} send */
  constructor(send) {
    this.send = send;
    this.sentAt = -Infinity;
    /** @type {Controls} */
    this.sent = { thrust: 0, turn: 0, boost: false };
    /** @type {Controls} */
    this.wanted = this.sent;
  }

  /**
   * Takes what is wanted now.
   * @param {Controls} controls
   * @param {number} now milliseconds
   */
  want(controls, now) {
    this.wanted = controls;
    if (!same(controls, this.sent) && now - this.sentAt >= CHANGE_GAP_MS) this.#send(now);
  }

  /**
   * A state packet arrived.
   * @param {number} now milliseconds
   */
  afterState(now) {
    if (now - this.sentAt >= REPEAT_GAP_MS) this.#send(now);
  }

  /** A new connection or zone knows nothing yet. */
  forget() {
    this.sent = { thrust: Number.NaN, turn: 0, boost: false };
  }

  /** @param {number} now */
  #send(now) {
    this.sentAt = now;
    this.sent = this.wanted;
    this.send(this.wanted);
  }
}

/**
 * @param {Controls} one
 * @param {Controls} other
 */
function same(one, other) {
  return one.thrust === other.thrust && one.turn === other.turn && one.boost === other.boost;
}
