// @ts-check
/**
 * The byte format of Lightmoon (bincode 2 "standard"): one {@link Writer} and one {@link Reader}.
 *
 * Responsible for: integers, floats, text, lists, options, growing structs and enums, windows and limits.
 * Not responsible for: which types travel where (generated code, `frames.js`), bits of state packets (`bits.js`).
 *
 * Invariants:
 * - I1: a reader never reads past its window; every read checks what remains first.
 * - I2: a tag wider than its type, a bad boolean, broken UTF-8 and a count that cannot fit are errors.
 * - I3: 64 and 128 bit integers are `bigint`; everything up to 53 bits is `number`.
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

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Writes values one after another; {@link Writer.finish} gives the bytes.
 */
export class Writer {
  constructor() {
    this.buffer = new Uint8Array(64);
    this.view = new DataView(this.buffer.buffer);
    this.length = 0;
  }

  /** @returns {Uint8Array<ArrayBuffer>} a copy of what was written */
  finish() {
    return this.buffer.slice(0, this.length);
  }

  /**
   * Makes room for `count` bytes and says where they start.
   * @param {number} count
   */
  #room(count) {
    const at = this.length;
    const needed = at + count;
    if (needed > this.buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2));
      grown.set(this.buffer);
      this.buffer = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length = needed;
    return at;
  }

  /** @param {number} value */
  u8(value) {
    checkRange(value, 0, 0xff, "u8");
    this.buffer[this.#room(1)] = value;
  }

  /** @param {number} value */
  i8(value) {
    checkRange(value, -0x80, 0x7f, "i8");
    this.view.setInt8(this.#room(1), value);
  }

  /** @param {boolean} value */
  bool(value) {
    this.buffer[this.#room(1)] = value ? 1 : 0;
  }

  /** @param {number} value */
  u16(value) {
    checkRange(value, 0, 0xffff, "u16");
    this.#varint(value);
  }

  /** @param {number} value */
  u32(value) {
    checkRange(value, 0, 0xffff_ffff, "u32");
    this.#varint(value);
  }

  /** @param {bigint | number} value */
  u64(value) {
    const wide = checkBig(value, 0n, 0xffff_ffff_ffff_ffffn, "u64");
    if (wide <= 0xffff_ffffn) return this.#varint(Number(wide));
    this.buffer[this.#room(1)] = U64;
    const at = this.#room(8);
    this.view.setBigUint64(at, wide, true);
  }

  /** @param {bigint | number} value */
  u128(value) {
    const wide = checkBig(value, 0n, (1n << 128n) - 1n, "u128");
    if (wide <= 0xffff_ffff_ffff_ffffn) return this.u64(wide);
    this.buffer[this.#room(1)] = U128;
    const at = this.#room(16);
    this.view.setBigUint64(at, wide & 0xffff_ffff_ffff_ffffn, true);
    this.view.setBigUint64(at + 8, wide >> 64n, true);
  }

  /** @param {number} value */
  i16(value) {
    checkRange(value, -0x8000, 0x7fff, "i16");
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** @param {number} value */
  i32(value) {
    checkRange(value, -0x8000_0000, 0x7fff_ffff, "i32");
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** @param {bigint | number} value */
  i64(value) {
    const wide = checkBig(value, -(1n << 63n), (1n << 63n) - 1n, "i64");
    this.u64(wide < 0n ? -2n * wide - 1n : 2n * wide);
  }

  /** @param {bigint | number} value */
  i128(value) {
    const wide = checkBig(value, -(1n << 127n), (1n << 127n) - 1n, "i128");
    this.u128(wide < 0n ? -2n * wide - 1n : 2n * wide);
  }

  /** @param {number} value rounded to the nearest 32 bit float */
  f32(value) {
    const at = this.#room(4);
    this.view.setFloat32(at, value, true);
  }

  /** @param {number} value */
  f64(value) {
    const at = this.#room(8);
    this.view.setFloat64(at, value, true);
  }

  /** @param {string} value one Unicode character */
  char(value) {
    const code = value.codePointAt(0);
    const length = code !== undefined && code > 0xffff ? 2 : 1;
    if (code === undefined || value.length !== length || (code >= 0xd800 && code <= 0xdfff)) {
      throw new RangeError("char: not one character");
    }
    this.raw(encoder.encode(value));
  }

  /** @param {string} value */
  text(value) {
    if (!isWellFormed(value)) throw new RangeError("text: a lone surrogate cannot be written");
    this.bytes(encoder.encode(value));
  }

  /**
   * A count, then the bytes.
   * @param {Uint8Array} value
   */
  bytes(value) {
    this.count(value.length);
    this.raw(value);
  }

  /**
   * The bytes alone.
   * @param {Uint8Array} value
   */
  raw(value) {
    const at = this.#room(value.length);
    this.buffer.set(value, at);
  }

  /**
   * A count of items or bytes: a `u64` varint.
   * @param {number} value at most 2^53 - 1
   */
  count(value) {
    this.u64(value);
  }

  /**
   * @template T
   * @param {readonly T[]} items
   * @param {(writer: Writer, item: T) => void} write
   */
  list(items, write) {
    this.count(items.length);
    for (const item of items) write(this, item);
  }

  /**
   * Keys in the order given; contracts want them ascending.
   * @template K, V
   * @param {ReadonlyMap<K, V>} map
   * @param {(writer: Writer, key: K) => void} writeKey
   * @param {(writer: Writer, value: V) => void} writeValue
   */
  map(map, writeKey, writeValue) {
    this.count(map.size);
    for (const [key, value] of map) {
      writeKey(this, key);
      writeValue(this, value);
    }
  }

  /**
   * @template T
   * @param {T | undefined} value `undefined` is absent
   * @param {(writer: Writer, value: T) => void} write
   */
  option(value, write) {
    this.bool(value !== undefined);
    if (value !== undefined) write(this, value);
  }

  /**
   * A fixed number of items, without a count.
   * @template T
   * @param {number} count
   * @param {readonly T[]} items
   * @param {(writer: Writer, item: T) => void} write
   */
  array(count, items, write) {
    if (items.length !== count) throw new RangeError(`array: ${items.length} items, not ${count}`);
    for (const item of items) write(this, item);
  }

  /**
   * @template T, E
   * @param {{ok: T} | {err: E}} value
   * @param {(writer: Writer, value: T) => void} writeOk
   * @param {(writer: Writer, error: E) => void} writeErr
   */
  result(value, writeOk, writeErr) {
    this.u8("ok" in value ? 0 : 1);
    if ("ok" in value) writeOk(this, value.ok);
    else writeErr(this, value.err);
  }

  /**
   * A duration, or a time since 1970.
   * @param {{seconds: bigint, nanos: number}} value
   */
  duration(value) {
    checkRange(value.nanos, 0, 999_999_999, "nanos");
    this.u64(value.seconds);
    this.u32(value.nanos);
  }

  /** @param {Uint8Array} value 4 bytes */
  ipv4(value) {
    if (value.length !== 4) throw new RangeError("ipv4: 4 bytes");
    this.raw(value);
  }

  /** @param {Uint8Array} value 16 bytes */
  ipv6(value) {
    if (value.length !== 16) throw new RangeError("ipv6: 16 bytes");
    this.raw(value);
  }

  /** @param {Uint8Array} value 4 or 16 bytes */
  ip(value) {
    this.u8(value.length === 4 ? 0 : 1);
    if (value.length === 4) this.ipv4(value);
    else this.ipv6(value);
  }

  /** @param {{ip: Uint8Array, port: number}} value */
  socket(value) {
    this.ip(value.ip);
    this.u16(value.port);
  }

  /**
   * A value behind its length in bytes, so that readers may skip what they do not know.
   * @param {(writer: Writer) => void} write
   */
  growing(write) {
    const inner = new Writer();
    write(inner);
    this.count(inner.length);
    this.raw(inner.buffer.subarray(0, inner.length));
  }

  /** @param {number} value at most 2^32 - 1 */
  #varint(value) {
    if (value < U16) {
      this.buffer[this.#room(1)] = value;
    } else if (value <= 0xffff) {
      this.buffer[this.#room(1)] = U16;
      const at = this.#room(2);
      this.view.setUint16(at, value, true);
    } else {
      this.buffer[this.#room(1)] = U32;
      const at = this.#room(4);
      this.view.setUint32(at, value, true);
    }
  }
}

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

/**
 * Bytes of one value.
 * @param {(writer: Writer) => void} write
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encode(write) {
  const writer = new Writer();
  write(writer);
  return writer.finish();
}

/**
 * The one value that fills `bytes`.
 * @template T
 * @param {Uint8Array} bytes
 * @param {(reader: Reader) => T} read
 * @returns {T}
 * @throws {DecodeError} when they are no such value or hold more than it
 */
export function decode(bytes, read) {
  const reader = new Reader(bytes);
  const value = read(reader);
  reader.finish();
  return value;
}

/** @param {bigint} value */
function zigzag(value) {
  return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n;
}

/**
 * Whether `value` holds no lone surrogate (`String.isWellFormed` is newer than the browsers we serve).
 * @param {string} value
 */
function isWellFormed(value) {
  return !/\p{Surrogate}/u.test(value);
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 * @param {string} type
 */
function checkRange(value, least, most, type) {
  if (!Number.isInteger(value) || value < least || value > most) throw new RangeError(`${type}: ${value} does not fit`);
}

/**
 * @param {bigint | number} value
 * @param {bigint} least
 * @param {bigint} most
 * @param {string} type
 */
function checkBig(value, least, most, type) {
  const wide = BigInt(value);
  if (wide < least || wide > most) throw new RangeError(`${type}: ${value} does not fit`);
  return wide;
}
