// @ts-check
/** The byte format against `client-sdk/vectors/codec.json`, which the server writes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { decode, DecodeError, encode, Reader, Writer } from "../src/bytes.js";
import { Dynamic, hex, MISSING, unhex } from "./kit/dynamic.js";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/codec.json", import.meta.url), "utf8"));
const types = new Dynamic(vectors.types);

/** @param {any} vector */
const read = (vector) => decode(unhex(vector.hex), (from) => types.read(vector.type, from));

/**
 * A value without the fields that its bytes do not have; the vectors name their defaults.
 * @param {any} value
 * @param {any} expected
 * @returns {any}
 */
function filled(value, expected) {
  if (value === MISSING) return expected;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item, i) => filled(item, expected?.[i]));
  return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, filled(inside, expected?.[key])]));
}

test("every value is written as the server writes it and read back", () => {
  assert.ok(vectors.values.length >= 80);
  for (const vector of vectors.values) {
    const bytes = encode((to) => types.write(vector.type, to, vector.value));
    assert.equal(hex(bytes), vector.hex, vector.name);
    assert.equal(hex(encode((to) => types.write(vector.type, to, read(vector)))), vector.hex, `${vector.name}, read and written`);
    assert.deepEqual(read(vector), vector.value, vector.name);
  }
});

test("bytes of newer and of careless peers are read", () => {
  for (const vector of vectors.reads) {
    assert.deepEqual(filled(read(vector), vector.value), vector.value, vector.name);
  }
});

test("what is no value is refused", () => {
  for (const vector of vectors.refused) {
    // Strict reading is for bytes that are hashed or compared; browsers do neither.
    if (vector.strict) continue;
    assert.throws(() => read(vector), DecodeError, vector.name);
  }
});

test("no prefix of a value is a value", () => {
  for (const vector of vectors.values) {
    const bytes = unhex(vector.hex);
    for (let length = 0; length < bytes.length; length += 1) {
      const prefix = bytes.subarray(0, length);
      assert.throws(() => decode(prefix, (from) => types.read(vector.type, from)), DecodeError, `${vector.name}, ${length} bytes`);
    }
  }
});

test("a reader stays inside its window", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const from = new Reader(bytes, 1, 3);
  assert.equal(from.u8(), 2);
  assert.throws(() => from.f32(), DecodeError);
  assert.equal(from.u8(), 3);
  assert.throws(() => from.u8(), DecodeError);
});

test("what does not fit its type is not written", () => {
  const to = new Writer();
  for (const write of [() => to.u8(256), () => to.u16(-1), () => to.u32(2 ** 32), () => to.i8(128), () => to.u64(-1n), () => to.u8(1.5)]) {
    assert.throws(write, RangeError);
  }
  assert.throws(() => to.text("\ud800"), RangeError);
  assert.throws(() => to.char("ab"), RangeError);
  assert.equal(to.finish().length, 0);
});

test("counts that lie cost nothing", () => {
  const liar = encode((to) => to.u64(2n ** 53n - 1n));
  assert.throws(() => decode(liar, (from) => from.list((r) => r.u8())), DecodeError);
  assert.throws(() => decode(liar, (from) => from.text()), DecodeError);
});
