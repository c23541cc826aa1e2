// @ts-check
/**
 * Gates: slowly turning rings with the name of the sector behind them.
 *
 * Responsible for: rings, the light inside, names, arrows at the window's edge, the flash of a passage.
 * Not responsible for: passing (the server decides) and the minimap.
 */

import { hsl, rgb, steppedHue } from "./colour.js";
import { layered, smoothNoise } from "./noise.js";
import { glow, lettering, makeSprite, SpriteCache } from "./sprites.js";

/** @typedef {import("./world.js").Gate} Gate */

/** Units of the radius the sprites are drawn for. */
const DRAWN_RADIUS = 60;

/** @type {SpriteCache<number>} */
const rings = new SpriteCache(12, (hue) => makeSprite(176, 176, (context) => drawRing(context, hue), 3));
/** @type {SpriteCache<number>} */
const inners = new SpriteCache(12, (hue) => makeSprite(150, 150, (context) => drawInnerRing(context, hue), 3));
/** @type {SpriteCache<number>} */
const swirls = new SpriteCache(12, (hue) => swirl(hue));
/** @type {SpriteCache<string>} */
const titles = new SpriteCache(24, (key) => {
  const cut = key.indexOf(":");
  const hue = Number(key.slice(0, cut));
  return lettering(key.slice(cut + 1).toUpperCase(), { size: 14, weight: 400, colour: hsl(hue, 90, 86), spacing: 3.2 });
});
/** @type {SpriteCache<string>} */
const signs = new SpriteCache(60, (key) => {
  const cut = key.indexOf(":");
  const hue = Number(key.slice(0, cut));
  return lettering(key.slice(cut + 1), { size: 11, colour: hsl(hue, 80, 82, 0.9), spacing: 0.5 });
});

export class Gates {
  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {readonly Gate[]} gates
   * @param {number} now milliseconds
   */
  draw(screen, camera, gates, now) {
    for (const gate of gates) {
      if (camera.sees(gate.x, gate.y, gate.radius * 2.2)) this.#drawOne(screen, camera, gate, now);
    }
    screen.reset();
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {Gate} gate
   * @param {number} now
   */
  #drawOne(screen, camera, gate, now) {
    const context = screen.context;
    const x = camera.screenX(gate.x);
    const y = camera.screenY(gate.y);
    const hue = steppedHue(gate.hue);
    const size = (camera.scale * gate.radius) / DRAWN_RADIUS;
    const time = now * 0.001;
    context.globalCompositeOperation = "lighter";
    context.globalAlpha = 0.5 + 0.1 * Math.sin(time * 0.9);
    screen.sprite(glow(hue), x, y, 0, size * 2);
    context.globalAlpha = 0.85;
    screen.sprite(swirls.get(hue), x, y, time * 0.35, size * (1 + 0.02 * Math.sin(time * 1.4)));
    context.globalAlpha = 0.5;
    screen.sprite(swirls.get(hue), x, y, -time * 0.22 + 2, size * 0.78);
    context.globalAlpha = 1;
    screen.sprite(rings.get(hue), x, y, time * 0.12, size);
    screen.sprite(inners.get(hue), x, y, -time * 0.2, size);
    this.#drawSparks(screen, hue, x, y, size, time);
    context.globalCompositeOperation = "source-over";
    context.globalAlpha = 0.95;
    screen.sprite(titles.get(`${hue}:${gate.name}`), Math.round(x), Math.round(y - size * 92), 0, 1);
  }

  /**
   * Sparks on their way into the middle.
   * @param {import("./screen.js").Screen} screen
   * @param {number} hue
   * @param {number} x
   * @param {number} y
   * @param {number} size
   * @param {number} time
   */
  #drawSparks(screen, hue, x, y, size, time) {
    for (let i = 0; i < 9; i += 1) {
      const life = (time * 0.22 + i / 9) % 1;
      const angle = i * 2.4 + life * 2.6;
      const radius = 74 * (1 - life * 0.9) * size;
      screen.context.globalAlpha = Math.sin(life * Math.PI) * 0.8;
      screen.sprite(glow(hue + 20), x + Math.cos(angle) * radius, y + Math.sin(angle) * radius, 0, size * 0.11);
    }
  }

  /**
   * Where gates beyond the window lie.
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {readonly Gate[]} gates
   * @param {{x: number, y: number}} ship
   */
  drawSigns(screen, camera, gates, ship) {
    const context = screen.context;
    const marginX = Math.min(90, screen.width * 0.14);
    const marginTop = 78;
    const marginBottom = 84;
    for (const gate of gates) {
      const dx = camera.screenX(gate.x) - screen.width / 2;
      const dy = camera.screenY(gate.y) - screen.height / 2;
      const marginY = dy < 0 ? marginTop : marginBottom;
      const reach = Math.max(Math.abs(dx) / (screen.width / 2 - marginX), Math.abs(dy) / (screen.height / 2 - marginY));
      if (reach < 1.1) continue;
      const x = screen.width / 2 + dx / reach;
      const y = screen.height / 2 + dy / reach;
      const hue = steppedHue(gate.hue);
      context.globalAlpha = Math.min(1, (reach - 1.1) * 4) * 0.75;
      screen.place(x, y, Math.atan2(dy, dx), 1);
      context.fillStyle = hsl(hue, 95, 72);
      context.beginPath();
      context.moveTo(7, 0);
      context.lineTo(-4, 5);
      context.lineTo(-1.5, 0);
      context.lineTo(-4, -5);
      context.fill();
      const far = Math.round(Math.hypot(gate.x - ship.x, gate.y - ship.y) / 50) * 50;
      const sign = signs.get(`${hue}:${gate.name} ${far}`);
      const away = Math.hypot(dx, dy);
      const inX = Math.round(x - (dx / away) * (sign.width / 2 + 9));
      screen.sprite(sign, inX, Math.round(y - (dy / away) * 17), 0, 1);
    }
    screen.reset();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} hue
 */
