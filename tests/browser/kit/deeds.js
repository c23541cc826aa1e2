// @ts-check
/**
 * What pilots do in more than one test: entering together, meeting, mining.
 *
 * Responsible for: flying there by keys. Not responsible for: what tests promise.
 */

import { Pilot } from "./pilot.js";
import { until } from "./server.js";

/** Where a pilot starts follows from its token, one of five sectors. */
const TRIES_MAX = 30;

/**
 * Two pilots in one sector: tokens are tried until two agree.
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @param {string} name
 * @param {string} otherName
 * @param {{viewport?: {width: number, height: number}}} [options]
 * @returns {Promise<[Pilot, Pilot]>}
 */
export async function together(browser, url, name, otherName, options = {}) {
  const one = await Pilot.enter(browser, url, name, options);
  const zone = await one.zone();
  for (let i = 0; i < TRIES_MAX; i += 1) {
    const other = await Pilot.enter(browser, url, otherName, { ...options, token: `${otherName}-${Math.random()}` });
    if ((await other.zone()) === zone) return [one, other];
    await other.close();
  }
  throw new Error(`no two pilots in one sector in ${TRIES_MAX} tries`);
}

/**
 * Brings a pilot so near to another that they see each other.
 * @param {Pilot} one
 * @param {Pilot} other
 */
export async function meet(one, other) {
  const target = () => other.own();
  await one.fly(40_000, target, async () => (await seenBy(one, other.name)) && (await seenBy(other, one.name)));
}

/**
 * @param {Pilot} pilot
 * @param {string} name
 */
export async function seenBy(pilot, name) {
  return (await pilot.entities()).some((entity) => entity.name === name);
}

/**
 * Flies to the nearest crystal and mines it by key.
 * @param {Pilot} pilot
 * @returns {Promise<number>} ore afterwards
 */
export async function mineOne(pilot) {
  const before = await pilot.ore();
  const nearest = async () => {
    const own = await pilot.own();
    const crystals = (await pilot.entities()).filter((entity) => entity.look === "crystal");
    if (own === undefined) return undefined;
    const far = (/** @type {{x: number, y: number}} */ crystal) => Math.hypot(crystal.x - own.x, crystal.y - own.y);
    return crystals.sort((one, other) => far(one) - far(other))[0] ?? { x: 0, y: 0 };
  };
  await pilot.fly(60_000, nearest, async (own) => {
    const crystal = await nearest();
    if (crystal === undefined || Math.hypot(crystal.x - own.x, crystal.y - own.y) > 100) return false;
    await pilot.page.keyboard.press("KeyE");
    return until(1_500, async () => ((await pilot.ore()) > before ? true : undefined)).catch(() => false);
  });
  return pilot.ore();
}
