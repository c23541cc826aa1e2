// @ts-check
/**
 * The small map of the whole sector.
 *
 * Responsible for: own ship, gates, bodies in view, the range circle. Redrawn ten times a second, not each frame.
 * Not responsible for: what is known (`world.js`).
 */

import { hsl } from "./colour.js";

const REDRAW_MS = 100;
/** Radius of what the server shows, units. */
const RANGE_UNITS = 700;
/** Free space around the sector's edge, CSS pixels. */
const MARGIN = 9;

export class Minimap {
  /**
   * @param {HTMLElement} frame
   * @param {HTMLCanvasElement} canvas
   */
  constructor(frame, canvas) {
    this.frame = frame;
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.size = 0;
    this.density = 1;
    this.drawnAt = 0;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  #resize() {
    this.density = Math.min(window.devicePixelRatio || 1, 2);
    this.size = this.canvas.clientWidth;
    this.canvas.width = Math.round(this.size * this.density);
    this.canvas.height = Math.round(this.size * this.density);
    this.drawnAt = 0;
  }

  /** Switches between small and large. */
  toggle() {
    this.frame.classList.toggle("large");
  }

  /**
   * @param {import("./world.js").World} world
   * @param {number} now milliseconds
   */
  draw(world, now) {
    if (now - this.drawnAt < REDRAW_MS || this.size === 0) return;
    this.drawnAt = now;
    const context = this.context;
    const sector = world.sector;
    const scale = (this.size / 2 - MARGIN) / sector.halfSize;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const half = (this.size / 2) * this.density;
    context.setTransform(this.density, 0, 0, this.density, half, half);
    this.#drawGround(sector, scale);
    for (const gate of sector.gates) this.#drawGate(gate, scale, now);
    for (const body of world.bodies) {
      if (body.own || !body.present || body.look === "spent") continue;
      context.fillStyle = body.look === "crystal" ? hsl(body.hue, 80, 80, 0.55) : hsl(body.hue, 95, 70, 0.95);
      const radius = body.look === "ship" ? 1.9 : body.look === "drifter" ? 2.4 : 1.1;
      context.beginPath();
      context.arc(body.x * scale, -body.y * scale, radius, 0, Math.PI * 2);
      context.fill();
    }
    if (world.own !== undefined) this.#drawOwn(world.own, scale);
  }

  /**
   * @param {{halfSize: number, hue: number}} sector
   * @param {number} scale
   */
  #drawGround(sector, scale) {
    const context = this.context;
    const edge = sector.halfSize * scale;
    context.strokeStyle = hsl(sector.hue, 60, 70, 0.1);
    context.lineWidth = 1;
    context.beginPath();
    for (let line = -0.5; line <= 0.5; line += 0.5) {
      context.moveTo(line * edge, -edge);
      context.lineTo(line * edge, edge);
      context.moveTo(-edge, line * edge);
      context.lineTo(edge, line * edge);
    }
    context.stroke();
    context.strokeStyle = hsl(sector.hue, 70, 72, 0.3);
    context.strokeRect(-edge, -edge, 2 * edge, 2 * edge);
  }

  /**
   * @param {import("./world.js").Gate} gate
   * @param {number} scale
   * @param {number} now
   */
  #drawGate(gate, scale, now) {
    const context = this.context;
    context.strokeStyle = hsl(gate.hue, 95, 70, 0.95);
    context.lineWidth = 1.6;
    context.beginPath();
    context.arc(gate.x * scale, -gate.y * scale, 4.6 + 0.5 * Math.sin(now * 0.003), 0, Math.PI * 2);
    context.stroke();
    if (!this.frame.classList.contains("large")) return;
    context.fillStyle = hsl(gate.hue, 80, 82, 0.9);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText(gate.name, gate.x * scale, -gate.y * scale + (gate.y < 0 ? -11 : 19));
  }

  /**
   * @param {import("./world.js").Body} own
   * @param {number} scale
   */
  #drawOwn(own, scale) {
    const context = this.context;
    const x = own.x * scale;
    const y = -own.y * scale;
    context.fillStyle = "rgb(255 255 255 / .04)";
    context.strokeStyle = "rgb(255 255 255 / .22)";
    context.lineWidth = 1;
    context.beginPath();
    context.arc(x, y, RANGE_UNITS * scale, 0, Math.PI * 2);
    context.fill();
    context.stroke();
    context.save();
    context.translate(x, y);
    context.rotate(-own.yaw);
    context.fillStyle = "#fff";
    context.beginPath();
    context.moveTo(6, 0);
    context.lineTo(-4, 3.6);
    context.lineTo(-2, 0);
    context.lineTo(-4, -3.6);
    context.fill();
    context.restore();
  }
}
