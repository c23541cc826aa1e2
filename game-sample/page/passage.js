// @ts-check
/**
 * The flash of light while a gate is passed.
 *
 * Responsible for: a short bright veil over the window. Not responsible for: when a gate is passed (`main.js`).
 */

import { hsl } from "./colour.js";

const FLASH_MS = 900;

export class Passage {
  constructor() {
    this.since = -Infinity;
    this.hue = 0;
  }

  /**
   * Starts the flash.
   * @param {number} hue
   */
  flash(hue) {
    this.since = performance.now();
    this.hue = hue;
  }

  /**
   * @param {import("./screen.js").Screen} screen
   * @param {number} now milliseconds
   */
  draw(screen, now) {
    const age = now - this.since;
    if (age > FLASH_MS) return;
    const context = screen.context;
    const x = screen.width / 2;
    const y = screen.height / 2;
    const light = context.createRadialGradient(x, y, 0, x, y, Math.hypot(x, y));
    light.addColorStop(0, hsl(this.hue, 100, 96));
    light.addColorStop(0.5, hsl(this.hue, 95, 76));
    light.addColorStop(1, hsl(this.hue, 90, 40));
    context.globalAlpha = Math.max(0, 1 - Math.max(0, age) / FLASH_MS) ** 1.8;
    context.fillStyle = light;
    context.fillRect(0, 0, screen.width, screen.height);
    screen.reset();
  }
}
