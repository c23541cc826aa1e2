// @ts-check
/**
 * Trading: which offers are open, and what is said about how they end.
 *
 * Responsible for: asking the server, once more after each connect and each change, and passing on what it answers.
 * Not responsible for: cards (`offers.js`), the panel (`bid.js`), counters (`hold.js`, `purse.js`), sending (`session.js`).
 *
 * Invariants:
 * - I1: what is shown as open is what the server listed last, less what it said is over.
 * - I2: a request whose answer is lost is never repeated: the server is asked what is open.
 */

import { Bid } from "./bid.js";
import { words } from "./goods.js";
import { nameOf, Offers } from "./offers.js";

/** @typedef {import("./contracts.js").Trade} Trade */
/** @typedef {import("./contracts.js").TradeId} TradeId */
/** @typedef {import("./contracts.js").Hold} Hold */

/** A look that failed is repeated after this. */
const RETRY_MS = 700;

export class Trading {
  /**
   * @param {() => import("./session.js").Session | undefined} session
   * @param {{hold: (hold: Hold) => void, note: (text: string) => void}} events
   */
  constructor(session, events) {
    this.session = session;
    this.events = events;
    this.offers = new Offers((act, trade) => void this.#act(act, trade));
    this.bid = new Bid((ship, name, give, want) => void this.#offer(ship, name, give, want));
    /** @type {Trade[]} */
    this.toMe = [];
    /** @type {Trade[]} */
    this.fromMe = [];
    /** @type {Hold} */
    this.hold = { stacks: [], total: 0n, crystals: 0n, coins: 0n };
    /** @type {Set<string>} */
    this.busy = new Set();
    this.looking = false;
    this.again = false;
  }

  /** Asks the server what is open. */
  async look() {
    this.again = true;
    if (this.looking) return;
    this.looking = true;
    while (this.again) {
      this.again = false;
      const session = this.session();
      if (session === undefined || session.client.state.is !== "connected") break;
      try {
        const { hold, toMe, fromMe } = await session.trades();
        // What came while it was under way may be newer: another look is due then.
        this.#list(hold, toMe, fromMe);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        this.again = true;
      }
    }
    this.looking = false;
  }

  /**
   * Somebody offers something.
   * @param {Trade} trade
   */
  came(trade) {
    this.events.note(`${trade.name} offers you a trade.`);
    this.toMe = [...this.toMe.filter((other) => nameOf(other.id) !== nameOf(trade.id)), trade];
    this.#show();
    void this.look();
  }

  /**
   * An offer is over.
   * @param {import("./contracts.js").TradeOver} over
   */
  over(over) {
    const name = nameOf(over.trade);
    const own = this.fromMe.some((trade) => nameOf(trade.id) === name);
    this.events.note(ending(over.name, over.end, words(over.got), own));
    this.#remove(name);
    this.#keep(over.hold);
    this.#show();
    void this.look();
  }

  /** A crystal was mined, or something else changed what can be given. */
  changed() {
    void this.look();
  }

  /**
   * @param {bigint} ship
   * @param {string} name
   * @param {import("./contracts.js").Goods} give
   * @param {import("./contracts.js").Goods} want
   */
  async #offer(ship, name, give, want) {
    try {
      const answer = await this.session()?.offer(ship, give, want);
      if (answer === undefined) return;
      if ("err" in answer) this.events.note(refusal(answer.err));
      else {
        this.events.note(`You offer ${name} ${words(give)} for ${words(want)}.`);
        this.fromMe = [...this.fromMe, answer.ok];
        this.#show();
      }
    } catch {
      this.events.note("It is not known whether your offer was made. Looking…");
    }
    void this.look();
  }

  /**
   * @param {import("./offers.js").Act} act
   * @param {TradeId} trade
   */
  async #act(act, trade) {
    const name = nameOf(trade);
    const session = this.session();
    if (session === undefined || this.busy.has(name)) return;
    this.busy.add(name);
    this.#show();
    try {
      const answer = await session[act](trade);
      if ("err" in answer) this.events.note(refusal(answer.err));
      else if (act === "accept") this.toMe = this.toMe.map((other) => (nameOf(other.id) === name ? { ...other, accepted: true } : other));
      else this.#remove(name);
      if ("ok" in answer && act === "cancel") this.events.note(`You took your offer back: ${words(answer.ok.goods)} again in your hold.`);
    } catch {
      // Nobody knows what came of it: the look below tells.
    }
    this.busy.delete(name);
    this.#show();
    void this.look();
  }

  /**
   * @param {Hold} hold
   * @param {Trade[]} toMe
   * @param {Trade[]} fromMe
   */
  #list(hold, toMe, fromMe) {
    this.toMe = toMe;
    this.fromMe = fromMe;
    this.#keep(hold);
    this.#show();
  }

  /** @param {Hold} hold */
  #keep(hold) {
    this.hold = hold;
    this.bid.list(hold);
    this.events.hold(hold);
  }

  /** @param {string} name */
  #remove(name) {
    this.toMe = this.toMe.filter((trade) => nameOf(trade.id) !== name);
    this.fromMe = this.fromMe.filter((trade) => nameOf(trade.id) !== name);
  }

  #show() {
    this.offers.show(this.toMe, this.fromMe, this.hold, this.busy, performance.now());
  }
}

/**
 * What is said about the end of an offer.
 * @param {string} name the other pilot's
 * @param {import("./contracts.js").TradeEnd} end
 * @param {string} got what came into the hold
 * @param {boolean} own whether the offer was made here
 * @returns {string}
 */
function ending(name, end, got, own) {
  switch (end) {
    case "Settled":
      return `Traded with ${name}: you got ${got}.`;
    case "Refused":
      return `${name} refused. You have ${got} back.`;
    case "TooMany":
      return `${name} has too many offers to look at. You have ${got} back.`;
    case "Cancelled":
      return `${name} took the offer back.`;
    case "TimedOut":
      return own ? `${name} did not answer. You have ${got} back.` : `The offer of ${name} is over.`;
    case "Returned":
      return `Too late: the offer of ${name} was over. You have ${got} back.`;
    case "Other":
      return `The offer is over.`;
  }
}

/**
 * @param {import("./contracts.js").TradeRefused} why
 * @returns {string}
 */
function refusal(why) {
  switch (why) {
    case "NotAboard":
    case "Unavailable":
    case "Other":
      return "That did not work. Try again in a moment.";
    case "NoShip":
      return "That ship is not here any more.";
    case "OwnShip":
      return "You cannot trade with yourself.";
    case "Nothing":
      return "Say what you give, or what you want.";
    case "BadGoods":
      return "That is too much, or there is no such ore.";
    case "NotEnough":
      return "You have not got so much.";
    case "TooMany":
      return "You have too many open offers: cancel one, or wait.";
    case "Unknown":
      return "That offer is over.";
  }
}
