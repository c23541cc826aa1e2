// @ts-check
/** Driftlight in a real browser against a real server. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { startBoth } from "../kit/both.js";
import { meet, mineOne, together } from "../kit/deeds.js";
import { keepPicture } from "../kit/pages.js";
import { Pilot } from "../kit/pilot.js";
import { Server, until } from "../kit/server.js";
import { jumps, standstills } from "../kit/smooth.js";

const SHOTS = fileURLToPath(new URL("../../../target/pages/", import.meta.url));
const TEST_MS = 120_000;

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Server} */
let server;
/** @type {Pilot[]} */
let pilots = [];

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  [browser, server] = await startBoth({ bots: 50 });
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  await server?.stop();
});

/**
 * A test with pilots of its own, who leave at its end and must not have seen an error.
 * @param {string} name
 * @param {() => Promise<void>} body
 */
function play(name, body) {
  test(name, { timeout: TEST_MS }, async () => {
    pilots = [];
    try {
      await body();
      for (const pilot of pilots) assert.deepEqual(pilot.faults, [], `${pilot.name}'s console`);
    } catch (error) {
      await Promise.all(pilots.map((pilot, i) => pilot.page.screenshot({ path: `${SHOTS}failed-${i}.png` }).catch(() => {})));
      console.log(server.log.slice(-3_000));
      throw error;
    } finally {
      await Promise.all(pilots.map((pilot) => pilot.close()));
    }
  });
}

/**
 * @param {string} name
 * @param {{token?: string, viewport?: {width: number, height: number}}} [options]
 */
async function enter(name, options) {
  const pilot = await Pilot.enter(browser, server.url, name, options);
  pilots.push(pilot);
  return pilot;
}

/** Two pilots in one sector. */
async function enterTogether() {
  const [ada, bea] = await together(browser, server.url, "Ada", "Bea");
  pilots.push(ada, bea);
  return { ada, bea };
}

play("keys move the ship", async () => {
  const ada = await enter("Ada");
  const from = await ada.here();
  await ada.page.keyboard.down("KeyW");
  await ada.until(10_000, "60 units away", ({ x, y }) => {
    const own = window.driftlight.own();
    return own !== undefined && Math.hypot(own.x - x, own.y - y) > 60;
  }, from);
  await ada.page.keyboard.up("KeyW");
  const before = await ada.here();
  await ada.page.keyboard.down("KeyA");
  await ada.until(5_000, "turned to the left", (yaw) => {
    const own = window.driftlight.own();
    if (own === undefined) return false;
    const turned = own.yaw - yaw - Math.round((own.yaw - yaw) / (2 * Math.PI)) * 2 * Math.PI;
    return turned > 0.5 && turned < 2;
  }, before.yaw);
  await ada.page.keyboard.up("KeyA");
});

play("a held mouse button flies towards the pointer", async () => {
  const ada = await enter("Ada");
  const from = await ada.here();
  await ada.page.mouse.move(640, 120);
  await ada.page.mouse.down();
  await ada.until(10_000, "flown to the upper right", ({ x, y }) => {
    const own = window.driftlight.own();
    return own !== undefined && own.x > x + 30 && own.y > y + 15;
  }, from);
  await ada.page.mouse.up();
});

play("a key mines the nearest crystal, and what was counted is there when the page is opened again", async () => {
  const ada = await enter("Ada", { viewport: { width: 1280, height: 720 } });
  const ore = await mineOne(ada);
  assert.ok(ore > 0, `${ore} ore`);
  await ada.page.screenshot({ path: `${SHOTS}mined.png` });
  assert.equal(await ada.page.innerText("#ore-total"), String(ore));
  assert.ok((await ada.entities()).some((entity) => entity.look === "spent"), "its remains are seen");
  const left = await ada.here();
  await ada.page.reload();
  await ada.page.click("#start-go");
  await ada.inPlay(20_000);
  await ada.until(5_000, "told of its ore", (before) => window.driftlight.ore() === before, ore);
  const back = await ada.here();
  assert.ok(Math.hypot(back.x - left.x, back.y - left.y) < 300, `${JSON.stringify(left)} ${JSON.stringify(back)}`);
});

