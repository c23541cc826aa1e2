// @ts-check
/**
 * The page: connects, draws what the server shows, walks where you point.
 */

import { connect } from "/lightmoon/index.js";
import { contracts, Dot, Meadow } from "./contracts.js";

/** Half of the meadow's side in metres, with a margin. */
const HALF = 66;

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("meadow"));
const line = /** @type {HTMLElement} */ (document.getElementById("line"));
const client = connect({ info: "/lightmoon.json", contracts, token: token() });

canvas.addEventListener("pointerdown", walk);
canvas.addEventListener("pointermove", (event) => event.buttons > 0 && walk(event));

/** @param {PointerEvent} event */
function walk(event) {
  if (client.attached === undefined) return;
  const { scale, left, top } = frame();
  client.zone(Meadow).walk({ x: (event.clientX - left) / scale, y: (top - event.clientY) / scale });
}

/** Pixels to a metre, and where the middle of the meadow is. */
function frame() {
  const { clientWidth: width, clientHeight: height } = canvas;
  return { scale: Math.min(width, height) / (2 * HALF), left: width / 2, top: height / 2 };
}

requestAnimationFrame(function draw(now) {
  requestAnimationFrame(draw);
  client.tick(now);
  const ratio = devicePixelRatio;
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const { scale, left, top } = frame();
  pen.setTransform(scale * ratio, 0, 0, -scale * ratio, left * ratio, top * ratio);
  pen.fillStyle = "#1f3527";
  pen.beginPath();
  pen.roundRect(-61, -61, 122, 122, 4);
  pen.fill();
  let count = 0;
  for (const entity of client.view.entities()) {
    const dot = entity.sample(Dot);
    if (dot === undefined) continue;
    const isMine = entity.id === client.attached?.avatar;
    pen.fillStyle = `hsl(${Number((entity.id * 137n) % 360n)} 70% 65%)`;
    pen.beginPath();
    pen.arc(dot.x, dot.y, isMine ? 1.6 : 1.1, 0, 2 * Math.PI);
    pen.fill();
    count += 1;
  }
  line.textContent = words(count);
});

/** @param {number} count how many are in the meadow */
function words(count) {
  const { state } = client;
  if (state.is === "lost") return `${state.text || state.reason}: reload this page`;
  if (state.is === "reconnecting") return "the server does not answer, trying again";
  return client.attached === undefined ? state.is : `${count} in the meadow · point somewhere to walk there`;
}

/** Who this tab is: drawn once, kept while the tab lives, so that two tabs are two players. */
function token() {
  const kept = sessionStorage.getItem("token") ?? crypto.randomUUID();
  sessionStorage.setItem("token", kept);
  return kept;
}
