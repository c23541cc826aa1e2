// @ts-check
/**
 * Reads values of the byte format.
 *
 * Responsible for: every type's bytes, windows, limits. Not responsible for: writing (`writer.js`).
 *
 * Invariants:
 * - I1: a reader never reads past its window; every read checks what remains first.
 * - I2: a tag wider than its type, a bad boolean, broken UTF-8 and a count that cannot fit are errors.
 */

import { NESTING_MAX } from "./limits.js";

/** Bytes that are no value of the type that was asked for. */
export class DecodeError extends Error {
  /** @param {string} message what is wrong, lower case */
  constructor(message) {
    super(message);
    this.name = "DecodeError";
  }
}

const U16 = 0xfb;
const U32 = 0xfc;
const U64 = 0xfd;
const U128 = 0xfe;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads values one after another out of a window of bytes.
 */
export class Reader {
  /**
   * @param {Uint8Array} bytes
   * @param {number} [start]
   * @param {number} [end] first byte after the window
   */
  constructor(bytes, start = 0, end = bytes.length) {
    this.source = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = start;
    this.end = end;
    this.nesting = 0;
  }

  /** @returns {number} bytes left in the window */
  get remaining() {
    return this.end - this.position;
  }

  /**
   * Refuses what is left over.
   * @throws {DecodeError} when the window is not used up
   */
  finish() {
    if (this.position !== this.end) throw new DecodeError(`${this.remaining} bytes left over`);
  }

