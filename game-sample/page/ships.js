// @ts-check
/**
 * How ships look.
 *
 * Responsible for: hulls in their pilots' colours, flames, names, the mark around the own ship.
 * Not responsible for: where ships are (`world.js`), their trails' memory (`trails.js`).
 */

import { hsl, steppedHue } from "./colour.js";
import { glow, makeSprite, nameSprite, SpriteCache } from "./sprites.js";

/** @typedef {import("./world.js").Body} Body */

/** Hulls differ by a pilot's name; each is a half outline from nose to tail, mirrored. Units. */
const HULLS = [
  // A dart with swept wings.
  { outline: [[17, 0], [8, 3.2], [1, 4.6], [-5, 11.5], [-12, 15], [-13.5, 12.6], [-9.5, 6.6], [-12.5, 4.2], [-11, 0]], engines: [3.2], wing: [[0, 5], [-11, 13.4]] },
  // Twin hulls around a short bow.
  { outline: [[13, 0], [11, 3.4], [5, 4.4], [7.5, 9], [2, 11.6], [-12, 10.6], [-13.4, 6.4], [-8, 5.4], [-9.5, 0]], engines: [8.4], wing: [[5, 9.2], [-10, 9]] },
  // A moth with forward wing tips.
  { outline: [[15, 0], [7, 3.6], [4, 6], [9.5, 14.6], [4, 13.6], [-6, 9.6], [-13, 8], [-10.4, 3.4], [-13.4, 0]], engines: [5.4], wing: [[3, 7], [6.5, 12.8]] },
];

/** @type {SpriteCache<string>} */
const hulls = new SpriteCache(100, (key) => {
  const [shape, hue] = key.split(":").map(Number);
  return makeSprite(56, 56, (context) => drawHull(context, shape ?? 0, hue ?? 0), 3);
});

/** @type {SpriteCache<number>} */
const flames = new SpriteCache(40, (hue) =>
  makeSprite(64, 24, (context) => {
    // The nozzle is at the right edge; the flame points left.
    context.scale(1, 0.34);
    const fire = context.createRadialGradient(26, 0, 0, 14, 0, 46);
    fire.addColorStop(0, "rgb(255 255 255 / .95)");
    fire.addColorStop(0.14, hsl(hue, 100, 82, 0.85));
    fire.addColorStop(0.4, hsl(hue, 100, 60, 0.38));
    fire.addColorStop(1, hsl(hue + 20, 100, 50, 0));
    context.fillStyle = fire;
    context.fillRect(-32, -36, 64, 72);
  }),
);

export class Ships {
  constructor() {
    this.ring = makeSprite(84, 84, (context) => {
      context.strokeStyle = "rgb(255 255 255 / .5)";
      context.lineWidth = 1;
      for (let i = 0; i < 4; i += 1) {
        context.beginPath();
        context.arc(0, 0, 36, i * (Math.PI / 2) + 0.32, (i + 1) * (Math.PI / 2) - 0.32);
        context.stroke();
      }
    });
  }

