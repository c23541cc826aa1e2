// @ts-check
/**
 * The light that ships leave behind.
 *
 * Responsible for: a short memory of places per ship and drawing it as a fading ribbon. Not responsible for: flames.
 */

/** Places remembered; at {@link SAMPLE_MS} apart they make a trail of about a second. */
const PLACES = 22;
const SAMPLE_MS = 45;
/** A step longer than this is a jump (a gate, a new view): the trail starts again. */
const JUMP_UNITS = 90;
/** The ribbon is stroked in this many pieces, each fainter and thinner. */
const PIECES = 7;

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
   * Strokes the ribbon from the engine backwards; the caller sets colour and compositing.
   * @param {CanvasRenderingContext2D} context
   * @param {import("./camera.js").Camera} camera
   * @param {number} x where it starts, units
   * @param {number} y
   * @param {number} width CSS pixels at the engine
   * @param {number} light 0 to 1
   */
  draw(context, camera, x, y, width, light) {
    if (this.count < 3) return;
    const piece = Math.ceil(this.count / PIECES);
    let fromX = camera.screenX(x);
    let fromY = camera.screenY(y);
    for (let start = 0; start < this.count; start += piece) {
      const share = start / this.count;
      const burn = /** @type {number} */ (this.burn[(this.newest - start + PLACES) % PLACES]);
      const strength = light * (1 - share) ** 1.7 * (0.12 + 0.88 * burn);
      const end = Math.min(this.count, start + piece);
      if (strength > 0.015) {
        context.globalAlpha = strength;
        context.lineWidth = Math.max(0.6, width * (1 - 0.75 * share));
        context.beginPath();
        context.moveTo(fromX, fromY);
      }
      for (let i = start; i < end; i += 1) {
        const at = (this.newest - i + PLACES) % PLACES;
        fromX = camera.screenX(/** @type {number} */ (this.x[at]));
        fromY = camera.screenY(/** @type {number} */ (this.y[at]));
        if (strength > 0.015) context.lineTo(fromX, fromY);
      }
      if (strength > 0.015) context.stroke();
    }
  }
}
