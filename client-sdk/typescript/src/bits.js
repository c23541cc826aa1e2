// @ts-check
/**
 * Runs of bits, least significant bit first, as state travels.
 *
 * Responsible for: reading (and, for tests, writing) fields of 1 to 32 bits. Not responsible for: what they mean (`view.js`).
 *
 * Invariant: a reader never reads beyond its window, and `align` refuses filling bits that are 1.
 */

import { DecodeError } from "./reader.js";

/** Reads bits from bytes, beginning at a byte boundary. */
export class BitReader {
  /**
   * @param {Uint8Array} bytes
   * @param {number} start byte where the run begins
   * @param {number} [end] first byte after the window
   */
  constructor(bytes, start, end = bytes.length) {
    this.bytes = bytes;
    /** Next bit, counted from the first bit of `bytes`. */
    this.position = start * 8;
    this.end = end * 8;
  }

  /**
   * The next `width` bits as a number.
   * @param {number} width 0 to 32
   */
  take(width) {
    if (width > this.end - this.position) throw new DecodeError("bits end early");
    let value = 0;
    let got = 0;
    while (got < width) {
      const byte = /** @type {number} */ (this.bytes[this.position >>> 3]);
      const offset = this.position & 7;
      const count = Math.min(8 - offset, width - got);
      // Multiplication instead of a shift: bit 31 has to stay positive.
      value += ((byte >>> offset) & ((1 << count) - 1)) * 2 ** got;
      got += count;
      this.position += count;
    }
    return value;
  }

  /** @param {number} width bits to pass over */
  skip(width) {
    if (width > this.end - this.position) throw new DecodeError("bits end early");
    this.position += width;
  }

  /**
   * Ends the run.
   * @returns {number} the byte after it
   */
  align() {
    const filling = (8 - (this.position & 7)) & 7;
    if (filling > 0 && this.take(filling) !== 0) throw new DecodeError("filling bits are not zero");
    return this.position >>> 3;
  }
}

/** Writes bits; the counterpart for tests. */
export class BitWriter {
  constructor() {
    /** @type {number[]} */
    this.bytes = [];
    this.used = 0;
  }

  /**
   * @param {number} value
   * @param {number} width 0 to 32
   */
  put(value, width) {
    for (let bit = 0; bit < width; bit += 1) {
      if (this.used % 8 === 0) this.bytes.push(0);
      const at = this.bytes.length - 1;
      if (Math.floor(value / 2 ** bit) % 2 === 1) this.bytes[at] = (this.bytes[at] ?? 0) | (1 << (this.used % 8));
      this.used += 1;
    }
  }
}
