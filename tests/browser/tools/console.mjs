// @ts-check
/**
 * Takes pictures of the console's pages with bots in the game, for looking at: `node tools/console.mjs [pages…]`, into target/console.
 */

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { startBoth } from "../kit/both.js";
import { openConsole } from "../kit/console.js";

const out = fileURLToPath(new URL("../../../target/console/", import.meta.url));
mkdirSync(out, { recursive: true });

/** How long a page is watched before its picture: its lines over time want to have something to show. */
const WATCHED_MS = Number(process.env["WATCHED_MS"] ?? 6000);
const PAGES = ["overview", "map", "ticks", "sessions", "actors", "workers", "store", "events", "letters", "audit", "own-sectors"];

const wanted = process.argv.slice(2);
const [browser, server] = await startBoth({ bots: 60 });
try {
  const { page, faults } = await openConsole(browser, server, { width: 1440, height: 900 });
  page.on("console", (message) => console.log(`${message.type()}: ${message.text()}`));
  for (const name of PAGES.filter((name) => wanted.length === 0 || wanted.includes(name))) {
    await page.goto(`http://${server.ready.console}/#${name === "actors" ? "actors/1/1" : name}`);
    await page.waitForTimeout(WATCHED_MS);
    if (name === "map") await page.mouse.move(400, 400);
    await page.screenshot({ path: `${out}${name}.png` });
    if (name === "map") {
      await page.keyboard.press("]");
      await page.waitForTimeout(1500);
      await page.screenshot({ path: `${out}map-one.png` });
    }
  }
  console.log(faults.join("\n"));
} finally {
  await browser.close();
  await server.stop();
}
