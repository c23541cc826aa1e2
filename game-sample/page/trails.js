// @ts-check
/**
 * The light that ships leave behind.
 *
 * Responsible for: a short memory of places per ship and drawing it as a fading ribbon. Not responsible for: flames.
 */

import { hsl } from "./colour.js";

/** Places remembered; at {@link SAMPLE_MS} apart they make a trail of about a second. */
const PLACES = 22;
const SAMPLE_MS = 45;
/** A step longer than this is a jump (a gate, a new view): the trail starts again. */
const JUMP_UNITS = 90;

export class Trail {
  constructor() {
    this.x = new Float32Array(PLACES);
    this.y = new Float32Array(PLACES);
    /** How strongly the engine burned there, 0 to 1. */
    this.burn = new Float32Array(PLACES);
    this.count = 0;
    this.newest = 0;
    this.sampledAt = 0;
  }

  /**
   * Remembers a place.
   * @param {number} x
   * @param {number} y
   * @param {number} burn 0 to 1
   * @param {number} now milliseconds
   */
  add(x, y, burn, now) {
    if (now - this.sampledAt < SAMPLE_MS && this.count > 0) return;
    if (this.count > 0) {
      const dx = x - /** @type {number} */ (this.x[this.newest]);
      const dy = y - /** @type {number} */ (this.y[this.newest]);
      if (Math.hypot(dx, dy) > JUMP_UNITS) this.count = 0;
    }
    this.sampledAt = now;
    this.newest = (this.newest + 1) % PLACES;
    this.x[this.newest] = x;
    this.y[this.newest] = y;
    this.burn[this.newest] = burn;
    this.count = Math.min(PLACES, this.count + 1);
  }

  /**
   * Strokes the ribbon from the engine backwards; the caller sets compositing.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./camera.js").Camera} camera
   * @param {{x: number, y: number}} engine where it starts, units
   * @param {{hue: number, width: number, light: number}} look width in CSS pixels, light 0 to 1
   */
  draw(context, camera, engine, look) {
    const strength = look.light * (0.1 + 0.9 * this.#meanBurn());
    if (this.count < 3 || strength < 0.02) return;
    const fromX = camera.screenX(engine.x);
    const fromY = camera.screenY(engine.y);
    const oldest = (this.newest - this.count + 1 + PLACES) % PLACES;
    const toX = camera.screenX(/** @type {number} */ (this.x[oldest]));
    const toY = camera.screenY(/** @type {number} */ (this.y[oldest]));
    // A ship at rest has its whole trail in one place: there is nothing to see.
    if (Math.abs(toX - fromX) + Math.abs(toY - fromY) < 4) return;
    const fade = context.createLinearGradient(fromX, fromY, toX, toY);
    fade.addColorStop(0, hsl(look.hue, 100, 72, strength));
    fade.addColorStop(0.22, hsl(look.hue, 96, 62, strength * 0.5));
    fade.addColorStop(0.6, hsl(look.hue, 94, 56, strength * 0.16));
    fade.addColorStop(1, hsl(look.hue, 92, 52, 0));
    context.strokeStyle = fade;
    context.beginPath();
    context.moveTo(fromX, fromY);
    for (let i = 0; i < this.count; i += 1) {
      const at = (this.newest - i + PLACES) % PLACES;
      context.lineTo(camera.screenX(/** @type {number} */ (this.x[at])), camera.screenY(/** @type {number} */ (this.y[at])));
    }
    context.lineWidth = look.width;
    context.stroke();
    context.lineWidth = look.width * 0.34;
    context.stroke();
  }

  #meanBurn() {
    let sum = 0;
    for (let i = 0; i < this.count; i += 1) sum += /** @type {number} */ (this.burn[(this.newest - i + PLACES) % PLACES]);
    return this.count === 0 ? 0 : sum / this.count;
  }
}
