// @ts-check
/**
 * Mining: which crystal, the beam to it, what came of it.
 *
 * Responsible for: choosing a crystal in reach, asking for it until the answer is known, drawing the beam.
 * Not responsible for: sending (`main.js` passes a function), counting ore (`hold.js`), drawing crystals (`crystals.js`).
 *
 * Invariants:
 * - I1: one crystal is asked for at a time.
 * - I2: after a lost connection the same crystal is asked for again: the server counts it once, however often it is asked.
 */

import { hsl } from "./colour.js";

/** How near a crystal must be, units; the sector decides. */
const REACH_UNITS = 120;
/** How near to a crystal a click counts, CSS pixels. */
const CLICK_PIXELS = 34;
/** An answer that never came is asked for again after this. */
const RETRY_MS = 700;
/** The beam fades so long after the answer. */
const FADE_MS = 650;

/** @typedef {import("./contracts.js").Mined} Mined */
/** @typedef {import("./contracts.js").MineRefused} MineRefused */
/** @typedef {import("./world.js").Body} Body */

/**
 * @typedef {object} Beam
 * @property {bigint} crystal
 * @property {number} x where it ends, units
 * @property {number} y
 * @property {number} hue
 * @property {"asking" | "kept" | "refused"} is
 * @property {number} until milliseconds
 */

export class Mining {
  /**
   * @param {(crystal: bigint) => Promise<{ok: Mined} | {err: MineRefused}>} ask
   * @param {{mined: (mined: Mined) => void, note: (text: string) => void}} events
   */
  constructor(ask, events) {
    this.ask = ask;
    this.events = events;
    /** @type {Beam | undefined} */
    this.beam = undefined;
    this.asking = false;
  }

  /**
   * Mines the nearest crystal.
   * @param {import("./world.js").World} world
   */
  nearest(world) {
    const found = this.#inReach(world).sort((one, other) => one.far - other.far)[0];
    if (found === undefined) this.events.note("No crystal within reach: fly nearer.");
    else this.#mine(found.body);
  }

  /**
   * Mines the crystal under a point of the screen, if there is one in reach.
   * @param {import("./world.js").World} world
   * @param {import("./camera.js").Camera} camera
   * @param {number} x CSS pixels
   * @param {number} y CSS pixels
   */
  at(world, camera, x, y) {
    const found = this.#inReach(world).find(({ body }) => Math.hypot(camera.screenX(body.x) - x, camera.screenY(body.y) - y) < CLICK_PIXELS);
    if (found !== undefined) this.#mine(found.body);
  }

  /** @param {import("./world.js").World} world */
  #inReach(world) {
    const own = world.own;
    if (own === undefined) return [];
    return world.bodies
      .filter((body) => body.look === "crystal" && body.present)
      .map((body) => ({ body, far: Math.hypot(body.x - own.x, body.y - own.y) }))
      .filter(({ far }) => far <= REACH_UNITS);
  }

  /** @param {Body} body */
  #mine(body) {
    if (this.asking) return;
    this.asking = true;
    this.beam = { crystal: body.id, x: body.x, y: body.y, hue: body.hue, is: "asking", until: Infinity };
    void this.#settle(this.beam);
  }

  /** @param {Beam} beam */
  async #settle(beam) {
    for (;;) {
      try {
        const answer = await this.ask(beam.crystal);
        const refused = "err" in answer ? answer.err : undefined;
        if (refused === "Unavailable" || refused === "NotAboard") throw new Error(refused);
        beam.is = "ok" in answer ? "kept" : "refused";
        if ("ok" in answer) this.events.mined(answer.ok);
        else this.events.note(words(answer.err));
        break;
      } catch {
        // Nobody knows whether it was counted: the connection broke, or the server is starting. Asking again tells.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    beam.until = performance.now() + FADE_MS;
    this.asking = false;
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {Body | undefined} own
   * @param {number} now milliseconds
   */
  draw(screen, camera, own, now) {
    const beam = this.beam;
    if (beam === undefined || own === undefined) return;
    const left = beam.is === "asking" ? 1 : (beam.until - now) / FADE_MS;
    if (left <= 0) {
      this.beam = undefined;
      return;
    }
    const context = screen.context;
    const [x, y] = [camera.screenX(own.x), camera.screenY(own.y)];
    const [toX, toY] = [camera.screenX(beam.x), camera.screenY(beam.y)];
    const light = beam.is === "refused" ? 0.25 * left : left;
    context.globalCompositeOperation = "lighter";
    context.lineCap = "round";
    for (const [width, strength] of /** @type {const} */ ([[9, 0.16], [4, 0.4], [1.4, 0.95]])) {
      context.globalAlpha = light * strength * (0.85 + 0.15 * Math.sin(now * 0.04));
      context.strokeStyle = hsl(beam.hue, 95, width < 2 ? 92 : 66);
      context.lineWidth = width * camera.scale;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(toX, toY);
      context.stroke();
    }
    if (beam.is === "kept") {
      context.globalAlpha = left;
      context.lineWidth = 2 * camera.scale;
      context.beginPath();
      context.arc(toX, toY, (8 + 46 * (1 - left)) * camera.scale, 0, Math.PI * 2);
      context.stroke();
    }
    screen.reset();
  }
}

/**
 * @param {MineRefused} why
 * @returns {string}
 */
function words(why) {
  switch (why) {
    case "Spent":
      return "Somebody else was quicker.";
    case "OutOfReach":
      return "Too far away: fly nearer.";
    case "Gone":
    case "NotAboard":
    case "Unavailable":
    case "Other":
      return "That crystal is gone.";
  }
}