function drawRing(context, hue) {
  context.shadowColor = hsl(hue, 100, 60);
  context.lineCap = "butt";
  const parts = 9;
  for (let i = 0; i < parts; i += 1) {
    const from = (i / parts) * Math.PI * 2;
    context.shadowBlur = 14;
    context.strokeStyle = hsl(hue, 40, 22);
    context.lineWidth = 9;
    context.beginPath();
    context.arc(0, 0, 66, from + 0.05, from + (Math.PI * 2) / parts - 0.05);
    context.stroke();
    context.strokeStyle = hsl(hue, 95, 72, 0.95);
    context.lineWidth = 1.5;
    for (const radius of [61.5, 70.5]) {
      context.beginPath();
      context.arc(0, 0, radius, from + 0.05, from + (Math.PI * 2) / parts - 0.05);
      context.stroke();
    }
    context.save();
    context.rotate(from + Math.PI / parts);
    context.fillStyle = hsl(hue + 15, 100, 84);
    context.shadowBlur = 10;
    context.beginPath();
    context.moveTo(72, -5);
    context.lineTo(81, 0);
    context.lineTo(72, 5);
    context.fill();
    context.fillRect(63.6, -2.2, 4.8, 4.4);
    context.restore();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} hue
 */
function drawInnerRing(context, hue) {
  context.shadowColor = hsl(hue, 100, 65);
  context.shadowBlur = 8;
  context.strokeStyle = hsl(hue, 100, 78, 0.8);
  context.lineWidth = 1.2;
  for (let i = 0; i < 36; i += 1) {
    const angle = (i / 36) * Math.PI * 2;
    const inner = i % 3 === 0 ? 50 : 54;
    context.beginPath();
    context.moveTo(Math.cos(angle) * inner, Math.sin(angle) * inner);
    context.lineTo(Math.cos(angle) * 57.5, Math.sin(angle) * 57.5);
    context.stroke();
  }
  context.beginPath();
  context.arc(0, 0, 48, 0.3, Math.PI * 1.2);
  context.stroke();
  context.beginPath();
  context.arc(0, 0, 45.5, Math.PI * 1.1, Math.PI * 1.95);
  context.stroke();
}

/**
 * The light inside the ring: noise wound into a spiral.
 * @param {number} hue
 */
function swirl(hue) {
  const pixels = 180;
  const noise = smoothNoise(hue + 5);
  return makeSprite(128, 128, (context) => {
    const image = context.createImageData(pixels, pixels);
    for (let row = 0; row < pixels; row += 1) {
      for (let column = 0; column < pixels; column += 1) {
        const x = (column / pixels - 0.5) * 2;
        const y = (row / pixels - 0.5) * 2;
        const radius = Math.hypot(x, y);
        if (radius >= 0.98) continue;
        const turn = Math.atan2(y, x) + 3.4 * (1 - radius) ** 1.6 * 1.8;
        const wisp = layered(noise, Math.cos(turn) * 1.6 + 9, Math.sin(turn) * 1.6 + radius * 2.4 + 30, 4);
        const arms = 0.5 + 0.5 * Math.sin(turn * 3 + wisp * 7);
        const light = (0.25 + 0.75 * arms) * wisp * (1 - radius ** 3) + Math.max(0, 1 - radius * 3.2) * 0.9;
        const at = (row * pixels + column) * 4;
        const pale = Math.max(0, light - 0.55) * 1.6;
        const tone = rgb(hue + wisp * 50 - 20, 0.95, Math.min(0.95, 0.52 + pale * 0.4));
        image.data[at] = tone[0];
        image.data[at + 1] = tone[1];
        image.data[at + 2] = tone[2];
        image.data[at + 3] = Math.min(255, 255 * light * 0.85);
      }
    }
    context.putImageData(image, 0, 0);
  }, pixels / 128);
}
