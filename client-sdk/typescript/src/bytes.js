// @ts-check
/**
 * The byte format of Lightmoon (bincode 2 "standard"): values as bytes and back.
 *
 * Responsible for: whole values; {@link Writer} and {@link Reader} know the types.
 * Not responsible for: which types travel where (generated code, `frames.js`), bits of state packets (`bits.js`).
 *
 * Invariant: 64 and 128 bit integers are `bigint`; everything up to 53 bits is `number`.
 */

import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

export { DecodeError, Reader } from "./reader.js";
export { Writer } from "./writer.js";

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
