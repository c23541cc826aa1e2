// @ts-check
/** Connections that come back, calls that end. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../src/client.js";
import { CallError } from "../src/errors.js";
import { writeStream } from "../src/frames.js";
import { World } from "./kit/world.js";

const CONTRACTS = { game: "g", fingerprint: 7n, descriptor: Uint8Array.of(1, 2, 3), components: [] };
const STEER = { name: "steer", kind: 1, number: 1, lane: 0x11, timeoutMs: 1_000 };
const ASK = { name: "ask", kind: 1, number: 2, lane: 0x23, timeoutMs: 3_000 };
const SAID = { name: "said", kind: 1, number: 5, read: (/** @type {import("../src/bytes.js").Reader} */ from) => from.text() };

/**
 * A client in a world, with the states it went through.
 * @param {World} world
 */
function client(world) {
  const made = connect({ contracts: CONTRACTS, token: "me", surroundings: world.surroundings() });
  /** @type {string[]} */
  const states = [];
  made.onState((state) => states.push(state.is));
  return { client: made, states };
}

/** A client in play: connected, attached, state flowing. */
async function inPlay() {
  const world = new World();
  world.onHello = (session) => {
    session.welcome();
    session.attach(1);
    session.flow();
  };
  const { client: made, states } = client(world);
  await world.pass(500);
  assert.equal(made.state.is, "connected");
  assert.equal(made.attached?.zone.key, 4n);
  return { world, client: made, states };
}

/** @param {Promise<unknown>} promise */
async function failure(promise) {
  return promise.then(
    () => assert.fail("it did not fail"),
    (error) => /** @type {CallError} */ (error),
  );
}

test("a connection says who it is and is connected by the welcome", async () => {
  const world = new World();
  const { client: made, states } = client(world);
  await world.pass(100);
  assert.deepEqual(states, ["connected"]);
  const hello = world.session.heard[0];
  assert.ok(hello?.is === "Hello" && hello.fingerprint === 7n && new TextDecoder().decode(hello.token) === "me");
  assert.equal(made.player, 2n);
  assert.ok((made.rtt ?? 0) === 20 || made.rtt === undefined);
  await world.pass(1_500);
  assert.equal(made.rtt, 20);
});

test("a server that does not know the contracts is told them", async () => {
  const world = new World();
  world.onHello = (session) => session.say({ is: "Describe" });
  world.onFrame = (session, frame) => {
    assert.ok(frame.is === "Describing" && frame.descriptor.length === 3);
    session.welcome();
  };
  const { states } = client(world);
  await world.pass(200);
  assert.deepEqual(states, ["connected"]);
});

test("what overtakes the welcome waits for it", async () => {
  const world = new World();
  world.onHello = (session) => {
    session.attach(1);
    session.flow();
    world.after(() => session.welcome(), 100);
  };
  const { client: made } = client(world);
  await world.pass(100);
  const generation = () => made.attached?.generation;
  assert.equal(generation(), undefined);
  await world.pass(200);
  assert.equal(generation(), 1);
});

test("a lane's bytes that come in pieces before the welcome are put together", async () => {
  const world = new World();
  world.onHello = (session) => {
    const attach = Uint8Array.of(0x13, ...writeStream({ is: "Attach", generation: 3, zoneKind: 3, zoneKey: 3n, avatar: 3n, tickHz: 3 }));
    for (const byte of attach) session.arrivals.stream(5, Uint8Array.of(byte));
    world.after(() => session.welcome(), 50);
  };
  const { client: made } = client(world);
  await world.pass(300);
  assert.equal(made.attached?.generation, 3);
});

test("after a killed server the client is back by itself, and asks anew where it is", async () => {
  const { world, client: made, states } = await inPlay();
  const asked = world.infoAsked;
  world.kill();
  await world.pass(900);
  assert.equal(made.state.is, "reconnecting");
  await world.pass(8_000);
  assert.ok(world.infoAsked > asked + 3 && world.infoAsked < asked + 20, `${world.infoAsked - asked} questions`);
  world.serverIsUp = true;
  await world.pass(2_200);
  assert.deepEqual(states, ["connected", "reconnecting", "connected"]);
  assert.equal(made.attached?.generation, 1);
});

