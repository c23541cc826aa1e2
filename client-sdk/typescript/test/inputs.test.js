// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { Inputs } from "../src/inputs.js";

const PERIOD_MS = 50;
const MOST_MS = 24;

/** @param {number} tick */
const receipt = (tick) => ({ generation: 1, tick, received: 1, views: 1 });

/**
 * Plays so many ticks where a Delta is applied `cameMs` after its tick and answers are `wayMs` on their way.
 * @param {Inputs} inputs
 * @param {number} ticks
 * @param {number} cameMs
 * @param {number} wayMs
 */
function play(inputs, ticks, cameMs, wayMs) {
  const seen = [];
  for (let tick = 1; tick <= ticks; tick += 1) {
    const nowMs = tick * PERIOD_MS + cameMs;
    inputs.applied(receipt(tick), nowMs);
    const dueMs = /** @type {number} */ (inputs.dueMs);
    assert.notEqual(inputs.take(dueMs), undefined);
    const arrivesMs = dueMs + wayMs;
    const waitedMs = Math.ceil(arrivesMs / PERIOD_MS) * PERIOD_MS - arrivesMs;
    seen.push({ delayMs: dueMs - nowMs, waitedMs, ticks: (arrivesMs + waitedMs) / PERIOD_MS - tick });
    inputs.waited(PERIOD_MS, waitedMs);
  }
  return seen;
}

test("an answer reaches the next tick shortly before it, from near and far", () => {
  for (const wayMs of [0.5, 5, 10, 16]) {
    const seen = play(new Inputs(MOST_MS), 120, 5 + wayMs, wayMs);
    for (const { delayMs, waitedMs, ticks } of seen.slice(80)) {
      assert.equal(ticks, 1, `${wayMs} ms away`);
      assert.ok(waitedMs > 3 && (waitedMs < 12 || delayMs > MOST_MS - 1), `${wayMs} ms away: ${delayMs}, ${waitedMs}`);
    }
  }
});

test("who is too far for the next tick meets the one behind it", () => {
  for (const { delayMs, waitedMs, ticks } of play(new Inputs(MOST_MS), 120, 20, 27).slice(80)) {
    assert.equal(ticks, 2);
    assert.ok(delayMs >= 2 && waitedMs > 3, `${delayMs}, ${waitedMs}`);
  }
});

test("a page that wakes late answers sooner", () => {
  const { pace } = new Inputs(MOST_MS);
  assert.equal(pace.delayMs, MOST_MS);
  for (let nth = 0; nth < 60; nth += 1) pace.left(5);
  assert.ok(pace.delayMs < 15);
  for (let nth = 0; nth < 60; nth += 1) pace.left(0);
  assert.ok(pace.delayMs > 23);
  pace.left(60_000);
  assert.ok(pace.delayMs > 17, "one stall");
});

test("whatever a server says the delay stays within its bounds", () => {
  const inputs = new Inputs(MOST_MS);
  for (let nth = 0; nth < 10_000; nth += 1) {
    inputs.waited(1000 / (1 + Math.floor(Math.random() * 60)), Math.floor(Math.random() * 255));
    assert.ok(inputs.pace.delayMs >= 2 && inputs.pace.delayMs <= MOST_MS);
  }
});