  /**
   * Trails of all ships, below all hulls.
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {readonly Body[]} bodies
   */
  drawTrails(screen, camera, bodies) {
    const context = screen.context;
    context.globalCompositeOperation = "lighter";
    context.lineJoin = "round";
    context.lineCap = "butt";
    for (const body of bodies) {
      if (body.look !== "ship" || !camera.sees(body.x, body.y, 260)) continue;
      const engine = { x: body.x - Math.cos(body.yaw) * 9, y: body.y - Math.sin(body.yaw) * 9 };
      body.trail.draw(context, camera, engine, { hue: steppedHue(body.hue), width: 4.4 * camera.scale, light: 0.55 * body.light });
    }
    screen.reset();
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {readonly Body[]} bodies
   * @param {number} now milliseconds
   */
  draw(screen, camera, bodies, now) {
    for (const body of bodies) {
      if (body.look === "ship" && camera.sees(body.x, body.y, 40)) this.#drawOne(screen, camera, body, now);
    }
    screen.reset();
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {Body} body
   * @param {number} now
   */
  #drawOne(screen, camera, body, now) {
    const context = screen.context;
    const x = camera.screenX(body.x);
    const y = camera.screenY(body.y);
    const angle = -body.yaw;
    const hue = steppedHue(body.hue);
    const scale = camera.scale * (0.6 + 0.4 * body.light);
    const hull = HULLS[body.shape % HULLS.length];
    context.globalCompositeOperation = "lighter";
    context.globalAlpha = body.light * (body.own ? 0.5 : 0.36);
    screen.sprite(glow(hue), x, y, 0, scale * 0.72);
    const burn = body.burn;
    if (burn > 0.02 && hull !== undefined) {
      const flicker = 0.86 + 0.14 * Math.sin(now * 0.05 + body.phase * 40) * Math.sin(now * 0.031 + body.phase * 90);
      const length = (0.35 + 0.65 * burn) * flicker * (body.boosting ? 1.45 : 1);
      context.globalAlpha = body.light * Math.min(1, 0.4 + burn * 0.6);
      for (const side of hull.engines[0] === 0 ? [0] : [-1, 1]) {
        this.#drawFlame(screen, hue, x, y, angle, scale, side * (hull.engines[0] ?? 0), length);
      }
    }
    context.globalCompositeOperation = "source-over";
    context.globalAlpha = body.light;
    screen.sprite(hulls.get(`${body.shape % HULLS.length}:${hue}`), x, y, angle, scale);
    if (body.own) {
      context.globalAlpha = 0.32 * body.light;
      screen.sprite(this.ring, x, y, now * 0.0004, scale * 0.78);
    }
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {number} hue
   * @param {number} x
   * @param {number} y
   * @param {number} angle
   * @param {number} scale
   * @param {number} side units from the middle line
   * @param {number} length 0 to about 1.5
   */
  #drawFlame(screen, hue, x, y, angle, scale, side, length) {
    const flame = flames.get(hue);
    screen.place(x, y, angle, scale);
    const width = 26 * length;
    screen.context.drawImage(flame.canvas, -10 - width, side - 4.5, width + 3, 9);
  }

  /**
   * Names below the ships of others.
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {readonly Body[]} bodies
   */
  drawNames(screen, camera, bodies) {
    for (const body of bodies) {
      if (body.look !== "ship" || body.name === "" || !camera.sees(body.x, body.y, 30)) continue;
      screen.context.globalAlpha = body.light * (body.own ? 0.55 : 0.85);
      // Whole device pixels keep the letters from shimmering.
      const x = Math.round(camera.screenX(body.x) * screen.density) / screen.density;
      const y = Math.round((camera.screenY(body.y) + 25 * camera.scale) * screen.density) / screen.density;
      screen.sprite(nameSprite(body.name, body.hue), x, y, 0, 1);
    }
    screen.reset();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} shape
 * @param {number} hue
 */
function drawHull(context, shape, hue) {
  const hull = HULLS[shape];
  if (hull === undefined) return;
  const path = new Path2D();
  const points = /** @type {[number, number][]} */ (hull.outline);
  points.forEach(([x, y], index) => (index === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
  [...points].reverse().forEach(([x, y]) => path.lineTo(x, -y));
  path.closePath();
  context.shadowColor = hsl(hue, 100, 60, 0.9);
  context.shadowBlur = 18;
  const metal = context.createLinearGradient(-14, -8, 16, 8);
  metal.addColorStop(0, hsl(hue, 45, 10));
  metal.addColorStop(0.55, hsl(hue, 42, 26));
  metal.addColorStop(1, hsl(hue, 50, 52));
  context.fillStyle = metal;
  context.fill(path);
  context.shadowBlur = 7;
  context.lineJoin = "round";
  context.strokeStyle = hsl(hue, 95, 72);
  context.lineWidth = 1.1;
  context.stroke(path);
  context.shadowBlur = 4;
  drawDetails(context, hull, hue);
}

/**
 * Wing lights, spine, canopy and nozzles.
 * @param {CanvasRenderingContext2D} context
 * @param {typeof HULLS[number]} hull
 * @param {number} hue
 */
function drawDetails(context, hull, hue) {
  const wing = /** @type {[[number, number], [number, number]]} */ (hull.wing);
  context.strokeStyle = hsl(hue, 100, 82, 0.85);
  context.lineWidth = 0.8;
  for (const side of [-1, 1]) {
    context.beginPath();
    context.moveTo(wing[0][0], wing[0][1] * side);
    context.lineTo(wing[1][0], wing[1][1] * side);
    context.stroke();
    context.fillStyle = "#fff";
    context.beginPath();
    context.arc(wing[1][0], wing[1][1] * side, 0.8, 0, Math.PI * 2);
    context.fill();
    context.fillStyle = hsl(hue, 100, 86, 0.95);
    context.beginPath();
    context.ellipse(-10.6, (hull.engines[0] ?? 0) * side, 1.1, 2.1, 0, 0, Math.PI * 2);
    context.fill();
  }
  const canopy = context.createLinearGradient(0, -2, 9, 2);
  canopy.addColorStop(0, hsl(hue + 20, 80, 40, 0.95));
  canopy.addColorStop(1, "rgb(255 255 255 / .95)");
  context.fillStyle = canopy;
  context.beginPath();
  context.ellipse(4.6, 0, 4.2, 1.7, 0, 0, Math.PI * 2);
  context.fill();
}
