// @ts-check
/**
 * The clock by which a view is shown: about two ticks behind the newest packet, never backwards.
 *
 * Responsible for: following the server's ticks through jitter, stalls and changes of rate.
 * Not responsible for: values (`view.js`), any real clock: `now` is passed in.
 *
 * Invariants:
 * - I1: {@link Playback.tick} never decreases between two resets.
 * - I2: it runs at most {@link FASTEST} times and at least {@link SLOWEST} times as fast as the server, except for jumps forward
 *   over a lag that history does not cover, and except that it waits when nothing newer is known.
 */

import { PLAYBACK_LAG_TICKS } from "./limits.js";

/** Ticks behind the newest packet on a perfect line. */
const LEAST_DELAY_TICKS = 2;
/** The most the delay grows to under jitter. */
const MOST_DELAY_TICKS = 6;
/** Jitter that is already covered by the least delay, in ticks. */
const COVERED_TICKS = 0.5;
/** Ticks beyond the newest packet at which the clock waits: values are not continued further either. */
const AHEAD_TICKS = 2;
/** Share of a packet's lateness that moves the estimate. */
const FOLLOW = 0.12;
/** Share by which the jitter estimate falls per packet; it rises at once. */
const CALM = 0.01;
/** Speed changes by this much per tick of distance from where the clock should be. */
const PULL = 0.06;
const FASTEST = 1.35;
const SLOWEST = 0.8;

export class Playback {
  /** The tick shown, with its fraction. */
  tick = 0;
  started = false;
  newest = 0;
  intervalMs = 50;
  /** When the newest tick was expected to arrive. */
  expectedMs = 0;
  jitterMs = 0;
  shownAtMs = 0;

  /** Forgets everything: another zone, another connection. */
  reset() {
    Object.assign(this, new Playback());
  }

  /**
   * A state packet arrived.
   * @param {number} nowMs
   * @param {number} tick
   * @param {number} rate ticks per second
   */
  arrived(nowMs, tick, rate) {
    if (!this.started) {
      this.started = true;
      this.newest = tick;
      this.intervalMs = 1000 / rate;
      this.expectedMs = nowMs;
      this.tick = tick - LEAST_DELAY_TICKS;
      this.shownAtMs = nowMs;
      return;
    }
    if (tick <= this.newest) return;
    // The interval of the packet that came last holds for the ticks up to it.
    const expected = this.expectedMs + (tick - this.newest) * this.intervalMs;
    const late = nowMs - expected;
    this.newest = tick;
    this.intervalMs = 1000 / rate;
    if (Math.abs(late) > 1000) {
      // A stall or a sleeping tab: that is no jitter.
      this.expectedMs = nowMs;
      return;
    }
    this.expectedMs = expected + late * FOLLOW;
    this.jitterMs = Math.max(Math.abs(late), this.jitterMs * (1 - CALM));
  }

  /** Ticks behind the newest packet that the clock aims at. */
  get delayTicks() {
    const extra = Math.max(0, this.jitterMs / this.intervalMs - COVERED_TICKS);
    return Math.min(MOST_DELAY_TICKS, LEAST_DELAY_TICKS + extra);
  }

  /**
   * Moves the clock to a frame.
   * @param {number} nowMs
   * @returns {number} the tick to show
   */
  advance(nowMs) {
    if (!this.started) return this.tick;
    const passedMs = Math.max(0, nowMs - this.shownAtMs);
    this.shownAtMs = Math.max(this.shownAtMs, nowMs);
    const aim = this.newest + (nowMs - this.expectedMs) / this.intervalMs - this.delayTicks;
    const straight = this.tick + passedMs / this.intervalMs;
    const speed = Math.min(FASTEST, Math.max(SLOWEST, 1 + (aim - straight) * PULL));
    let next = this.tick + (passedMs / this.intervalMs) * speed;
    next = Math.min(next, this.newest + AHEAD_TICKS);
    next = Math.max(next, this.newest - PLAYBACK_LAG_TICKS);
    this.tick = Math.max(this.tick, next);
    return this.tick;
  }
}