play("two pages see each other move", async () => {
  const { ada, bea } = await enterTogether();
  await meet(ada, bea);
  const seen = async (/** @type {Pilot} */ pilot, /** @type {string} */ name) => (await pilot.entities()).find((entity) => entity.name === name);
  for (const [mover, watcher] of /** @type {const} */ ([[ada, bea], [bea, ada]])) {
    const start = await until(5_000, () => seen(watcher, mover.name));
    await mover.page.keyboard.down("KeyW");
    await until(10_000, async () => {
      const now = await seen(watcher, mover.name);
      return now === undefined || Math.hypot(now.x - start.x, now.y - start.y) > 25 ? true : undefined;
    });
    await mover.page.keyboard.up("KeyW");
    // Both show the same ship in the same place, but for the way that the two clocks are apart.
    const [own, shown] = await Promise.all([mover.here(), seen(watcher, mover.name)]);
    if (shown !== undefined) assert.ok(Math.hypot(own.x - shown.x, own.y - shown.y) < 160, `${JSON.stringify(own)} ${JSON.stringify(shown)}`);
  }
});

play("what one says the other reads", async () => {
  const { ada, bea } = await enterTogether();
  await ada.page.keyboard.press("Enter");
  await ada.page.keyboard.type("clear skies");
  await ada.page.keyboard.press("Enter");
  for (const pilot of [ada, bea]) {
    await pilot.until(5_000, "reading it", () => document.querySelector("#lines")?.textContent?.includes("clear skies"));
  }
});

play("ten seconds of frames hold no jump, of the own ship or of others", async () => {
  const ada = await enter("Ada");
  const keyboard = ada.page.keyboard;
  const middle = await ada.here();
  // Out of the spawn place and clear of the wall, so that the whole recording is free flight.
  await ada.fly(20_000, async () => ({ x: 0, y: 0 }), (own) => Math.hypot(own.x - middle.x, own.y - middle.y) > 80 || Math.hypot(own.x, own.y) < 200);
  await keyboard.down("KeyW");
  await ada.page.evaluate(() => window.driftlight.record(true));
  for (const key of ["KeyA", "KeyD", "KeyA", "ShiftLeft", "KeyD"]) {
    await keyboard.down(key);
    await ada.page.waitForTimeout(1_000);
    await keyboard.up(key);
    await ada.page.waitForTimeout(1_000);
  }
  const frames = await ada.page.evaluate(() => {
    window.driftlight.record(false);
    return window.driftlight.frames();
  });
  await keyboard.up("KeyW");
  const seconds = ((frames.at(-1)?.at ?? 0) - (frames[0]?.at ?? 0)) / 1_000;
  const bodies = new Set(frames.flatMap((frame) => frame.others.map((other) => other.id)));
  console.log(`${frames.length} frames in ${seconds.toFixed(1)} s, ${bodies.size} other bodies`);
  assert.ok(frames.length > 100 && seconds > 8, `${frames.length} frames in ${seconds} s`);
  assert.ok(bodies.size > 0, "nobody else was seen");
  assert.deepEqual(jumps(frames), []);
  assert.deepEqual(standstills(frames), []);
});

play("a gate leads to the next sector", async () => {
  const ada = await enter("Ada");
  const from = { zone: await ada.zone(), sector: await ada.page.evaluate(() => window.driftlight.sector()) };
  const here = await ada.here();
  const gates = await ada.gates();
  assert.ok(gates.length >= 2);
  const far = (/** @type {{x: number, y: number}} */ gate) => Math.hypot(gate.x - here.x, gate.y - here.y);
  const [gate] = gates.sort((one, other) => far(one) - far(other));
  assert.ok(gate !== undefined);
  await ada.fly(40_000, async () => gate, async () => (await ada.zone()) !== from.zone);
  await ada.until(10_000, "in the next sector", (name) => window.driftlight.sector() === name && window.driftlight.own() !== undefined, gate.name);
  await ada.inPlay(5_000);
  assert.notEqual(gate.name, from.sector);
});

