// @ts-check
/**
 * A world for connections: virtual time, servers that can be killed, networks that fall silent.
 *
 * Responsible for: what `Surroundings` wants, in virtual time. Not responsible for: what tests promise.
 */

import { IncomingStream, readFrame, writeDatagram, writeStream } from "../../src/frames.js";

/** @typedef {import("../../src/frames.js").Frame} Frame */

const DELAY_MS = 10;

export class World {
  constructor() {
    this.nowMs = 0;
    /** @type {{at: number, order: number, work: () => void}[]} */
    this.queue = [];
    this.order = 0;
    /** @type {Session[]} every connection that was opened */
    this.sessions = [];
    this.serverIsUp = true;
    this.infoAsked = 0;
    this.openMs = DELAY_MS;
    this.chance = () => 0.5;
    /** Answers a Hello. @type {(session: Session, hello: Extract<Frame, {is: "Hello"}>) => void} */
    this.onHello = (session) => session.welcome();
    /** Any other frame. @type {(session: Session, frame: Frame) => void} */
    this.onFrame = () => {};
    /** The page goes away. @type {() => void} */
    this.leave = () => {};
  }

  /** @returns {import("../../src/link.js").Surroundings} */
  surroundings() {
    return {
      nowMs: () => this.nowMs,
      after: (work, ms) => this.after(work, ms),
      chance: () => this.chance(),
      onLeave: (leaves) => { this.leave = leaves; },
      info: async () => {
        this.infoAsked += 1;
        if (!this.serverIsUp) throw new Error("nobody answers");
        return { url: "https://world/", hashes: [] };
      },
      open: (_info, arrivals, signal) => new Promise((resolve, reject) => {
        this.after(() => {
          if (!this.serverIsUp || signal.aborted) return reject(new Error("no way"));
          const session = new Session(this, arrivals);
          this.sessions.push(session);
          resolve(session);
        }, this.openMs);
      }),
    };
  }

  /**
   * @param {() => void} work
   * @param {number} ms
   */
  after(work, ms) {
    this.queue.push({ at: this.nowMs + ms, order: (this.order += 1), work });
  }

  /**
   * Lets time pass.
   * @param {number} ms
   */
  async pass(ms) {
    const end = this.nowMs + ms;
    for (;;) {
      await settled();
      this.queue.sort((one, other) => one.at - other.at || one.order - other.order);
      const next = this.queue[0];
      if (next === undefined || next.at > end) break;
      this.queue.shift();
      this.nowMs = Math.max(this.nowMs, next.at);
      next.work();
    }
    this.nowMs = end;
    await settled();
  }

  /** The newest connection. */
  get session() {
    return /** @type {Session} */ (this.sessions.at(-1));
  }

  /** The server's process dies: nobody hears anything any more. */
  kill() {
    this.serverIsUp = false;
    for (const session of this.sessions) session.silent = true;
  }
}

/** The server's end of a connection, and the client's transport. */
export class Session {
  /**
   * @param {World} world
   * @param {import("../../src/transport.js").Arrivals} arrivals
   */
  constructor(world, arrivals) {
    this.world = world;
    this.arrivals = arrivals;
    this.silent = false;
    /** @type {{code: number, reason: string} | undefined} what the client closed it with */
    this.closedByClient = undefined;
    this.over = false;
    /** @type {Map<number, IncomingStream>} */
    this.lanes = new Map();
    /** @type {Frame[]} */
    this.heard = [];
    /** @type {Frame[]} what came on streams of their own */
    this.alones = [];
    this.solos = 1_000;
    /** @type {Map<number, number>} bytes that the client handed over, per lane */
    this.bytes = new Map();
  }

  // The client's side.

