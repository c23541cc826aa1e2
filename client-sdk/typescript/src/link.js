// @ts-check
/**
 * A connection that comes back: tries, waits, tries again, and races a new connection when the old one falls silent.
 *
 * Responsible for: states, back-off, asking `/lightmoon.json` before each attempt, which of two connections counts.
 * Not responsible for: bytes (`wire.js`, `transport.js`), what is said (`client.js`).
 *
 * Invariants:
 * - I1: events of at most one connection reach the owner; after `lost` or `stop` none do.
 * - I2: a silent connection is kept until the new one is welcomed; if it speaks again before the new one said Hello, the new
 *   one is dropped. After Hello it is not: the server may have thrown the old one out for it already.
 * - I3: a close that a retry cannot mend ends in `lost`; every other one in another attempt, however long it takes.
 * - I4: while there is no connection, an attempt is under way or one wait is running, never two. Only the very first attempt
 *   and a race go without a wait.
 * - I5: waits start over only after a session that lasted at least the longest wait: a server that lets in and throws out at
 *   once must not be stormed.
 */

import { isWorthARetry } from "./close.js";
import { BACK_OFF_FIRST_MS, BACK_OFF_MOST_MS, HANDSHAKE_MS, SUSPICION_MS } from "./limits.js";
import { Wire } from "./wire.js";

/** @typedef {import("./close.js").Closing} Closing */
/** @typedef {import("./transport.js").ServerInfo} ServerInfo */
/** @typedef {import("./wire.js").WireEvents} WireEvents */

/**
 * The state of a link.
 * @typedef {{is: "connecting"} | {is: "connected"} | {is: "reconnecting"} | {is: "lost", reason: string, text: string}} LinkState
 */

/**
 * What a link needs of the world outside; tests bring their own.
 * @typedef {object} Surroundings
 * @property {() => Promise<ServerInfo>} info asks where the server is
 * @property {import("./transport.js").OpenTransport} open
 * @property {() => number} nowMs never backwards
 * @property {(work: () => void, ms: number) => unknown} after
 * @property {() => number} chance of [0, 1), for back-off
 * @property {(leaves: () => void) => void} onLeave hears that the page goes away for good
 */

/**
 * What a link tells its owner.
 * @typedef {Omit<WireEvents, "closed"> & {changed: (state: LinkState) => void}} LinkEvents
 */

/** How often time is looked at. */
const BEAT_MS = 100;
/** A beat that comes this late means that the page slept: what the server sent meanwhile waits to be read. */
const SLEPT_MS = 300;

export class Link {
  /**
   * @param {import("./wire.js").WireConfig} config
   * @param {Surroundings} surroundings
   * @param {LinkEvents} events
   */
  constructor(config, surroundings, events) {
    this.config = config;
    this.around = surroundings;
    this.events = events;
    /** @type {LinkState} */
    this.state = { is: "connecting" };
    /** @type {Wire | undefined} the connection that counts */
    this.wire = undefined;
    /** @type {{abort: AbortController, wire: Wire | undefined} | undefined} the attempt under way */
    this.attempt = undefined;
    /** Waits in a row since a session that lasted. */
    this.waits = 0;
    /** @type {object | undefined} the wait that is running; any other that falls due is void */
    this.waiting = undefined;
    /** When the connection that counts was welcomed. */
    this.welcomedAtMs = surroundings.nowMs();
    this.stopped = false;
    this.beatAtMs = surroundings.nowMs();
    this.stateAtMs = -Infinity;
    this.stateIntervalMs = 50;
    this.reconnects = 0;
    /** @type {number | undefined} the due time that a timer runs for */
    this.spokenFor = undefined;
    void this.#try();
    this.#beat();
  }

  /**
   * Ends it for good.
   * @param {string} text
   * @param {boolean} [now] the page is going away, and runs nothing later
   */
  stop(text, now = false) {
    this.stopped = true;
    this.waiting = undefined;
    this.#dropAttempt();
    this.wire?.close("normal", text, now);
    this.wire = undefined;
  }

