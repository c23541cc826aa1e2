// @ts-check
/**
 * Writes values of the byte format.
 *
 * Responsible for: every type's bytes, refusing values that do not fit. Not responsible for: reading (`reader.js`).
 *
 * Invariant: an integer is written in its shortest form; the same value always gives the same bytes.
 */

const U16 = 0xfb;
const U32 = 0xfc;
const U64 = 0xfd;
const U128 = 0xfe;

const encoder = new TextEncoder();

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
