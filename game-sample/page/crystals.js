// @ts-check
/**
 * Crystals, shimmering; those that were mined are dark.
 *
 * Responsible for: their facets and glints. Not responsible for: where they float (`world.js`).
 */

import { hsl, steppedHue } from "./colour.js";
import { seeded } from "./noise.js";
import { glow, makeSprite, SpriteCache } from "./sprites.js";

/** @typedef {import("./world.js").Body} Body */

const SHAPES = 4;

/** @type {SpriteCache<string>} */
const shards = new SpriteCache(120, (key) => {
  const [shape, hue] = key.split(":").map(Number);
  return makeSprite(48, 48, (context) => drawCluster(context, shape ?? 0, hue ?? 0), 3);
});

export class Crystals {
  constructor() {
    /** What is left of one. */
    this.husk = makeSprite(48, 48, (context) => {
      context.filter = "grayscale(1) brightness(.55)";
      drawCluster(context, 1, 220);
    }, 3);
    this.glint = makeSprite(60, 60, (context) => {
      for (let i = 0; i < 2; i += 1) {
        context.rotate(Math.PI / 2);
        const beam = context.createRadialGradient(0, 0, 0, 0, 0, 30);
        beam.addColorStop(0, "rgb(255 255 255 / 1)");
        beam.addColorStop(1, "rgb(255 255 255 / 0)");
        context.fillStyle = beam;
        context.beginPath();
        context.ellipse(0, 0, 30, 1.3, 0, 0, Math.PI * 2);
        context.fill();
      }
    });
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {readonly Body[]} bodies
   * @param {number} now milliseconds
   */
  draw(screen, camera, bodies, now) {
    const context = screen.context;
    for (const body of bodies) {
      if ((body.look !== "crystal" && body.look !== "spent") || !camera.sees(body.x, body.y, 40)) continue;
      const x = camera.screenX(body.x);
      const y = camera.screenY(body.y);
      const hue = steppedHue(body.hue);
      const time = now * 0.001 + body.phase * 60;
      const size = camera.scale * (0.6 + body.phase * 0.45) * (0.5 + 0.5 * body.light);
      if (body.look === "spent") {
        context.globalAlpha = body.light * 0.3;
        screen.sprite(this.husk, x, y, time * 0.16, size * 0.7);
        continue;
      }
      context.globalCompositeOperation = "lighter";
      context.globalAlpha = body.light * (0.36 + 0.14 * Math.sin(time * 1.7));
      screen.sprite(glow(hue), x, y, 0, size * 0.78);
      context.globalCompositeOperation = "source-over";
      context.globalAlpha = body.light * 0.95;
      screen.sprite(shards.get(`${Math.floor(body.phase * SHAPES)}:${hue}`), x, y, time * 0.16, size);
      const shimmer = Math.max(0, Math.sin(time * 1.1)) ** 10;
      if (shimmer > 0.02) {
        context.globalCompositeOperation = "lighter";
        context.globalAlpha = body.light * shimmer;
        const at = body.phase * 40;
        screen.sprite(this.glint, x + Math.cos(at) * 6 * size, y + Math.sin(at) * 6 * size, time * 0.3, size * 0.8);
      }
    }
    screen.reset();
  }
}

/**
 * A handful of shards around one root.
 * @param {CanvasRenderingContext2D} context
 * @param {number} shape
 * @param {number} hue
 */
function drawCluster(context, shape, hue) {
  const random = seeded(31 + shape * 17);
  const count = 3 + Math.floor(random() * 3);
  context.shadowColor = hsl(hue, 100, 65, 0.8);
  for (let i = 0; i < count; i += 1) {
    context.save();
    context.rotate((i / count) * Math.PI * 2 + random() * 0.9);
    const length = 9 + random() * 9;
    const half = 2.4 + random() * 2.2;
    drawShard(context, hue + (random() - 0.5) * 40, length, half);
    context.restore();
  }
}

/**
 * One shard along +x: a light and a dark facet.
 * @param {CanvasRenderingContext2D} context
 * @param {number} hue
 * @param {number} length
 * @param {number} half
 */
function drawShard(context, hue, length, half) {
  for (const side of [-1, 1]) {
    const facet = context.createLinearGradient(0, 0, length, half * side);
    facet.addColorStop(0, hsl(hue, 80, side < 0 ? 34 : 18, 0.92));
    facet.addColorStop(0.7, hsl(hue, 90, side < 0 ? 72 : 42, 0.92));
    facet.addColorStop(1, hsl(hue, 100, 92, 0.95));
    context.fillStyle = facet;
    context.shadowBlur = side < 0 ? 8 : 0;
    context.beginPath();
    context.moveTo(-2, 0);
    context.lineTo(length * 0.62, half * side);
    context.lineTo(length, 0);
    context.closePath();
    context.fill();
  }
  context.shadowBlur = 0;
  context.strokeStyle = hsl(hue, 100, 90, 0.75);
  context.lineWidth = 0.5;
  context.beginPath();
  context.moveTo(0, 0);
  context.lineTo(length, 0);
  context.lineTo(length * 0.62, -half);
  context.lineTo(0, 0);
  context.stroke();
}
