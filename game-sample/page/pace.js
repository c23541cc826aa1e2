// @ts-check
/**
 * Keeps frames flowing on slow machines by drawing fewer pixels.
 *
 * Responsible for: noticing that frames come too late for a while, and lowering the screen's density step by step.
 * Not responsible for: raising it again (a machine that was slow once would swing), drawing.
 */

/** Frames looked at together: about two seconds on a slow machine. */
const FRAMES = 60;
/** Longer than this on average is too slow: below 45 frames a second. */
const SLOW_MS = 22;
/** A longer frame says nothing about drawing: the tab was hidden or the machine busy with something else. */
const STALL_MS = 250;
const STEP = 0.85;

export class Pace {
  constructor() {
    this.frames = 0;
    this.sumMs = 0;
  }

  /**
   * Counts a frame.
   * @param {number} milliseconds since the one before
   * @param {import("./screen.js").Screen} screen
   */
  frame(milliseconds, screen) {
    if (milliseconds > STALL_MS) return;
    this.frames += 1;
    this.sumMs += milliseconds;
    if (this.frames < FRAMES) return;
    if (this.sumMs / this.frames > SLOW_MS) screen.coarsen(STEP);
    this.frames = 0;
    this.sumMs = 0;
  }
}
