// @ts-check
/** The console beside the game: live pages, commands, and who may give them. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { startBoth } from "../kit/both.js";
import { ask, openConsole } from "../kit/console.js";
import { keepPicture } from "../kit/pages.js";
import { Pilot } from "../kit/pilot.js";
import { Server, until } from "../kit/server.js";

const SHOTS = fileURLToPath(new URL("../../../target/pages/", import.meta.url));
// A crowd takes a release build: `BOTS=200 node --test suites/console.test.js`.
const BOTS = Number(process.env["BOTS"] ?? 20);

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Server} */
let server;

before(async () => {
  [browser, server] = await startBoth({ bots: BOTS });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** @param {import("playwright-core").Page} page @param {string} name */
async function go(page, name) {
  await page.evaluate((name) => {
    location.hash = name;
  }, name);
}

/**
 * Waits until a text of the page is another one.
 * @param {import("playwright-core").Page} page
 * @param {string} selector
 */
async function changes(page, selector) {
  await page.waitForSelector(selector);
  const text = await page.textContent(selector);
  await page.waitForFunction(([selector, text]) => document.querySelector(selector ?? "")?.textContent !== text, [selector, text], { timeout: 20_000 });
}

/** What is drawn on a canvas. @param {import("playwright-core").Page} page @param {string} selector */
const drawn = (page, selector) => page.evaluate((selector) => /** @type {HTMLCanvasElement} */ (document.querySelector(selector)).toDataURL(), selector);

/** A command as a program sends it. @param {string} path @param {unknown} body @param {Record<string, string>} [headers] */
function post(path, body, headers = {}) {
  const bearer = { authorization: `Bearer ${server.ready.consoleToken}`, "content-type": "application/json" };
  return ask(server, path, { method: "POST", headers: { ...bearer, ...headers }, body: JSON.stringify(body) });
}

test("every page shows what is live beside a pilot who plays, and nobody complains", async () => {
  const pilot = await Pilot.enter(browser, server.url, "Watched");
  const { page, faults } = await openConsole(browser, server);
  await page.waitForFunction((least) => Number(document.querySelector('.tile[data-name="players"] .value')?.textContent) >= least, BOTS + 1);
  await changes(page, '.tile[data-name="sent"] .value');

  await go(page, "map");
  await page.waitForFunction(() => document.querySelectorAll(".zones button").length === 6);
  assert.match((await page.textContent(".kinds")) ?? "", /ship.*crystal.*drifter/s);
  const before = await drawn(page, ".map canvas");
  await until(10_000, async () => ((await drawn(page, ".map canvas")) !== before ? true : undefined));
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}console-map.png` });
  keepPicture(`${SHOTS}console-map.png`, "console-map.png");

  await go(page, "ticks");
  await changes(page, ".grid .panel > p:last-child");
  await go(page, "workers");
  await changes(page, "tbody tr td:nth-child(4)");
  await go(page, "store");
  await changes(page, ".panel h2 em");
  await go(page, "sessions");
  await page.waitForFunction((least) => document.querySelectorAll(".panel tbody tr").length >= least, BOTS + 1);
  await go(page, "events");
  await page.waitForFunction(() => document.body.innerText.includes("session opened"));
  await go(page, "letters");
  await page.waitForFunction(() => document.body.innerText.includes("There are none."));
  await go(page, "own-sectors");
  await page.waitForFunction(() => /Lantern|Aurora/.test(document.querySelector("tbody")?.textContent ?? "") && !document.querySelector("tbody")?.textContent?.includes("…"));
  // A digit is a key: back to the first page.
  await page.keyboard.press("Digit1");
  await page.waitForSelector(".tiles");

  assert.deepEqual(faults, []);
  assert.deepEqual(pilot.faults, []);
  await page.context().close();
  await pilot.close();
});

test("an operation is called by a form that its descriptor makes, and what it answers is shown", async () => {
  const { page, faults } = await openConsole(browser, server);
  await go(page, "actors");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length > 6);
  // A pilot: of the second kind.
  await page.selectOption('select[aria-label="Kind"]', { label: "Pilot" });
  await page.waitForFunction(() => [...document.querySelectorAll("tbody tr")].every((row) => row.firstElementChild?.textContent === "Pilot"));
  await page.click("tbody tr");
  // What is kept of it, by name: the resources of its world.
  await page.waitForFunction(() => /berth.*sector.*profile.*name.*hue.*purse.*coins\d/s.test(document.querySelector('[data-part="state"]')?.textContent ?? ""));
  await page.selectOption('select[aria-label="Operation"]', "hold");
  await page.click("form button[type=submit]");
  await page.waitForFunction(() => /"coins"/.test(document.querySelector("form ~ pre")?.textContent ?? ""));
  // Its steps are noted from a moment after somebody looks: calls until then are not among them.
  await until(15_000, async () => {
    await page.click("form button[type=submit]:enabled");
    const shown = page.waitForFunction(() => /hold/.test(document.querySelector(".split > div table")?.textContent ?? ""), undefined, { timeout: 2_000 });
    return shown.then(() => true, () => undefined);
  });
  // One with fields: what does not fit is said with its place.
  await page.selectOption('select[aria-label="Operation"]', "enter_at");
  await page.fill("form input >> nth=1", "purple");
  const refused = page.waitForResponse((response) => response.url().endsWith("command/call"));
  await page.click("form button[type=submit]");
  assert.equal((await refused).status(), 400);
  await page.waitForFunction(() => /`arguments.hue` has to be a number of type u16/.test(document.querySelector(".toast.bad")?.textContent ?? ""));
  assert.deepEqual(faults.filter((text) => !text.includes("400")), []);
  await page.context().close();
});

test("a kicked player is told why, and the trail says who did it", async () => {
  const pilot = await Pilot.enter(browser, server.url, "Kicked");
  const { page, faults } = await openConsole(browser, server);
  await go(page, "audit");
  await page.fill('input[aria-label="Your name"]', "Ada");
  await go(page, "sessions");
  // The only one by a browser.
  const row = page.locator("tr", { hasText: "browser" }).filter({ hasText: "here" });
  await row.waitFor();
  await row.locator("button").click();
  await page.fill("dialog[open] input", "no reason at all");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".toast:not(.bad)");
  await pilot.until(10_000, "told why", () => document.body.innerText.includes("no reason at all"));
  await go(page, "audit");
  await page.waitForFunction(() => /Ada.*127\.0\.0\.1.*kick session [0-9a-f]{16}: no reason at all.*done/s.test(document.querySelector("tbody tr")?.textContent ?? ""));
  const file = readFileSync(join(server.data, "audit.jsonl"), "utf8");
  assert.match(file, /"who":"Ada"/);
  assert.match(file, /"done":true/);
  assert.deepEqual(faults, []);
  await page.context().close();
  await pilot.close();
});

test("a drained node takes no new players until it is told to", async () => {
  const { page, faults } = await openConsole(browser, server);
  await page.click("text=Drain");
  await page.click("dialog[open] >> text=Drain >> nth=-1");
  await page.waitForSelector('#state[data-state="warn"]');
  const context = await browser.newContext();
  const outside = await context.newPage();
  await outside.goto(server.url);
  await outside.fill("#start-name", "Late");
  await outside.click("#start-go");
  await outside.waitForFunction(() => document.body.innerText.includes("takes no new players") || document.body.innerText.includes("being emptied") || window.driftlight.connection() !== "connected");
  assert.equal(await outside.evaluate(() => window.driftlight.own()), undefined);
  await page.click("text=Take players again");
  await page.waitForSelector('#state[data-state="good"]');
  const pilot = await Pilot.enter(browser, server.url, "Early");
  await pilot.close();
  await context.close();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test("commands are taken from nobody without the token, and from no page elsewhere", async () => {
  const { console: address } = server.ready;
  const command = ["command/snapshot", {}];
  const plain = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  assert.equal((await ask(server, "command/snapshot", plain)).status, 401);
  assert.equal((await post("command/snapshot", {}, { authorization: "Bearer wrong" })).status, 401);
  for (const origin of [`http://${server.ready.web}`, "http://evil.example", "null"]) {
    const answer = await post("command/snapshot", {}, { origin });
    assert.equal(answer.status, 403, origin);
    assert.match(await answer.text(), /not from a page elsewhere/);
  }
  assert.equal((await post("command/snapshot", {}, { origin: `http://${address}` })).status, 200, String(command));
  assert.equal((await post("command/snapshot", { pad: "x".repeat(70_000) })).status, 413);
  assert.equal((await post("command/snapshot", {}, { "content-type": "text/plain" })).status, 415);
  assert.equal((await ask(server, "command/snapshot", { headers: { authorization: `Bearer ${server.ready.consoleToken}` } })).status, 405, "no GET");
});

