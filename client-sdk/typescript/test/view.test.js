// @ts-check
/** Views against `client-sdk/vectors/state.json`, which the server writes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Violation } from "../src/close.js";
import { ClientView } from "../src/view.js";
import { hex, unhex } from "./kit/dynamic.js";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/state.json", import.meta.url), "utf8"));

/**
 * @param {any} component
 * @param {number} index
 * @returns {import("../src/contract.js").Component<any>}
 */
function component({ name, number, travel, fields }, index) {
  const specs = fields.map((/** @type {any} */ { name: field, bits, kind, min, step }) => ({
    name: field,
    bits,
    quantise: kind === "range" ? { is: kind, min, step } : { is: kind },
  }));
  return { name, number, index, travel, fields: specs, read: (from) => from.raw(from.remaining) };
}

/** A view with the events it told. */
class Watched {
  /** @param {any} vector */
  constructor(vector) {
    this.view = new ClientView(vector.components.map(component));
    /** @type {any[]} */
    this.events = [];
    const of = (/** @type {string} */ event) => (/** @type {any} */ entity, /** @type {any} */ spec) =>
      this.events.push({ event, id: String(entity.id), component: spec.number });
    this.view.listen({
      entered: (entity) => this.events.push({ event: "entered", id: String(entity.id) }),
      left: (entity, gone) => this.events.push({ event: "left", id: String(entity.id), reason: gone ? "gone" : "out of view" }),
      changed: of("sticky changed"),
      added: of("component added"),
      removed: of("component removed"),
    });
  }

  /** @param {any} step */
  apply(step) {
    if (step.attach !== undefined) this.view.attach(step.attach);
    if (step.detach !== undefined) this.view.detach();
    if (step.view !== undefined) this.view.applyView(step.generation, unhex(step.view));
    if (step.delta !== undefined) this.view.applyDelta(step.generation, unhex(step.delta));
    if (step.state !== undefined) this.view.applyState(step.generation, unhex(step.state));
  }

  /** @returns {any[]} entities as the vectors describe them */
  entities() {
    return this.view.entities().map((entity) => {
      /** @type {Record<string, any>} */
      const components = {};
      for (const spec of this.view.components) {
        const value = entity.get(spec);
        if (value === undefined) continue;
        const shown = spec.fields.map((field) => Number(value[field.name]));
        components[spec.number] =
          spec.travel === "sticky"
            ? { bytes: hex(value) }
            : { tick: entity.tickOf(spec), bits: entity.bitsOf(spec), values: shown };
      }
      return { id: String(entity.id), components };
    });
  }
}

test("every payload leaves what the server says it leaves", () => {
  assert.ok(vectors.cases.length >= 10);
  for (const vector of vectors.cases) {
    const watched = new Watched(vector);
    for (const step of vector.steps) watched.apply(step);
    assert.deepEqual(watched.entities(), vector.entities, vector.name);
    assert.deepEqual(watched.events, vector.events, vector.name);
    const { tick, received, views } = watched.view.receipt() ?? { tick: 0, received: 0, views: 0 };
    if (vector.receipt !== undefined) assert.deepEqual({ tick, received, views }, vector.receipt, vector.name);
  }
});

test("what the format forbids is an error", () => {
  for (const vector of vectors.must_fail) {
    const watched = new Watched(vector);
    const last = vector.steps.at(-1);
    for (const step of vector.steps.slice(0, -1)) watched.apply(step);
    assert.throws(() => watched.apply(last), Violation, `${vector.name}: ${vector.error}`);
  }
});

test("no prefix of a payload is taken for the whole", () => {
  const some = vectors.cases.filter((/** @type {any} */ { name }, /** @type {number} */ nth) => nth < 4 || name.startsWith("deltas"));
  for (const vector of some) {
    for (const [at, step] of vector.steps.entries()) {
      const kind = ["view", "state", "delta"].find((one) => step[one] !== undefined);
      if (kind === undefined) continue;
      const text = step[kind];
      for (let length = 0; length < text.length; length += 2) {
        const watched = new Watched(vector);
        for (const before of vector.steps.slice(0, at)) watched.apply(before);
        const cut = text.slice(0, length);
        // Where events end a shorter payload is one too; anything else has to throw a Violation, never another error.
        try {
          watched.apply({ ...step, [kind]: cut });
        } catch (error) {
          assert.ok(error instanceof Violation, `${vector.name}, step ${at}, ${length / 2} bytes: ${error}`);
        }
      }
    }
  }
});

test("changed bytes make an error or another view, never anything else", () => {
  let seed = 11;
  const random = (/** @type {number} */ most) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * most);
  };
  for (const vector of vectors.cases) {
    for (let round = 0; round < 60; round += 1) {
      const watched = new Watched(vector);
      try {
        for (const step of vector.steps) {
          const kind = ["view", "state", "delta"].find((one) => step[one] !== undefined);
          if (kind === undefined) {
            watched.apply(step);
            continue;
          }
          const bytes = unhex(step[kind]);
          for (let change = random(3); change > 0 && bytes.length > 0; change -= 1) bytes[random(bytes.length)] = random(256);
          watched.apply({ ...step, [kind]: hex(bytes) });
        }
      } catch (error) {
        assert.ok(error instanceof Violation, `${vector.name}, round ${round}: ${error}`);
      }
    }
  }
});