  /**
   * @param {number} lane
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  stream(lane, bytes) {
    this.bytes.set(lane, (this.bytes.get(lane) ?? 0) + bytes.length);
    this.world.after(() => {
      if (this.silent) return;
      let stream = this.lanes.get(lane);
      if (stream === undefined) {
        stream = new IncomingStream("client");
        stream.push(Uint8Array.of(lane));
        this.lanes.set(lane, stream);
      }
      stream.push(bytes);
      for (let frame = stream.next(); frame !== undefined; frame = stream.next()) this.#hear(frame);
    }, DELAY_MS);
  }

  /**
   * @param {number} lane
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  alone(lane, bytes) {
    this.world.after(() => {
      if (this.silent) return;
      const stream = new IncomingStream("client");
      stream.push(Uint8Array.of(lane, ...bytes));
      const frame = /** @type {Frame} */ (stream.next());
      this.alones.push(frame);
      this.#hear(frame);
    }, DELAY_MS);
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  datagram(bytes) {
    this.world.after(() => {
      if (!this.silent) this.#hear(readFrame("client", "datagram", bytes));
    }, DELAY_MS);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  close(code, reason) {
    if (this.over) return;
    this.over = true;
    this.closedByClient = { code, reason };
  }

  // The server's side.

  /** @param {Frame} frame */
  #hear(frame) {
    this.heard.push(frame);
    if (frame.is === "Hello") this.world.onHello(this, frame);
    else if (frame.is === "Ping") this.say({ is: "Pong", nonce: frame.nonce });
    else this.world.onFrame(this, frame);
  }

  /** Answers the Hello. */
  welcome() {
    this.say({ is: "Welcome", minor: 0, features: 0n, session: 1n, player: 2n, tickHz: 20, goesOn: false, held: [] });
  }

  /**
   * Answers the Hello as a server does that keeps sessions.
   * @param {bigint} session
   * @param {number} ticket
   */
  letIn(session, ticket) {
    this.say({ is: "Welcome", minor: 1, features: 0n, session, player: 2n, tickHz: 20, goesOn: false, held: [] });
    this.say({ is: "Ticket", ticket: Uint8Array.of(ticket) });
  }

  /**
   * Answers the Hello as a server does that keeps lanes too.
   * @param {bigint} session
   * @param {number} ticket
   * @param {import("../../src/lanes.js").Held[] | undefined} held what it has of the lanes that go on
   */
  letInWithLanes(session, ticket, held) {
    this.say({ is: "Welcome", minor: 2, features: 0n, session, player: 2n, tickHz: 20, goesOn: held !== undefined, held: held ?? [] });
    this.say({ is: "Ticket", ticket: Uint8Array.of(ticket) });
  }

  /** @param {number} generation */
  attach(generation) {
    this.say({ is: "Attach", generation, zoneKind: 1, zoneKey: 4n, avatar: 9n, tickHz: 20 });
  }

  /**
   * Sends a frame to the client.
   * @param {Frame} frame
   */
  say(frame) {
    const datagram = frame.is === "State" || frame.is === "Ping" || frame.is === "Pong";
    const lane = ["Attach", "Detach", "View"].includes(frame.is) ? 0x13 : ["Answer", "Push"].includes(frame.is) ? 0x23 : 0x03;
    this.world.after(() => {
      if (this.silent || this.over) return;
      if (datagram) return this.arrivals.datagram(writeDatagram(frame));
      const bytes = writeStream(frame);
      if (!this.lanes.has(-lane)) {
        this.lanes.set(-lane, new IncomingStream("server"));
        this.arrivals.stream(lane, Uint8Array.of(lane, ...bytes));
      } else {
        this.arrivals.stream(lane, bytes);
      }
    }, DELAY_MS);
  }

  /**
   * Sends a frame on a stream of its own.
   * @param {number} lane
   * @param {Frame} frame
   * @param {number} [size] of the pieces it comes in
   */
  sayAlone(lane, frame, size = 2) {
    const bytes = Uint8Array.of(lane | 0x80, ...writeStream(frame));
    const key = (this.solos += 1);
    this.world.after(() => {
      if (this.silent || this.over) return;
      for (let at = 0; at < bytes.length; at += size) this.arrivals.stream(key, bytes.slice(at, at + size));
    }, DELAY_MS);
  }

  /**
   * The server closes the transport.
   * @param {number} code
   * @param {string} reason
   */
  end(code, reason) {
    this.world.after(() => {
      if (this.over) return;
      this.over = true;
      this.arrivals.closed({ code, reason });
    }, DELAY_MS);
  }

  /** State packets 20 times a second, from here on, while the connection lives. */
  flow() {
    let tick = 100;
    const step = () => {
      if (this.silent || this.over) return;
      tick += 1;
      this.say({ is: "State", generation: 1, payload: Uint8Array.of(tick, 20, 0, 1, 0, 0) });
      this.world.after(step, 50);
    };
    this.say({ is: "View", generation: 1, payload: Uint8Array.of(50, 0, 0, 0) });
    step();
  }
}

/** Lets promises run. */
async function settled() {
  for (let i = 0; i < 12; i += 1) await Promise.resolve();
}
