// @ts-check
/**
 * The soft wall around a sector.
 *
 * Responsible for: showing where the sector ends. Not responsible for: pushing ships back (the server does).
 */

import { hsl } from "./colour.js";

/** The wall starts to push this far inside the edge. */
const DEPTH_UNITS = 100;
/** Distance of the posts along the edge. */
const POST_UNITS = 50;

export class Border {
  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {{halfSize: number, hue: number}} sector
   * @param {number} now milliseconds
   */
  draw(screen, camera, sector, now) {
    const half = sector.halfSize;
    const reachX = screen.width / 2 / camera.scale;
    const reachY = screen.height / 2 / camera.scale;
    const context = screen.context;
    context.globalCompositeOperation = "lighter";
    context.lineCap = "round";
    for (const side of [-1, 1]) {
      if (side * camera.x + reachX > half - DEPTH_UNITS) this.#edge(screen, camera, sector, now, side, true);
      if (side * camera.y + reachY > half - DEPTH_UNITS) this.#edge(screen, camera, sector, now, side, false);
    }
    screen.reset();
  }

  /**
   * One edge: a line, and posts that fade inwards.
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {{halfSize: number, hue: number}} sector
   * @param {number} now
   * @param {number} side
   * @param {boolean} upright whether it is an edge of constant x
   */
  #edge(screen, camera, sector, now, side, upright) {
    const context = screen.context;
    const half = sector.halfSize;
    const middle = upright ? camera.y : camera.x;
    const reach = (upright ? screen.height : screen.width) / 2 / camera.scale + POST_UNITS;
    const from = Math.max(-half, Math.floor((middle - reach) / POST_UNITS) * POST_UNITS);
    const to = Math.min(half, middle + reach);
    const outer = upright ? camera.screenX(side * half) : camera.screenY(side * half);
    const inner = upright ? camera.screenX(side * (half - DEPTH_UNITS)) : camera.screenY(side * (half - DEPTH_UNITS));
    const fade = upright
      ? context.createLinearGradient(outer, 0, inner, 0)
      : context.createLinearGradient(0, outer, 0, inner);
    fade.addColorStop(0, hsl(sector.hue, 90, 66, 0.5));
    fade.addColorStop(1, hsl(sector.hue, 90, 60, 0));
    context.strokeStyle = fade;
    context.lineWidth = 1;
    for (let at = from; at <= to; at += POST_UNITS) {
      const wave = 0.55 + 0.45 * Math.sin(now * 0.0016 + at * 0.021);
      context.globalAlpha = wave;
      const along = upright ? camera.screenY(at) : camera.screenX(at);
      context.beginPath();
      if (upright) {
        context.moveTo(outer, along);
        context.lineTo(outer + (inner - outer) * (0.3 + 0.7 * wave), along);
      } else {
        context.moveTo(along, outer);
        context.lineTo(along, outer + (inner - outer) * (0.3 + 0.7 * wave));
      }
      context.stroke();
    }
    context.globalAlpha = 0.55;
    context.strokeStyle = hsl(sector.hue, 95, 72);
    context.lineWidth = 1.5;
    const start = upright ? camera.screenY(from) : camera.screenX(from);
    const end = upright ? camera.screenY(to) : camera.screenX(to);
    context.beginPath();
    context.moveTo(upright ? outer : start, upright ? start : outer);
    context.lineTo(upright ? outer : end, upright ? end : outer);
    context.stroke();
  }
}
