// @ts-check
/**
 * The canvas that fills the window.
 *
 * Responsible for: its size in device pixels, the transform of CSS pixels, placing sprites.
 * Not responsible for: what is where in the world (`camera.js`).
 *
 * Invariant: between two drawings the transform is CSS pixels, alpha 1 and plain compositing.
 */

/** More pixels than this per CSS pixel cost time and cannot be seen in motion. */
const DENSITY_MAX = 2;

/** Fewer than this per CSS pixel look washed out; then rather a slow picture. */
const DENSITY_MIN = 0.7;

/** @typedef {import("./sprites.js").Sprite} Sprite */

export class Screen {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    /** CSS pixels. */
    this.width = 0;
    this.height = 0;
    /** Device pixels per CSS pixel. */
    this.density = 1;
    this.densityMax = DENSITY_MAX;
    this.resize();
    window.addEventListener("resize", () => this.resize());
  }

  /** Follows the size of the window. */
  resize() {
    this.density = Math.min(window.devicePixelRatio || 1, this.densityMax);
    this.width = window.innerWidth;
    this.height = window.innerHeight;
    this.canvas.width = Math.round(this.width * this.density);
    this.canvas.height = Math.round(this.height * this.density);
    this.reset();
  }

  /**
   * Draws fewer pixels from here on.
   * @param {number} share of the present density
   */
  coarsen(share) {
    const density = Math.max(DENSITY_MIN, this.density * share);
    if (density === this.density) return;
    this.densityMax = density;
    this.resize();
  }

  /** Back to CSS pixels, alpha 1, plain compositing. */
  reset() {
    const context = this.context;
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    context.globalAlpha = 1;
    context.globalCompositeOperation = "source-over";
  }

  /**
   * Makes (x, y) the origin, turned and scaled.
   * @param {number} x CSS pixels
   * @param {number} y CSS pixels
   * @param {number} angle radians, clockwise on screen
   * @param {number} scale
   */
  place(x, y, angle, scale) {
    const d = this.density;
    const cos = Math.cos(angle) * scale * d;
    const sin = Math.sin(angle) * scale * d;
    this.context.setTransform(cos, sin, -sin, cos, x * d, y * d);
  }

  /**
   * Draws a sprite with its middle at (x, y).
   * @param {Sprite} sprite
   * @param {number} x
   * @param {number} y
   * @param {number} angle radians, clockwise on screen
   * @param {number} scale
   */
  sprite(sprite, x, y, angle, scale) {
    this.place(x, y, angle, scale);
    this.context.drawImage(sprite.canvas, -sprite.width / 2, -sprite.height / 2, sprite.width, sprite.height);
  }
}

/**
 * A place on whole device pixels: copying pictures there needs no interpolation, which is several times faster.
 * @param {Screen} screen
 * @param {number} place CSS pixels
 */
export function snapped(screen, place) {
  return Math.round(place * screen.density) / screen.density;
}
