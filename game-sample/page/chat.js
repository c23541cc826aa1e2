// @ts-check
/**
 * Talking: the line to type in, the lines that were said, and words that float over ships.
 *
 * Responsible for: input line, log (bounded), floating words. Not responsible for: sending (`main.js` passes a function).
 */

import { hsl, steppedHue } from "./colour.js";
import { element, setShown } from "./elements.js";
import { lettering } from "./sprites.js";

/** Lines kept in the log. */
const LINES_MAX = 40;
const LINE_OLD_MS = 14_000;
/** Words over ships: so many at once, so long. */
const FLOATING_MAX = 24;
const FLOATING_MS = 6_500;
/** Longer words are cut over a ship; the log has them whole. */
const FLOATING_LETTERS = 60;

/**
 * @typedef {object} Floating
 * @property {string} name
 * @property {number} hue
 * @property {import("./sprites.js").Sprite} sprite
 * @property {number} since milliseconds
 */

export class Chat {
  /** @param {(text: string) => void} send */
  constructor(send) {
    this.send = send;
    this.log = element("lines", HTMLElement);
    this.form = element("say", HTMLFormElement);
    this.input = element("say-text", HTMLInputElement);
    /** @type {Floating[]} */
    this.floating = [];
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.input.value.trim();
      if (text !== "") this.send(text);
      this.close();
    });
    this.input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
    });
    this.input.addEventListener("blur", () => this.close());
  }

  /** Whether somebody is typing. */
  get open() {
    return !this.form.classList.contains("hidden");
  }

  /** Opens the line to type in. */
  start() {
    setShown(this.form, true);
    this.log.classList.add("open");
    this.input.value = "";
    this.input.focus();
  }

  /** Closes it. */
  close() {
    if (!this.open) return;
    setShown(this.form, false);
    this.log.classList.remove("open");
    this.input.blur();
  }

  /**
   * Shows what somebody said.
   * @param {string} name
   * @param {number} hue
   * @param {string} text
   * @param {number} now milliseconds
   */
  said(name, hue, text, now) {
    const who = document.createElement("b");
    who.textContent = name;
    who.style.color = hsl(hue, 95, 76);
    this.#line([who, text]);
    const words = text.length > FLOATING_LETTERS ? `${text.slice(0, FLOATING_LETTERS - 1)}…` : text;
    const look = { size: 13, colour: hsl(steppedHue(hue), 70, 92), backing: hsl(steppedHue(hue), 60, 14, 0.72) };
    this.floating = this.floating.filter((other) => other.name !== name || other.hue !== hue);
    this.floating.push({ name, hue, sprite: lettering(words, look), since: now });
    if (this.floating.length > FLOATING_MAX) this.floating.shift();
  }

  /**
   * A line of the game itself. The same once more takes the place of the one before.
   * @param {string} text
   */
  note(text) {
    const last = this.log.lastElementChild;
    if (last?.classList.contains("note") && last.textContent === text) last.remove();
    this.#line([text]).classList.add("note");
  }

  /** @param {(Node | string)[]} parts */
  #line(parts) {
    const line = document.createElement("li");
    line.append(...parts);
    this.log.append(line);
    while (this.log.children.length > LINES_MAX) this.log.firstElementChild?.remove();
    while (this.log.querySelectorAll("li:not(.old)").length > 7) this.log.querySelector("li:not(.old)")?.classList.add("old");
    setTimeout(() => line.classList.add("old"), LINE_OLD_MS);
    return line;
  }

  /**
   * Words over ships.
   * @param {import("./screen.js").Screen} screen
   * @param {import("./camera.js").Camera} camera
   * @param {import("./world.js").World} world
   * @param {number} now
   */
  draw(screen, camera, world, now) {
    if (this.floating.length === 0) return;
    this.floating = this.floating.filter((words) => now - words.since < FLOATING_MS);
    for (const words of this.floating) {
      const body = world.named(words.name, words.hue);
      if (body === undefined) continue;
      const age = now - words.since;
      const rise = Math.min(1, age / 220);
      screen.context.globalAlpha = Math.min(rise, (FLOATING_MS - age) / 700) * body.light;
      const y = camera.screenY(body.y) - (26 * camera.scale + 8 * rise);
      screen.sprite(words.sprite, Math.round(camera.screenX(body.x)), Math.round(y), 0, 0.9 + 0.1 * rise);
    }
    screen.reset();
  }
}
