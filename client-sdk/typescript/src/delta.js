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
 * @property {boolean} bends whether a third value, as many ticks further back, says how the motion bends
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
  const count = bits.take(12);
  const bends = gap > 0 && bits.take(1) === 1;
  const oldest = age + (bends ? 2 * gap : gap);
  if (oldest > 31 || (age === 0 && gap > 0)) throw new DecodeError(`baseline of ${oldest} ticks ago`);
  const waited = /** @type {number} */ (packet[3]);
  const waitedMs = waited <= WAITED_MS_MAX ? waited : undefined;
  return { tick, rate, waitedMs, age, gap, bends, count };
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
    const baseline = readBaseline(bits, header);
    const entity = byIndex.get(index);
    for (const place of places) {
      const known = entity !== undefined && entity.has.has(place.position) ? place.component : undefined;
      const rows = known === undefined || baseline.age === 0 ? undefined : entity?.rowsAt(known.index, header.tick, baseline);
      const values = readComponent(bits, place.fields, baseline, rows);
      if (known === undefined || (baseline.age > 0 && rows === undefined)) continue;
      entity?.setState(known.index, known.spec, header.tick, values.slice(0, known.spec.fields.length));
    }
  }
}

/**
 * What a record, or most of a packet, is against.
 * @typedef {{age: number, gap: number, bends: boolean}} Baseline
 */

/**
 * What a record is against.
 * @param {BitReader} bits
 * @param {DeltaHeader} header
 * @returns {Baseline}
 */
function readBaseline(bits, header) {
  if (header.age === 0 || bits.take(1) === 0) return header;
  if (header.gap > 0 && bits.take(1) === 0) {
    const straight = header.bends && bits.take(1) === 0;
    return { age: header.age, gap: straight ? header.gap : 0, bends: false };
  }
  if (bits.take(1) === 1) return { age: 0, gap: 0, bends: false };
  const age = bits.take(5);
  if (age === 0) throw new DecodeError("baseline of 0 ticks ago");
  return { age, gap: 0, bends: false };
}

/**
 * The fields of a component; without `rows`, and against something, only their length counts.
 * @param {BitReader} bits
 * @param {readonly number[]} widths
 * @param {Baseline} baseline
 * @param {readonly (readonly number[])[] | undefined} rows the value it is against, and those before
 * @returns {number[]}
 */
function readComponent(bits, widths, { age, gap, bends }, rows) {
  if (age === 0) return widths.map((width) => bits.take(width));
  const told = bits.take(1) === 1;
  const motion = gap > 0 && (!told || bits.take(1) === 0);
  // Where the motion bends, what is not against that is against the straight one, or none.
  const straight = motion ? !bends : bends && bits.take(1) === 0;
  return widths.map((width, nth) => {
    const [base, older, oldest] = [0, 1, 2].map((row) => rows?.[row]?.[nth] ?? 0);
    const past = { base: base ?? 0, older: older ?? 0, oldest: oldest ?? 0 };
    let expected = past.base;
    if (straight) expected = predict(width, past.base, past.older, age, gap);
    else if (motion) expected = predictBent(width, past, age, gap);
    return told ? takeField(bits, width, expected) : expected;
  });
}

/** Fields of at most this width are written whole, and are no motion. */
const WHOLE_BITS_MAX = 4;

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
  if (width <= WHOLE_BITS_MAX) return bits.take(width);
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
  if (width <= WHOLE_BITS_MAX) return newer;
  return around(width, newer + Math.trunc((differenceOf(width, newer, older) * age) / gap));
}

/**
 * The same where the motion bends: it goes on to change as much from one gap to the next. A change of a single step is rounding.
 * @param {number} width
 * @param {{base: number, older: number, oldest: number}} past
 * @param {number} age
 * @param {number} gap
 */
function predictBent(width, { base, older, oldest }, age, gap) {
  if (width <= WHOLE_BITS_MAX) return base;
  const last = differenceOf(width, base, older);
  const change = last - differenceOf(width, older, oldest);
  const bend = Math.abs(change) <= 1 ? 0 : change;
  return around(width, base + Math.trunc((2 * last * age * gap + bend * age * (age + gap)) / (2 * gap * gap)));
}

/**
 * The short way round from one value to another.
 * @param {number} width
 * @param {number} to
 * @param {number} from
 */
function differenceOf(width, to, from) {
  const unused = 32 - width;
  return ((to - from) << unused) >> unused;
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
