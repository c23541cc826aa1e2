// @ts-check
/**
 * The first screen: a name and a colour, both remembered.
 *
 * Responsible for: asking, remembering, saying what went wrong. Not responsible for: connecting (`session.js`).
 */

import { element } from "./elements.js";

/** Colours to choose from, degrees of hue. */
const HUES = [190, 215, 255, 285, 325, 2, 32, 52, 140];
const NAME_KEY = "driftlight.name";
const HUE_KEY = "driftlight.hue";
const FADE_MS = 700;

export class Start {
  /** @param {(name: string, hue: number) => void} chosen */
  constructor(chosen) {
    this.root = element("start", HTMLElement);
    this.form = element("start-form", HTMLFormElement);
    this.name = element("start-name", HTMLInputElement);
    this.hues = element("start-hues", HTMLElement);
    this.go = element("start-go", HTMLButtonElement);
    this.noteLine = element("start-note", HTMLElement);
    this.hue = remembered(HUE_KEY, Number) ?? HUES[Math.floor(Math.random() * HUES.length)] ?? 190;
    this.name.value = remembered(NAME_KEY, String) ?? "";
    this.#showHues();
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.name.value.trim();
      if (name === "") return;
      localStorage.setItem(NAME_KEY, name);
      localStorage.setItem(HUE_KEY, String(this.hue));
      this.busy(true);
      chosen(name, this.hue);
    });
    this.name.focus();
  }

  #showHues() {
    for (const hue of HUES) {
      const button = document.createElement("button");
      button.type = "button";
      button.role = "radio";
      button.ariaLabel = `hue ${hue}`;
      button.style.setProperty("--h", String(hue));
      button.addEventListener("click", () => this.#choose(hue));
      button.dataset["hue"] = String(hue);
      this.hues.append(button);
    }
    this.#choose(this.hue);
  }

  /** @param {number} hue */
  #choose(hue) {
    this.hue = hue;
    document.documentElement.style.setProperty("--own", String(hue));
    for (const button of this.hues.querySelectorAll("button")) {
      button.ariaChecked = String(button.dataset["hue"] === String(hue));
    }
  }

  /**
   * While the way in is being found.
   * @param {boolean} busy
   */
  busy(busy) {
    this.go.disabled = busy;
    this.go.textContent = busy ? "Finding the way…" : "Fly";
    if (busy) this.noteLine.textContent = "";
  }

  /**
   * Says what went wrong and asks again.
   * @param {string} text
   */
  refuse(text) {
    this.root.classList.remove("leaving", "hidden");
    this.busy(false);
    this.noteLine.textContent = text;
    this.name.focus();
  }

  /** Fades away. */
  leave() {
    this.name.blur();
    this.root.classList.add("leaving");
    setTimeout(() => {
      if (this.root.classList.contains("leaving")) this.root.classList.add("hidden");
    }, FADE_MS);
  }

  /** Whether it covers the game. */
  get open() {
    return !this.root.classList.contains("leaving") && !this.root.classList.contains("hidden");
  }
}

/**
 * @template T
 * @param {string} key
 * @param {(text: string) => T} read
 * @returns {T | undefined}
 */
function remembered(key, read) {
  const text = localStorage.getItem(key);
  return text === null ? undefined : read(text);
}
