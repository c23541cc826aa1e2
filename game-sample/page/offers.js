// @ts-check
/**
 * Open offers as cards: others' with accept and refuse, own ones with cancel, each with the time that is left.
 *
 * Responsible for: showing them. Not responsible for: which are open (`trade.js`), making one (`bid.js`).
 */

import { element, setText } from "./elements.js";
import { has, signs, words } from "./goods.js";

/** How long an offer is open, milliseconds: the bar is full then. */
const OPEN_MS = 30_000;

/** @typedef {import("./contracts.js").Trade} Trade */
/** @typedef {import("./contracts.js").TradeId} TradeId */
/** @typedef {"accept" | "refuse" | "cancel"} Act */

/**
 * @typedef {object} Card
 * @property {HTMLElement} root
 * @property {HTMLElement} left
 * @property {HTMLElement} bar
 * @property {Trade} trade
 * @property {boolean} own
 * @property {number} until milliseconds of the page's clock
 * @property {HTMLButtonElement[]} buttons
 */

export class Offers {
  /** @param {(act: Act, trade: TradeId) => void} act */
  constructor(act) {
    this.act = act;
    this.root = element("offers", HTMLElement);
    /** @type {Map<string, Card>} */
    this.cards = new Map();
  }

  /**
   * Shows what is open.
   * @param {readonly Trade[]} toMe
   * @param {readonly Trade[]} fromMe
   * @param {import("./contracts.js").Hold} hold
   * @param {ReadonlySet<string>} busy offers about which the server is being asked
   * @param {number} now milliseconds
   */
  show(toMe, fromMe, hold, busy, now) {
    const open = [...toMe.map((trade) => ({ trade, own: false })), ...fromMe.map((trade) => ({ trade, own: true }))];
    const names = new Set(open.map(({ trade }) => nameOf(trade.id)));
    for (const [name, card] of this.cards) {
      if (names.has(name)) continue;
      card.root.remove();
      this.cards.delete(name);
    }
    for (const { trade, own } of open) {
      const name = nameOf(trade.id);
      const card = this.cards.get(name) ?? this.#add(name, trade, own, now);
      card.trade = trade;
      card.root.classList.toggle("settling", trade.accepted);
      const [yes] = card.buttons;
      for (const button of card.buttons) button.disabled = trade.accepted || busy.has(name);
      if (!own && yes !== undefined && !has(hold, trade.want)) {
        yes.disabled = true;
        yes.title = `You have not got ${words(trade.want)}.`;
      } else if (yes !== undefined) yes.title = "";
    }
    this.tick(now);
  }

  /**
   * Lets the time run down.
   * @param {number} now milliseconds
   */
  tick(now) {
    for (const card of this.cards.values()) {
      const left = Math.max(0, card.until - now);
      setText(card.left, card.trade.accepted ? "settling…" : `${Math.ceil(left / 1000)} s`);
      card.bar.style.transform = `scaleX(${Math.min(1, left / OPEN_MS).toFixed(3)})`;
    }
  }

  /**
   * @param {string} name
   * @param {Trade} trade
   * @param {boolean} own
   * @param {number} now milliseconds
   * @returns {Card}
   */
  #add(name, trade, own, now) {
    const root = made("article", `offer ${own ? "from-me" : "to-me"}`);
    const head = made("header");
    const who = made("b");
    who.textContent = trade.name;
    const left = made("small");
    head.append(own ? "Your offer to" : "", who, own ? "" : " offers", left);
    const swap = made("div", "swap");
    swap.append(side(own ? "you give" : "you get", signs(trade.give)), side(own ? "you get" : "you give", signs(trade.want)));
    const row = made("footer");
    const buttons = own ? [this.#button("cancel", "Cancel", trade.id)] : [this.#button("accept", "Accept", trade.id), this.#button("refuse", "Refuse", trade.id)];
    row.append(...buttons);
    const bar = made("i", "time");
    root.append(head, swap, row, bar);
    // Others' offers stand first: they ask for something.
    if (own) this.root.append(root);
    else this.root.prepend(root);
    const card = { root, left, bar, trade, own, until: now + trade.leftMs, buttons };
    this.cards.set(name, card);
    return card;
  }

  /**
   * @param {Act} act
   * @param {string} text
   * @param {TradeId} trade
   */
  #button(act, text, trade) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset["act"] = act;
    button.textContent = text;
    button.addEventListener("click", () => {
      // Keys fly the ship again.
      button.blur();
      this.act(act, trade);
    });
    return button;
  }
}

/**
 * An offer's name as text.
 * @param {TradeId} trade
 */
export function nameOf(trade) {
  return `${trade.pilot}:${trade.number}`;
}

/**
 * @param {string} label
 * @param {HTMLElement[]} goods
 */
function side(label, goods) {
  const root = made("div");
  const name = made("small");
  name.textContent = label;
  root.append(name, ...goods);
  return root;
}

/**
 * @param {string} tag
 * @param {string} [name] of its class
 */
function made(tag, name) {
  const root = document.createElement(tag);
  if (name !== undefined) root.className = name;
  return root;
}
