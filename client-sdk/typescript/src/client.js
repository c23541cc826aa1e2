// @ts-check
/**
 * The client: what pages use.
 *
 * Responsible for: calls and their answers, pushes, the view and its playback, telling the page what happens.
 * Not responsible for: reconnecting (`link.js`), the game's types (generated code).
 *
 * Invariants:
 * - I1: every request ends: with its answer, with a {@link CallError}, at the latest after its timeout.
 * - I2: the view shows the last known state until the next attachment, also while there is no connection.
 */

import { decode, DecodeError, encode } from "./bytes.js";
import { Violation } from "./close.js";
import { CallError } from "./errors.js";
import { CALL_BYTES_MAX, INFO_MS, REQUESTS_MAX } from "./limits.js";
import { Link, Unsupported } from "./link.js";
import { Playback } from "./playback.js";
import { openWebTransport } from "./transport.js";
import { ClientView } from "./view.js";

/** @typedef {import("./link.js").LinkState} LinkState */
/** @typedef {import("./link.js").Surroundings} Surroundings */
/** @typedef {import("./wire.js").Attachment} Attachment */
/** @typedef {import("./contract.js").Target} Target */
/** @typedef {import("./contract.js").Operation} Operation */

/**
 * What `connect` takes.
 * @typedef {object} ConnectOptions
 * @property {import("./contract.js").Contracts} contracts the generated ones
 * @property {string | Uint8Array} token what the server's authenticator reads; at most 1,024 bytes
 * @property {string} [info] where to ask for the server's address and certificate; default `/lightmoon.json`
 * @property {Partial<Surroundings>} [surroundings] for tests: clock, timers, transport
 */

/**
 * @typedef {object} Waiting
 * @property {(bytes: Uint8Array) => void} answer
 * @property {(error: CallError) => void} fail
 */

/**
 * Connects, and stays connected until `close` or a reason that no retry can mend.
 * @param {ConnectOptions} options
 * @returns {Client}
 */
export function connect(options) {
  return new Client(options);
}

