// @ts-check
/** Sessions over reconnects: what is sent again, what waits, what ends. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../src/client.js";
import { CallError } from "../src/errors.js";
import { World } from "./kit/world.js";

/** @typedef {import("../src/frames.js").Frame} Frame */
/** @typedef {Extract<Frame, {is: "Call"}>} Call */

const CONTRACTS = { game: "g", fingerprint: 7n, descriptor: Uint8Array.of(1, 2, 3), components: [] };
const ASK = { name: "ask", kind: 1, number: 2, lane: 0x23, timeoutMs: 3_000 };

/** A client of a server that keeps sessions; it has a ticket and is attached. */
async function inPlay() {
  const world = new World();
  /** The number of the session that the server lets in to, whether it answers, and what it was asked. */
  const server = { session: 5n, mute: false, attaches: true, asked: /** @type {Call[]} */ ([]), tickets: 0 };
  world.onHello = (session) => {
    session.letIn(server.session, (server.tickets += 1));
    if (server.attaches) session.attach(server.tickets);
  };
  world.onFrame = (session, frame) => {
    if (frame.is !== "Call") return;
    server.asked.push(frame);
    if (!server.mute) session.say({ is: "Answer", request: frame.request, value: Uint8Array.of(42), code: 0, text: "" });
  };
  const client = connect({ contracts: CONTRACTS, token: "me", surroundings: world.surroundings() });
  await world.pass(200);
  assert.equal(client.state.is, "connected");
  const ask = (/** @type {"own" | "zone"} */ is, byte = 1) =>
    client.ask({ is }, ASK, (to) => to.u8(byte), (from) => from.u8());
  return { world, server, client, ask };
}

/**
 * @param {Promise<unknown>} promise
 * @returns {Promise<CallError>}
 */
async function failure(promise) {
  return promise.then(() => assert.fail("it did not fail"), (error) => error);
}

/** @param {World} world */
function hello(world) {
  const first = world.session.heard[0];
  assert.ok(first?.is === "Hello");
  return first;
}

test("a request that was cut off is sent again under its number, and the newest ticket is shown", async () => {
  const { world, server, client, ask } = await inPlay();
  world.session.say({ is: "Ticket", ticket: Uint8Array.of(77) });
  server.mute = true;
  const answer = ask("own", 9);
  await world.pass(50);
  const before = server.asked.splice(0);
  assert.equal(before.length, 1);
  server.mute = false;
  world.session.end(6, "the network broke");
  await world.pass(500);
  assert.equal(await answer, 42);
  assert.deepEqual(server.asked, before, "the same number and the same bytes");
  assert.deepEqual([...hello(world).ticket], [77]);
  assert.equal(hello(world).firstRequest, 2n);
  assert.deepEqual([client.counters.resumes, client.counters.repeated], [1, 1]);
});

test("a fresh session ends what was asked in the one before", async () => {
  const { world, server, ask } = await inPlay();
  server.mute = true;
  const lost = failure(ask("own"));
  await world.pass(50);
  server.session = 6n;
  world.session.end(6, "the network broke");
  await world.pass(500);
  const error = await lost;
  assert.deepEqual([error.codeName, error.nothingWasDone], ["gone", false]);
  assert.equal(server.asked.length, 1, "nothing was asked again");
});

test("what is asked while the connection is away goes when it is back, in any session", async () => {
  for (const session of [5n, 6n]) {
    const { world, server, ask } = await inPlay();
    server.session = session;
    world.session.end(6, "the network broke");
    await world.pass(20);
    const answer = ask("own");
    await world.pass(500);
    assert.equal(await answer, 42);
    assert.equal(hello(world).firstRequest, 1n, "it was never sent before");
  }
});

test("requests to the zone wait for the next attachment", async () => {
  const { world, server, ask } = await inPlay();
  server.mute = true;
  const lost = ask("zone", 1);
  await world.pass(50);
  server.asked.length = 0;
  server.mute = false;
  server.attaches = false;
  world.session.end(6, "the network broke");
  await world.pass(300);
  const later = ask("zone", 2);
  await world.pass(100);
  assert.equal(server.asked.length, 0, "not before the attachment");
  world.session.attach(9);
  await world.pass(100);
  assert.deepEqual(await Promise.all([lost, later]), [42, 42]);
  assert.deepEqual(server.asked.map((call) => [call.request, call.target]), [
    [1n, { is: "zone", generation: 9 }],
    [2n, { is: "zone", generation: 9 }],
  ]);
});

test("what never left says that nothing was done, and a closed client has no requests", async () => {
  const { world, server, client, ask } = await inPlay();
  server.mute = true;
  const sent = failure(ask("own"));
  await world.pass(50);
  world.serverIsUp = false;
  world.session.end(6, "the network broke");
  await world.pass(50);
  const waits = failure(ask("own"));
  const [first, second] = [await Promise.race([sent, world.pass(4_000).then(() => sent)]), await waits];
  assert.deepEqual([first.codeName, first.nothingWasDone], ["timed-out", false]);
  assert.deepEqual([second.codeName, second.nothingWasDone], ["timed-out", true]);
  const open = failure(ask("own"));
  client.close();
  assert.equal((await open).codeName, "gone");
});

test("what waits is bounded", async () => {
  const { world, ask } = await inPlay();
  world.serverIsUp = false;
  world.session.end(6, "the network broke");
  await world.pass(50);
  const waiting = Array.from({ length: 257 }, () => failure(ask("own")));
  assert.equal((await /** @type {Promise<CallError>} */ (waiting[256])).codeName, "busy");
  await world.pass(4_000);
  assert.equal((await /** @type {Promise<CallError>} */ (waiting[0])).codeName, "timed-out");
});

test("in a race the session goes on over the new connection, and the old one is not said goodbye to", async () => {
  const { world, server, client, ask } = await inPlay();
  world.session.flow();
  await world.pass(300);
  const old = world.session;
  old.silent = true;
  const answer = ask("own");
  await world.pass(2_000);
  assert.equal(await answer, 42);
  assert.equal(client.counters.resumes, 1);
  assert.equal(server.asked.length, 1);
  assert.equal(old.closedByClient?.code, 6, "code 0 would end the session");
  assert.ok(!old.heard.some((frame) => frame.is === "Goodbye"));
});

test("a page that goes away says goodbye at once, and comes back no more", async () => {
  const { world } = await inPlay();
  const last = world.session;
  world.leave();
  assert.deepEqual(last.closedByClient, { code: 0, reason: "the page was closed" });
  await world.pass(5_000);
  assert.ok(last.heard.some((frame) => frame.is === "Goodbye"));
  assert.equal(world.sessions.length, 1);
});
