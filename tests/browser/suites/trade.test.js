// @ts-check
/** Two pages trade with each other, against a real server. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { startBoth } from "../kit/both.js";
import { meet, mineOne, together } from "../kit/deeds.js";
import { Server, until } from "../kit/server.js";

/** @typedef {import("../kit/pilot.js").Pilot} Pilot */

const SHOTS = fileURLToPath(new URL("../../../target/pages/", import.meta.url));
const TEST_MS = 180_000;
/** Coins of a new pilot, and what a trade costs who offers. */
const GRANT = 100;
const FEE = 1;

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Server} */
let server;
/** @type {Pilot} */
let ada;
/** @type {Pilot} */
let bea;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  [browser, server] = await startBoth({ bots: 0 });
  [ada, bea] = await together(browser, server.url, "Ada", "Bea", { viewport: { width: 1280, height: 720 } });
  await meet(ada, bea);
  await near(ada, bea);
  for (const pilot of [ada, bea]) await rest(pilot);
}, { timeout: 120_000 });

after(async () => {
  await browser?.close();
  await server?.stop();
});

/**
 * A test that ends without errors in the console of a page.
 * @param {string} name
 * @param {() => Promise<void>} body
 */
function trade(name, body) {
  test(name, { timeout: TEST_MS }, async () => {
    try {
      await body();
      for (const pilot of [ada, bea]) assert.deepEqual(pilot.faults, [], `${pilot.name}'s console`);
    } catch (error) {
      await Promise.all([ada, bea].map((pilot, i) => pilot.page.screenshot({ path: `${SHOTS}failed-trade-${i}.png` }).catch(() => {})));
      console.log(server.log.slice(-3_000));
      throw error;
    }
  });
}

/**
 * Flies so near to another one that it is on the screen: ships are known from farther away.
 * @param {Pilot} pilot
 * @param {Pilot} other
 */
async function near(pilot, other) {
  await pilot.fly(60_000, () => other.own(), async (own) => {
    const there = await other.own();
    return there !== undefined && Math.hypot(there.x - own.x, there.y - own.y) < 250;
  });
}

/**
 * Brakes until the ship is at rest.
 * @param {Pilot} pilot
 */
async function rest(pilot) {
  await pilot.page.keyboard.down("KeyS");
  await pilot.until(10_000, "at rest", () => {
    const own = window.driftlight.own();
    return own !== undefined && Math.hypot(own.vx, own.vy) < 40;
  });
  await pilot.page.keyboard.up("KeyS");
}

/**
 * Waits until a page shows so many coins.
 * @param {Pilot} pilot
 * @param {number} coins
 */
async function has(pilot, coins) {
  await pilot.until(10_000, `having ${coins} coins`, (wanted) => window.driftlight.coins() === wanted, coins);
  assert.equal(await pilot.page.innerText("#purse-count"), String(coins));
}

/**
 * Waits until a page shows so many offers.
 * @param {Pilot} pilot
 * @param {number} toMe
 * @param {number} fromMe
 */
async function offers(pilot, toMe, fromMe) {
  await pilot.until(10_000, `showing ${toMe} and ${fromMe} offers`, (wanted) => {
    const cards = (/** @type {string} */ kind) => document.querySelectorAll(`.offer.${kind}`).length;
    return cards("to-me") === wanted[0] && cards("from-me") === wanted[1];
  }, [toMe, fromMe]);
}

/**
 * Waits until a page says something.
 * @param {Pilot} pilot
 * @param {string} text
 */
async function reads(pilot, text) {
  await pilot.until(10_000, `reading "${text}"`, (wanted) => document.querySelector("#lines")?.textContent?.includes(wanted), text);
}

/**
 * Taps on a ship until the panel is open: on a busy machine a tap may take as long as a drag, and the ship drifts away from it.
 * @param {Pilot} pilot
 * @param {string} name
 */
async function tap(pilot, name) {
  await until(10_000, async () => {
    const ship = (await pilot.entities()).find((entity) => entity.name === name);
    if (ship === undefined) return false;
    const at = await pilot.page.evaluate(([x, y]) => window.driftlight.shown(x, y), /** @type {[number, number]} */ ([ship.x, ship.y]));
    await pilot.page.mouse.click(at.x, at.y);
    return pilot.page.isVisible("#bid");
  });
}

/**
 * Coins, once they stay the same: a tap beside the ship may mine what lies there, which pays a coin seconds later.
 * @param {Pilot} pilot
 */
async function settled(pilot) {
  let [last, since] = [await coins(pilot), Date.now()];
  await until(30_000, async () => {
    const now = await coins(pilot);
    if (now !== last) [last, since] = [now, Date.now()];
    return Date.now() - since > 4_000;
  });
  return last;
}

