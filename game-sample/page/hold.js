// @ts-check
/**
 * The hold in the heads-up display: how much ore there is, of which colours, and that it is kept.
 *
 * Responsible for: the counter, its stacks, the note after each crystal. Not responsible for: mining (`mining.js`).
 *
 * Invariant: nothing is counted here that the server has not answered, and what it answered is stored.
 */

import { element, setShown, setText } from "./elements.js";

export class Hold {
  constructor() {
    this.root = element("ore", HTMLElement);
    this.totalText = element("ore-total", HTMLElement);
    this.stacksLine = element("ore-stacks", HTMLElement);
    this.kept = element("ore-kept", HTMLElement);
    this.total = 0n;
    /** @type {Map<number, bigint>} amounts by hue */
    this.stacks = new Map();
  }

  /**
   * What the server says there is.
   * @param {import("./contracts.js").Hold} hold
   */
  list(hold) {
    this.total = hold.total;
    this.stacks = new Map(hold.stacks.map((stack) => [stack.hue, stack.amount]));
    this.#show();
  }

  /**
   * A crystal was mined; the answer says that it is stored.
   * @param {import("./contracts.js").Mined} mined
   */
  mined(mined) {
    this.total = mined.total;
    this.stacks.set(mined.hue, (this.stacks.get(mined.hue) ?? 0n) + BigInt(mined.ore));
    this.#show();
    setText(this.kept, `+${mined.ore} kept`);
    this.kept.style.setProperty("--h", String(mined.hue));
    // Taking the class away and reading a size starts the animation again.
    this.kept.classList.remove("shown");
    void this.kept.offsetWidth;
    this.kept.classList.add("shown");
  }

  #show() {
    setShown(this.root, true);
    setText(this.totalText, String(this.total));
    const stacks = [...this.stacks].sort(([one], [other]) => one - other).map(([hue, amount]) => {
      const stack = document.createElement("i");
      stack.style.setProperty("--h", String(hue));
      stack.textContent = String(amount);
      return stack;
    });
    this.stacksLine.replaceChildren(...stacks);
  }
}
