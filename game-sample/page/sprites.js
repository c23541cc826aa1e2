// @ts-check
/**
 * Pictures drawn once and copied each frame.
 *
 * Responsible for: off-screen canvases, soft glows, lettering, bounded caches.
 * Not responsible for: the looks of ships, gates and the rest (their own modules draw them).
 */

import { hsl, steppedHue } from "./colour.js";

/**
 * @typedef {object} Sprite
 * @property {HTMLCanvasElement} canvas
 * @property {number} width in the units it was drawn in
 * @property {number} height
 */

/** Sprites are drawn this much finer than their unit, for screens of two pixels per CSS pixel. */
const FINENESS = 2;

/**
 * Draws a sprite; the origin of `draw` is its middle.
 * @param {number} width
 * @param {number} height
 * @param {(context: CanvasRenderingContext2D) => void} draw
 * @param {number} [fineness] pixels per unit
 * @returns {Sprite}
 */
export function makeSprite(width, height, draw, fineness = FINENESS) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * fineness);
  canvas.height = Math.ceil(height * fineness);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(fineness, 0, 0, fineness, canvas.width / 2, canvas.height / 2);
  draw(context);
  return { canvas, width, height };
}

/**
 * A cache of sprites by key that forgets the one unused longest.
 * @template K
 */
export class SpriteCache {
  /**
   * @param {number} most sprites kept
   * @param {(key: K) => Sprite} make
   */
  constructor(most, make) {
    this.most = most;
    this.make = make;
    /** @type {Map<K, Sprite>} in order of last use */
    this.sprites = new Map();
  }

  /**
   * @param {K} key
   * @returns {Sprite}
   */
  get(key) {
    const found = this.sprites.get(key);
    if (found !== undefined) {
      this.sprites.delete(key);
      this.sprites.set(key, found);
      return found;
    }
    const made = this.make(key);
    if (this.sprites.size >= this.most) {
      for (const oldest of this.sprites.keys()) {
        this.sprites.delete(oldest);
        break;
      }
    }
    this.sprites.set(key, made);
    return made;
  }
}

/** @type {SpriteCache<number>} */
const glows = new SpriteCache(64, (hue) =>
  makeSprite(128, 128, (context) => {
    const light = context.createRadialGradient(0, 0, 0, 0, 0, 64);
    light.addColorStop(0, hsl(hue, 100, 84, 0.95));
    light.addColorStop(0.12, hsl(hue, 100, 70, 0.6));
    light.addColorStop(0.4, hsl(hue, 95, 58, 0.16));
    light.addColorStop(1, hsl(hue, 90, 50, 0));
    context.fillStyle = light;
    context.fillRect(-64, -64, 128, 128);
  }, 1),
);

/**
 * A soft round light of 128 units, for adding.
 * @param {number} hue
 */
export function glow(hue) {
  return glows.get(steppedHue(hue));
}

const FONT = '"Avenir Next", "Segoe UI", Inter, "Helvetica Neue", "DejaVu Sans", system-ui, sans-serif';
const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

/**
 * A line of lettering.
 * @param {string} text
 * @param {{size: number, weight?: number, colour: string, spacing?: number, backing?: string}} look sizes in CSS pixels
 * @returns {Sprite}
 */
export function lettering(text, look) {
  const font = `${look.weight ?? 500} ${look.size}px ${FONT}`;
  const spacing = `${look.spacing ?? 0}px`;
  ruler.font = font;
  ruler.letterSpacing = spacing;
  const padding = look.backing === undefined ? 6 : 12;
  const width = Math.min(ruler.measureText(text).width, 420) + 2 * padding;
  const height = look.size * 1.5 + (look.backing === undefined ? 4 : 8);
  return makeSprite(width, height, (context) => {
    if (look.backing !== undefined) {
      context.fillStyle = look.backing;
      context.beginPath();
      context.roundRect(-width / 2, -height / 2, width, height, height / 2);
      context.fill();
    }
    context.font = font;
    context.letterSpacing = spacing;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.shadowColor = "rgb(0 0 0 / .9)";
    context.shadowBlur = look.backing === undefined ? 6 : 0;
    context.fillStyle = look.colour;
    context.fillText(text, 0, 1, 420);
  });
}

/** @type {SpriteCache<string>} */
const names = new SpriteCache(300, (key) => {
  const cut = key.indexOf(":");
  const hue = Number(key.slice(0, cut));
  return lettering(key.slice(cut + 1), { size: 11.5, colour: hsl(hue, 80, 86, 0.95), spacing: 0.2 });
});

/**
 * The name below a ship.
 * @param {string} name
 * @param {number} hue
 */
export function nameSprite(name, hue) {
  return names.get(`${steppedHue(hue)}:${name}`);
}