test("a silent connection that speaks again is kept, and the race is called off", async () => {
  const { world, client: made, states } = await inPlay();
  const [first] = world.sessions;
  assert.ok(first !== undefined);
  world.openMs = 600;
  first.silent = true;
  await world.pass(800);
  assert.equal(made.state.is, "reconnecting");
  first.silent = false;
  first.flow();
  await world.pass(400);
  assert.deepEqual(states, ["connected", "reconnecting", "connected"]);
  assert.equal(first.closedByClient, undefined);
  assert.ok(world.sessions.slice(1).every((session) => session.over));
});

test("a server that stalls, speaks again and then throws the old connection out for the new one loses nobody", async () => {
  const { world, client: made, states } = await inPlay();
  const [first] = world.sessions;
  assert.ok(first !== undefined);
  world.onHello = (session) => {
    // The stall ends: first comes what waited for the old connection, then its end, then the answer to the new one.
    first.silent = false;
    first.flow();
    world.after(() => first.say({ is: "Goodbye", code: 2, reason: "replaced" }), 150);
    world.after(() => session.welcome(), 300);
  };
  first.silent = true;
  await world.pass(3_000);
  assert.deepEqual(states, ["connected", "reconnecting", "connected"]);
  assert.equal(made.state.is, "connected");
});

test("a new connection that hangs while the old one lives is given up", async () => {
  const { world, client: made, states } = await inPlay();
  const [first] = world.sessions;
  assert.ok(first !== undefined);
  world.onHello = () => {
    first.silent = false;
    first.flow();
  };
  first.silent = true;
  await world.pass(7_000);
  assert.deepEqual(states, ["connected", "reconnecting", "connected"]);
  assert.equal(made.link.wire?.phase, "open");
  assert.equal(world.sessions.length, 2);
});

test("a page that slept does not take its own sleep for silence", async () => {
  const { world, states } = await inPlay();
  world.nowMs += 4_000;
  await world.pass(300);
  assert.deepEqual(states, ["connected"]);
});

test("in a race the new connection wins even when the server throws the old one out", async () => {
  const { world, client: made, states } = await inPlay();
  const [first] = world.sessions;
  assert.ok(first !== undefined);
  world.onHello = (session) => {
    first.silent = false;
    first.say({ is: "Goodbye", code: 2, reason: "replaced" });
    session.welcome();
  };
  first.silent = true;
  await world.pass(1_500);
  assert.equal(made.state.is, "connected");
  assert.deepEqual(states, ["connected", "reconnecting", "connected"]);
});

test("a login elsewhere, a bad token and old contracts are not tried again", async () => {
  for (const [code, reason] of /** @type {const} */ ([[2, "replaced"], [7, "unauthenticated"], [8, "incompatible"]])) {
    const { world, client: made } = await inPlay();
    const asked = world.infoAsked;
    world.session.say({ is: "Goodbye", code, reason: "words" });
    await world.pass(10_000);
    assert.deepEqual(made.state, { is: "lost", reason, text: "words" });
    assert.equal(world.infoAsked, asked);
  }
});

test("a server that stops in order is waited for", async () => {
  const { world, states } = await inPlay();
  world.session.say({ is: "Goodbye", code: 1, reason: "restart" });
  await world.pass(1_000);
  assert.deepEqual(states, ["connected", "reconnecting", "connected"]);
});

test("a refused handshake is lost or tried again by its code", async () => {
  for (const [code, expected] of /** @type {const} */ ([[8, "lost"], [9, "connecting"]])) {
    const world = new World();
    world.onHello = (session) => session.say({ is: "Refuse", code, reason: "no" });
    const { client: made } = client(world);
    await world.pass(3_000);
    assert.equal(made.state.is, expected);
  }
});

test("attempts come less and less often, at most two seconds apart", async () => {
  const world = new World();
  world.serverIsUp = false;
  client(world);
  await world.pass(1_000);
  const early = world.infoAsked;
  await world.pass(20_000);
  const later = world.infoAsked - early;
  assert.ok(early >= 3 && early <= 6, `${early} in the first second`);
  assert.ok(later >= 10 && later <= 20, `${later} in the next twenty`);
});