export class Client {
  /** @param {ConnectOptions} options */
  constructor(options) {
    this.view = new ClientView(options.contracts.components);
    this.playback = new Playback();
    /** @type {Attachment | undefined} the zone that calls to `zone` reach; kept through a loss until the next one */
    this.attached = undefined;
    /** @type {bigint | undefined} */
    this.player = undefined;
    this.counters = { states: 0, views: 0, pushes: 0, unheardPushes: 0, unsent: 0 };
    /** @type {Map<bigint, Waiting>} */
    this.requests = new Map();
    this.nextRequest = 1n;
    /** @type {Map<string, Set<{read: (reader: import("./bytes.js").Reader) => any, heard: (message: any, from: bigint) => void}>>} */
    this.pushes = new Map();
    /** @type {Set<(state: LinkState) => void>} */
    this.stateListeners = new Set();
    /** @type {Set<(attachment: Attachment) => void>} */
    this.attachListeners = new Set();
    /** @type {Set<(header: import("./view.js").StateHeader) => void>} */
    this.packetListeners = new Set();
    const { token, contracts } = options;
    const bytes = typeof token === "string" ? new TextEncoder().encode(token) : token;
    this.around = { ...browser(options.info ?? "/lightmoon.json"), ...options.surroundings };
    const config = { fingerprint: contracts.fingerprint, descriptor: contracts.descriptor, token: bytes };
    this.link = new Link(config, this.around, this.#events());
  }

  /** The state of the connection. */
  get state() {
    return this.link.state;
  }

  /** The round trip in milliseconds; `undefined` before the first was measured. */
  get rtt() {
    return this.link.wire?.rttMs;
  }

  /**
   * Calls to the own player.
   * @template Calls
   * @param {import("./contract.js").Contract<Calls>} contract
   * @returns {Calls}
   */
  me(contract) {
    return contract.calls(this, { is: "own" });
  }

  /**
   * Calls to the zone that the session is attached to.
   * @template Calls
   * @param {import("./contract.js").Contract<Calls>} contract
   * @returns {Calls}
   */
  zone(contract) {
    return contract.calls(this, { is: "zone" });
  }

  /**
   * Calls to any actor of a contract that is open to clients.
   * @template Calls
   * @param {import("./contract.js").Contract<Calls>} contract
   * @param {bigint} key 0 is the singleton
   * @returns {Calls}
   */
  actor(contract, key) {
    return contract.calls(this, { is: "actor", key });
  }

  /**
   * Hears a push of any actor of its contract.
   * @template T
   * @param {import("./contract.js").Push<T>} push
   * @param {(message: T, from: bigint) => void} heard `from` is the actor's key
   * @returns {() => void} stops it
   */
  on(push, heard) {
    const key = `${push.kind}/${push.number}`;
    const listeners = this.pushes.get(key) ?? new Set();
    this.pushes.set(key, listeners);
    const listener = { read: push.read, heard };
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /**
   * Hears each change of the connection's state.
   * @param {(state: LinkState) => void} heard
   * @returns {() => void} stops it
   */
  onState(heard) {
    this.stateListeners.add(heard);
    return () => this.stateListeners.delete(heard);
  }

  /**
   * Hears each attachment to a zone.
   * @param {(attachment: Attachment) => void} heard
   * @returns {() => void} stops it
   */
  onAttached(heard) {
    this.attachListeners.add(heard);
    return () => this.attachListeners.delete(heard);
  }

  /**
   * Hears each state packet, after it was applied: the best moment to send input.
   * @param {(header: import("./view.js").StateHeader) => void} heard
   * @returns {() => void} stops it
   */
  onStatePacket(heard) {
    this.packetListeners.add(heard);
    return () => this.packetListeners.delete(heard);
  }

  /**
   * Moves the view to this frame. Call it once a frame, before reading the view.
   * @param {number} nowMs the clock of `performance.now()`
   */
  tick(nowMs) {
    this.view.renderTick = this.playback.advance(nowMs);
  }

  /** Leaves for good. */
  close() {
    this.link.stop("closed by the page");
    this.#failAll("the client was closed");
  }

  /**
   * Sends a one-way call; for generated code.
   * @param {Target} target
   * @param {Operation} operation
   * @param {(writer: import("./bytes.js").Writer) => void} write
   * @returns {boolean} whether it was sent; what is not sent is dropped
   */
  tell(target, operation, write) {
    const sent = this.link.wire?.call(target, operation, 0n, args(operation, write)) ?? false;
    if (!sent) this.counters.unsent += 1;
    return sent;
  }

  /**
   * Sends a request; for generated code.
   * @template T
   * @param {Target} target
   * @param {Operation} operation
   * @param {(writer: import("./bytes.js").Writer) => void} write
   * @param {(reader: import("./bytes.js").Reader) => T} read
   * @returns {Promise<T>} rejects with a {@link CallError}
   */
  ask(target, operation, write, read) {
    const bytes = args(operation, write);
    return new Promise((resolve, reject) => {
      if (this.requests.size >= REQUESTS_MAX) return reject(new CallError(8, "too many open requests"));
      const request = this.nextRequest;
      if (!(this.link.wire?.call(target, operation, request, bytes) ?? false)) {
        return reject(new CallError(target.is === "zone" ? 6 : 11, `${operation.name} was not sent`));
      }
      this.nextRequest += 1n;
      this.requests.set(request, {
        fail: reject,
        answer: (value) => {
          try {
            resolve(decode(value, read));
          } catch (error) {
            reject(new CallError(2, `${operation.name}: the answer could not be read: ${String(error)}`));
          }
        },
      });
      this.around.after(() => {
        if (this.requests.delete(request)) reject(new CallError(9, `${operation.name}: no answer in time`));
      }, operation.timeoutMs);
    });
  }

  /** @returns {import("./link.js").LinkEvents} */
  #events() {
    return {
      welcome: ({ player }) => {
        this.player = player;
        // Requests of the old connection have no answer on this one.
        this.#failAll("the connection was lost before the answer");
      },
      changed: (state) => {
        if (state.is === "lost") this.#failAll(state.text);
        for (const heard of this.stateListeners) heard(state);
      },
      answer: (request, value, code, text) => {
        const waiting = this.requests.get(request);
        if (waiting === undefined || !this.requests.delete(request)) return;
        if (value === undefined) waiting.fail(new CallError(code, text));
        else waiting.answer(value);
      },
      push: (push) => this.#push(push),
      attached: (attachment) => {
        this.attached = attachment;
        this.view.attach(attachment.generation);
        this.playback.reset();
        if (attachment.tickHz > 0) this.link.stateIntervalMs = 1000 / attachment.tickHz;
        for (const heard of this.attachListeners) heard(attachment);
      },
      detached: () => {
        this.attached = undefined;
        this.view.detach();
      },
      view: (generation, payload) => {
        this.counters.views += 1;
        this.view.applyView(generation, payload);
      },
      state: (generation, payload) => {
        const header = this.view.applyState(generation, payload);
        if (header === undefined) return;
        this.counters.states += 1;
        this.link.stateIntervalMs = 1000 / header.rate;
        this.playback.arrived(this.around.nowMs(), header.tick, header.rate);
        for (const heard of this.packetListeners) heard(header);
      },
    };
  }

  /** @param {{kind: number, key: bigint, number: number, args: Uint8Array}} push */
  #push(push) {
    this.counters.pushes += 1;
    const listeners = this.pushes.get(`${push.kind}/${push.number}`);
    // A push that nobody listens to is dropped unread; so are those of contracts newer than ours.
    if (listeners === undefined || listeners.size === 0) this.counters.unheardPushes += 1;
    else for (const { read, heard } of listeners) heard(readPush(push, read), push.key);
  }

  /**
   * @param {string} text
   */
  #failAll(text) {
    const open = [...this.requests.values()];
    this.requests.clear();
    for (const waiting of open) waiting.fail(new CallError(11, text));
  }
}

/**
 * @template T
 * @param {{kind: number, number: number, args: Uint8Array}} push
 * @param {(reader: import("./bytes.js").Reader) => T} read
 * @returns {T}
 */
function readPush(push, read) {
  try {
    return decode(push.args, read);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new Violation("protocol-violation", `push ${push.kind}/${push.number}: ${error.message}`);
  }
}

/**
 * @param {Operation} operation
 * @param {(writer: import("./bytes.js").Writer) => void} write
 */
function args(operation, write) {
  const bytes = encode(write);
  if (bytes.length > CALL_BYTES_MAX) throw new RangeError(`${operation.name}: arguments of ${bytes.length} bytes`);
  return bytes;
}

/**
 * The world as a browser gives it.
 * @param {string} path
 * @returns {Surroundings}
 */
function browser(path) {
  return {
    info: () => fetchInfo(path),
    open: openWebTransport,
    nowMs: () => performance.now(),
    after: (work, ms) => setTimeout(work, ms),
    chance: Math.random,
  };
}

/**
 * @param {string} path
 * @returns {Promise<import("./transport.js").ServerInfo>}
 */
async function fetchInfo(path) {
  if (typeof WebTransport === "undefined") throw new Unsupported("no WebTransport in this browser, or the page is not in a secure context");
  const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(INFO_MS) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const info = await response.json();
  return { url: String(info.url), hashes: [info.certificateHashes ?? []].flat().map(String) };
}
