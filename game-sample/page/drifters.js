// @ts-check
/**
 * The creatures of the sky: light-whales and jellies.
 *
 * Responsible for: their bodies, moving with time. Not responsible for: where they swim (`world.js`).
 */

import { hsl, steppedHue } from "./colour.js";
import { glow } from "./sprites.js";

/** @typedef {import("./world.js").Body} Body */

/** Share of creatures that are whales; the rest are jellies. */
const WHALES = 0.45;

export class Drifters {
  /**
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {readonly Body[]} bodies
   * @param {number} now milliseconds
   */
  draw(screen, camera, bodies, now) {
    const context = screen.context;
    for (const body of bodies) {
      if (body.look !== "drifter" || !camera.sees(body.x, body.y, 90)) continue;
      const x = camera.screenX(body.x);
      const y = camera.screenY(body.y);
      const hue = steppedHue(body.hue);
      const time = now * 0.001 + body.phase * 50;
      const size = camera.scale * (0.85 + body.phase * 0.5);
      context.globalCompositeOperation = "lighter";
      context.globalAlpha = body.light * (0.3 + 0.08 * Math.sin(time * 1.3));
      screen.sprite(glow(hue), x, y, 0, size * 1.25);
      screen.place(x, y, -body.yaw, size);
      if (body.phase < WHALES) drawWhale(context, hue, time, body.light);
      else drawJelly(context, hue, time, body.light);
    }
    screen.reset();
  }
}

/**
 * A whale, swimming along +x.
 * @param {CanvasRenderingContext2D} context
 * @param {number} hue
 * @param {number} time seconds
 * @param {number} light 0 to 1
 */
function drawWhale(context, hue, time, light) {
  const beat = Math.sin(time * 1.5);
  const tail = Math.sin(time * 1.5 - 1.1);
  context.globalAlpha = light * 0.34;
  context.fillStyle = hsl(hue, 85, 56);
  context.strokeStyle = hsl(hue, 100, 80);
  context.lineWidth = 0.9;
  // Fins first: the body lies over their roots.
  for (const side of [-1, 1]) {
    const reach = 20 + 4 * beat;
    context.beginPath();
    context.moveTo(9, 5 * side);
    context.quadraticCurveTo(6 - beat * 3, reach * 0.8 * side, -9 - beat * 4, reach * side);
    context.quadraticCurveTo(-5, 11 * side, -4, 6 * side);
    context.fill();
    context.stroke();
  }
  context.beginPath();
  context.moveTo(30, 0);
  context.bezierCurveTo(27, 11, 2, 11.5, -16, 3.2 + tail);
  context.quadraticCurveTo(-25, 1.5 + tail * 3, -31, tail * 5);
  context.quadraticCurveTo(-25, -1.5 + tail * 3, -16, -3.2 + tail);
  context.bezierCurveTo(2, -11.5, 27, -11, 30, 0);
  context.globalAlpha = light * 0.46;
  context.fill();
  context.globalAlpha = light * 0.75;
  context.stroke();
  // Flukes follow the tail's beat.
  context.globalAlpha = light * 0.5;
  context.beginPath();
  context.moveTo(-28, tail * 4.5);
  context.quadraticCurveTo(-34, 4 + tail * 5, -41, 10 + tail * 6);
  context.quadraticCurveTo(-37, tail * 6, -41, -10 + tail * 6);
  context.quadraticCurveTo(-34, -4 + tail * 5, -28, tail * 4.5);
  context.fill();
  context.stroke();
  drawSpots(context, hue, time, light);
}

/**
 * Lights that run along the whale's back.
 * @param {CanvasRenderingContext2D} context
 * @param {number} hue
 * @param {number} time
 * @param {number} light
 */
function drawSpots(context, hue, time, light) {
  context.fillStyle = hsl(hue + 25, 100, 86);
  for (let i = 0; i < 7; i += 1) {
    const pulse = 0.5 + 0.5 * Math.sin(time * 2.4 - i * 0.8);
    context.globalAlpha = light * (0.25 + 0.75 * pulse);
    const x = 20 - i * 6;
    const spread = 4.4 * Math.sin(((i + 1) / 8) * Math.PI);
    for (const side of [-1, 1]) {
      context.beginPath();
      context.arc(x, spread * side, 0.7 + 0.7 * pulse, 0, Math.PI * 2);
      context.fill();
    }
  }
}

/**
 * A jelly, drifting along +x.
 * @param {CanvasRenderingContext2D} context
 * @param {number} hue
 * @param {number} time seconds
 * @param {number} light 0 to 1
 */
function drawJelly(context, hue, time, light) {
  const pulse = Math.sin(time * 2.1);
  const wide = 13 + 1.8 * pulse;
  const deep = 12 - 2.2 * pulse;
  context.strokeStyle = hsl(hue + 15, 95, 74);
  context.lineCap = "round";
  for (let i = -3; i <= 3; i += 1) {
    const root = (i / 3) * wide * 0.78;
    const sway = Math.sin(time * 1.9 + i * 0.9) * 4;
    const length = 30 - Math.abs(i) * 3 + pulse * 3;
    context.globalAlpha = light * 0.42;
    context.lineWidth = i % 2 === 0 ? 1.3 : 0.7;
    context.beginPath();
    context.moveTo(-2, root);
    context.bezierCurveTo(-10, root + sway, -18, root * 0.7 - sway, -length, root * 0.8 + sway * 1.3);
    context.stroke();
  }
  context.beginPath();
  context.moveTo(-3, wide);
  context.bezierCurveTo(deep * 1.35, wide * 0.95, deep * 1.35, -wide * 0.95, -3, -wide);
  context.quadraticCurveTo(1.5 + pulse, 0, -3, wide);
  context.fillStyle = hsl(hue, 85, 58);
  context.globalAlpha = light * 0.4;
  context.fill();
  context.globalAlpha = light * 0.85;
  context.strokeStyle = hsl(hue, 100, 82);
  context.lineWidth = 1;
  context.stroke();
  context.globalAlpha = light * (0.5 + 0.2 * pulse);
  context.fillStyle = hsl(hue + 30, 100, 84);
  context.beginPath();
  context.ellipse(2.4, 0, 2.6, 4.6 + pulse, 0, 0, Math.PI * 2);
  context.fill();
}