  /**
   * Takes `count` bytes and says where they start.
   * @param {number} count
   */
  #take(count) {
    const at = this.position;
    if (count > this.end - at) throw new DecodeError(`ends early: ${count} bytes wanted, ${this.end - at} there`);
    this.position = at + count;
    return at;
  }

  /** @returns {number} */
  u8() {
    return this.view.getUint8(this.#take(1));
  }

  /** @returns {number} */
  i8() {
    return this.view.getInt8(this.#take(1));
  }

  /** @returns {boolean} */
  bool() {
    const byte = this.u8();
    if (byte > 1) throw new DecodeError(`${byte} is no boolean`);
    return byte === 1;
  }

  /** @returns {number} */
  u16() {
    const first = this.u8();
    if (first < U16) return first;
    if (first === U16) return this.view.getUint16(this.#take(2), true);
    throw new DecodeError("integer wider than 16 bits");
  }

  /** @returns {number} */
  u32() {
    const first = this.u8();
    if (first < U16) return first;
    if (first === U16) return this.view.getUint16(this.#take(2), true);
    if (first === U32) return this.view.getUint32(this.#take(4), true);
    throw new DecodeError("integer wider than 32 bits");
  }

  /** @returns {bigint} */
  u64() {
    const first = this.u8();
    if (first < U16) return BigInt(first);
    if (first === U16) return BigInt(this.view.getUint16(this.#take(2), true));
    if (first === U32) return BigInt(this.view.getUint32(this.#take(4), true));
    if (first === U64) return this.view.getBigUint64(this.#take(8), true);
    throw new DecodeError("integer wider than 64 bits");
  }

  /** @returns {bigint} */
  u128() {
    if (this.remaining === 0 || this.source[this.position] !== U128) return this.u64();
    this.#take(1);
    const at = this.#take(16);
    return this.view.getBigUint64(at, true) | (this.view.getBigUint64(at + 8, true) << 64n);
  }

  /** @returns {number} */
  i16() {
    const value = this.u16();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** @returns {number} */
  i32() {
    const value = this.u32();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** @returns {bigint} */
  i64() {
    return zigzag(this.u64());
  }

  /** @returns {bigint} */
  i128() {
    return zigzag(this.u128());
  }

  /** @returns {number} */
  f32() {
    return this.view.getFloat32(this.#take(4), true);
  }

  /** @returns {number} */
  f64() {
    return this.view.getFloat64(this.#take(8), true);
  }

  /** @returns {string} */
  char() {
    const first = this.u8();
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    this.#take(length - 1);
    return this.#decode(this.position - length, this.position);
  }

  /** @returns {string} */
  text() {
    const length = this.count(1);
    const at = this.#take(length);
    return this.#decode(at, at + length);
  }

  /** @returns {Uint8Array<ArrayBuffer>} a copy */
  bytes() {
    const length = this.count(1);
    return this.raw(length);
  }

  /**
   * @param {number} length
   * @returns {Uint8Array<ArrayBuffer>} a copy
   */
  raw(length) {
    const at = this.#take(length);
    return new Uint8Array(this.source.subarray(at, at + length));
  }

  /**
   * A `u64` that names something countable (a tick, a sequence).
   * @returns {number} at most 2^53 - 1
   */
  safe() {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new DecodeError(`${value} is too large to count`);
    return Number(value);
  }

  /**
   * A count of items of which each takes at least `leastBytes`.
   * @param {number} leastBytes at least 1
   * @returns {number}
   */
  count(leastBytes) {
    const count = this.safe();
    if (count > Math.floor(this.remaining / leastBytes)) {
      throw new DecodeError(`${count} items cannot fit ${this.remaining} bytes`);
    }
    return count;
  }

  /**
   * @template T
   * @param {(reader: Reader) => T} read
   * @param {number} [leastBytes] least encoded size of one item
   * @returns {T[]}
   */
  list(read, leastBytes = 1) {
    const count = this.count(leastBytes);
    const items = [];
    for (let i = 0; i < count; i += 1) items.push(read(this));
    return items;
  }

  /**
   * @template K, V
   * @param {(reader: Reader) => K} readKey
   * @param {(reader: Reader) => V} readValue
   * @returns {Map<K, V>} the last value of a repeated key
   */
  map(readKey, readValue) {
    const count = this.count(2);
    const map = new Map();
    for (let i = 0; i < count; i += 1) map.set(readKey(this), readValue(this));
    return map;
  }

  /**
   * @template T
   * @param {(reader: Reader) => T} read
   * @returns {T | undefined}
   */
  option(read) {
    return this.bool() ? read(this) : undefined;
  }

  /**
   * A fixed number of items, without a count.
   * @template T
   * @param {number} count
   * @param {(reader: Reader) => T} read
   * @returns {T[]}
   */
  array(count, read) {
    const items = [];
    for (let i = 0; i < count; i += 1) items.push(read(this));
    return items;
  }

  /**
   * @template T, E
   * @param {(reader: Reader) => T} readOk
   * @param {(reader: Reader) => E} readErr
   * @returns {{ok: T} | {err: E}}
   */
  result(readOk, readErr) {
    const tag = this.u32();
    if (tag > 1) throw new DecodeError(`${tag} is no result`);
    return tag === 0 ? { ok: readOk(this) } : { err: readErr(this) };
  }

  /**
   * Refuses 0.
   * @template {number | bigint} T
   * @param {T} value
   * @returns {T}
   */
  nonZero(value) {
    if (value == 0) throw new DecodeError("0 where it is not allowed");
    return value;
  }

  /**
   * A duration, or a time since 1970.
   * @returns {{seconds: bigint, nanos: number}}
   */
  duration() {
    const seconds = this.u64();
    const nanos = this.u32();
    if (nanos >= 1_000_000_000) throw new DecodeError(`${nanos} nanoseconds`);
    return { seconds, nanos };
  }

  /** @returns {Uint8Array<ArrayBuffer>} 4 bytes */
  ipv4() {
    return this.raw(4);
  }

  /** @returns {Uint8Array<ArrayBuffer>} 16 bytes */
  ipv6() {
    return this.raw(16);
  }

  /** @returns {Uint8Array<ArrayBuffer>} 4 or 16 bytes */
  ip() {
    const tag = this.u32();
    if (tag > 1) throw new DecodeError(`${tag} is no kind of address`);
    return tag === 0 ? this.ipv4() : this.ipv6();
  }

  /** @returns {{ip: Uint8Array, port: number}} */
  socket() {
    return { ip: this.ip(), port: this.u16() };
  }

  /**
   * Reads a value behind its length and skips what `read` left over.
   * @template T
   * @param {(window: Reader) => T} read
   * @returns {T}
   */
  growing(read) {
    const length = this.count(1);
    const end = this.position + length;
    const outer = this.end;
    this.enter();
    this.end = end;
    const value = read(this);
    this.end = outer;
    this.position = end;
    this.leave();
    return value;
  }

  /**
   * Reads a field of a growing struct, or takes `missing` where the struct ends before it.
   * @template T
   * @param {(reader: Reader) => T} read
   * @param {T} missing
   * @returns {T}
   */
  field(read, missing) {
    return this.position === this.end ? missing : read(this);
  }

  /** Counts one level of nesting. */
  enter() {
    this.nesting += 1;
    if (this.nesting > NESTING_MAX) throw new DecodeError("nested too deeply");
  }

  /** Undoes {@link Reader.enter}. */
  leave() {
    this.nesting -= 1;
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  #decode(start, end) {
    try {
      return decoder.decode(this.source.subarray(start, end));
    } catch {
      throw new DecodeError("text is not UTF-8");
    }
  }
}

/** @param {bigint} value */
function zigzag(value) {
  return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n;
}