test("a server that lets in and throws out is asked less and less", async () => {
  /** @type {((session: import("./kit/world.js").Session) => void)[]} */
  const endings = [
    (session) => session.say({ is: "Goodbye", code: 9, reason: "full" }),
    (session) => session.end(11, "crash"),
  ];
  for (const throwOut of endings) {
    const world = new World();
    world.onHello = (session) => {
      session.welcome();
      throwOut(session);
    };
    client(world);
    await world.pass(1_000);
    const early = world.infoAsked;
    await world.pass(20_000);
    const later = world.infoAsked - early;
    assert.ok(early >= 3 && early <= 6, `${early} in the first second`);
    assert.ok(later >= 10 && later <= 20, `${later} in the next twenty`);
  }
});

test("waits start over after a session that lasted, and not after a shorter one", async () => {
  for (const [lastedMs, startsOver] of /** @type {const} */ ([[1_800, false], [2_500, true]])) {
    const world = new World();
    world.onHello = (session) => {
      session.welcome();
      session.say({ is: "Goodbye", code: 9, reason: "full" });
    };
    const { client: made } = client(world);
    await world.pass(10_000);
    let thrownOutAtMs = Infinity;
    let backAfterMs = Infinity;
    world.onHello = (session) => {
      session.welcome();
      if (thrownOutAtMs === Infinity) {
        thrownOutAtMs = world.nowMs + lastedMs;
        world.after(() => session.say({ is: "Goodbye", code: 1, reason: "restart" }), lastedMs);
      } else {
        backAfterMs = world.nowMs - thrownOutAtMs;
      }
    };
    await world.pass(8_000);
    assert.equal(made.state.is, "connected");
    assert.equal(backAfterMs < 200, startsOver, `back after ${backAfterMs} ms`);
    assert.ok(backAfterMs < 2_100, `back after ${backAfterMs} ms`);
  }
});

test("two pages of a server that stops in order do not come back at the same instant", async () => {
  const world = new World();
  /** @type {Map<string, number>} when each page said Hello last */
  const helloAtMs = new Map();
  world.onHello = (session, hello) => {
    helloAtMs.set(new TextDecoder().decode(hello.token), world.nowMs);
    session.welcome();
  };
  for (const [token, chance] of /** @type {const} */ ([["one", 0.1], ["other", 0.9]])) {
    connect({ contracts: CONTRACTS, token, surroundings: { ...world.surroundings(), chance: () => chance } });
  }
  await world.pass(3_000);
  const stoppedAtMs = world.nowMs;
  for (const session of world.sessions) session.say({ is: "Goodbye", code: 1, reason: "restart" });
  await world.pass(1_000);
  const one = (helloAtMs.get("one") ?? 0) - stoppedAtMs;
  const other = (helloAtMs.get("other") ?? 0) - stoppedAtMs;
  assert.ok(one >= 50 && other <= 200, `${one} and ${other} ms`);
  assert.ok(other - one >= 30, `${one} and ${other} ms`);
});

test("a dead connection that is given up at last does not add a second row of attempts", async () => {
  const { world } = await inPlay();
  await world.pass(2_500);
  world.kill();
  await world.pass(4_800);
  const asked = world.infoAsked;
  await world.pass(30_000);
  assert.ok(world.infoAsked - asked <= 21, `${world.infoAsked - asked} in thirty seconds`);
});

test("after a killed server is there again, nineteen of twenty clients are back within two seconds", async () => {
  /** @type {number[]} */
  const backAfterMs = [];
  let seed = 1;
  const chance = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let page = 0; page < 100; page += 1) {
    const { world, client: made } = await inPlay();
    world.chance = chance;
    await world.pass(2_500);
    world.kill();
    await world.pass(10_000 * chance());
    world.serverIsUp = true;
    const upAtMs = world.nowMs;
    world.onHello = (session) => {
      session.welcome();
      backAfterMs.push(world.nowMs - upAtMs);
    };
    await world.pass(3_000);
    assert.equal(made.state.is, "connected", `page ${page}`);
  }
  backAfterMs.sort((one, other) => one - other);
  const p95 = backAfterMs[94] ?? Infinity;
  assert.ok(p95 < 2_000, `${p95} ms`);
});

