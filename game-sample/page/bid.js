// @ts-check
/**
 * The panel in which an offer is made: to whom, what for what.
 *
 * Responsible for: choosing a ship, the form, reading it. Not responsible for: sending (`trade.js`), open offers (`offers.js`).
 */

import { element, setShown, setText } from "./elements.js";
import { ORES } from "./goods.js";

/** How near to a ship a tap counts, CSS pixels. */
const TAP_PIXELS = 34;
/** A press that is longer, or moves further, flies and is no tap. */
const TAP_MS = 300;
const TAP_MOVE_PIXELS = 10;

/** @typedef {import("./contracts.js").Goods} Goods */
/** @typedef {import("./world.js").Body} Body */
/** @typedef {{hue: number | undefined, give: HTMLInputElement, want: HTMLInputElement, have: HTMLElement}} Row */

export class Bid {
  /** @param {(ship: bigint, name: string, give: Goods, want: Goods) => void} offer */
  constructor(offer) {
    this.offer = offer;
    this.form = element("bid", HTMLFormElement);
    this.nameText = element("bid-name", HTMLElement);
    this.noteText = element("bid-note", HTMLElement);
    this.rows = [this.#row(undefined, "coins"), ...[...ORES].map(([hue, name]) => this.#row(hue, name))];
    /** @type {{id: bigint, name: string} | undefined} */
    this.ship = undefined;
    /** @type {{x: number, y: number, at: number} | undefined} */
    this.press = undefined;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    element("bid-close", HTMLButtonElement).addEventListener("click", () => this.close());
    this.form.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
    });
  }

  get open() {
    return !this.form.classList.contains("hidden");
  }

  /**
   * Opens the panel for the nearest ship, ready to type in; false if there is none in view.
   * @param {import("./world.js").World} world
   */
  nearest(world) {
    const own = world.own;
    if (own === undefined) return false;
    const far = (/** @type {Body} */ body) => Math.hypot(body.x - own.x, body.y - own.y);
    const found = others(world).sort((one, other) => far(one) - far(other))[0];
    if (found === undefined) return false;
    this.to(found);
    this.rows[0]?.give.focus();
    return true;
  }

  /**
   * A pointer went down.
   * @param {PointerEvent} event
   */
  down(event) {
    this.press = { x: event.clientX, y: event.clientY, at: event.timeStamp };
  }

  /**
   * A pointer went up: a tap on a ship opens the panel for it.
   * @param {PointerEvent} event
   * @param {import("./world.js").World} world
   * @param {import("./camera.js").Camera} camera
   */
  up(event, world, camera) {
    const press = this.press;
    this.press = undefined;
    if (press === undefined || event.timeStamp - press.at > TAP_MS) return;
    if (Math.hypot(event.clientX - press.x, event.clientY - press.y) > TAP_MOVE_PIXELS) return;
    const found = others(world).find((body) => Math.hypot(camera.screenX(body.x) - press.x, camera.screenY(body.y) - press.y) < TAP_PIXELS);
    if (found !== undefined) this.to(found);
  }

  /**
   * Opens the panel for a ship. Keys go on flying until somebody types.
   * @param {{id: bigint, name: string}} ship
   */
  to(ship) {
    this.ship = { id: ship.id, name: ship.name };
    setText(this.nameText, ship.name);
    setText(this.noteText, "");
    for (const { give, want } of this.rows) give.value = want.value = "";
    setShown(this.form, true);
  }

  /** Closes it. */
  close() {
    setShown(this.form, false);
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  }

  /**
   * What can be given.
   * @param {import("./contracts.js").Hold} hold
   */
  list(hold) {
    for (const row of this.rows) {
      const amount = row.hue === undefined ? hold.coins : (hold.stacks.find((stack) => stack.hue === row.hue)?.amount ?? 0n);
      setText(row.have, String(amount));
      row.give.max = String(amount);
      row.give.disabled = amount === 0n;
    }
  }

  #submit() {
    const ship = this.ship;
    if (ship === undefined) return;
    const [give, want] = [this.#read("give"), this.#read("want")];
    if (give === undefined || want === undefined) setText(this.noteText, "Whole numbers, please.");
    else if (isNothing(give) && isNothing(want)) setText(this.noteText, "Say what you give, or what you want.");
    else {
      this.close();
      this.offer(ship.id, ship.name, give, want);
    }
  }

  /**
   * @param {"give" | "want"} side
   * @returns {Goods | undefined} nothing if it is no number
   */
  #read(side) {
    let coins = 0n;
    const ore = [];
    for (const row of this.rows) {
      const text = row[side].value.trim();
      if (!row[side].validity.valid || !/^\d*$/.test(text)) return undefined;
      const amount = BigInt(text === "" ? "0" : text);
      if (row.hue === undefined) coins = amount;
      else if (amount > 0n) ore.push({ hue: row.hue, amount });
    }
    return { coins, ore };
  }

  /**
   * @param {number | undefined} hue
   * @param {string} name
   * @returns {Row}
   */
  #row(hue, name) {
    const label = document.createElement("span");
    label.className = hue === undefined ? "coin-sign" : "ore-sign";
    label.textContent = name;
    if (hue !== undefined) label.style.setProperty("--h", String(hue));
    const have = document.createElement("small");
    const [give, want] = ["give", "want"].map((side) => {
      const input = document.createElement("input");
      Object.assign(input, { type: "number", min: "0", step: "1", placeholder: "0", inputMode: "numeric" });
      input.max = "1000000000000";
      input.setAttribute("aria-label", `${hue === undefined ? name : `${name} ore`} you ${side}`);
      input.dataset["side"] = side;
      input.dataset["hue"] = String(hue ?? "coins");
      return input;
    });
    if (give === undefined || want === undefined) throw new Error("two sides give two inputs");
    element("bid-rows", HTMLElement).append(label, have, give, want);
    return { hue, give, want, have };
  }
}

/** @param {import("./world.js").World} world */
function others(world) {
  return world.bodies.filter((body) => body.look === "ship" && body.present && !body.own);
}

/** @param {Goods} goods */
function isNothing(goods) {
  return goods.coins === 0n && goods.ore.length === 0;
}
