// @ts-check
/**
 * Stars in layers of different depth, and the dust that shows speed.
 *
 * Responsible for: star tiles, single bright stars that twinkle, dust streaks. Not responsible for: clouds (`nebula.js`).
 */

import { hsl } from "./colour.js";
import { seeded } from "./noise.js";
import { snapped } from "./screen.js";
import { glow, makeSprite } from "./sprites.js";

/** CSS pixels of a tile; tiles repeat. */
const TILE = 640;

/**
 * Depth is the share of the camera's way that a layer follows: 0 is at infinity, 1 is the plane of the ships.
 */
const LAYERS = [
  { depth: 0.05, count: 420, least: 0.35, most: 0.75, light: 0.55 },
  { depth: 0.12, count: 170, least: 0.5, most: 1.05, light: 0.75 },
  { depth: 0.25, count: 60, least: 0.7, most: 1.45, light: 0.95 },
];

/** Bright stars on a field of this size in CSS pixels, repeated. */
const BRIGHT_COUNT = 30;
const BRIGHT_FIELD = 1500;
const BRIGHT_DEPTH = 0.18;

const DUST_COUNT = 90;
const DUST_FIELD = 1100;

export class Stars {
  constructor() {
    /** @type {{depth: number, canvas: HTMLCanvasElement}[]} */
    this.tiles = [];
    this.density = 0;
    const random = seeded(77);
    this.bright = Array.from({ length: BRIGHT_COUNT }, () => ({
      x: random() * BRIGHT_FIELD,
      y: random() * BRIGHT_FIELD,
      size: 0.1 + random() ** 2 * 0.3,
      hue: random() < 0.6 ? 205 + random() * 40 : 20 + random() * 30,
      phase: random() * 7,
      pace: 0.6 + random() * 1.8,
    }));
    this.dust = Array.from({ length: DUST_COUNT }, () => ({
      x: random() * DUST_FIELD,
      y: random() * DUST_FIELD,
      depth: 0.75 + random() * 0.75,
      light: 0.12 + random() * 0.32,
    }));
    this.flare = makeSprite(96, 96, (context) => {
      for (const turn of [0, Math.PI / 2]) {
        context.rotate(turn);
        const beam = context.createLinearGradient(-48, 0, 48, 0);
        beam.addColorStop(0, hsl(215, 100, 88, 0));
        beam.addColorStop(0.5, hsl(215, 100, 94, 0.9));
        beam.addColorStop(1, hsl(215, 100, 88, 0));
        context.fillStyle = beam;
        context.fillRect(-48, -0.7, 96, 1.4);
      }
    });
  }

  /**
   * The far layers.
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {number} now milliseconds
   */
  drawFar(screen, camera, now) {
    const context = screen.context;
    if (this.density !== screen.density) {
      this.density = screen.density;
      this.tiles = LAYERS.map((layer, index) => ({ depth: layer.depth, canvas: tile(layer, 101 + index, screen.density) }));
    }
    for (const layer of this.tiles) {
      const shiftX = snapped(screen, wrap(-camera.x * camera.farScale * layer.depth, TILE));
      const shiftY = snapped(screen, wrap(camera.y * camera.farScale * layer.depth, TILE));
      for (let x = shiftX - TILE; x < screen.width; x += TILE) {
        for (let y = shiftY - TILE; y < screen.height; y += TILE) context.drawImage(layer.canvas, x, y, TILE, TILE);
      }
    }
    context.globalCompositeOperation = "lighter";
    this.#drawBright(screen, camera, now);
    screen.reset();
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {number} now
   */
  #drawBright(screen, camera, now) {
    const fieldX = Math.max(BRIGHT_FIELD, screen.width + 120);
    const fieldY = Math.max(BRIGHT_FIELD, screen.height + 120);
    for (const star of this.bright) {
      const x = wrap(star.x - camera.x * camera.farScale * BRIGHT_DEPTH, fieldX) - 60;
      const y = wrap(star.y + camera.y * camera.farScale * BRIGHT_DEPTH, fieldY) - 60;
      if (x > screen.width + 60 || y > screen.height + 60) continue;
      const twinkle = 0.72 + 0.28 * Math.sin(now * 0.001 * star.pace + star.phase);
      screen.context.globalAlpha = twinkle * 0.8;
      screen.sprite(glow(star.hue), x, y, 0, star.size * (0.85 + 0.15 * twinkle));
      if (star.size > 0.24) screen.sprite(this.flare, x, y, 0, star.size * 1.7 * twinkle);
    }
  }

  /**
   * Dust near the ships: dots at rest, streaks in flight.
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {{vx: number, vy: number}} flight units per second
   */
  drawDust(screen, camera, flight) {
    const context = screen.context;
    const fieldX = Math.max(DUST_FIELD, screen.width + 80);
    const fieldY = Math.max(DUST_FIELD, screen.height + 80);
    const speed = Math.hypot(flight.vx, flight.vy);
    const streak = Math.min(0.075, speed * 0.00022) * camera.scale;
    context.lineCap = "round";
    context.strokeStyle = "#cfe2ff";
    for (const mote of this.dust) {
      const x = wrap(mote.x - camera.x * camera.scale * mote.depth, fieldX) - 40;
      const y = wrap(mote.y + camera.y * camera.scale * mote.depth, fieldY) - 40;
      if (x > screen.width + 40 || y > screen.height + 40) continue;
      context.globalAlpha = mote.light;
      context.lineWidth = mote.depth * 1.1;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + flight.vx * streak * mote.depth + 0.01, y - flight.vy * streak * mote.depth);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

/**
 * @param {typeof LAYERS[number]} layer
 * @param {number} seed
 * @param {number} density device pixels per CSS pixel
 */
function tile(layer, seed, density) {
  const random = seeded(seed);
  return makeSprite(TILE, TILE, (context) => {
    context.translate(-TILE / 2, -TILE / 2);
    for (let i = 0; i < layer.count; i += 1) {
      const warm = random();
      const hue = warm < 0.16 ? 22 + random() * 24 : 205 + random() * 50;
      const radius = layer.least + (layer.most - layer.least) * random() ** 2.4;
      const x = 3 + random() * (TILE - 6);
      const y = 3 + random() * (TILE - 6);
      const light = layer.light * (0.35 + 0.65 * random());
      context.fillStyle = hsl(hue, warm < 0.5 ? 80 : 30, 88, light);
      context.beginPath();
      context.arc(x, y, radius, 0, Math.PI * 2);
      context.fill();
      if (radius > 0.9) {
        context.fillStyle = hsl(hue, 90, 75, light * 0.14);
        context.beginPath();
        context.arc(x, y, radius * 3, 0, Math.PI * 2);
        context.fill();
      }
    }
  }, density).canvas;
}

/**
 * @param {number} value
 * @param {number} length
 * @returns {number} in [0, length)
 */
function wrap(value, length) {
  return value - Math.floor(value / length) * length;
}
