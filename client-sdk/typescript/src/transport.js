// @ts-check
/**
 * WebTransport as the carrier of a connection.
 *
 * Responsible for: opening it by what `/lightmoon.json` says, a stream per lane with its lane byte, datagrams, the end.
 * Not responsible for: frames (`wire.js`), trying again (`link.js`).
 *
 * Invariants:
 * - I1: bytes of one lane leave in the order they were handed over; lanes do not wait for one another.
 * - I2: `closed` is called exactly once, and nothing else after it.
 */

import { closeNumber } from "./close.js";
import { SOLO_BIT } from "./frames.js";
import { LANE_BACKLOG_BYTES_MAX } from "./limits.js";

/**
 * Where a server is: `/lightmoon.json`.
 * @typedef {object} ServerInfo
 * @property {string} url for WebTransport
 * @property {readonly string[]} hashes SHA-256 of its certificates, hexadecimal; empty: the browser's own trust decides
 */

/**
 * What arrives.
 * @typedef {object} Arrivals
 * @property {(key: number, bytes: Uint8Array) => void} stream
 * @property {(bytes: Uint8Array) => void} datagram
 * @property {(peer: {code: number, reason: string} | undefined) => void} closed
 */

/**
 * An open transport.
 * @typedef {import("./wire.js").WireOutput} Transport
 */

/**
 * Opens a transport; fails when it cannot be opened.
 * @typedef {(info: ServerInfo, arrivals: Arrivals, signal: AbortSignal) => Promise<Transport>} OpenTransport
 */

/** @type {OpenTransport} */
export async function openWebTransport(info, arrivals, signal) {
  const hashes = info.hashes.map((hash) => ({ algorithm: "sha-256", value: unhexHash(hash) }));
  const options = hashes.length > 0 ? { serverCertificateHashes: hashes } : {};
  const session = new WebTransport(info.url, { ...options, congestionControl: "low-latency" });
  const stop = () => closeQuietly(session, 0, "no longer wanted");
  signal.addEventListener("abort", stop, { once: true });
  // Both promises are handled below; a failed opening rejects them both.
  session.closed.catch(() => {});
  await session.ready;
  signal.removeEventListener("abort", stop);
  return new Carrier(session, arrivals);
}

class Carrier {
  /**
   * @param {WebTransport} session
   * @param {Arrivals} arrivals
   */
  constructor(session, arrivals) {
    this.session = session;
    this.arrivals = arrivals;
    this.over = false;
    /** @type {Map<number, OutgoingLane>} */
    this.lanes = new Map();
    this.datagrams = session.datagrams.writable.getWriter();
    // Old inputs and pings are worth nothing: keep what waits short.
    session.datagrams.outgoingMaxAge = 200;
    session.datagrams.outgoingHighWaterMark = 4;
    void this.#readDatagrams();
    void this.#readStreams();
    session.closed.then(
      (end) => this.#end({ code: end.closeCode ?? 0, reason: end.reason ?? "" }),
      () => this.#end(undefined),
    );
  }

  /**
   * @param {number} lane
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  stream(lane, bytes) {
    if (this.over) return;
    let outgoing = this.lanes.get(lane);
    if (outgoing === undefined) {
      outgoing = new OutgoingLane(this.session, lane, () => this.#fail());
      this.lanes.set(lane, outgoing);
    }
    outgoing.write(bytes);
  }

  /**
   * @param {number} lane the first byte
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  alone(lane, bytes) {
    if (this.over) return;
    const whole = new Uint8Array(bytes.length + 1);
    whole[0] = lane;
    whole.set(bytes, 1);
    this.session
      .createUnidirectionalStream()
      .then(async (stream) => {
        const writer = stream.getWriter();
        // Not awaited one after the other: a stream that is stopped fails both.
        await Promise.all([writer.write(whole), writer.close()]);
      })
      .catch(() => this.#fail());
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  datagram(bytes) {
    if (this.over) return;
    // What does not fit is lost, as datagrams are.
    this.datagrams.write(bytes).catch(() => {});
  }

  /**
   * @param {number} code
   * @param {string} reason
   * @param {boolean} [now] without waiting for what was sent: the page is going away, and runs nothing later
   */
  close(code, reason, now = false) {
    if (this.over) return;
    this.over = true;
    if (now) return closeQuietly(this.session, code, reason);
    const lanes = [...this.lanes.values()].map((lane) => lane.finish());
    // A Goodbye gets a moment to leave; a dead connection must not keep us.
    void Promise.race([Promise.allSettled(lanes), new Promise((done) => setTimeout(done, 150))]).then(() =>
      closeQuietly(this.session, code, reason),
    );
  }

  async #readDatagrams() {
    const reader = this.session.datagrams.readable.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || this.over) return;
        this.arrivals.datagram(value);
      }
    } catch {
      // The session's end says why.
    }
  }

  async #readStreams() {
    const reader = this.session.incomingUnidirectionalStreams.getReader();
    try {
      for (let key = 0; ; key += 1) {
        const { value, done } = await reader.read();
        if (done || this.over) return;
        void this.#readStream(key, value);
      }
    } catch {
      // The session's end says why.
    }
  }

  /**
   * @param {number} key
   * @param {ReadableStream<Uint8Array>} stream
   */
  async #readStream(key, stream) {
    const reader = stream.getReader();
    /** @type {boolean | undefined} whether it holds one frame */
    let alone;
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (this.over || (done && alone === true)) return;
        // A lane lives as long as its connection: its end is the connection's.
        if (done) return this.#fail();
        if (value.length > 0) alone ??= (/** @type {number} */ (value[0]) & SOLO_BIT) !== 0;
        this.arrivals.stream(key, value);
      }
    } catch {
      this.#fail();
    }
  }

  /** A lane broke: the connection is of no use any more, and usually is ending for that very reason. */
  #fail() {
    // The session's own end knows the code; give it the chance to say so first.
    setTimeout(() => {
      if (this.over) return;
      // A code that wants the session kept: this is no goodbye.
      closeQuietly(this.session, closeNumber("idle"), "a lane ended");
      this.#end(undefined);
    }, 100);
  }

  /** @param {{code: number, reason: string} | undefined} peer */
  #end(peer) {
    if (this.over) return;
    this.over = true;
    this.arrivals.closed(peer);
  }
}

/** One lane of ours: its stream is opened by the first bytes. */
class OutgoingLane {
  /**
   * @param {WebTransport} session
   * @param {number} lane
   * @param {() => void} failed
   */
  constructor(session, lane, failed) {
    this.waiting = 0;
    this.failed = failed;
    /** @type {Promise<WritableStreamDefaultWriter<Uint8Array>>} */
    this.writer = session.createUnidirectionalStream().then((stream) => stream.getWriter());
    this.writer.catch(failed);
    this.write(Uint8Array.of(lane));
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  write(bytes) {
    this.waiting += bytes.length;
    if (this.waiting > LANE_BACKLOG_BYTES_MAX) return this.failed();
    this.writer
      .then((writer) => writer.write(bytes))
      .then(() => { this.waiting -= bytes.length; }, this.failed);
  }

  /** Sends what waits and ends the stream. */
  async finish() {
    const writer = await this.writer;
    await writer.close();
  }
}

/**
 * @param {WebTransport} session
 * @param {number} code
 * @param {string} reason
 */
function closeQuietly(session, code, reason) {
  try {
    session.close({ closeCode: code, reason: reason.slice(0, 200) });
  } catch {
    // It was closed before, or never opened.
  }
}

/** @param {string} hex */
function unhexHash(hex) {
  const digits = hex.replaceAll(":", "");
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
