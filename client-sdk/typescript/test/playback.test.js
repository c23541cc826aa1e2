// @ts-check
/** The render clock and values between ticks. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Entity } from "../src/entity.js";
import { Playback } from "../src/playback.js";
import { between, quantise, restore } from "../src/quantise.js";

const POSE = {
  name: "Pose",
  number: 1,
  index: 0,
  travel: /** @type {const} */ ("state"),
  fields: [
    { name: "x", bits: 16, quantise: { is: /** @type {const} */ ("range"), min: -1024, step: 0.03125 } },
    { name: "yaw", bits: 10, quantise: { is: /** @type {const} */ ("angle") } },
    { name: "on", bits: 1, quantise: { is: /** @type {const} */ ("bool") } },
  ],
  read: () => ({ x: 0, yaw: 0, on: false }),
};

/**
 * Plays frames against packets and gives what was shown.
 * @param {(tick: number) => number | undefined} arrivalMs when a tick's packet arrives; `undefined`: lost
 * @param {number} ticks
 */
function play(arrivalMs, ticks) {
  const playback = new Playback();
  const arrivals = [];
  for (let tick = 0; tick < ticks; tick += 1) {
    const at = arrivalMs(tick);
    if (at !== undefined) arrivals.push({ at, tick });
  }
  arrivals.sort((one, other) => one.at - other.at);
  const shown = [];
  for (let nowMs = 0; nowMs < ticks * 50; nowMs += 16) {
    while (arrivals[0] !== undefined && arrivals[0].at <= nowMs) {
      const { at, tick } = /** @type {{at: number, tick: number}} */ (arrivals.shift());
      playback.arrived(at, tick, 20);
    }
    if (playback.started) shown.push({ nowMs, tick: playback.advance(nowMs), newest: playback.newest });
  }
  return shown;
}

test("playback is two intervals behind on a steady line and moves evenly", () => {
  const shown = play((tick) => 1_000 + tick * 50, 200).slice(150 - 63);
  for (const [i, { nowMs, tick }] of shown.entries()) {
    const behind = (nowMs - 1_000) / 50 - tick;
    assert.ok(Math.abs(behind - 2) < 0.25, `${behind} ticks behind`);
    const step = tick - (shown[i - 1]?.tick ?? tick - 0.32);
    assert.ok(Math.abs(step - 0.32) < 0.05, `a step of ${step} ticks`);
  }
});

test("playback never runs backwards, whatever arrives", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    let state = seed;
    const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
    const shown = play((tick) => (random() < 0.1 ? undefined : 500 + tick * 50 + random() * 120 + (tick > 60 && tick < 70 ? 700 : 0)), 200);
    for (let i = 1; i < shown.length; i += 1) {
      assert.ok((shown[i]?.tick ?? 0) >= (shown[i - 1]?.tick ?? 0), `seed ${seed}, frame ${i}`);
    }
  }
});

test("under jitter values are there when they are shown", () => {
  let state = 5;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const shown = play((tick) => 500 + tick * 50 + random() * 90, 400).slice(300);
  const starved = shown.filter(({ tick, newest }) => tick > newest).length;
  assert.equal(starved, 0);
});

test("after a stall playback catches up without a jump", () => {
  const shown = play((tick) => 500 + tick * 50 + (tick > 100 && tick < 110 ? (110 - tick) * 50 : 0), 200);
  for (let i = 40; i < shown.length; i += 1) {
    const step = (shown[i]?.tick ?? 0) - (shown[i - 1]?.tick ?? 0);
    assert.ok(step <= 0.32 * 1.36, `frame ${i}: ${step} ticks in 16 ms`);
  }
  assert.ok((shown.at(-1)?.tick ?? 0) > 183);
});

test("values between two ticks lie on the straight line, angles on the short way round", () => {
  const view = { renderTick: 0 };
  const entity = new Entity(1n, 0, view, 1);
  const [x, yaw] = POSE.fields;
  const bits = (/** @type {number} */ at, /** @type {number} */ angle) => [quantise(/** @type {any} */ (x), at), quantise(/** @type {any} */ (yaw), angle), 1];
  entity.setState(0, POSE, 10, bits(0, 6.2));
  entity.setState(0, POSE, 12, bits(8, 0.1));
  view.renderTick = 11;
  const sample = entity.sample(POSE);
  assert.equal(sample?.x, 4);
  const off = Math.abs(Math.atan2(Math.sin((sample?.yaw ?? 0) - 0.008), Math.cos((sample?.yaw ?? 0) - 0.008)));
  assert.ok(off < 0.01, `yaw ${sample?.yaw}`);
  assert.equal(sample?.on, true);
  view.renderTick = 5;
  assert.equal(entity.sample(POSE)?.x, 0);
  view.renderTick = 14;
  assert.equal(entity.sample(POSE)?.x, 16);
  view.renderTick = 40;
  assert.equal(entity.sample(POSE)?.x, 16, "motion is not continued for longer than two ticks");
});

test("an older value never replaces a newer one, and history is bounded", () => {
  const entity = new Entity(1n, 0, { renderTick: 0 }, 1);
  for (let tick = 1; tick <= 100; tick += 1) entity.setState(0, POSE, tick, [tick, 0, 0]);
  entity.setState(0, POSE, 50, [7, 0, 0]);
  entity.setState(0, POSE, 100, [7, 0, 0]);
  assert.deepEqual(entity.bitsOf(POSE), [100, 0, 0]);
  assert.equal(entity.histories[0]?.ticks.length, 32);
});

test("quantising twice is quantising once", () => {
  for (const field of POSE.fields) {
    for (const value of [-5_000, -1024, -1.02, -0.015625, 0, 0.3, 3.14159, 6.4, 900.7, 1e9, NaN, Infinity, -Infinity]) {
      const bits = quantise(field, value);
      assert.ok(Number.isInteger(bits) && bits >= 0 && bits < 2 ** field.bits, `${field.name} of ${value}: ${bits}`);
      assert.equal(quantise(field, restore(field, bits)), bits, `${field.name} of ${value}`);
    }
    assert.equal(between(field, 1, 1, 0.5), restore(field, 1));
  }
});
