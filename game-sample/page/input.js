// @ts-check
/**
 * Keys, mouse and fingers as controls of the ship.
 *
 * Responsible for: what is held down, steering towards the pointer. Not responsible for: sending it (`helm.js`).
 *
 * Invariant: a page without focus holds nothing down.
 */

/** Pointer nearer than this to the ship does not thrust, CSS pixels. */
const REST_PIXELS = 34;
/** Full thrust this much further out. */
const FULL_PIXELS = 130;
/** Turn per radian of aim; the view is two intervals old, so a stronger pull would swing. */
const AIM_PULL = 2.1;
const AIM_REST = 0.035;
/** Steps of turn and thrust sent; finer ones only cost packets. */
const STEPS = 24;

const KEYS = new Map([
  ["KeyW", "ahead"], ["ArrowUp", "ahead"],
  ["KeyS", "back"], ["ArrowDown", "back"],
  ["KeyA", "left"], ["ArrowLeft", "left"],
  ["KeyD", "right"], ["ArrowRight", "right"],
  ["ShiftLeft", "boost"], ["ShiftRight", "boost"],
]);

/** @typedef {{thrust: number, turn: number, boost: boolean}} Controls */

export class Input {
  /**
   * @param {HTMLElement} surface
   * @param {() => void} changed called when something was pressed or let go
   */
  constructor(surface, changed) {
    /** @type {Map<string, string>} code of a held key to what it does */
    this.held = new Map();
    /** @type {Map<number, {x: number, y: number, boosts: boolean}>} pointers that are down */
    this.pointers = new Map();
    this.changed = changed;
    this.#listenKeys();
    this.#listenPointers(surface);
  }

  #listenKeys() {
    window.addEventListener("keydown", (event) => {
      const action = KEYS.get(event.code);
      if (action === undefined || event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
      event.preventDefault();
      if (event.repeat) return;
      this.held.set(event.code, action);
      this.changed();
    });
    window.addEventListener("keyup", (event) => {
      if (this.held.delete(event.code)) this.changed();
    });
    const release = () => {
      if (this.held.size + this.pointers.size === 0) return;
      this.held.clear();
      this.pointers.clear();
      this.changed();
    };
    window.addEventListener("blur", release);
    document.addEventListener("visibilitychange", () => document.hidden && release());
  }

  /** @param {HTMLElement} surface */
  #listenPointers(surface) {
    surface.addEventListener("contextmenu", (event) => event.preventDefault());
    surface.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      surface.setPointerCapture(event.pointerId);
      const boosts = event.button === 2;
      this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, boosts });
      this.changed();
    });
    surface.addEventListener("pointermove", (event) => {
      const pointer = this.pointers.get(event.pointerId);
      if (pointer === undefined) return;
      pointer.x = event.clientX;
      pointer.y = event.clientY;
      // A second mouse button tells itself by a move event, not by another pointerdown.
      if (event.pointerType === "mouse") pointer.boosts = (event.buttons & 2) !== 0;
    });
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"])) {
      surface.addEventListener(kind, (event) => {
        if (this.pointers.delete(event.pointerId)) this.changed();
      });
    }
  }

  /**
   * What is wanted now.
   * @param {import("./camera.js").Camera} camera
   * @param {{x: number, y: number, yaw: number} | undefined} ship
   * @returns {Controls}
   */
  read(camera, ship) {
    const actions = new Set(this.held.values());
    let thrust = (actions.has("ahead") ? 1 : 0) - (actions.has("back") ? 1 : 0);
    // Left is counter-clockwise, which the world counts as positive.
    let turn = (actions.has("left") ? 1 : 0) - (actions.has("right") ? 1 : 0);
    let boost = actions.has("boost");
    const [pointer] = this.pointers.values();
    if (pointer !== undefined && ship !== undefined) {
      const aimed = aim(pointer, camera, ship);
      boost = boost || pointer.boosts || this.pointers.size > 1;
      if (thrust === 0) thrust = aimed.thrust;
      if (turn === 0) turn = aimed.turn;
    }
    if (boost && thrust === 0 && this.held.size > 0) thrust = 1;
    return { thrust, turn, boost };
  }
}

/**
 * Controls that fly towards a point of the screen.
 * @param {{x: number, y: number}} pointer
 * @param {import("./camera.js").Camera} camera
 * @param {{x: number, y: number, yaw: number}} ship
 */
function aim(pointer, camera, ship) {
  const dx = pointer.x - camera.screenX(ship.x);
  const dy = camera.screenY(ship.y) - pointer.y;
  const far = Math.hypot(dx, dy);
  let off = Math.atan2(dy, dx) - ship.yaw;
  off -= Math.round(off / (2 * Math.PI)) * 2 * Math.PI;
  const turn = far < REST_PIXELS * 0.5 || Math.abs(off) < AIM_REST ? 0 : stepped(Math.max(-1, Math.min(1, off * AIM_PULL)));
  const share = Math.max(0, Math.min(1, (far - REST_PIXELS) / FULL_PIXELS));
  const thrust = stepped(Math.abs(off) < 1.5 ? share : share * 0.2);
  return { thrust, turn };
}

/** @param {number} value */
function stepped(value) {
  return Math.round(value * STEPS) / STEPS;
}

/** @param {KeyboardEvent} event */
export function typing(event) {
  return event.target instanceof HTMLInputElement;
}
