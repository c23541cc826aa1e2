// @ts-check
/** The game that `lightmoon new` makes: two people walk in it among bots, and it is killed. `NEW_GAME` is its binary. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { startBoth } from "../kit/both.js";
import { Server, until } from "../kit/server.js";

const SHOTS = fileURLToPath(new URL("../../../target/pages/", import.meta.url));
const BINARY = process.env["NEW_GAME"];
/** They stroll about beside the people. */
const BOTS = 3;
const ALL = `${BOTS + 2} in the meadow`;
const SIZE = { width: 900, height: 700 };

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Server} */
let server;

before(async () => {
  if (BINARY === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  [browser, server] = await startBoth({ binary: BINARY, bots: BOTS });
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A person in the meadow. @returns {Promise<{page: import("playwright-core").Page, faults: string[]}>} */
async function arrive() {
  const page = await (await browser.newContext({ viewport: SIZE })).newPage();
  /** @type {string[]} */
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(server.url);
  return { page, faults };
}

/**
 * Waits until the page says this.
 * @param {import("playwright-core").Page} page
 * @param {string} text
 */
async function says(page, text) {
  await until(20_000, async () => (await page.innerText("#line")).startsWith(text));
}

/**
 * Waits until the page shows something bright at a place, in parts of the window.
 * @param {import("playwright-core").Page} page
 * @param {number} x
 * @param {number} y
 */
async function shows(page, x, y) {
  await until(20_000, () => page.evaluate(([x, y]) => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("meadow"));
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const [red = 0, green = 0, blue = 0] = pen.getImageData(canvas.width * x, canvas.height * y, 1, 1).data;
    return red + green + blue > 330;
  }, /** @type {[number, number]} */ ([x, y])));
}

test("two people walk in a new game, and are where they were after it was killed", { timeout: 120_000, skip: BINARY === undefined }, async () => {
  const [ada, bea] = await Promise.all([arrive(), arrive()]);
  for (const { page } of [ada, bea]) await says(page, ALL);
  await ada.page.mouse.click(SIZE.width * 0.3, SIZE.height * 0.3);
  await bea.page.mouse.click(SIZE.width * 0.7, SIZE.height * 0.6);
  for (const { page } of [ada, bea]) {
    await shows(page, 0.3, 0.3);
    await shows(page, 0.7, 0.6);
  }
  await ada.page.screenshot({ path: `${SHOTS}new-game.png` });
  // What no operation stores at once is stored within ten seconds.
  const before = await snapshots();
  await until(30_000, async () => (await snapshots()) > before);
  await server.kill();
  for (const { page } of [ada, bea]) await says(page, "the server does not answer");
  await server.run();
  for (const { page } of [ada, bea]) {
    await says(page, ALL);
    await shows(page, 0.3, 0.3);
    await shows(page, 0.7, 0.6);
  }
  // A connection that dies is said by the browser itself.
  const own = [...ada.faults, ...bea.faults].filter((text) => !/ERR_|WebTransport|Failed to load resource/.test(text));
  assert.deepEqual(own, []);
});

/** How often the meadow was stored whole. */
async function snapshots() {
  return (await server.metrics())["lightmoon_snapshot_total"] ?? 0;
}