play("after kill -9 and a restart both pages are back in play by themselves, with their ore, where they were", async () => {
  const [ada, bea] = [await enter("Ada"), await enter("Bea")];
  const ore = await mineOne(ada);
  // A ship comes to rest, and where it rests is stored within ten seconds.
  await ada.page.keyboard.down("KeyS");
  await ada.page.waitForTimeout(2_500);
  await ada.page.keyboard.up("KeyS");
  await ada.page.waitForTimeout(12_000);
  const left = { zone: await ada.zone(), ...(await ada.here()) };
  await server.kill();
  for (const pilot of [ada, bea]) {
    await pilot.until(8_000, "told that the connection is lost", () => window.driftlight.connection() === "reconnecting");
    await pilot.until(2_000, "showing the banner", () => document.querySelector("#banner:not(.hidden)") !== null);
  }
  await ada.page.screenshot({ path: `${SHOTS}reconnecting.png` });
  await server.run();
  const up = performance.now();
  for (const pilot of [ada, bea]) await pilot.inPlay(15_000);
  await ada.until(5_000, "told of its ore", (before) => window.driftlight.ore() === before, ore);
  const back = { zone: await ada.zone(), ...(await ada.here()) };
  const moved = Math.hypot(back.x - left.x, back.y - left.y);
  console.log(`${ore} ore is there again, the ship ${Math.round(moved)} units from where it was`);
  assert.ok(back.zone === left.zone && moved < 600, `${JSON.stringify(left)} ${JSON.stringify(back)}`);
  console.log(`back in play ${Math.round(performance.now() - up)} ms after the server was ready`);
  for (const pilot of [ada, bea]) {
    const from = await pilot.here();
    await pilot.page.keyboard.down("KeyW");
    await pilot.until(10_000, "flying again", ({ x, y }) => {
      const own = window.driftlight.own();
      return own !== undefined && Math.hypot(own.x - x, own.y - y) > 20;
    }, from);
    await pilot.page.keyboard.up("KeyW");
  }
});

play("a tab that is closed, and a page that is left, end their sessions at once", async () => {
  // Without bots, whose sessions would be counted too.
  const lonely = await Server.start({ bots: 0 });
  try {
    const open = async () => (await lonely.metrics())["lightmoon_session_open"];
    for (const leave of ["close", "away"]) {
      const pilot = await Pilot.enter(browser, lonely.url, "Vega");
      // The numbers are a moment old.
      await until(5_000, async () => (await open()) === 1);
      if (leave === "close") await pilot.page.close();
      else await pilot.page.goto("about:blank");
      // Long before a session without a connection ends by itself.
      await until(5_000, async () => (await open()) === 0);
      await pilot.close();
    }
    const { lightmoon_session_abandoned_total: abandoned, lightmoon_session_opened_total: opened } = await lonely.metrics();
    assert.deepEqual([opened, abandoned], [2, 0]);
  } finally {
    await lonely.stop();
  }
});

play("the world looks as it should", async () => {
  const ada = await enter("Lyra", { viewport: { width: 1280, height: 720 } });
  await ada.fly(15_000, async () => ({ x: 0, y: 0 }), (own) => Math.hypot(own.x, own.y) < 300);
  await ada.until(10_000, "seeing others", () => window.driftlight.entities().length > 3);
  await ada.page.screenshot({ path: `${SHOTS}world.png` });
  keepPicture(`${SHOTS}world.png`, "driftlight.png");
});
