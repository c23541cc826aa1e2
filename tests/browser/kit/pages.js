// @ts-check
/**
 * Browsers and pages for tests.
 *
 * Responsible for: Chromium with the right switches, pages with the stand-in SDK. Not responsible for: servers (`server.js`).
 */

import { copyFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const PAGE = new URL("../../../game-sample/page/", import.meta.url);
const FAKE = new URL("../fake/sdk.js", import.meta.url);
/** Nothing listens there: every request of a page with the stand-in is answered by the test. */
const FAKE_ORIGIN = "http://127.0.0.1:9";

const TYPES = new Map([
  [".html", "text/html"], [".js", "text/javascript"], [".css", "text/css"], [".svg", "image/svg+xml"], [".json", "application/json"],
]);

/** What the server sends with its pages, so that tests see what it forbids. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' https:";

/**
 * With `PICTURES` set, a picture of a test becomes the one that README and book show.
 * @param {string} taken
 * @param {string} name
 */
export function keepPicture(taken, name) {
  if (process.env["PICTURES"] !== undefined) copyFileSync(taken, fileURLToPath(new URL(`../../../docs/book/src/images/${name}`, import.meta.url)));
}

/** @returns {Promise<import("playwright-core").Browser>} */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
}

/**
 * A page that plays against the stand-in SDK.
 * @param {import("playwright-core").Browser} browser
 * @param {string} query what the stand-in shows
 * @param {{width: number, height: number}} [viewport]
 */
export async function openFakePage(browser, query, viewport = { width: 1280, height: 720 }) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  await page.route(`${FAKE_ORIGIN}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = path === "/lightmoon/index.js" ? FAKE : new URL(`.${path === "/" ? "/index.html" : path}`, PAGE);
    try {
      const body = await readFile(fileURLToPath(file));
      const headers = { "content-type": TYPES.get(extname(file.pathname)) ?? "text/plain", "content-security-policy": POLICY };
      await route.fulfill({ status: 200, body, headers });
    } catch {
      await route.fulfill({ status: 404, body: "no such file" });
    }
  });
  await page.goto(`${FAKE_ORIGIN}/?${query}`);
  return page;
}
