// @ts-check
/**
 * The pilot's way into the game, and back into it after every loss.
 *
 * Responsible for: connecting, entering after each connect, passing on what the server says.
 * Not responsible for: reconnecting (the SDK does), showing anything.
 */

import { connect } from "/lightmoon/index.js";
import { contracts, Pilot, Sector } from "./contracts.js";

/** @typedef {import("./contracts.js").SectorInfo} SectorInfo */

const TOKEN_KEY = "driftlight.token";
/** An enter that failed by chance (a busy server, a restart) is tried again after this. */
const RETRY_MS = 700;

/**
 * What a session tells the page.
 * @typedef {object} SessionEvents
 * @property {(state: import("/lightmoon/index.js").LinkState) => void} connection
 * @property {(sector: SectorInfo) => void} welcome
 * @property {(zone: bigint) => void} attached
 * @property {(name: string, hue: number, text: string) => void} said
 * @property {() => void} entered after each connect: what was pushed before may be lost
 * @property {(trade: import("./contracts.js").Trade) => void} tradeCame
 * @property {(over: import("./contracts.js").TradeOver) => void} tradeOver
 * @property {(why: string) => void} refused
 * @property {() => void} packet a state packet arrived
 */

export class Session {
  /**
   * @param {string} name
   * @param {number} hue
   * @param {SessionEvents} events
   */
  constructor(name, hue, events) {
    this.name = name;
    this.hue = hue;
    this.events = events;
    this.client = connect({ info: "/lightmoon.json", contracts, token: token() });
    this.client.onState((state) => {
      events.connection(state);
      if (state.is === "connected") void this.#enter();
    });
    this.client.onAttached((attachment) => events.attached(attachment.zone.key));
    this.client.onStatePacket(() => events.packet());
    this.client.on(Sector.welcome, (message) => events.welcome(message.sector));
    this.client.on(Sector.said, (message) => events.said(message.name, message.hue, message.text));
    this.client.on(Pilot.tradeCame, (message) => events.tradeCame(message.trade));
    this.client.on(Pilot.tradeOver, (message) => events.tradeOver(message.over));
  }

  /** Asks to be put into the world; the client is connected. */
  async #enter() {
    try {
      const answer = await this.client.me(Pilot).enter(this.name, this.hue);
      if ("ok" in answer) this.events.entered();
      else this.events.refused(refusal(answer.err));
    } catch (error) {
      // A call that was cut off by a lost connection needs no second try: the next connect enters again.
      if (this.client.state.is !== "connected") return;
      console.info("enter failed, trying again", error);
      setTimeout(() => this.client.state.is === "connected" && void this.#enter(), RETRY_MS);
    }
  }

  /**
   * @param {import("./input.js").Controls} controls
   */
  steer(controls) {
    if (this.client.attached !== undefined) this.client.zone(Sector).steer(controls);
  }

  /**
   * Asks for a crystal. Rejects when nobody knows whether it was counted: ask again then.
   * @param {bigint} crystal
   */
  mine(crystal) {
    return this.client.me(Pilot).mine(crystal);
  }

  /** What is in the hold, and which offers are open. */
  trades() {
    return this.client.me(Pilot).trades();
  }

  /**
   * Offers the pilot of a ship something.
   * @param {bigint} ship
   * @param {import("./contracts.js").Goods} give
   * @param {import("./contracts.js").Goods} want
   */
  offer(ship, give, want) {
    return this.client.me(Pilot).offer(ship, give, want);
  }

  /** @param {import("./contracts.js").TradeId} trade another pilot's offer */
  accept(trade) {
    return this.client.me(Pilot).accept(trade);
  }

  /** @param {import("./contracts.js").TradeId} trade another pilot's offer */
  refuse(trade) {
    return this.client.me(Pilot).refuse(trade);
  }

  /** @param {import("./contracts.js").TradeId} trade an own offer */
  cancel(trade) {
    return this.client.me(Pilot).cancel(trade);
  }

  /** @param {string} text */
  say(text) {
    if (this.client.attached !== undefined) this.client.zone(Sector).say(text);
  }

  /** Leaves for good. */
  close() {
    this.client.close();
  }
}

/**
 * What this tab proves itself with: drawn once, kept while the tab lives, so that two tabs are two pilots.
 * @returns {string}
 */
function token() {
  const kept = sessionStorage.getItem(TOKEN_KEY);
  if (kept !== null) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const drawn = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem(TOKEN_KEY, drawn);
  return drawn;
}

/**
 * @param {import("./contracts.js").EnterRefused} why
 * @returns {string}
 */
function refusal(why) {
  switch (why) {
    case "BadName":
      return "That name cannot be used: 1 to 24 characters, please.";
    case "Full":
      return "The sky is full just now. Try again in a moment.";
    case "Unavailable":
    case "NoSector":
    case "Other":
      return "The sky does not answer. Try again in a moment.";
  }
}
