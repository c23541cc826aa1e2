// @ts-check
/** The page by itself, with a stand-in for the SDK: no server, a stricter policy than the server's. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openFakePage, startBrowser } from "../kit/pages.js";

const TEST_MS = 60_000;

/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  browser = await startBrowser();
}, { timeout: 30_000 });

after(async () => {
  await browser?.close();
});

/**
 * A test with one page, which must not have printed an error.
 * @param {string} name
 * @param {string} query what the stand-in shows
 * @param {(page: import("playwright-core").Page) => Promise<void>} body
 */
function look(name, query, body) {
  test(name, { timeout: TEST_MS }, async () => {
    const page = await openFakePage(browser, query, { width: 800, height: 450 });
    /** @type {string[]} */
    const faults = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
    });
    page.on("pageerror", (error) => faults.push(String(error.stack)));
    try {
      await body(page);
      assert.deepEqual(faults, []);
    } finally {
      await page.context().close();
    }
  });
}

/** @param {import("playwright-core").Page} page */
async function fly(page) {
  await page.fill("#start-name", "Lyra");
  await page.click("#start-go");
  const inPlay = () => window.driftlight.own() !== undefined && document.querySelector("#start:is(.leaving, .hidden)") !== null;
  await page.waitForFunction(inPlay, undefined, { timeout: 20_000 });
}

look("name and colour are asked once and remembered", "sector=1", async (page) => {
  await page.fill("#start-name", "Lyra");
  await page.click('#start-hues [data-hue="140"]');
  await page.click("#start-go");
  await page.waitForFunction(() => window.driftlight.own()?.name === "Lyra" && window.driftlight.own()?.hue === 140);
  await page.reload();
  assert.equal(await page.inputValue("#start-name"), "Lyra");
  assert.equal(await page.getAttribute('#start-hues [data-hue="140"]', "aria-checked"), "true");
});

look("a name of blanks is not accepted", "sector=1", async (page) => {
  await page.fill("#start-name", "   ");
  await page.click("#start-go");
  assert.equal(await page.evaluate(() => window.driftlight.connection()), "start");
});

look("keys open and close help, map, frames and the line to talk", "sector=2", async (page) => {
  await fly(page);
  const shown = (/** @type {string} */ selector) => page.locator(selector).isVisible();
  await page.keyboard.press("KeyH");
  assert.equal(await shown("#help"), true);
  await page.keyboard.press("Escape");
  assert.equal(await shown("#help"), false);
  await page.keyboard.press("KeyF");
  await page.waitForSelector("#frames", { state: "visible" });
  await page.keyboard.press("KeyM");
  assert.equal(await page.locator("#map.large").count(), 1);
  await page.keyboard.press("Enter");
  assert.equal(await shown("#say"), true);
  // Letters of the line are not keys of the ship.
  await page.keyboard.type("wash me");
  await page.keyboard.press("Enter");
  assert.equal(await shown("#say"), false);
  assert.match((await page.textContent("#lines")) ?? "", /wash me/);
  assert.equal(await shown("#help"), false);
});

look("what people say is text, never markup", "sector=2", async (page) => {
  await fly(page);
  await page.keyboard.press("Enter");
  await page.keyboard.insertText("<img src=x onerror=alert(1)>");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#lines li");
  assert.equal(await page.locator("#lines img").count(), 0);
  assert.match((await page.textContent("#lines")) ?? "", /<img src=x/);
});

look("a window without focus holds no key down", "sector=3", async (page) => {
  await fly(page);
  const controls = () => page.evaluate(() => /** @type {any} */ (window).driftlightFake.controls);
  await page.keyboard.down("KeyW");
  await page.waitForFunction(() => /** @type {any} */ (window).driftlightFake.controls.thrust === 1);
  await page.evaluate(() => window.dispatchEvent(new Event("blur")));
  await page.waitForFunction(() => /** @type {any} */ (window).driftlightFake.controls.thrust === 0);
  assert.deepEqual(await controls(), { thrust: 0, turn: 0, boost: false });
});

