// @ts-check
/**
 * Pilots: pages that play the game against a real server.
 *
 * Responsible for: entering, flying by keys, reading the page's hook, noticing console errors.
 * Not responsible for: what tests promise.
 */

import { until } from "./server.js";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {{id: string, x: number, y: number, yaw: number, name: string, look: string, own: boolean}} Place */

const ENTER_MS = 20_000;
/** What Chromium itself prints about a server that is down: expected while one is killed. */
const NETWORK_NOISE = /Failed to load resource|ERR_CONNECTION|ERR_QUIC|Failed to establish a connection|WebTransport/;

export class Pilot {
  /**
   * Opens the game in a browser profile of its own and enters.
   * @param {import("playwright-core").Browser} browser
   * @param {string} url
   * @param {string} name
   * @param {{token?: string, viewport?: {width: number, height: number}}} [options]
   */
  static async enter(browser, url, name, options = {}) {
    const context = await browser.newContext({ viewport: options.viewport ?? { width: 800, height: 450 } });
    const page = await context.newPage();
    if (options.token !== undefined) {
      await page.addInitScript((token) => sessionStorage.setItem("driftlight.token", token), options.token);
    }
    const pilot = new Pilot(page, name);
    await page.goto(url);
    await page.fill("#start-name", name);
    await page.click("#start-go");
    await pilot.inPlay(ENTER_MS);
    return pilot;
  }

  /**
   * @param {Page} page
   * @param {string} name
   */
  constructor(page, name) {
    this.page = page;
    this.name = name;
    /** @type {string[]} */
    this.errors = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(`${error.name}: ${error.message}\n${error.stack ?? ""}`));
  }

  /** Errors of the page itself, without what the browser says about a server that is down. */
  get faults() {
    return this.errors.filter((text) => !NETWORK_NOISE.test(text));
  }

  /**
   * Waits until the own ship is seen.
   * @param {number} ms
   */
  async inPlay(ms) {
    await this.until(ms, "in play", () => window.driftlight.connection() === "connected" && window.driftlight.own() !== undefined && window.driftlight.sector() !== "" && document.querySelector("#start:is(.leaving, .hidden)") !== null);
  }

  /**
   * Waits for a condition in the page.
   * @param {number} ms
   * @param {string} what
   * @param {(...args: any[]) => unknown} condition
   * @param {unknown} [argument]
   */
  async until(ms, what, condition, argument) {
    try {
      await this.page.waitForFunction(condition, argument, { timeout: ms, polling: 50 });
    } catch {
      const state = await this.page.evaluate(() => ({ connection: window.driftlight.connection(), own: window.driftlight.own(), zone: window.driftlight.zone(), text: document.body.innerText.slice(0, 300) }));
      throw new Error(`${this.name}: not ${what} within ${ms} ms: ${JSON.stringify(state)}; ${this.errors.slice(-5).join(" | ")}`);
    }
  }

  /** @returns {Promise<Place | undefined>} the own ship */
  own() {
    return this.page.evaluate(() => window.driftlight.own());
  }

  /** @returns {Promise<Place>} the own ship, once it is seen */
  here() {
    return until(5_000, () => this.own());
  }

  /** @returns {Promise<Place[]>} */
  entities() {
    return this.page.evaluate(() => window.driftlight.entities());
  }

  /** @returns {Promise<number>} ore in the hold */
  ore() {
    return this.page.evaluate(() => window.driftlight.ore());
  }

  /** @returns {Promise<string>} key of the zone */
  zone() {
    return this.page.evaluate(() => window.driftlight.zone());
  }

  /** @returns {Promise<{x: number, y: number, radius: number, name: string}[]>} */
  gates() {
    return this.page.evaluate(() => window.driftlight.gates());
  }

  /**
   * Flies by keys until a condition holds.
   * @param {number} ms at most
   * @param {() => Promise<{x: number, y: number} | undefined>} target where to
   * @param {(own: Place) => Promise<boolean> | boolean} arrived
   */
  async fly(ms, target, arrived) {
    const keyboard = this.page.keyboard;
    /** @type {Set<string>} */
    let held = new Set();
    const hold = async (/** @type {Set<string>} */ wanted) => {
      for (const key of held) if (!wanted.has(key)) await keyboard.up(key);
      for (const key of wanted) if (!held.has(key)) await keyboard.down(key);
      held = wanted;
    };
    try {
      await until(ms, async () => {
        const own = await this.own();
        if (own !== undefined && (await arrived(own))) return true;
        const goal = await target();
        if (own === undefined || goal === undefined) return undefined;
        let off = Math.atan2(goal.y - own.y, goal.x - own.x) - own.yaw;
        off -= Math.round(off / (2 * Math.PI)) * 2 * Math.PI;
        const wanted = new Set(Math.abs(off) < 0.9 ? ["KeyW"] : []);
        if (off > 0.15) wanted.add("KeyA");
        if (off < -0.15) wanted.add("KeyD");
        await hold(wanted);
        return undefined;
      });
    } finally {
      await hold(new Set());
    }
  }

  /** Leaves. */
  async close() {
    await this.page.context().close();
  }
}
