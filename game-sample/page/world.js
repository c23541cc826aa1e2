// @ts-check
/**
 * What the page knows of the sector: bodies in view, gates, the own ship.
 *
 * Responsible for: turning the client's view into bodies with looks, fading them in and out, flight derived from motion.
 * Not responsible for: networking (`session.js`), drawing.
 *
 * Invariants:
 * - I1: a body's place is the view's interpolated place of this frame, never changed afterwards.
 * - I2: a body that left the view only fades; it is not counted, not clickable, not in the frame log.
 */

import { Label, Pose } from "./contracts.js";
import { chanceOf } from "./noise.js";
import { Trail } from "./trails.js";

/** @typedef {import("/lightmoon/index.js").ClientView} ClientView */
/** @typedef {import("/lightmoon/index.js").Entity} Entity */

/** @typedef {"ship" | "drifter" | "crystal" | "spent"} Look */

/**
 * @typedef {object} Gate
 * @property {number} x
 * @property {number} y
 * @property {number} radius
 * @property {string} name
 * @property {number} hue
 */

/** What `Pose.thrust` says. */
const Burn = { drifts: 0, thrusts: 1, brakes: 2, boosts: 3 };

/** Milliseconds of fading in and out. */
const FADE_IN_MS = 350;
const FADE_OUT_MS = 260;

/** Something in view. Units, radians, units per second. */
export class Body {
  /**
   * @param {bigint} id
   */
  constructor(id) {
    this.id = id;
    /** A number of [0, 1) that is always the same for this entity. */
    this.phase = chanceOf(id);
    this.shape = Math.floor(this.phase * 3);
    /** @type {Look} */
    this.look = "ship";
    this.name = "";
    this.hue = 200;
    this.own = false;
    this.x = 0;
    this.y = 0;
    this.yaw = 0;
    /** How strongly the engine burns, 0 to 1, smoothed. */
    this.burn = 0;
    this.boosting = false;
    this.vx = 0;
    this.vy = 0;
    /** 0 is invisible, 1 fully there. */
    this.light = 0;
    this.placed = false;
    this.present = true;
    this.trail = new Trail();
  }
}

export class World {
  constructor() {
    /** @type {Map<bigint, Body>} */
    this.byId = new Map();
    /** @type {Body[]} all bodies to draw, the own one last */
    this.bodies = [];
    /** @type {Body | undefined} */
    this.own = undefined;
    /** @type {{name: string, hue: number, halfSize: number, gates: Gate[]}} */
    this.sector = { name: "", hue: 214, halfSize: 1000, gates: [] };
    this.ships = 0;
    this.others = 0;
  }

  /** Forgets all bodies: another sector, another life. */
  clear() {
    this.byId.clear();
    this.bodies = [];
    this.own = undefined;
  }

  /**
   * Takes over this frame's view.
   * @param {ClientView} view already moved to this frame's time
   * @param {bigint} avatar id of the own ship; 0 is none
   * @param {number} now milliseconds
   * @param {number} seconds since the last frame
   */
  update(view, avatar, now, seconds) {
    for (const body of this.byId.values()) body.present = false;
    this.ships = 0;
    this.others = 0;
    for (const entity of view.entities()) this.#take(entity, avatar, now, seconds);
    this.own = undefined;
    for (const body of this.byId.values()) {
      if (body.present) {
        body.light = Math.min(1, body.light + (seconds * 1000) / FADE_IN_MS);
        if (body.own) this.own = body;
      } else {
        body.light -= (seconds * 1000) / FADE_OUT_MS;
        if (body.light <= 0) this.byId.delete(body.id);
      }
    }
    this.bodies = [...this.byId.values()].filter((body) => body.placed);
    if (this.own !== undefined) {
      const own = this.own;
      this.bodies = this.bodies.filter((body) => body !== own);
      this.bodies.push(own);
    }
  }

  /**
   * @param {Entity} entity
   * @param {bigint} avatar
   * @param {number} now
   * @param {number} seconds
   */
  #take(entity, avatar, now, seconds) {
    const pose = entity.sample(Pose);
    if (pose === undefined) return;
    let body = this.byId.get(entity.id);
    if (body === undefined) {
      body = new Body(entity.id);
      this.byId.set(entity.id, body);
    }
    body.present = true;
    body.own = entity.id === avatar;
    const label = entity.get(Label);
    if (label !== undefined) {
      body.name = label.name;
      body.hue = label.hue;
      body.look = lookOf(label.role);
    }
    if (body.look === "ship") this.ships += 1;
    else this.others += 1;
    this.#move(body, pose, now, seconds);
  }

  /**
   * @param {Body} body
   * @param {{x: number, y: number, yaw: number, thrust: number}} pose
   * @param {number} now
   * @param {number} seconds
   */
  #move(body, pose, now, seconds) {
    if (body.placed && seconds > 0) {
      const soft = 1 - Math.exp(-seconds * 9);
      body.vx += ((pose.x - body.x) / seconds - body.vx) * soft;
      body.vy += ((pose.y - body.y) / seconds - body.vy) * soft;
    }
    body.placed = true;
    body.x = pose.x;
    body.y = pose.y;
    body.yaw = pose.yaw;
    body.boosting = pose.thrust === Burn.boosts;
    const burn = body.boosting ? 1 : pose.thrust === Burn.thrusts ? 0.8 : 0;
    body.burn += (burn - body.burn) * (1 - Math.exp(-seconds * 14));
    if (body.look === "ship") {
      body.trail.add(body.x - Math.cos(body.yaw) * 9, body.y - Math.sin(body.yaw) * 9, body.burn, now);
    }
  }

  /**
   * The body that a chat line floats over: of this name and hue, nearest to the own ship.
   * @param {string} name
   * @param {number} hue
   */
  named(name, hue) {
    /** @type {Body | undefined} */
    let best;
    let bestFar = Infinity;
    for (const body of this.bodies) {
      if (body.name !== name || body.hue !== hue || !body.present) continue;
      const far = this.own === undefined ? 0 : Math.hypot(body.x - this.own.x, body.y - this.own.y);
      if (far < bestFar) {
        best = body;
        bestFar = far;
      }
    }
    return best;
  }
}

/**
 * @param {import("./contracts.js").Role} role
 * @returns {Look}
 */
function lookOf(role) {
  switch (role) {
    case "Drifter":
      return "drifter";
    case "Crystal":
      return "crystal";
    case "Spent":
      return "spent";
    case "Player":
    case "Other":
      return "ship";
  }
}