test("requests end: with the answer, with an error, with their time, with the connection", async () => {
  const { world, client: made } = await inPlay();
  const read = (/** @type {import("../src/bytes.js").Reader} */ from) => from.u8();
  const ask = () => made.ask({ is: "own" }, ASK, (to) => to.u8(1), read);
  world.onFrame = (session, frame) => {
    if (frame.is === "Call") session.say({ is: "Answer", request: frame.request, value: Uint8Array.of(42), code: 0, text: "" });
  };
  const answered = ask();
  await world.pass(100);
  assert.equal(await answered, 42);
  world.onFrame = (session, frame) => {
    if (frame.is === "Call") session.say({ is: "Answer", request: frame.request, value: undefined, code: 8, text: "too busy" });
  };
  const refused = failure(ask());
  await world.pass(100);
  assert.equal((await refused).codeName, "busy");
  world.onFrame = () => {};
  const late = failure(ask());
  await world.pass(3_100);
  assert.equal((await late).codeName, "timed-out");
  const cut = failure(ask());
  world.session.end(11, "crash");
  await world.pass(1_000);
  assert.equal((await cut).codeName, "gone");
});

test("calls to the zone carry its generation and are not sent without one", async () => {
  const world = new World();
  const { client: made } = client(world);
  await world.pass(100);
  assert.equal(made.tell({ is: "zone" }, STEER, (to) => to.u8(1)), false);
  world.session.attach(3);
  await world.pass(100);
  assert.equal(made.tell({ is: "zone" }, STEER, (to) => to.u8(1)), true);
  await world.pass(100);
  const call = world.session.heard.at(-1);
  assert.ok(call?.is === "UnreliableCall");
  assert.deepEqual(call.target, { is: "zone", generation: 3 });
  assert.equal(call.lane, 0x11);
});

test("pushes reach who listens, with the actor they come from", async () => {
  const { world, client: made } = await inPlay();
  /** @type {[string, bigint][]} */
  const heard = [];
  const stop = made.on(SAID, (text, from) => heard.push([text, from]));
  const push = () => world.session.say({ is: "Push", kind: 1, key: 4n, number: 5, args: Uint8Array.of(2, 104, 105) });
  push();
  await world.pass(50);
  stop();
  push();
  await world.pass(50);
  assert.deepEqual(heard, [["hi", 4n]]);
  assert.equal(made.counters.unheardPushes, 1);
});

test("a server that breaks the protocol is left for good", async () => {
  for (const break_ of [
    (/** @type {World} */ world) => world.session.say({ is: "Welcome", minor: 0, features: 0n, session: 1n, player: 2n, tickHz: 20, goesOn: false, held: [] }),
    (/** @type {World} */ world) => world.session.attach(1),
    (/** @type {World} */ world) => world.session.arrivals.datagram(Uint8Array.of(99)),
    (/** @type {World} */ world) => world.session.arrivals.stream(77, Uint8Array.of(0x23, 0xff)),
    (/** @type {World} */ world) => world.session.arrivals.stream(77, Uint8Array.of(0x13)),
    (/** @type {World} */ world) => world.session.arrivals.stream(77, Uint8Array.of(0x01)),
    (/** @type {World} */ world) => world.session.say({ is: "View", generation: 1, payload: Uint8Array.of(60, 9, 9) }),
  ]) {
    const { world, client: made } = await inPlay();
    break_(world);
    await world.pass(200);
    assert.equal(made.state.is, "lost");
    assert.ok(made.state.is === "lost" && ["protocol-violation", "too-large"].includes(made.state.reason), JSON.stringify(made.state));
    assert.ok((world.session.closedByClient?.code ?? 0) > 0);
  }
});

test("after close nothing is tried and nothing is heard", async () => {
  const { world, client: made, states } = await inPlay();
  const open = failure(made.ask({ is: "own" }, ASK, () => {}, () => 0));
  made.close();
  assert.ok((await open) instanceof CallError);
  const asked = world.infoAsked;
  await world.pass(5_000);
  assert.equal(world.infoAsked, asked);
  assert.deepEqual(states, ["connected"]);
  const goodbye = world.sessions[0]?.heard.at(-1);
  assert.equal(goodbye?.is, "Goodbye");
});
