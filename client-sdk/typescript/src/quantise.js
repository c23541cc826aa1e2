// @ts-check
/**
 * Fields of state components as bits and back, the same as the server's.
 *
 * Responsible for: the four ways of quantising, values between two ticks. Not responsible for: bits on the wire (`bits.js`).
 */

const CIRCLE = 2 * Math.PI;

/**
 * How a field becomes bits.
 * @typedef {{is: "range", min: number, step: number} | {is: "angle"} | {is: "unsigned"} | {is: "bool"}} Quantise
 */

/**
 * One field of a state component.
 * @typedef {object} FieldSpec
 * @property {string} name
 * @property {number} bits 1 to 32
 * @property {Quantise} quantise
 */

/**
 * The bits of a value.
 * @param {FieldSpec} field
 * @param {number} value booleans as 0 and 1
 * @returns {number}
 */
export function quantise(field, value) {
  const most = 2 ** field.bits - 1;
  const how = field.quantise;
  if (Number.isNaN(value)) return 0;
  switch (how.is) {
    case "range":
      return clamp(roundAway((value - how.min) / how.step), most);
    case "angle": {
      const turns = value / CIRCLE;
      const part = roundAway((turns - Math.floor(turns)) * (most + 1));
      // Infinity has no angle.
      return Number.isNaN(part) ? 0 : part % (most + 1);
    }
    case "unsigned":
    case "bool":
      return Math.trunc(clamp(value, most));
  }
}

/**
 * The value of bits.
 * @param {FieldSpec} field
 * @param {number} bits
 * @returns {number} booleans as 0 and 1
 */
export function restore(field, bits) {
  const how = field.quantise;
  switch (how.is) {
    case "range":
      return how.min + bits * how.step;
    case "angle":
      return (bits * CIRCLE) / 2 ** field.bits;
    case "unsigned":
    case "bool":
      return bits;
  }
}

/**
 * The value at `share` of the way from `from` to `to`; beyond 1 it goes on in a straight line.
 * @param {FieldSpec} field
 * @param {number} from bits
 * @param {number} to bits
 * @param {number} share 0 or more
 * @returns {number}
 */
export function between(field, from, to, share) {
  switch (field.quantise.is) {
    case "range":
      return restore(field, from + (to - from) * share);
    case "angle": {
      const circle = 2 ** field.bits;
      let way = (to - from) % circle;
      if (way > circle / 2) way -= circle;
      if (way < -circle / 2) way += circle;
      const bits = from + way * share;
      return restore(field, bits - Math.floor(bits / circle) * circle);
    }
    case "unsigned":
    case "bool":
      return restore(field, share < 0.5 ? from : to);
  }
}

/**
 * Rounds halves away from zero, as the server does; `Math.round` takes them upwards.
 * @param {number} value
 */
function roundAway(value) {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

/**
 * @param {number} value
 * @param {number} most
 */
function clamp(value, most) {
  if (Number.isNaN(value)) return 0;
  return Math.min(most, Math.max(0, value));
}
