// @ts-check
/**
 * The byte format by type descriptions, as they stand in a descriptor's JSON: what generated code does, interpreted.
 *
 * Responsible for: reading and writing values of `client-sdk/vectors/codec.json`. Not responsible for: being fast.
 */

import { unknownVariant } from "../../src/contract.js";

/** @typedef {import("../../src/bytes.js").Reader} Reader */
/** @typedef {import("../../src/bytes.js").Writer} Writer */

const BIG = new Set(["u64", "u128", "i64", "i128"]);

export class Dynamic {
  /** @param {any[]} types */
  constructor(types) {
    this.types = new Map(types.map((type) => [type.name, type]));
  }

  /**
   * @param {any} type
   * @param {Writer} to
   * @param {any} value
   * @returns {void}
   */
  write(type, to, value) {
    if (type === "string") return to.text(value);
    if (type === "f32" || type === "f64") return to.raw(floatBytes(type, value));
    if (typeof type === "string") return /** @type {any} */ (to)[method(type)](BIG.has(type) ? BigInt(value) : plain(type, value));
    const [[kind, inside]] = /** @type {[[string, any]]} */ (Object.entries(type));
    const write = (/** @type {any} */ t) => (/** @type {Writer} */ w, /** @type {any} */ v) => this.write(t, w, v);
    switch (kind) {
      case "nonZero": return this.write(inside, to, value);
      case "ref": return to.u64(BigInt(value));
      case "list": return inside === "u8" && typeof value === "string" ? to.bytes(unhex(value)) : to.list(value, write(inside));
      case "set": return to.list(value, write(inside));
      case "array": return to.array(inside[1], value, write(inside[0]));
      case "tuple": return inside.forEach((/** @type {any} */ t, /** @type {number} */ i) => this.write(t, to, value[i]));
      case "map": return to.map(new Map(value), write(inside[0]), write(inside[1]));
      case "option": return to.option(value === null ? undefined : value.some, write(inside));
      case "result": return to.result(value, write(inside[0]), write(inside[1]));
      case "named": return this.#writeNamed(this.types.get(inside), to, value);
      default: throw new Error(`type ${kind}`);
    }
  }

  /**
   * @param {any} type
   * @param {Writer} to
   * @param {any} value
   */
  #writeNamed(type, to, value) {
    const fields = (/** @type {any[]} */ all, /** @type {Writer} */ w, /** @type {any} */ v) => {
      for (const field of all) this.write(field.type, w, v[field.name]);
    };
    if (type.struct !== undefined) {
      const { grows, fields: all } = type.struct;
      return grows ? to.growing((w) => fields(all, w, value)) : fields(all, to, value);
    }
    const [[name, inside]] = /** @type {[[string, any]]} */ (Object.entries(value));
    const variant = type.enum.variants.find((/** @type {any} */ v) => v.name === name);
    to.u32(variant.number);
    if (type.enum.grows) to.growing((w) => fields(variant.fields, w, inside));
    else fields(variant.fields, to, inside);
  }

  /**
   * @param {any} type
   * @param {Reader} from
   * @returns {any}
   */
  read(type, from) {
    if (type === "string") return from.text();
    if (type === "f32" || type === "f64") return floatText(type, from);
    if (typeof type === "string") {
      const value = /** @type {any} */ (from)[method(type)]();
      return BIG.has(type) ? String(value) : shown(type, value);
    }
    const [[kind, inside]] = /** @type {[[string, any]]} */ (Object.entries(type));
    const read = (/** @type {any} */ t) => (/** @type {Reader} */ r) => this.read(t, r);
    switch (kind) {
      case "nonZero": {
        const value = this.read(inside, from);
        from.nonZero(BigInt(value));
        return value;
      }
      case "ref": return String(from.u64());
      case "list": case "set": return from.list(read(inside));
      case "array": return from.array(inside[1], read(inside[0]));
      case "tuple": return inside.map((/** @type {any} */ t) => this.read(t, from));
      case "map": return [...from.map(read(inside[0]), read(inside[1]))].sort((a, b) => a[0] - b[0]);
      case "option": {
        const found = from.option((r) => ({ some: this.read(inside, r) }));
        return found ?? null;
      }
      case "result": return from.result(read(inside[0]), read(inside[1]));
      case "named": return this.#readNamed(this.types.get(inside), from);
      default: throw new Error(`type ${kind}`);
    }
  }

  /**
   * @param {any} type
   * @param {Reader} from
   */
  #readNamed(type, from) {
    const fields = (/** @type {any[]} */ all, /** @type {Reader} */ r, /** @type {boolean} */ grows) => {
      /** @type {Record<string, any>} */
      const out = {};
      for (const field of all) {
        const read = () => this.read(field.type, r);
        out[field.name] = grows && !field.required ? r.field(read, MISSING) : read();
      }
      return out;
    };
    if (type.struct !== undefined) {
      const { grows, fields: all } = type.struct;
      return grows ? from.growing((r) => fields(all, r, true)) : fields(all, from, false);
    }
    const number = from.u32();
    const variants = type.enum.variants;
    const found = variants.find((/** @type {any} */ v) => v.number === number) ?? variants.find((/** @type {any} */ v) => v.other);
    if (found === undefined) return unknownVariant(type.name, number);
    const inside = type.enum.grows ? from.growing((r) => fields(found.fields, r, true)) : fields(found.fields, from, false);
    return { [found.name]: inside };
  }
}

/** Stands for a field that the bytes do not have. */
export const MISSING = Symbol("missing");

/** @param {string} type */
function method(type) {
  return type === "systemTime" ? "duration" : type;
}

/**
 * @param {string} hex
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function unhex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} type
 * @param {any} value
 */
function plain(type, value) {
  if (type === "duration" || type === "systemTime") return { seconds: BigInt(value.seconds), nanos: value.nanos };
  if (type.startsWith("ip")) return address(value);
  if (type === "socket") {
    const cut = value.lastIndexOf(":");
    return { ip: address(value.slice(0, cut)), port: Number(value.slice(cut + 1)) };
  }
  return value;
}

/**
 * @param {string} type
 * @param {any} value
 */
function shown(type, value) {
  if (type === "duration" || type === "systemTime") return { seconds: String(value.seconds), nanos: value.nanos };
  if (type.startsWith("ip")) return addressText(value);
  if (type === "socket") return `${addressText(value.ip)}:${value.port}`;
  return value;
}

/**
 * The bytes of an address's text; of version 6 only `::1` is in the vectors.
 * @param {string} text
 */
function address(text) {
  return text === "::1" ? Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)) : Uint8Array.from(text.split("."), Number);
}

/** @param {Uint8Array} bytes */
function addressText(bytes) {
  return bytes.length === 4 ? bytes.join(".") : "::1";
}

/**
 * @param {"f32" | "f64"} type
 * @param {any} value
 */
function floatBytes(type, value) {
  const bytes = new Uint8Array(type === "f32" ? 4 : 8);
  const view = new DataView(bytes.buffer);
  const words = new Map([["inf", Infinity], ["-inf", -Infinity], ["nan", NaN]]);
  const number = typeof value === "string" ? (words.get(value) ?? Number(value)) : value;
  if (type === "f32") view.setFloat32(0, number, true);
  else view.setFloat64(0, number, true);
  return bytes;
}

/**
 * @param {"f32" | "f64"} type
 * @param {Reader} from
 */
function floatText(type, from) {
  const value = type === "f32" ? from.f32() : from.f64();
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