test("the game's page cannot command, though the operator's browser has the cookie", async () => {
  const { page, url } = await openConsole(browser, server);
  await page.goto(server.url);
  const before = readFileSync(join(server.data, "audit.jsonl"), "utf8");
  // A form and a plain fetch need no leave of the other side; the cookie goes with both, since ports do not matter to it.
  await page.evaluate(async (url) => {
    await fetch(`${url}command/drain`, { method: "POST", mode: "no-cors", credentials: "include", body: '{"drain":true}' }).catch(() => {});
    await fetch(`${url}dead-letters/replay?kind=1&key=1&number=1`, { method: "POST", mode: "no-cors", credentials: "include" }).catch(() => {});
  }, url);
  await page.goto(url);
  await page.waitForSelector('#state[data-state="good"]');
  assert.equal(readFileSync(join(server.data, "audit.jsonl"), "utf8"), before);
  await page.context().close();
});

test("a script that somebody smuggles into a page does not run", async () => {
  const { page, faults } = await openConsole(browser, server);
  await page.evaluate(() => {
    document.body.insertAdjacentHTML("beforeend", "<img src='missing.png' onerror='window.smuggled = 1'>");
    const script = document.createElement("script");
    script.textContent = "window.smuggled = 2";
    document.body.append(script);
    const style = document.createElement("style");
    style.textContent = "body { display: none }";
    document.head.append(style);
  });
  await until(10_000, () => (faults.filter((text) => text.includes("Content Security Policy")).length >= 3 ? true : undefined));
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).smuggled), undefined);
  assert.equal(await page.isVisible("#bar"), true);
  await page.context().close();
});

