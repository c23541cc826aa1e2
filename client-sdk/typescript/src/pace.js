// @ts-check
/**
 * How long a client waits from a Delta to its Input: so that it is there shortly before the server's next tick.
 *
 * Each Delta says how long the newest Input had waited for the tick. The wait of the client and the one at the server make up, together,
 * the time from the arrival of a Delta until the next tick that an answer can still reach. The client waits for what of it is not left to
 * jitter.
 *
 * Responsible for: the delay. Not responsible for: sending (`inputs.js`).
 *
 * Invariants:
 * - I1: the delay is at least {@link INPUT_DELAY_MIN_MS} and at most the one the client was made with.
 * - I2: what a server says moves the delay by a fraction of its error: no single packet decides.
 */

import { INPUT_DELAY_MIN_MS, INPUT_MARGIN_MAX_MS, INPUT_MARGIN_MS } from "./limits.js";

/** Share of a sample's error that is learned from it: one in eight, as of round trips (RFC 9002, 5.3). */
const GAIN = 1 / 8;

/**
 * @param {number} value
 * @param {number} period
 */
const modulo = (value, period) => ((value % period) + period) % period;

export class Pace {
  /** @param {number} mostMs the delay until the server says something, and the longest one */
  constructor(mostMs) {
    this.mostMs = mostMs;
    /** How long after an answer was due it left, on average. */
    this.lateMs = 0;
    /** @type {{periodMs: number, afterMs: number, spreadMs: number} | undefined} where the server's next tick lies after a Delta */
    this.tick = undefined;
  }

  /**
   * A Delta of a zone with this time between ticks says that the newest Input, which left `afterMs` after its own Delta, had waited so long.
   * @param {number} periodMs
   * @param {number} afterMs
   * @param {number} waitedMs
   */
  waited(periodMs, afterMs, waitedMs) {
    const sampleMs = modulo(afterMs + waitedMs, periodMs);
    const tick = this.tick;
    if (tick?.periodMs !== periodMs) {
      this.tick = { periodMs, afterMs: sampleMs, spreadMs: periodMs / 16 };
      return;
    }
    // The short way round: just before a tick and just after it are neighbours.
    const errorMs = modulo(sampleMs - tick.afterMs + periodMs / 2, periodMs) - periodMs / 2;
    tick.afterMs = modulo(tick.afterMs + errorMs * GAIN, periodMs);
    tick.spreadMs += (Math.abs(errorMs) - tick.spreadMs) * GAIN;
  }

  /**
   * An answer left so long after it was due: a page that is busy wakes late, and hears of Deltas late too.
   * @param {number} lateMs
   */
  left(lateMs) {
    // One stall says nothing of the next answer.
    this.lateMs += (Math.min(Math.max(lateMs, 0), this.mostMs) - this.lateMs) * GAIN;
  }

  /** From a Delta to its Input. */
  get delayMs() {
    // The longest with which the transport's acknowledgement still rides along.
    const mostMs = Math.max(this.mostMs - 2 * this.lateMs, INPUT_DELAY_MIN_MS);
    if (this.tick === undefined) return mostMs;
    const { periodMs, afterMs, spreadMs } = this.tick;
    const delayMs = afterMs - Math.min(INPUT_MARGIN_MS + 2 * spreadMs, INPUT_MARGIN_MAX_MS);
    // Too late for this tick: then for the one behind it.
    const reachedMs = delayMs < INPUT_DELAY_MIN_MS ? delayMs + periodMs : delayMs;
    return Math.min(Math.max(reachedMs, INPUT_DELAY_MIN_MS), mostMs);
  }
}
