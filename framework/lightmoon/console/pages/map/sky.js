// @ts-check
/**
 * The canvas of the map.
 *
 * Responsible for: laying zones out, moving dots between two messages, zoom and drag, what is under the pointer. Not responsible for: lists
 * beside it (`map.js`).
 */

import { COLOURS } from "../../kit/chart.js";

/** Time from one message to the next, and a bit: dots are where they were a moment ago, and never jump ahead. */
const STEP_MS = 300;
/** Space between two zones, as a part of their size. */
const GAP = 0.06;
/** What a step of a key moves, in pixels, and zooms. */
const MOVE = 80;
const ZOOM = 1.3;

/** @typedef {{id: number, name: number, from: [number, number], to: [number, number]}} Dot */
/** @typedef {{zone: any, at: [number, number], least: [number, number], size: number, dots: Map<number, Dot>, viewers: Map<string, {player: string, from: [number, number], to: [number, number]}>}} Tile */

export class Sky {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} tip
   */
  constructor(canvas, tip) {
    this.canvas = canvas;
    this.tip = tip;
    /** @type {Tile[]} */
    this.tiles = [];
    this.took = 0;
    /** What is in the middle of the window, and pixels for the side of a zone. */
    this.view = { x: 0.5, y: 0.5, scale: 0 };
    this.goal = { ...this.view };
    this.isFitted = -1;
    /** @type {{x: number, y: number} | undefined} */
    this.pointer = undefined;
    this.isLive = true;
    this.listen();
    const frame = (/** @type {number} */ now) => {
      if (!this.isLive) return;
      this.draw(now);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  stop() {
    this.isLive = false;
    this.observer?.disconnect();
  }

  /**
   * Takes what the server says.
   * @param {any[]} zones
   */
  take(zones) {
    const now = performance.now();
    const part = this.part(now);
    const before = new Map(this.tiles.map((tile) => [tile.zone.zone, tile]));
    const columns = Math.max(1, Math.ceil(Math.sqrt(zones.length * 1.5)));
    const isNew = this.tiles.length !== zones.length;
    this.tiles = zones.map((zone, at) => this.tile(zone, before.get(zone.zone), part, [(at % columns) * (1 + GAP), Math.floor(at / columns) * (1 + GAP)]));
    this.took = now;
    // What somebody looks at stays where it is, though a zone comes or goes.
    if (this.view.scale === 0) this.fit(-1, true);
    else if (isNew && this.isFitted !== -2) this.fit(this.isFitted);
  }

  /**
   * @param {any} zone
   * @param {Tile | undefined} before
   * @param {number} part how far the last step was shown
   * @param {[number, number]} at
   * @returns {Tile}
   */
  tile(zone, before, part, at) {
    const [least, greatest] = zone.area ?? bounds(zone.places, before);
    const size = Math.max(greatest[0] - least[0], greatest[1] - least[1], 1e-6);
    /** @type {Map<number, Dot>} */
    const dots = new Map();
    for (let i = 0; i + 3 < zone.places.length; i += 4) {
      const [id, name, x, y] = zone.places.slice(i, i + 4);
      dots.set(id, { id, name, from: shownAt(before?.dots.get(id), part, [x, y]), to: [x, y] });
    }
    const viewers = new Map();
    for (const { session, player, at } of zone.viewers) {
      if (at !== null) viewers.set(session, { player, from: shownAt(before?.viewers.get(session), part, at), to: at });
    }
    return { zone, at, least, size, dots, viewers };
  }

  /** @param {number} now */
  part(now) {
    return Math.min(1, (now - this.took) / STEP_MS);
  }

  /**
   * Shows one zone, or with -1 all.
   * @param {number} at
   * @param {boolean} [isAtOnce]
   */
  fit(at, isAtOnce = false) {
    this.isFitted = at;
    const tiles = at < 0 ? this.tiles : this.tiles.slice(at, at + 1);
    if (tiles.length === 0) return;
    const [right, bottom] = [0, 1].map((axis) => Math.max(...tiles.map((tile) => (tile.at[axis] ?? 0) + 1)));
    const [left, top] = [0, 1].map((axis) => Math.min(...tiles.map((tile) => tile.at[axis] ?? 0)));
    if (right === undefined || bottom === undefined || left === undefined || top === undefined) return;
    const { clientWidth, clientHeight } = this.canvas;
    // The list stands at the right.
    const aside = clientWidth > 900 ? 268 : 0;
    const scale = Math.max(20, Math.min((clientWidth - aside - 60) / (right - left), (clientHeight - 80) / (bottom - top)));
    this.goal = { x: (left + right) / 2 + aside / 2 / scale, y: (top + bottom) / 2, scale };
    if (isAtOnce) this.view = { ...this.goal };
  }

  listen() {
    const { canvas } = this;
    /** @type {{x: number, y: number} | undefined} */
    let held;
    canvas.addEventListener("pointerdown", (event) => {
      held = { x: event.offsetX, y: event.offsetY };
      canvas.setPointerCapture(event.pointerId);
      canvas.classList.add("held");
    });
    canvas.addEventListener("pointermove", (event) => {
      this.pointer = { x: event.offsetX, y: event.offsetY };
      if (held === undefined) return;
      this.move(held.x - event.offsetX, held.y - event.offsetY, true);
      held = this.pointer;
    });
    const letGo = () => {
      held = undefined;
      canvas.classList.remove("held");
    };
    canvas.addEventListener("pointerup", letGo);
    canvas.addEventListener("pointercancel", letGo);
    canvas.addEventListener("pointerleave", () => {
      this.pointer = undefined;
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), { x: event.offsetX, y: event.offsetY });
    }, { passive: false });
    this.observer = new ResizeObserver(() => this.isFitted !== -2 && this.fit(this.isFitted, true));
    this.observer.observe(canvas);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { clientWidth, clientHeight } = this.canvas;
    const middle = { x: clientWidth / 2, y: clientHeight / 2 };
    if (event.key === "+" || event.key === "=") this.zoom(ZOOM, middle);
    else if (event.key === "-") this.zoom(1 / ZOOM, middle);
    else if (event.key === "ArrowLeft") this.move(-MOVE, 0, false);
    else if (event.key === "ArrowRight") this.move(MOVE, 0, false);
    else if (event.key === "ArrowUp") this.move(0, -MOVE, false);
    else if (event.key === "ArrowDown") this.move(0, MOVE, false);
    else return;
    event.preventDefault();
  }

  /**
   * @param {number} x pixels
   * @param {number} y pixels
   * @param {boolean} isAtOnce
   */
  move(x, y, isAtOnce) {
    this.isFitted = -2;
    const from = isAtOnce ? this.view : this.goal;
    this.goal = { scale: from.scale, x: from.x + x / from.scale, y: from.y + y / from.scale };
    if (isAtOnce) this.view = { ...this.goal };
  }

  /**
   * @param {number} by
   * @param {{x: number, y: number}} about stays where it is, in pixels
   */
  zoom(by, about) {
    this.isFitted = -2;
    const { clientWidth, clientHeight } = this.canvas;
    const { goal } = this;
    const scale = Math.min(40_000, Math.max(20, goal.scale * by));
    const [dx, dy] = [about.x - clientWidth / 2, about.y - clientHeight / 2];
    this.goal = { scale, x: goal.x + dx / goal.scale - dx / scale, y: goal.y + dy / goal.scale - dy / scale };
  }

  /** @param {number} now */
  draw(now) {
    const { canvas, view, goal } = this;
    const pen = canvas.getContext("2d");
    const { clientWidth: width, clientHeight: height } = canvas;
    if (pen === null || width === 0) return;
    const ratio = devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    for (const name of /** @type {("x" | "y" | "scale")[]} */ (["x", "y", "scale"])) view[name] += (goal[name] - view[name]) * 0.2;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const part = this.part(now);
    let nearest = { distance: 12, text: "", x: 0, y: 0 };
    for (const tile of this.tiles) {
      const [left, top] = [(tile.at[0] - view.x) * view.scale + width / 2, (tile.at[1] - view.y) * view.scale + height / 2];
      if (left > width || top > height || left + view.scale < 0 || top + view.scale < 0) continue;
      nearest = this.drawTile(pen, tile, left, top, part, nearest);
    }
    this.tip.hidden = nearest.text === "";
    if (nearest.text !== "") {
      if (this.tip.textContent !== nearest.text) this.tip.textContent = nearest.text;
      this.tip.style.left = `${nearest.x + 12}px`;
      this.tip.style.top = `${nearest.y + 10}px`;
    }
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Tile} tile
   * @param {number} left
   * @param {number} top
   * @param {number} part
   * @param {{distance: number, text: string, x: number, y: number}} nearest to the pointer so far
   */
  drawTile(pen, tile, left, top, part, nearest) {
    const { zone, least, size } = tile;
    const { scale } = this.view;
    backdrop(pen, left, top, scale);
    pen.fillStyle = "#8b97b0";
    pen.font = "600 12px Inter, 'Segoe UI', 'DejaVu Sans', system-ui, sans-serif";
    if (scale > 90) pen.fillText(`${zone.kind} ${zone.key}`, left + 2, top - 7);
    // What is high in the game is high on the map.
    const place = (/** @type {[number, number]} */ from, /** @type {[number, number]} */ to) => {
      const [x, y] = [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
      return /** @type {[number, number]} */ ([left + ((x - least[0]) / size) * scale, top + (1 - (y - least[1]) / size) * scale]);
    };
    const radius = Math.min(5, Math.max(1.7, scale / 200));
    const { pointer } = this;
    const found = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ text) => {
      if (pointer === undefined) return;
      const distance = Math.hypot(x - pointer.x, y - pointer.y);
      if (distance < nearest.distance) nearest = { distance, text, x, y };
    };
    const colours = [...COLOURS];
    /** @type {Map<number, [number, number][]>} */
    const groups = new Map();
    for (const dot of tile.dots.values()) {
      const [x, y] = place(dot.from, dot.to);
      const group = groups.get(dot.name);
      if (group === undefined) groups.set(dot.name, [[x, y]]);
      else group.push([x, y]);
      found(x, y, `${zone.names[dot.name] ?? "thing"} ${dot.id} at ${dot.to[0].toFixed(1)}, ${dot.to[1].toFixed(1)}`);
    }
    for (const [name, points] of groups) {
      pen.fillStyle = name < 0 ? "#8b97b0" : (colours[name % colours.length] ?? "#fff");
      pen.beginPath();
      for (const [x, y] of points) {
        pen.moveTo(x + radius, y);
        pen.arc(x, y, radius, 0, 7);
      }
      pen.fill();
    }
    pen.save();
    pen.beginPath();
    pen.rect(left, top, scale, scale);
    pen.clip();
    this.drawViewers(pen, tile, place, radius, found);
    pen.restore();
    return nearest;
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {Tile} tile
   * @param {(from: [number, number], to: [number, number]) => [number, number]} place
   * @param {number} radius
   * @param {(x: number, y: number, text: string) => void} found
   */
  drawViewers(pen, tile, place, radius, found) {
    pen.strokeStyle = "#ffffff";
    pen.lineWidth = 1.2;
    const sight = ((tile.zone.radius ?? 0) / tile.size) * this.view.scale;
    const isLarge = sight > 0 && this.view.scale > 520;
    for (const { player, from, to } of tile.viewers.values()) {
      const [x, y] = place(from, to);
      pen.globalAlpha = 0.85;
      pen.beginPath();
      pen.arc(x, y, radius + 2.6, 0, 7);
      pen.stroke();
      // Circles of sight say something while there are few of them, on one zone.
      if (isLarge && tile.viewers.size <= 24) {
        pen.globalAlpha = 0.07;
        pen.beginPath();
        pen.arc(x, y, sight, 0, 7);
        pen.stroke();
      }
      found(x, y, `player ${player}`);
    }
    pen.globalAlpha = 1;
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} left
 * @param {number} top
 * @param {number} scale
 */
function backdrop(pen, left, top, scale) {
  pen.fillStyle = "#0f131d";
  pen.strokeStyle = "#232b40";
  pen.lineWidth = 1;
  pen.beginPath();
  pen.roundRect(left, top, scale, scale, 6);
  pen.fill();
  pen.strokeStyle = "#171d2b";
  pen.beginPath();
  const parts = scale > 900 ? 16 : scale > 300 ? 8 : 4;
  for (let i = 1; i < parts; i += 1) {
    const at = Math.round((i / parts) * scale) + 0.5;
    pen.moveTo(left + at, top);
    pen.lineTo(left + at, top + scale);
    pen.moveTo(left, top + at);
    pen.lineTo(left + scale, top + at);
  }
  pen.stroke();
  pen.strokeStyle = "#232b40";
  pen.beginPath();
  pen.roundRect(left, top, scale, scale, 6);
  pen.stroke();
}

/**
 * Where something is shown now; what is new begins where it is.
 * @param {{from: [number, number], to: [number, number]} | undefined} before
 * @param {number} part
 * @param {[number, number]} fresh
 * @returns {[number, number]}
 */
function shownAt(before, part, fresh) {
  if (before === undefined) return fresh;
  return [before.from[0] + (before.to[0] - before.from[0]) * part, before.from[1] + (before.to[1] - before.from[1]) * part];
}

/**
 * The corners of a zone that says none: around what is there, and never smaller than before.
 * @param {number[]} places
 * @param {Tile | undefined} before
 * @returns {[[number, number], [number, number]]}
 */
function bounds(places, before) {
  /** @type {[number, number]} */
  const least = before === undefined ? [Infinity, Infinity] : [before.least[0], before.least[1]];
  /** @type {[number, number]} */
  const greatest = before === undefined ? [-Infinity, -Infinity] : [before.least[0] + before.size, before.least[1] + before.size];
  for (let i = 0; i + 3 < places.length; i += 4) {
    const [x, y] = [places[i + 2] ?? 0, places[i + 3] ?? 0];
    least[0] = Math.min(least[0], x);
    least[1] = Math.min(least[1], y);
    greatest[0] = Math.max(greatest[0], x);
    greatest[1] = Math.max(greatest[1], y);
  }
  return Number.isFinite(least[0]) ? [least, greatest] : [[0, 0], [1, 1]];
}
