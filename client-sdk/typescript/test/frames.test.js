// @ts-check
/** Frames against `client-sdk/vectors/frames.json`, which the server writes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Violation } from "../src/close.js";
import { IncomingStream, readFrame, writeDatagram, writeStream } from "../src/frames.js";
import { hex, unhex } from "./kit/dynamic.js";

/** @typedef {import("../src/frames.js").Frame} Frame */

const vectors = JSON.parse(readFileSync(new URL("../../vectors/frames.json", import.meta.url), "utf8"));

/** Any reliable lane: which frame belongs on which is the connection's business. */
const LANE = 0x13;

/**
 * The frames of a stream's bytes, which may be cut.
 * @param {"client" | "server"} sender
 * @param {Uint8Array[]} pieces
 */
function streamed(sender, pieces) {
  const stream = new IncomingStream(sender);
  stream.push(Uint8Array.of(LANE));
  /** @type {Frame[]} */
  const frames = [];
  for (const piece of pieces) {
    stream.push(piece);
    for (let frame = stream.next(); frame !== undefined; frame = stream.next()) frames.push(frame);
  }
  return frames;
}

/**
 * @param {any} vector
 * @returns {Frame | undefined}
 */
function read(vector) {
  const sender = vector.from === "both" ? "server" : vector.from;
  const bytes = unhex(vector.hex);
  return vector.on === "datagram" ? readFrame(sender, "datagram", bytes) : streamed(sender, [bytes])[0];
}

/** @param {any} fields of a call within an Input */
function unreliable(fields) {
  const { is: _, ...call } = /** @type {any} */ (expected({ frame: "UnreliableCall", fields }));
  return call;
}

/**
 * A vector's fields as our frames name them.
 * @param {any} vector
 * @returns {Frame}
 */
function expected(vector) {
  const big = ["features", "fingerprint", "session", "player", "request", "key", "zoneKey", "fromKey", "avatar", "nonce", "firstRequest", "bytes", "frames"];
  const raw = ["token", "ticket", "descriptor", "args", "value", "payload"];
  /** @type {Record<string, any>} */
  const frame = { is: vector.frame };
  for (const [name, value] of Object.entries(vector.fields)) {
    if (big.includes(name)) frame[name] = BigInt(/** @type {string} */ (value));
    else if (raw.includes(name)) frame[name] = unhex(/** @type {string} */ (value));
    else if (name === "calls") frame[name] = /** @type {any[]} */ (value).map((call) => unreliable(call));
    else frame[name] = value;
  }
  if (frame["held"] !== undefined) {
    frame["held"] = frame["held"].map((/** @type {any} */ held) => ({ lane: held.lane, frames: BigInt(held.frames) }));
  }
  if (frame["is"] === "Hello" || frame["is"] === "Welcome") frame["held"] ??= [];
  if (frame["is"] === "Welcome") frame["goesOn"] ??= false;
  if (typeof frame["target"] === "string") {
    const aimed = { own: {}, zone: { generation: frame["generation"] }, actor: { key: frame["key"] } };
    frame["target"] = { is: frame["target"], .../** @type {any} */ (aimed)[frame["target"]] };
    delete frame["generation"];
    delete frame["key"];
  }
  if (frame["is"] === "Hello") {
    frame["ticket"] ??= new Uint8Array();
    frame["firstRequest"] ??= 0n;
  }
  if (frame["is"] === "Push") {
    frame["kind"] = frame["fromKind"];
    frame["key"] = frame["fromKey"];
    delete frame["fromKind"];
    delete frame["fromKey"];
  }
  if (frame["is"] === "Answer") {
    frame["code"] = frame["errorCode"] ?? 0;
    frame["text"] = frame["errorText"] ?? "";
    frame["value"] ??= undefined;
    delete frame["errorCode"];
    delete frame["errorText"];
  }
  return /** @type {Frame} */ (frame);
}

test("every frame is read as the server means it", () => {
  assert.ok(vectors.frames.length >= 20);
  for (const vector of vectors.frames) assert.deepEqual(read(vector), expected(vector), vector.name);
});

test("every frame is written as the server writes it", () => {
  for (const vector of vectors.frames) {
    const write = vector.on === "datagram" ? writeDatagram : writeStream;
    assert.equal(hex(write(expected(vector))), vector.hex, vector.name);
  }
});

test("what is no frame is refused with the right code", () => {
  for (const vector of vectors.refused) {
    // A stream that ends early is not wrong yet: the cut frame is what the vector means.
    assert.throws(() => read(vector), (error) => error instanceof Violation && error.reason === vector.code, vector.name);
  }
});

test("no prefix of a frame is a frame", () => {
  for (const vector of vectors.frames) {
    const sender = vector.from === "both" ? "server" : vector.from;
    const bytes = unhex(vector.hex);
    for (let length = 0; length < bytes.length; length += 1) {
      const prefix = bytes.subarray(0, length);
      if (vector.on === "datagram") assert.throws(() => readFrame(sender, "datagram", prefix), Violation, `${vector.name}, ${length}`);
      else assert.deepEqual(streamed(sender, [prefix]), [], `${vector.name}, ${length}`);
    }
  }
});

test("how a stream is cut changes nothing", () => {
  const all = vectors.frames.filter((/** @type {any} */ vector) => vector.on === "stream" && vector.from !== "client");
  const bytes = unhex(all.map((/** @type {any} */ vector) => vector.hex).join(""));
  const whole = streamed("server", [bytes]);
  assert.equal(whole.length, all.length);
  for (const size of [1, 2, 3, 7, 64, 255]) {
    const pieces = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    assert.deepEqual(streamed("server", pieces), whole, `pieces of ${size}`);
  }
});

test("streams of one frame are read and written as the server does", () => {
  assert.ok(vectors.alone.length >= 2);
  for (const vector of vectors.alone) {
    const bytes = unhex(vector.hex);
    for (const size of [1, 3, bytes.length]) {
      const stream = new IncomingStream(vector.from);
      /** @type {Frame | undefined} */
      let frame;
      for (let at = 0; at < bytes.length; at += size) {
        stream.push(bytes.subarray(at, at + size));
        frame ??= stream.next();
      }
      assert.ok(frame !== undefined && stream.solo && stream.lane === vector.lane);
      assert.equal((vector.lane | 0x80).toString(16) + hex(writeStream(frame)), vector.hex, vector.name);
    }
  }
});
