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

const ASK = { name: "ask", kind: 1, number: 3, lane: 0x22, timeoutMs: 3_000 };

/** @param {import("../src/client.js").Client} client */
function askAlone(client, size = 4) {
  return client.ask({ is: "own" }, ASK, (to) => to.bytes(new Uint8Array(size)), (from) => from.u8());
}

test("unordered requests travel alone, at most 64 at once and small ones, and so do their answers", async () => {
  const { world, server, client } = await inPlay();
  server.deaf = true;
  const answers = Array.from({ length: 66 }, () => askAlone(client));
  answers.push(askAlone(client, 5_000));
  await world.pass(50);
  const session = world.session;
  const calls = session.heard.filter((frame) => frame.is === "Call");
  assert.equal(calls.length, 67);
  assert.equal(session.alones.length, 64);
  for (const call of calls) {
    if (call.is !== "Call") continue;
    session.sayAlone(0x22, { is: "Answer", request: call.request, value: Uint8Array.of(7), code: 0, text: "" });
  }
  await world.pass(50);
  assert.deepEqual(new Set(await Promise.all(answers)), new Set([7]));
  void askAlone(client);
  await world.pass(50);
  assert.equal(session.alones.length, 65);
  assert.equal(client.state.is, "connected");
});

test("a request that travelled alone into a connection that broke is asked again, and answered", async () => {
  const { world, server, client } = await inPlay();
  server.deaf = true;
  const answer = askAlone(client);
  await world.pass(50);
  server.deaf = false;
  server.held = [];
  await reconnect(world);
  assert.equal(await answer, 42);
  assert.equal(server.requests.length, 1);
});

test("what does not belong on a stream of one frame ends the connection", async () => {
  /** @type {[number, Frame][]} */
  const wrong = [
    [0x22, { is: "Push", kind: 1, key: 0n, number: 9, args: Uint8Array.of(1) }],
    [0x23, { is: "Answer", request: 1n, value: Uint8Array.of(7), code: 0, text: "" }],
    [0x22, { is: "Answer", request: 1n, value: new Uint8Array(5_000), code: 0, text: "" }],
  ];
  for (const [lane, frame] of wrong) {
    const { world, client } = await inPlay();
    world.session.sayAlone(lane, frame);
    await world.pass(50);
    assert.equal(client.state.is, "lost");
  }
});

test("a lane hands over its window, and more only when the server has some of it", async () => {
  const { world, client } = await inPlay();
  const LOW = { ...SAY, lane: 0x33 };
  const handed = () => world.session.bytes.get(0x33) ?? 0;
  let said = 0;
  const tell = () => client.tell({ is: "own" }, LOW, (to) => to.bytes(new Uint8Array(10_000)));
  while (said < 20 && tell()) said += 1;
  assert.equal(said, 20);
  await world.pass(50);
  assert.equal(handed(), 64 * 1_024 - 1, "and the lane byte");
  world.session.say({ is: "LaneAck", lane: 0x33, bytes: 30_000n, frames: 2n });
  await world.pass(50);
  assert.equal(handed(), 64 * 1_024 - 1 + 30_000);
  const whole = () => world.session.heard.filter((frame) => frame.is === "Call").length;
  for (let ack = 60_000n; whole() < 20; ack += 30_000n) {
    world.session.say({ is: "LaneAck", lane: 0x33, bytes: ack, frames: 0n });
    await world.pass(50);
    assert.equal(client.state.is, "connected");
  }
});

test("a server that never acknowledges a lane that waits is left after eight seconds", async () => {
  const { world, client } = await inPlay();
  const LOW = { ...SAY, lane: 0x33 };
  for (let said = 0; said < 8; said += 1) client.tell({ is: "own" }, LOW, (to) => to.bytes(new Uint8Array(10_000)));
  await world.pass(7_500);
  assert.equal(client.state.is, "connected");
  const session = world.session;
  await world.pass(1_000);
  assert.equal(session.closedByClient?.code, 9);
});