// The last one: it ends the server.
test("what is stored of a player who is away is shown, and nobody comes to life by it", async () => {
  const pilot = await Pilot.enter(browser, server.url, "Away");
  let { page, faults } = await openConsole(browser, server);
  await go(page, "sessions");
  const row = page.locator("tr", { hasText: "browser" }).filter({ hasText: "here" });
  await row.waitFor();
  const key = (await row.locator("td").nth(1).textContent()) ?? "";
  await pilot.close();
  await page.context().close();
  await server.end();
  await server.run();
  ({ page, faults } = await openConsole(browser, server));
  await go(page, "actors");
  await page.selectOption('select[aria-label="Kind"]', { label: "Pilot" });
  await page.fill('input[aria-label="Key"]', key);
  await page.click("text=Look closer");
  await page.waitForFunction(() => /as it is stored.*It has no activation.*berth.*profile.*nameAway.*purse/s.test(document.querySelector('[data-part="state"]')?.textContent ?? ""));
  await page.screenshot({ path: `${SHOTS}console-away.png` });
  // Nobody has this one.
  await page.fill('input[aria-label="Key"]', "777");
  await page.click("text=Look closer");
  await page.waitForFunction(() => /Nothing is stored of it/.test(document.querySelector('[data-part="state"]')?.textContent ?? ""));
  assert.match((await page.textContent(".split .panel")) ?? "", /No such actor lives/);
  assert.deepEqual(faults, []);
  await page.context().close();
});
