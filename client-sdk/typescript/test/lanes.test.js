// @ts-check
/** Lanes over reconnects: nothing that was promised is lost, nothing comes twice, and the server hears what arrived. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../src/client.js";
import { CallError } from "../src/errors.js";
import { ACK_AFTER_BYTES, ACK_MS } from "../src/limits.js";
import { World } from "./kit/world.js";

/** @typedef {import("../src/frames.js").Frame} Frame */
/** @typedef {import("../src/lanes.js").Held} Held */

const CONTRACTS = { game: "g", fingerprint: 7n, descriptor: Uint8Array.of(1, 2, 3), components: [] };
const LANE = 0x23;
const SAY = { name: "say", kind: 1, number: 2, lane: LANE, timeoutMs: 3_000 };
const HEARD = { name: "heard", kind: 1, number: 9, read: (/** @type {import("../src/bytes.js").Reader} */ from) => from.u8() };

/** A client of a server that keeps lanes. */
async function inPlay() {
  const world = new World();
  const server = { got: /** @type {number[]} */ ([]), requests: /** @type {bigint[]} */ ([]), deaf: false, tickets: 0, held: /** @type {Held[] | undefined} */ (undefined) };
  world.onHello = (session) => session.letInWithLanes(5n, (server.tickets += 1), server.held);
  world.onFrame = (session, frame) => {
    if (frame.is !== "Call" || server.deaf) return;
    server.got.push(frame.args[0] ?? -1);
    server.requests.push(frame.request);
    if (frame.request !== 0n) session.say({ is: "Answer", request: frame.request, value: Uint8Array.of(42), code: 0, text: "" });
  };
  const client = connect({ contracts: CONTRACTS, token: "me", surroundings: world.surroundings() });
  /** @type {number[]} */
  const heard = [];
  client.on(HEARD, (byte) => heard.push(byte));
  await world.pass(200);
  assert.equal(client.state.is, "connected");
  const say = (/** @type {number} */ byte) => client.tell({ is: "own" }, SAY, (to) => to.u8(byte));
  const ask = (/** @type {number} */ byte) => client.ask({ is: "own" }, SAY, (to) => to.u8(byte), (from) => from.u8());
  const push = (/** @type {number} */ byte) => world.session.say({ is: "Push", kind: 1, key: 0n, number: 9, args: Uint8Array.of(byte) });
  return { world, server, client, say, ask, push, heard };
}

/** @param {World} world */
function hello(world) {
  const first = world.session.heard[0];
  assert.ok(first?.is === "Hello");
  return first;
}

/**
 * The connection breaks and another one comes.
 * @param {World} world
 */
async function reconnect(world) {
  world.session.end(6, "gone");
  await world.pass(1_000);
}

test("what the server lacks is sent again in order, requests in their place, and nothing else", async () => {
  const { world, server, client, say, ask } = await inPlay();
  say(1);
  say(2);
  await world.pass(50);
  server.deaf = true;
  say(3);
  const answer = ask(4);
  say(5);
  await world.pass(50);
  server.deaf = false;
  server.held = [{ lane: LANE, frames: 2n }];
  await reconnect(world);
  assert.deepEqual(server.got, [1, 2, 3, 4, 5]);
  assert.equal(await answer, 42);
  assert.equal(client.counters.resumes, 1);
});

test("a client says how many pushes it has, and acknowledges them in time", async () => {
  const { world, server, push, heard } = await inPlay();
  for (const byte of [1, 2, 3]) push(byte);
  await world.pass(ACK_MS + 200);
  const acks = world.session.heard.filter((frame) => frame.is === "LaneAck" && frame.lane === LANE);
  assert.deepEqual(acks.map((ack) => ack.is === "LaneAck" && ack.frames), [3n]);
  server.held = [];
  await reconnect(world);
  assert.deepEqual(hello(world).held, [{ lane: LANE, frames: 3n }]);
  push(4);
  await world.pass(50);
  assert.deepEqual(heard, [1, 2, 3, 4]);
});

test("much is acknowledged at once, and acknowledgements are not acknowledged", async () => {
  const { world } = await inPlay();
  await world.pass(ACK_MS + 200);
  const before = world.session.heard.length;
  world.session.say({ is: "Push", kind: 1, key: 0n, number: 8, args: new Uint8Array(ACK_AFTER_BYTES) });
  await world.pass(50);
  const acks = world.session.heard.slice(before).filter((frame) => frame.is === "LaneAck");
  assert.equal(acks.length, 1);
  world.session.say({ is: "LaneAck", lane: 0x03, bytes: 1n, frames: 0n });
  await world.pass(5_000);
  assert.equal(world.session.heard.filter((frame) => frame.is === "LaneAck" && frame.lane === 0x03).length, 1, "the Welcome's");
});

test("a push that both of two racing connections bring is heard once", async () => {
  const { world, server, client, push, heard } = await inPlay();
  push(1);
  await world.pass(50);
  server.held = [];
  const old = world.session;
  world.onHello = (racing) => {
    // The new one said that it has one push; the old one speaks again, and brings another.
    old.silent = false;
    old.say({ is: "Push", kind: 1, key: 0n, number: 9, args: Uint8Array.of(2) });
    world.after(() => {
      racing.letInWithLanes(5n, 9, []);
      for (const byte of [2, 3]) racing.say({ is: "Push", kind: 1, key: 0n, number: 9, args: Uint8Array.of(byte) });
    }, 60);
  };
  old.silent = true;
  await world.pass(4_000);
  assert.notEqual(world.session, old);
  assert.deepEqual(heard, [1, 2, 3]);
  assert.equal(client.link.wire?.counters.doubled, 1);
});

test("another process of the server knows no lanes: numbers begin anew", async () => {
  const { world, server, say, push, heard } = await inPlay();
  push(1);
  say(1);
  await world.pass(50);
  server.held = undefined;
  await reconnect(world);
  push(2);
  say(2);
  await world.pass(50);
  assert.deepEqual(heard, [1, 2]);
  assert.deepEqual(server.got, [1, 2]);
  await reconnect(world);
  assert.deepEqual(hello(world).held, [{ lane: LANE, frames: 1n }]);
});

test("a server that acknowledges what was never sent is left for good", async () => {
  for (const ack of [{ bytes: 0n, frames: 1n }, { bytes: 1n << 60n, frames: 0n }]) {
    const { world, client } = await inPlay();
    world.session.say({ is: "LaneAck", lane: LANE, ...ack });
    await world.pass(50);
    assert.equal(client.state.is, "lost");
  }
});

test("calls beyond what is kept are handed back until the server has the others", async () => {
  const { world, client } = await inPlay();
  const large = (/** @type {import("../src/bytes.js").Writer} */ to) => to.bytes(new Uint8Array(16_000));
  let sent = 0;
  while (client.tell({ is: "own" }, SAY, large)) sent += 1;
  assert.equal(sent, 16);
  const refused = await client.ask({ is: "own" }, SAY, large, (from) => from.u8()).catch((error) => error);
  assert.ok(refused instanceof CallError && refused.code === 8);
  world.session.say({ is: "LaneAck", lane: LANE, bytes: 0n, frames: 16n });
  await world.pass(50);
  assert.ok(client.tell({ is: "own" }, SAY, large));
});