look("controls are sent at most 25 times a second, however fast keys change", "sector=3", async (page) => {
  await fly(page);
  const sent = await page.evaluate(async () => {
    const client = /** @type {any} */ (window).driftlightFake;
    let count = 0;
    const zone = client.zone.bind(client);
    client.zone = () => {
      count += 1;
      return zone();
    };
    const from = performance.now();
    for (let i = 0; performance.now() - from < 2_000; i += 1) {
      window.dispatchEvent(new KeyboardEvent(i % 2 === 0 ? "keydown" : "keyup", { code: "KeyA" }));
      await new Promise((done) => setTimeout(done, 5));
    }
    return (count * 1_000) / (performance.now() - from);
  });
  assert.ok(sent > 10 && sent <= 26, `${sent} a second`);
});

look("a lost connection is told, and the picture stays", "sector=4", async (page) => {
  await fly(page);
  await page.evaluate(() => /** @type {any} */ (window).driftlightFake.drop());
  assert.equal(await page.locator("#banner").isVisible(), true);
  assert.ok((await page.evaluate(() => window.driftlight.own())) !== undefined);
});

look("a frame with a crowd makes few drawing calls and no new pictures", "sector=5&crowd=1", async (page) => {
  await fly(page);
  await page.waitForFunction(() => window.driftlight.entities().length > 100);
  const perFrame = await page.evaluate(async () => {
    const counts = { draws: 0, gradients: 0, canvases: 0 };
    const prototype = /** @type {any} */ (CanvasRenderingContext2D.prototype);
    const watch = (/** @type {any} */ owner, /** @type {string} */ name, /** @type {keyof typeof counts} */ count) => {
      const original = owner[name];
      owner[name] = function (/** @type {any[]} */ ...given) {
        counts[count] += 1;
        return original.apply(this, given);
      };
    };
    for (const name of ["drawImage", "fill", "stroke", "fillRect", "fillText"]) watch(prototype, name, "draws");
    for (const name of ["createLinearGradient", "createRadialGradient"]) watch(prototype, name, "gradients");
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    // Names and hulls of who comes into view are drawn once: a while after the arrival there is nothing new.
    for (let i = 0; i < 90; i += 1) await frame();
    watch(Document.prototype, "createElement", "canvases");
    counts.draws = 0;
    counts.gradients = 0;
    for (let i = 0; i < 30; i += 1) await frame();
    return { draws: counts.draws / 30, gradients: counts.gradients / 30, canvases: counts.canvases, bodies: window.driftlight.entities().length };
  });
  console.log(JSON.stringify(perFrame));
  assert.ok(perFrame.draws < 14 * perFrame.bodies + 400, JSON.stringify(perFrame));
  assert.ok(perFrame.gradients < perFrame.bodies + 10, JSON.stringify(perFrame));
  assert.ok(perFrame.canvases < 10, JSON.stringify(perFrame));
});

look("sound is off until the pilot turns it on, follows the engine, and is remembered", "sector=1", async (page) => {
  await page.addInitScript(() => {
    const opened = window.AudioContext;
    Object.assign(window, { opened: 0 });
    window.AudioContext = class extends opened {
      constructor() {
        super();
        /** @type {any} */ (window).opened += 1;
      }
    };
  });
  await page.reload();
  const opened = () => page.evaluate(() => /** @type {any} */ (window).opened);
  const loud = (/** @type {number} */ least) => page.waitForFunction((least) => window.driftlight.sound().level > least, least, { timeout: 10_000 });
  await fly(page);
  await page.keyboard.down("KeyW");
  assert.deepEqual(await page.evaluate(() => window.driftlight.sound()), { on: false, level: 0 });
  assert.equal(await opened(), 0, "nothing of the audio is touched");
  await page.keyboard.press("KeyV");
  await loud(0.005);
  await page.keyboard.up("KeyW");
  await page.keyboard.press("KeyV");
  assert.deepEqual(await page.evaluate(() => window.driftlight.sound()), { on: false, level: 0 });
  await page.keyboard.press("KeyV");
  assert.equal(await opened(), 1);
  await page.reload();
  assert.equal(await opened(), 0, "no sound before the pilot flies");
  await fly(page);
  await loud(0.0005);
});
