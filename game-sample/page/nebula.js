// @ts-check
/**
 * The clouds behind everything, tinted by the sector.
 *
 * Responsible for: painting one picture per sector from noise, a few milliseconds a frame, and drawing it far away.
 * Not responsible for: stars (`stars.js`).
 *
 * The picture is painted in slices so that passing a gate does not cost a frame; until it is done the old one stays, then
 * both are faded over.
 */

import { hsl, rgb } from "./colour.js";
import { layered, smoothNoise } from "./noise.js";
import { snapped } from "./screen.js";

/** Pixels of the painted picture; it is soft, so it may be stretched over the whole window. */
const WIDE = 400;
const HIGH = 260;
/** Painting takes this much of a frame. */
const PAINT_MS = 2.5;
/** How much of the camera's way the clouds follow. */
const PARALLAX = 0.07;
/** Seconds of the fade from one sector's clouds to the next. */
const FADE_SECONDS = 1.4;

/**
 * @typedef {object} Picture
 * @property {HTMLCanvasElement} painted
 * @property {HTMLCanvasElement} fitted stretched for the window, so that each frame only copies it
 */

export class Nebula {
  constructor() {
    /** @type {Picture | undefined} */
    this.shown = undefined;
    /** @type {Picture | undefined} */
    this.fading = undefined;
    this.fade = 1;
    /** @type {Generator<void, HTMLCanvasElement> | undefined} */
    this.painting = undefined;
    this.hue = 0;
  }

  /**
   * Starts the clouds of a sector.
   * @param {number} hue degrees
   * @param {number} seed
   * @param {boolean} [atOnce] paint it now, for the first picture
   */
  tint(hue, seed, atOnce = false) {
    this.hue = hue;
    this.painting = paint(hue, seed);
    while (atOnce && this.painting !== undefined) this.#paintOn();
  }

  #paintOn() {
    if (this.painting === undefined) return;
    const until = performance.now() + PAINT_MS;
    let step = this.painting.next();
    while (step.done !== true && performance.now() < until) step = this.painting.next();
    if (step.done !== true) return;
    this.painting = undefined;
    this.fading = this.shown;
    this.fade = this.fading === undefined ? 1 : 0;
    this.shown = { painted: step.value, fitted: document.createElement("canvas") };
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {number} seconds since the last frame
   */
  draw(screen, camera, seconds) {
    this.#paintOn();
    this.fade = Math.min(1, this.fade + seconds / FADE_SECONDS);
    const context = screen.context;
    const reach = 1150 * camera.farScale * PARALLAX;
    const width = Math.ceil(Math.max(screen.width + 2 * reach, ((screen.height + 2 * reach) * WIDE) / HIGH));
    const height = Math.ceil((width * HIGH) / WIDE);
    const x = snapped(screen, screen.width / 2 - width / 2 - camera.x * camera.farScale * PARALLAX);
    const y = snapped(screen, screen.height / 2 - height / 2 + camera.y * camera.farScale * PARALLAX);
    if (this.fade >= 1) this.fading = undefined;
    const under = this.fading ?? this.shown;
    if (under === undefined) {
      context.fillStyle = "#04050b";
      context.fillRect(0, 0, screen.width, screen.height);
      return;
    }
    context.drawImage(fitted(under, width, height), x, y);
    if (this.fading !== undefined && this.shown !== undefined) {
      context.globalAlpha = this.fade;
      context.drawImage(fitted(this.shown, width, height), x, y);
      context.globalAlpha = 1;
    }
  }
}

/**
 * The picture in the size that the window needs; stretched again only when that changes.
 * @param {Picture} picture
 * @param {number} width
 * @param {number} height
 */
function fitted(picture, width, height) {
  const canvas = picture.fitted;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    context.imageSmoothingQuality = "high";
    context.drawImage(picture.painted, 0, 0, width, height);
  }
  return canvas;
}

/**
 * Paints the clouds of one sector.
 * @param {number} hue
 * @param {number} seed
 * @returns {Generator<void, HTMLCanvasElement>}
 */
function* paint(hue, seed) {
  const canvas = document.createElement("canvas");
  canvas.width = WIDE;
  canvas.height = HIGH;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(WIDE, HIGH);
  const noise = smoothNoise(seed);
  const cloud = rgb(hue, 0.66, 0.34);
  const ember = rgb(hue + 34, 0.72, 0.5);
  const shade = rgb(hue - 62, 0.6, 0.3);
  for (let row = 0; row < HIGH; row += 1) {
    yield;
    for (let column = 0; column < WIDE; column += 1) {
      const u = column / HIGH;
      const v = row / HIGH;
      // Two warps of the plane make the wisps; without them noise looks like noise.
      const bendX = layered(noise, u * 2.1 + 3, v * 2.1, 3);
      const bendY = layered(noise, u * 2.1, v * 2.1 + 40, 3);
      const density = layered(noise, u * 2.6 + bendX * 2.4, v * 2.6 + bendY * 2.4, 5);
      const veil = layered(noise, u * 1.3 + 90 + bendY, v * 1.3 + bendX, 4);
      const lane = layered(noise, u * 4.2 + bendY * 1.8 + 160, v * 4.2 + bendX * 1.8, 4);
      const thick = smooth(0.4, 0.95, density) * smooth(0.38, 0.74, veil);
      const hot = smooth(0.6, 0.92, density) ** 2 * smooth(0.46, 0.76, veil);
      const deep = smooth(0.34, 0.74, veil) * 0.5;
      const dark = 1 - 0.8 * smooth(0.46, 0.66, lane);
      const at = (row * WIDE + column) * 4;
      for (let c = 0; c < 3; c += 1) {
        const base = c === 2 ? 13 : c === 1 ? 7 : 6;
        const light =
          /** @type {number} */ (cloud[c]) * thick * 0.7 +
          /** @type {number} */ (ember[c]) * hot * 0.55 +
          /** @type {number} */ (shade[c]) * deep * 0.5;
        // A grain of noise keeps the dark slopes from showing bands.
        image.data[at + c] = base + light * dark + (((column * 73 + row * 151 + c * 37) % 7) - 3) * 0.5;
      }
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  shine(context, hue, seed);
  return canvas;
}

/**
 * A far sun in the clouds.
 * @param {CanvasRenderingContext2D} context
 * @param {number} hue
 * @param {number} seed
 */
function shine(context, hue, seed) {
  const x = WIDE * (0.25 + ((seed * 7) % 50) / 100);
  const y = HIGH * (0.25 + ((seed * 13) % 40) / 100);
  context.globalCompositeOperation = "lighter";
  const light = context.createRadialGradient(x, y, 0, x, y, HIGH * 0.62);
  light.addColorStop(0, hsl(hue + 24, 95, 86, 0.8));
  light.addColorStop(0.012, hsl(hue + 22, 95, 78, 0.42));
  light.addColorStop(0.05, hsl(hue + 14, 92, 68, 0.2));
  light.addColorStop(0.16, hsl(hue + 8, 90, 60, 0.09));
  light.addColorStop(0.45, hsl(hue, 85, 50, 0.035));
  light.addColorStop(1, hsl(hue, 80, 45, 0));
  context.fillStyle = light;
  context.fillRect(0, 0, WIDE, HIGH);
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} value
 */
function smooth(from, to, value) {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}