  /** Looks at the time, again and again. */
  #beat() {
    if (this.stopped) return;
    const nowMs = this.around.nowMs();
    const slept = nowMs - this.beatAtMs > BEAT_MS + SLEPT_MS;
    this.beatAtMs = nowMs;
    this.attempt?.wire?.onTime(nowMs);
    if (slept && this.wire !== undefined) this.wire.heardAtMs = Math.max(this.wire.heardAtMs, nowMs - BEAT_MS);
    this.wire?.onTime(nowMs);
    this.#suspect(nowMs);
    this.around.after(() => this.#beat(), BEAT_MS);
  }

  /** What the view took, or a call that waits, has to be sent when it is due. */
  speakWhenDue() {
    const wire = this.wire;
    const dueMs = wire?.inputs.dueMs;
    if (wire === undefined || dueMs === undefined || this.spokenFor === dueMs) return;
    this.spokenFor = dueMs;
    this.around.after(() => {
      if (this.wire === wire && !this.stopped) wire.onTime(this.around.nowMs());
    }, Math.max(0, dueMs - this.around.nowMs()));
  }

  /**
   * Races a new connection while the old one is silent, and stops when it speaks again.
   * @param {number} nowMs
   */
  #suspect(nowMs) {
    const wire = this.wire;
    if (wire === undefined) return;
    const silentMs = nowMs - wire.heardAtMs;
    const flowing = wire.attachment !== undefined && nowMs - this.stateAtMs - silentMs < 2 * this.stateIntervalMs + 100;
    const patienceMs = Math.max(SUSPICION_MS, 3 * this.stateIntervalMs + 2 * (wire.rttMs ?? 0)) + (flowing ? 0 : 1_500);
    if (silentMs > patienceMs) {
      if (this.state.is !== "connected") return;
      wire.ping(nowMs);
      this.#lasted(wire);
      this.#become({ is: "reconnecting" });
      void this.#try();
    } else if (this.state.is === "reconnecting" && this.attempt?.wire === undefined) {
      this.#dropAttempt();
      this.waiting = undefined;
      this.#lasted(wire);
      this.#become({ is: "connected" });
    }
  }

  /** One attempt. */
  async #try() {
    if (this.stopped || this.attempt !== undefined) return;
    this.waiting = undefined;
    const attempt = { abort: new AbortController(), wire: /** @type {Wire | undefined} */ (undefined) };
    this.attempt = attempt;
    const current = () => this.attempt === attempt && !this.stopped;
    this.around.after(() => {
      if (current() && attempt.wire === undefined) this.#failed({ reason: "handshake-timeout", text: "no way to the server", by: "us" });
    }, HANDSHAKE_MS);
    try {
      const info = await this.around.info();
      if (!current()) return;
      await this.#open(info, attempt, current);
    } catch (error) {
      if (!current()) return;
      const text = error instanceof Error ? error.message : String(error);
      const reason = error instanceof Unsupported ? "unsupported" : "idle";
      this.#failed({ reason, text, by: "transport" });
    }
  }

  /**
   * @param {ServerInfo} info
   * @param {{abort: AbortController, wire: Wire | undefined}} attempt
   * @param {() => boolean} current
   */
  async #open(info, attempt, current) {
    const nowMs = () => this.around.nowMs();
    const arrivals = {
      stream: (/** @type {number} */ key, /** @type {Uint8Array} */ bytes) => attempt.wire?.onStream(nowMs(), key, bytes),
      datagram: (/** @type {Uint8Array} */ bytes) => attempt.wire?.onDatagram(nowMs(), bytes),
      closed: (/** @type {{code: number, reason: string} | undefined} */ peer) => attempt.wire?.onClosed(peer),
    };
    const transport = await this.around.open(info, arrivals, attempt.abort.signal);
    if (!current()) return transport.close(0, "no longer wanted");
    const counts = () => this.wire === attempt.wire && !this.stopped;
    attempt.wire = new Wire(this.config, transport, {
      ...this.#passedOn(counts),
      welcome: (welcome) => {
        if (current() && attempt.wire !== undefined) this.#welcomed(attempt.wire, welcome);
      },
      closed: (closing) => {
        if (current()) this.#failed(closing);
        else if (counts() && attempt.wire !== undefined) this.#closed(attempt.wire, closing);
      },
    }, nowMs());
  }

  /**
   * Events of a connection, passed on while it counts.
   * @param {() => boolean} counts
   * @returns {Omit<WireEvents, "welcome" | "closed">}
   */
  #passedOn(counts) {
    const events = this.events;
    return {
      ticket: (ticket) => { if (counts()) events.ticket(ticket); },
      answer: (request, value, code, text) => { if (counts()) events.answer(request, value, code, text); },
      push: (push) => { if (counts()) events.push(push); },
      attached: (attachment) => { if (counts()) events.attached(attachment); },
      detached: () => { if (counts()) events.detached(); },
      view: (generation, payload) => { if (counts()) events.view(generation, payload); },
      state: (generation, payload) => {
        if (!counts()) return;
        this.stateAtMs = this.around.nowMs();
        events.state(generation, payload);
      },
      delta: (generation, payload) => {
        if (!counts()) return;
        this.stateAtMs = this.around.nowMs();
        events.delta(generation, payload);
      },
    };
  }

  /**
   * @param {Wire} wire
   * @param {{session: bigint, player: bigint, tickHz: number}} welcome
   */
  #welcomed(wire, welcome) {
    const old = this.wire;
    if (this.state.is === "reconnecting") this.reconnects += 1;
    this.wire = wire;
    this.attempt = undefined;
    this.welcomedAtMs = this.around.nowMs();
    this.stateAtMs = -Infinity;
    // Not "normal": that would end the session, should the server hear it before it knows of this connection.
    old?.close("idle", "another connection took over");
    this.events.welcome(welcome);
    // What the owner said to the welcome may have ended it.
    if (this.wire === wire) this.#become({ is: "connected" });
  }

  /**
   * The connection that counted is over.
   * @param {Wire} wire
   * @param {Closing} closing
   */
  #closed(wire, closing) {
    this.wire = undefined;
    const racing = this.attempt !== undefined;
    // In a race the server may throw out the old connection for the new one: that is how the new one wins.
    if (!isWorthARetry(closing.reason) && !(racing && closing.reason === "replaced")) return this.#lose(closing);
    // If it was being raced, its time was counted when it fell silent, and an attempt is under way or waited for.
    if (!racing && this.waiting === undefined) {
      this.#lasted(wire);
      this.#wait();
    }
    this.#become({ is: "reconnecting" });
  }

  /**
   * The attempt under way came to nothing.
   * @param {Closing} closing
   */
  #failed(closing) {
    this.#dropAttempt();
    if (!isWorthARetry(closing.reason)) return this.#lose(closing);
    this.#wait();
  }

  /** Tries again after a wait: the doubled one, or down to half of it, so that thousands of pages do not come back in step. */
  #wait() {
    const waiting = {};
    this.waiting = waiting;
    const most = Math.min(BACK_OFF_MOST_MS, BACK_OFF_FIRST_MS * 2 ** Math.min(this.waits, 10));
    this.waits += 1;
    this.around.after(() => {
      if (this.waiting === waiting) void this.#try();
    }, most * (0.5 + 0.5 * this.around.chance()));
  }

  /**
   * A session ended or fell silent. What counts is the time until it was last heard: silence proves nothing.
   * @param {Wire} wire
   */
  #lasted(wire) {
    if (wire.heardAtMs - this.welcomedAtMs >= BACK_OFF_MOST_MS) this.waits = 0;
  }

  /** @param {Closing} closing */
  #lose(closing) {
    this.stop(closing.text);
    this.#become({ is: "lost", reason: closing.reason, text: closing.text });
  }

  #dropAttempt() {
    const attempt = this.attempt;
    this.attempt = undefined;
    attempt?.abort.abort();
    attempt?.wire?.close("normal", "no longer wanted");
  }

  /** @param {LinkState} state */
  #become(state) {
    if (state.is === this.state.is) return;
    this.state = state;
    this.events.changed(state);
  }
}

/** This browser cannot do it, now or later. */
export class Unsupported extends Error {}
