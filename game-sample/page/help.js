// @ts-check
/**
 * The page of keys.
 *
 * Responsible for: showing and hiding it. Not responsible for: the keys themselves (`keys.js`).
 */

import { element, setShown } from "./elements.js";

export class Help {
  constructor() {
    this.root = element("help", HTMLElement);
    this.hint = element("hint", HTMLElement);
  }

  /** Shows or hides it. */
  toggle() {
    setShown(this.root, this.root.classList.contains("hidden"));
  }

  /** Hides it. */
  close() {
    setShown(this.root, false);
  }
}
