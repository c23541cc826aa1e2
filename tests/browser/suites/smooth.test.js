// @ts-check
/** The judge of smoothness sees what it has to see. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { jumps, standstills } from "../kit/smooth.js";

/**
 * Sixty frames a second of flight at 220 units a second.
 * @param {(frame: number) => number} shift units added to the place in a frame
 */
function flight(shift) {
  return Array.from({ length: 300 }, (_, i) => {
    const at = i * 16.7;
    const x = at * 0.22 + shift(i);
    return { at, tick: at / 50, zone: "1", own: { x, y: 0 }, others: [{ id: "7", x, y: 5 }] };
  });
}

test("even flight is smooth", () => {
  assert.deepEqual(jumps(flight(() => 0)), []);
  assert.deepEqual(standstills(flight(() => 0)), []);
});

test("a jump of six units is found, for the own ship and for others", () => {
  const found = jumps(flight((i) => (i >= 100 ? 6 : 0)));
  assert.equal(found.length, 2);
  assert.match(found.join(), /own moved/);
});

test("a stutter is found", () => {
  assert.ok(standstills(flight((i) => (i % 10 === 0 ? -16.7 * 0.22 : 0))).length > 10);
});
