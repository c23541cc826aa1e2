// @ts-check
/**
 * The purse in the heads-up display: how many coins there are.
 *
 * Responsible for: the counter, and a flash when it changes. Not responsible for: ore (`hold.js`), trading (`trade.js`).
 *
 * Invariant: nothing is counted here that the server has not answered.
 */

import { element, setShown, setText } from "./elements.js";

export class Purse {
  constructor() {
    this.root = element("purse", HTMLElement);
    this.countText = element("purse-count", HTMLElement);
    this.changeText = element("purse-change", HTMLElement);
    this.coins = 0n;
    this.isKnown = false;
  }

  /**
   * What the server says there is.
   * @param {bigint} coins
   */
  set(coins) {
    const change = coins - this.coins;
    if (this.isKnown && change === 0n) return;
    if (this.isKnown) this.#flash(change);
    this.coins = coins;
    this.isKnown = true;
    setShown(this.root, true);
    setText(this.countText, String(coins));
  }

  /** @param {bigint} change */
  #flash(change) {
    setText(this.changeText, change > 0n ? `+${change}` : `−${-change}`);
    this.changeText.classList.toggle("less", change < 0n);
    // Taking the class away and reading a size starts the animation again.
    this.changeText.classList.remove("shown");
    void this.changeText.offsetWidth;
    this.changeText.classList.add("shown");
  }
}
