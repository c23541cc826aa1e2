// @ts-check
/**
 * Delta packets, as `docs/wire-state.md` section 5 describes them.
 *
 * Responsible for: their head and records, values against earlier ones, what is told of what arrived.
 * Not responsible for: entities and their histories (`entity.js`), which attachment holds (`view.js`).
 *
 * Invariants:
 * - I1: what a receipt says was received, was applied: packets that came out of order are neither.
 * - I2: a record whose baseline is not there is passed over, never guessed.
 */

import { DecodeError } from "./bytes.js";

/** @typedef {import("./bits.js").BitReader} BitReader */
/** @typedef {import("./entity.js").Entity} Entity */
/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./layout.js").Place} Place */

/**
 * The head of a delta packet.
 * @typedef {object} DeltaHeader
 * @property {number} tick
 * @property {number} rate ticks per second
 * @property {number | undefined} waitedMs how long the newest input had waited for this tick; none came since the last packet, or it is not told
 * @property {number} age ticks back of what most records are against; 0: nothing
 * @property {number} gap ticks further back of what their motion is taken from; 0: nothing
 * @property {number} count records
 */

/** Bytes before the run of bits: tick, rate, wait. */
export const HEAD_BYTES = 4;

/** The longest wait that a packet tells. */
const WAITED_MS_MAX = 254;

/** Which delta packets were applied. */
export class Received {
  constructor() {
    /** @type {number | undefined} */
    this.newest = undefined;
    /** Bit `k`: the packet of `k` ticks before the newest. */
    this.bits = 0;
  }

  /** @param {number} tick higher than any before */
  note(tick) {
    const passed = this.newest === undefined ? 32 : tick - this.newest;
    this.bits = passed >= 32 ? 1 : ((this.bits << passed) | 1) >>> 0;
    this.newest = tick;
  }
}

/**
 * @param {Uint8Array} packet
 * @param {BitReader} bits behind the first {@link HEAD_BYTES}
 * @param {number} newestTick the highest tick heard of
 * @returns {DeltaHeader}
 */
export function readHead(packet, bits, newestTick) {
  const low = /** @type {number} */ (packet[0]) | (/** @type {number} */ (packet[1]) << 8);
  const rate = /** @type {number} */ (packet[2]);
  if (rate < 1 || rate > 60) throw new DecodeError(`rate of ${rate}`);
  // The tick closest to the newest one that ends with these 16 bits.
  const tick = Math.max(0, newestTick + (((low - newestTick) << 16) >> 16));
  const age = bits.take(5);
  const gap = bits.take(3);
  if (age + gap > 31 || (age === 0 && gap > 0)) throw new DecodeError(`baseline of ${age + gap} ticks ago`);
  const waited = /** @type {number} */ (packet[3]);
  const waitedMs = waited <= WAITED_MS_MAX ? waited : undefined;
  return { tick, rate, waitedMs, age, gap, count: bits.take(12) };
}

/**
 * @param {BitReader} bits
 * @param {DeltaHeader} header
 * @param {Layout} layout
 * @param {Map<number, Entity>} byIndex
 */
export function readRecords(bits, header, layout, byIndex) {
  let index = 0xffff;
  let places = layout.statePlaces;
  let before = places;
  for (let record = 0; record < header.count; record += 1) {
    if (bits.take(1) === 0) index = (index + 1) & 0xffff;
    else if (bits.take(1) === 0) index = (index + 2 + bits.take(4)) & 0xffff;
    else index = bits.take(16);
    if (bits.take(1) === 0) {
      const other = bits.take(1) === 1 ? before : layout.statePlaces.filter(() => bits.take(1) === 1);
      before = places;
      places = other;
    }
    const { age, gap } = readBaseline(bits, header);
    const entity = byIndex.get(index);
    for (const place of places) {
      const known = entity !== undefined && entity.has.has(place.position) ? place.component : undefined;
      const rows = known === undefined || age === 0 ? undefined : entity?.rowsAt(known.index, header.tick - age, gap);
      const values = readComponent(bits, place.fields, age, gap, rows);
      if (known === undefined || (age > 0 && rows === undefined)) continue;
      entity?.setState(known.index, known.spec, header.tick, values.slice(0, known.spec.fields.length));
    }
  }
}

/**
 * What a record is against.
 * @param {BitReader} bits
 * @param {DeltaHeader} header
 * @returns {{age: number, gap: number}}
 */
function readBaseline(bits, header) {
  if (header.age === 0 || bits.take(1) === 0) return header;
  if (header.gap > 0 && bits.take(1) === 0) return { age: header.age, gap: 0 };
  if (bits.take(1) === 1) return { age: 0, gap: 0 };
  const age = bits.take(5);
  if (age === 0) throw new DecodeError("baseline of 0 ticks ago");
  return { age, gap: 0 };
}

/**
 * The fields of a component; without `rows`, and against something, only their length counts.
 * @param {BitReader} bits
 * @param {readonly number[]} widths
 * @param {number} age
 * @param {number} gap
 * @param {[readonly number[], readonly number[]] | undefined} rows the value it is against, and the one before
 * @returns {number[]}
 */
function readComponent(bits, widths, age, gap, rows) {
  if (age === 0) return widths.map((width) => bits.take(width));
  const told = bits.take(1) === 1;
  const motion = gap > 0 && (!told || bits.take(1) === 0);
  return widths.map((width, nth) => {
    const base = rows?.[0][nth] ?? 0;
    const older = rows?.[1][nth] ?? 0;
    const expected = motion ? predict(width, base, older, age, gap) : base;
    return told ? takeField(bits, width, expected) : expected;
  });
}

/** Widths of the three classes of differences, by the width of the field. */
const CLASSES = [
  { most: 8, bits: [1, 3, 5] },
  { most: 12, bits: [2, 4, 7] },
  { most: 20, bits: [3, 6, 9] },
  { most: 32, bits: [4, 8, 14] },
];

/**
 * @param {BitReader} bits
 * @param {number} width
 * @param {number} expected
 */
function takeField(bits, width, expected) {
  if (bits.take(1) === 0) return expected;
  if (width <= 4) return bits.take(width);
  const chosen = bits.take(2);
  if (chosen === 3) return bits.take(width);
  const classes = /** @type {{bits: number[]}} */ (CLASSES.find(({ most }) => width <= most));
  const zigzag = bits.take(/** @type {number} */ (classes.bits[chosen])) + 1;
  const distance = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  return around(width, expected + distance);
}

/**
 * What a field is expected to be `age` ticks after it was `newer`, when it was `older` another `gap` ticks before.
 * @param {number} width
 * @param {number} newer
 * @param {number} older
 * @param {number} age
 * @param {number} gap
 */
function predict(width, newer, older, age, gap) {
  const unused = 32 - width;
  const difference = ((newer - older) << unused) >> unused;
  return around(width, newer + Math.trunc((difference * age) / gap));
}

/**
 * A value on the circle of 2^width.
 * @param {number} width
 * @param {number} value
 */
function around(width, value) {
  const circle = 2 ** width;
  return ((value % circle) + circle) % circle;
}