/**
 * Fills the panel and offers.
 * @param {Pilot} pilot
 * @param {Record<string, number>} give coins, or ore by its hue
 * @param {Record<string, number>} want
 */
async function offer(pilot, give, want) {
  for (const [side, goods] of Object.entries({ give, want })) {
    for (const [of, amount] of Object.entries(goods)) {
      await pilot.page.fill(`#bid-rows input[data-side=${side}][data-hue="${of}"]`, String(amount));
    }
  }
  await pilot.page.click("#bid-offer");
}

trade("two pages trade coins, and each has what it traded for", async () => {
  for (const pilot of [ada, bea]) await has(pilot, GRANT);
  await ada.page.keyboard.press("KeyT");
  assert.equal(await ada.page.innerText("#bid-name"), "Bea");
  await ada.page.fill('#bid-rows input[data-side=give][data-hue="coins"]', "10");
  await ada.page.screenshot({ path: `${SHOTS}trade-panel.png` });
  await offer(ada, { coins: 10 }, { coins: 3 });
  await offers(ada, 0, 1);
  await offers(bea, 1, 0);
  await has(ada, GRANT - 10);
  await ada.page.screenshot({ path: `${SHOTS}trade-offered.png` });
  await bea.page.screenshot({ path: `${SHOTS}trade-came.png` });
  await bea.page.click('.offer.to-me [data-act="accept"]');
  await has(ada, GRANT - 10 + 3 - FEE);
  await has(bea, GRANT + 10 - 3);
  for (const pilot of [ada, bea]) await offers(pilot, 0, 0);
  await reads(ada, "Traded with Bea: you got 3 coins.");
  await reads(bea, "Traded with Ada: you got 10 coins.");
  await bea.page.screenshot({ path: `${SHOTS}trade-done.png` });
});

trade("what was cancelled or refused is in the hold again", async () => {
  // A tap on the ship opens the panel, too.
  await tap(ada, "Bea");
  const [before, others] = [await settled(ada), await coins(bea)];
  await offer(ada, { coins: 20 }, { coins: 1 });
  await has(ada, before - 20);
  await offers(bea, 1, 0);
  await ada.page.click('.offer.from-me [data-act="cancel"]');
  await has(ada, before);
  await offers(bea, 0, 0);
  await reads(bea, "Ada took the offer back.");
  await ada.page.keyboard.press("KeyT");
  await offer(ada, { coins: 30 }, { coins: 1 });
  await has(ada, before - 30);
  await offers(bea, 1, 0);
  await bea.page.click('.offer.to-me [data-act="refuse"]');
  await has(ada, before);
  await offers(ada, 0, 0);
  await reads(ada, "Bea refused. You have 30 coins back.");
  await has(bea, others);
});

trade("who cannot pay cannot accept, and an open offer is there again after the page was opened anew", async () => {
  const [before, others] = [await coins(ada), await coins(bea)];
  await ada.page.keyboard.press("KeyT");
  await offer(ada, { coins: 5 }, { coins: others + 1 });
  await offers(bea, 1, 0);
  assert.ok(await bea.page.isDisabled('.offer.to-me [data-act="accept"]'));
  await ada.page.reload();
  await ada.page.click("#start-go");
  await ada.inPlay(20_000);
  await offers(ada, 0, 1);
  await has(ada, before - 5);
  await ada.page.click('.offer.from-me [data-act="cancel"]');
  await has(ada, before);
  await offers(bea, 0, 0);
});

trade("mined ore is sold for coins", async () => {
  const ore = await mineOne(bea);
  assert.ok(ore > 0);
  const mined = await coins(bea);
  await meet(bea, ada);
  const [hue] = await bea.page.evaluate(() => [...document.querySelectorAll("#bid-rows input[data-side=give]:not(:disabled)")].map((input) => /** @type {HTMLElement} */ (input).dataset["hue"] ?? "").filter((name) => name !== "coins"));
  assert.ok(hue !== undefined);
  const before = await coins(ada);
  await bea.page.keyboard.press("KeyT");
  await offer(bea, { [hue]: 1 }, { coins: 7 });
  await offers(ada, 1, 0);
  await ada.page.click('.offer.to-me [data-act="accept"]');
  await has(ada, before - 7);
  await has(bea, mined + 7 - FEE);
  for (const [pilot, left] of /** @type {const} */ ([[ada, 1], [bea, ore - 1]])) {
    await pilot.until(5_000, `having ${left} ore`, (wanted) => window.driftlight.ore() === wanted, left);
  }
  await ada.page.screenshot({ path: `${SHOTS}trade-ore.png` });
});

/** @param {Pilot} pilot */
function coins(pilot) {
  return pilot.page.evaluate(() => window.driftlight.coins());
}
