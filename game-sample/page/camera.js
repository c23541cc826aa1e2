// @ts-check
/**
 * The eye that follows the own ship.
 *
 * Responsible for: what part of the sector is seen, at which scale; world to screen and back.
 * Not responsible for: drawing.
 *
 * The world's y axis points up, the screen's down: this module is the only place that turns one into the other.
 */

/** Units seen across: the corners of a wide window are 550 away, well within what the server shows (700). */
const UNITS_ACROSS = 960;
/** A tall window counts this much more than a wide one, so that both show similar areas. */
const TALL_FACTOR = 1.25;
/** Seconds of flight that the eye looks ahead. */
const LOOK_AHEAD_SECONDS = 0.34;
/** Further than this (a gate, a new life) the eye jumps instead of gliding. */
const JUMP_UNITS = 420;
/** Share of the scale that full boost takes away. */
const SPEED_ZOOM = 0.1;
const SPEED_AT_FULL_ZOOM = 320;

export class Camera {
  /** @param {import("./screen.js").Screen} screen */
  constructor(screen) {
    this.screen = screen;
    this.x = 0;
    this.y = 0;
    this.aheadX = 0;
    this.aheadY = 0;
    this.zoom = 1;
    /** Pixels of a short shake, fading. */
    this.shake = 0;
    /** CSS pixels per unit. */
    this.scale = 1;
    /** The same without the zoom of speed: for what is too far away to be zoomed. */
    this.farScale = 1;
    this.middleX = 0;
    this.middleY = 0;
    this.update();
  }

  /**
   * Follows a ship.
   * @param {{x: number, y: number, vx: number, vy: number}} ship
   * @param {number} seconds since the last frame
   */
  follow(ship, seconds) {
    const speed = Math.hypot(ship.vx, ship.vy);
    const slow = 1 - Math.exp(-seconds * 1.9);
    this.aheadX += (ship.vx * LOOK_AHEAD_SECONDS - this.aheadX) * slow;
    this.aheadY += (ship.vy * LOOK_AHEAD_SECONDS - this.aheadY) * slow;
    const zoom = 1 - SPEED_ZOOM * Math.min(1, speed / SPEED_AT_FULL_ZOOM);
    this.zoom += (zoom - this.zoom) * (1 - Math.exp(-seconds * 1.2));
    const x = ship.x + this.aheadX;
    const y = ship.y + this.aheadY;
    if (Math.hypot(x - this.x, y - this.y) > JUMP_UNITS) {
      this.aheadX = 0;
      this.aheadY = 0;
      this.x = ship.x;
      this.y = ship.y;
    } else {
      // The ship's own path is smooth; the eye sits on it exactly, and only the look-ahead glides.
      this.x = x;
      this.y = y;
    }
    this.shake *= Math.exp(-seconds * 5);
    this.update();
  }

  /**
   * Glides slowly around, while nobody flies.
   * @param {number} now milliseconds
   */
  drift(now) {
    this.x = Math.sin(now * 0.00005) * 320;
    this.y = Math.cos(now * 0.00004) * 240;
    this.zoom = 1;
    this.update();
  }

  /** Recomputes the scale after the window or the zoom changed. */
  update() {
    const { width, height } = this.screen;
    this.farScale = Math.max(width, height * TALL_FACTOR) / UNITS_ACROSS;
    this.scale = this.farScale * this.zoom;
    this.middleX = width / 2 + (this.shake > 0.05 ? (Math.random() - 0.5) * this.shake : 0);
    this.middleY = height / 2 + (this.shake > 0.05 ? (Math.random() - 0.5) * this.shake : 0);
  }

  /** @param {number} x units @returns CSS pixels */
  screenX(x) {
    return this.middleX + (x - this.x) * this.scale;
  }

  /** @param {number} y units @returns CSS pixels */
  screenY(y) {
    return this.middleY - (y - this.y) * this.scale;
  }

  /**
   * Whether something of `radius` units around (x, y) can be seen.
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   */
  sees(x, y, radius) {
    const reach = radius * this.scale;
    const sx = this.screenX(x);
    const sy = this.screenY(y);
    return sx > -reach && sy > -reach && sx < this.screen.width + reach && sy < this.screen.height + reach;
  }
}
