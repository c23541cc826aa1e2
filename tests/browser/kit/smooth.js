// @ts-check
/**
 * Looks for jumps and standstills in a log of frames.
 *
 * Responsible for: the bounds and what breaks them. Not responsible for: recording (`hook.js` of the page).
 */

/** @typedef {{at: number, tick: number, zone: string, own?: {x: number, y: number} | undefined, others: {id: string, x: number, y: number}[]}} Frame */

/** Fastest anything flies, units per second. */
const SPEED_MAX = 320;
/** Playback may run this much faster than time while it catches up (`playback.js` of the SDK). */
const PLAYBACK_FASTEST = 1.35;
/** A tenth for frames that are shown at other moments than they say, and quantised places on both ends. */
const MARGIN = 1.1;
const MARGIN_UNITS = 0.2;
/** Milliseconds of a zone's tick. */
const TICK_MS = 50;
/** Longer than this without a frame is the machine's stall, in which playback may wait and skip. */
const STALL_MS = 250;

/**
 * Steps that are longer than the speed limit allows, by the page's clock and by the zone's.
 * @param {readonly Frame[]} frames
 * @returns {string[]}
 */
export function jumps(frames) {
  const found = [];
  for (let i = 1; i < frames.length; i += 1) {
    const before = /** @type {Frame} */ (frames[i - 1]);
    const now = /** @type {Frame} */ (frames[i]);
    const ms = now.at - before.at;
    if (before.zone !== now.zone || ms > STALL_MS) continue;
    const byClock = (SPEED_MAX * PLAYBACK_FASTEST * MARGIN * ms) / 1_000 + MARGIN_UNITS;
    const byTick = (SPEED_MAX * MARGIN * (now.tick - before.tick) * TICK_MS) / 1_000 + MARGIN_UNITS;
    for (const { id, step } of steps(before, now)) {
      if (step > byClock || step > byTick) {
        found.push(`frame ${i}: ${id} moved ${step.toFixed(2)} units in ${ms.toFixed(1)} ms and ${(now.tick - before.tick).toFixed(2)} ticks`);
      }
    }
  }
  return found;
}

/**
 * Frames in which the own ship stood still although it flew before and after: a stutter.
 * @param {readonly Frame[]} frames
 * @returns {string[]} empty when fewer than 2 % of the frames are such
 */
export function standstills(frames) {
  const found = [];
  let moving = 0;
  for (let i = 2; i < frames.length - 1; i += 1) {
    const [a, b, c, d] = /** @type {[Frame, Frame, Frame, Frame]} */ (frames.slice(i - 2, i + 2));
    if (d.at - a.at > STALL_MS || a.zone !== d.zone) continue;
    const speed = (/** @type {Frame} */ one, /** @type {Frame} */ other) =>
      one.own === undefined || other.own === undefined ? 0 : Math.hypot(one.own.x - other.own.x, one.own.y - other.own.y) / Math.max(1, other.at - one.at);
    if (speed(a, b) < 0.05 || speed(c, d) < 0.05) continue;
    moving += 1;
    if (c.at - b.at > 4 && speed(b, c) < 0.01) found.push(`frame ${i}: stood still for ${(c.at - b.at).toFixed(1)} ms`);
  }
  return found.length * 50 < moving || found.length < 2 ? [] : found;
}

/**
 * How far each body moved.
 * @param {Frame} before
 * @param {Frame} now
 */
function* steps(before, now) {
  if (before.own !== undefined && now.own !== undefined) {
    yield { id: "own", step: Math.hypot(now.own.x - before.own.x, now.own.y - before.own.y) };
  }
  const earlier = new Map(before.others.map((other) => [other.id, other]));
  for (const { id, x, y } of now.others) {
    const from = earlier.get(id);
    if (from !== undefined) yield { id, step: Math.hypot(x - from.x, y - from.y) };
  }
}
