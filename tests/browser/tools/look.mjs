// @ts-check
/**
 * Takes pictures of the page with the stand-in SDK, for looking at: `node tools/look.mjs [shots…]`, into target/pages.
 */

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { openFakePage, startBrowser } from "../kit/pages.js";

const out = fileURLToPath(new URL("../../../target/pages/", import.meta.url));
mkdirSync(out, { recursive: true });

/** @type {Record<string, {query?: string, width?: number, height?: number, run?: (page: import("playwright-core").Page) => Promise<void>, start?: boolean}>} */
const SHOTS = {
  start: { start: true },
  tidewell: { query: "sector=5" },
  lantern: { query: "sector=1&x=560&y=-50&yaw=0.2&seed=9" },
  violet: { query: "sector=4&seed=3&x=100&y=520&yaw=1.2" },
  ember: { query: "sector=3&seed=12", width: 1920, height: 1080 },
  aurora: { query: "sector=2&x=-830&y=60&yaw=3&seed=4" },
  crowd: { query: "sector=5&crowd=1", run: async (page) => { await page.keyboard.press("KeyF"); await page.waitForTimeout(2000); } },
  late: { query: "sector=1&seed=8&x=-300&y=300", run: async (page) => page.waitForTimeout(5500) },
  late2: { query: "sector=4&seed=8&x=300&y=-300", run: async (page) => page.waitForTimeout(5500) },
  late3: { query: "sector=2&seed=21&x=0&y=0", run: async (page) => page.waitForTimeout(5500) },
  corner: { query: "sector=4&x=850&y=850&yaw=0.8" },
  phone: { query: "sector=2", width: 390, height: 844 },
  boost: { query: "sector=3&seed=6", run: async (page) => { await page.keyboard.down("KeyW"); await page.keyboard.down("ShiftLeft"); await page.waitForTimeout(2500); } },
  mine: { query: "sector=4&seed=3", run: async (page) => { await page.waitForTimeout(900); await page.keyboard.press("KeyE"); await page.waitForTimeout(130); } },
  trade: { query: "sector=5&seed=3", run: trade },
  tradePhone: { query: "sector=5&seed=3", width: 390, height: 844, run: trade },
  help: { query: "sector=5", run: async (page) => { await page.keyboard.press("KeyH"); await page.keyboard.press("KeyF"); await page.waitForTimeout(600); } },
  banner: { query: "sector=1", run: async (page) => { await page.evaluate("window.driftlightFake.drop()"); await page.keyboard.press("Enter"); await page.keyboard.type("hello there"); await page.keyboard.press("Enter"); await page.keyboard.press("KeyM"); await page.waitForTimeout(700); } },
};

/**
 * Two offers of others, an own one, and the panel for another.
 * @param {import("playwright-core").Page} page
 */
async function trade(page) {
  await page.evaluate(() => {
    const goods = (/** @type {bigint} */ coins, /** @type {{hue: number, amount: bigint}[]} */ ...ore) => ({ coins, ore });
    const fake = /** @type {any} */ (window).driftlightFake;
    fake.offered(goods(5n, { hue: 60, amount: 2n }), goods(0n, { hue: 180, amount: 3n }));
    fake.offered(goods(0n, { hue: 0, amount: 1n }), goods(900n));
  });
  await page.keyboard.press("KeyT");
  await page.fill("#bid-rows input[data-side=give][data-hue=coins]", "7");
  await page.fill("#bid-rows input[data-side=want][data-hue='120']", "2");
  await page.keyboard.press("Enter");
  await page.waitForTimeout(200);
  await page.keyboard.press("KeyT");
  await page.waitForTimeout(900);
}

const wanted = process.argv.slice(2);
const browser = await startBrowser();
try {
  for (const [name, shot] of Object.entries(SHOTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const viewport = { width: shot.width ?? 1280, height: shot.height ?? 720 };
    const page = await openFakePage(browser, shot.query ?? "", viewport);
    page.on("console", (message) => console.log(`[${name}] ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => console.log(`[${name}] ${error.stack}`));
    if (shot.start === true) {
      await page.waitForTimeout(800);
    } else {
      await page.fill("#start-name", "Lyra");
      await page.click("#start-go");
      await page.waitForTimeout(1800);
      await shot.run?.(page);
    }
    await page.screenshot({ path: `${out}${name}.png` });
    await page.context().close();
  }
} finally {
  await browser.close();
}
