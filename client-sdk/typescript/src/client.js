// @ts-check
/**
 * The client: what pages use.
 *
 * Responsible for: calls and their answers, over reconnects too, pushes, the view and its playback, telling the page what happens.
 * Not responsible for: reconnecting (`link.js`), the game's types (generated code).
 *
 * Invariants:
 * - I1: every request ends: with its answer, with a {@link CallError}, at the latest after its timeout. Over reconnects it is served once,
 *   as long as its session lives.
 * - I2: the view shows the last known state until the next attachment, also while there is no connection.
 */

import { decode, DecodeError, encode } from "./bytes.js";
import { Violation } from "./close.js";
import { CallError } from "./errors.js";
import { CALL_BYTES_MAX, INFO_MS, INPUT_DELAY_LEAST_MS, INPUT_DELAY_MOST_MS, REQUESTS_MAX } from "./limits.js";
import { KeptLanes } from "./lanes.js";
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
 * A request without an answer.
 * @typedef {object} Waiting
 * @property {(bytes: Uint8Array) => void} answer
 * @property {(error: CallError) => void} fail
 * @property {Target} target
 * @property {Operation} operation
 * @property {Uint8Array} args
 * @property {"queued" | "lost" | "sent"} stage never sent; sent over a connection that is gone; over the one of now
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
    /** @type {bigint | undefined} the newest session, also while its connection is away */
    this.session = undefined;
    /** Whether the session goes on and looked at a zone: an Attach is on its way. */
    this.awaitsAttach = false;
    this.counters = { states: 0, views: 0, pushes: 0, unheardPushes: 0, unsent: 0, resumes: 0, repeated: 0 };
    /** @type {Map<bigint, Waiting>} */
    this.requests = new Map();
    this.nextRequest = 1n;
    /** @type {Map<string, Set<{read: (reader: import("./bytes.js").Reader) => any, heard: (message: any, from: bigint) => void}>>} */
    this.pushes = new Map();
    /** @type {Set<(state: LinkState) => void>} */
    this.stateListeners = new Set();
    /** @type {Set<(attachment: Attachment) => void>} */
    this.attachListeners = new Set();
    /** @type {Set<(header: import("./view.js").PacketHeader) => void>} */
    this.packetListeners = new Set();
    const { token, contracts } = options;
    const bytes = typeof token === "string" ? new TextEncoder().encode(token) : token;
    this.around = { ...browser(options.info ?? "/lightmoon.json"), ...options.surroundings };
    const { fingerprint, descriptor } = contracts;
    const kept = new KeptLanes();
    // Each client has another delay, so that the answers of many to one tick do not come together.
    const inputDelayMs = INPUT_DELAY_LEAST_MS + this.around.chance() * (INPUT_DELAY_MOST_MS - INPUT_DELAY_LEAST_MS);
    /** @type {import("./wire.js").WireConfig} what the next Hello says; in memory only, so a page that is loaded anew logs in anew */
    this.config = { fingerprint, descriptor, token: bytes, ticket: new Uint8Array(), firstRequest: 1n, kept, inputDelayMs };
    this.link = new Link(this.config, this.around, this.#events());
    // The server need not wait for a page that is gone.
    this.around.onLeave(() => this.link.stop("the page was closed", true));
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
   * @param {(header: import("./view.js").PacketHeader) => void} heard
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
    this.link.speakWhenDue();
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
      this.nextRequest += 1n;
      /** @type {Waiting} */
      const waiting = {
        target,
        operation,
        args: bytes,
        stage: "queued",
        fail: reject,
        answer: (value) => {
          try {
            resolve(decode(value, read));
          } catch (error) {
            reject(new CallError(2, `${operation.name}: the answer could not be read: ${String(error)}`));
          }
        },
      };
      if (!this.#send(request, waiting) && !this.#mayWait(target)) {
        return reject(new CallError(this.#whyUnsent(target), `${operation.name} was not sent`, true));
      }
      this.requests.set(request, waiting);
      this.around.after(() => {
        if (this.requests.delete(request)) reject(new CallError(9, `${operation.name}: no answer in time`, waiting.stage === "queued"));
      }, operation.timeoutMs);
    });
  }

  /**
   * @param {bigint} request
   * @param {Waiting} waiting
   * @returns {boolean} whether it was sent
   */
  #send(request, waiting) {
    // Before the attachment it would meet another zone, or none.
    if (waiting.target.is === "zone" && this.awaitsAttach) return false;
    const wire = this.link.wire;
    // What the server lacked of the lanes was sent again with the Welcome, in its place among one-way calls.
    const again = wire?.askedAgain.has(request) ?? false;
    if (!again && !(wire?.call(waiting.target, waiting.operation, request, waiting.args) ?? false)) return false;
    waiting.stage = "sent";
    if (request >= this.config.firstRequest) this.config.firstRequest = request + 1n;
    return true;
  }

  /**
   * The error of a request that could not be sent.
   * @param {Target} target
   */
  #whyUnsent(target) {
    const wire = this.link.wire;
    if (wire === undefined) return 11;
    if (target.is === "zone" && wire.attachment === undefined) return 6;
    // Too much waits for the server's acknowledgement.
    return wire.phase === "open" ? 8 : 11;
  }

  /**
   * Whether a request that cannot be sent now will be later.
   * @param {Target} target
   */
  #mayWait(target) {
    if (this.config.ticket.length === 0) return false;
    return this.link.wire === undefined ? this.link.state.is === "reconnecting" : target.is === "zone" && this.awaitsAttach;
  }

  /** Sends what waits, in its order: again what an earlier connection may have lost. */
  #sendWaiting() {
    for (const [request, waiting] of this.requests) {
      const wasLost = waiting.stage === "lost";
      if (waiting.stage !== "sent" && this.#send(request, waiting) && wasLost) this.counters.repeated += 1;
    }
  }

  /** @param {bigint} session that the newest connection belongs to */
  #welcomed(session) {
    const resumed = session === this.session && this.config.ticket.length > 0;
    this.session = session;
    this.awaitsAttach = resumed && this.attached !== undefined;
    for (const waiting of this.requests.values()) if (waiting.stage === "sent") waiting.stage = "lost";
    if (resumed) {
      this.counters.resumes += 1;
    } else {
      this.config.ticket = new Uint8Array();
      this.#failAll("the session was lost before the answer", (waiting) => waiting.stage === "lost");
    }
    this.#sendWaiting();
  }

  /** @returns {import("./link.js").LinkEvents} */
  #events() {
    return {
      welcome: ({ session, player }) => {
        this.player = player;
        this.#welcomed(session);
      },
      ticket: (ticket) => {
        this.config.ticket = ticket;
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
        this.awaitsAttach = false;
        for (const heard of this.attachListeners) heard(attachment);
        this.#sendWaiting();
      },
      detached: () => {
        this.attached = undefined;
        this.awaitsAttach = false;
        this.view.detach();
      },
      view: (generation, payload) => {
        this.counters.views += 1;
        this.view.applyView(generation, payload);
        this.#applied();
      },
      state: (generation, payload) => this.#arrived(this.view.applyState(generation, payload)),
      delta: (generation, payload) => {
        const header = this.view.applyDelta(generation, payload);
        if (header?.waitedMs !== undefined) this.link.wire?.waited(1000 / header.rate, header.waitedMs);
        if (header !== undefined) this.#applied();
        this.#arrived(header);
      },
    };
  }

  /** What the view has is told to the server, a moment later. */
  #applied() {
    this.link.wire?.applied(this.view.receipt());
    this.link.speakWhenDue();
  }

  /** @param {import("./view.js").PacketHeader | undefined} header */
  #arrived(header) {
    if (header === undefined) return;
    this.counters.states += 1;
    this.link.stateIntervalMs = 1000 / header.rate;
    this.playback.arrived(this.around.nowMs(), header.tick, header.rate);
    for (const heard of this.packetListeners) heard(header);
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
   * @param {(waiting: Waiting) => boolean} [which] all unless given
   */
  #failAll(text, which = () => true) {
    for (const [request, waiting] of [...this.requests]) {
      if (which(waiting) && this.requests.delete(request)) waiting.fail(new CallError(11, text, waiting.stage === "queued"));
    }
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
    // A page that the browser only puts aside comes back, and its session with it.
    onLeave: (leaves) => addEventListener("pagehide", (event) => { if (!event.persisted) leaves(); }),
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
