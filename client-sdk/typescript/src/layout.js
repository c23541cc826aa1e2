// @ts-check
/**
 * Which components the server has, at which positions, and what the client knows of them.
 *
 * Responsible for: the Layout event and masks over it. Not responsible for: values (`view.js`).
 */

import { DecodeError } from "./reader.js";
import { COMPONENTS_MAX, STATE_BITS_MAX } from "./limits.js";

/** @typedef {import("./contract.js").Component<any>} Component */

/**
 * A component of ours, as the server knows it too.
 * @typedef {object} Known
 * @property {Component} spec
 * @property {number} index among the contracts' components
 * @property {number} width bits of our fields
 */

/**
 * A position of the server's layout.
 * @typedef {object} Place
 * @property {number} position
 * @property {number} width bits; 0 is sticky
 * @property {Known | undefined} component `undefined`: newer than our contracts
 * @property {readonly number[]} fields widths of the fields; empty: sticky, or not told
 */

/** The positions of one view. */
export class Layout {
  /** @param {readonly Place[]} places by position */
  constructor(places) {
    this.places = places;
    this.statePlaces = places.filter((place) => place.width > 0);
    /** Whether the widths of fields were told, which deltas want. */
    this.hasFields = false;
  }

  /**
   * The widths of the fields of all state components.
   * @param {import("./bytes.js").Reader} from
   */
  readFields(from) {
    if (this.hasFields) throw new DecodeError("widths of fields twice");
    for (const place of this.statePlaces) {
      const fields = Array.from({ length: from.count(1) }, () => from.u8());
      const sound = fields.every((width) => width >= 1 && width <= 32);
      if (!sound || fields.reduce((sum, width) => sum + width, 0) !== place.width) throw new DecodeError("widths of fields");
      const own = place.component?.spec.fields ?? [];
      if (own.some((field, nth) => field.bits !== fields[nth])) throw new DecodeError("a field of another width than ours");
      place.fields = fields;
    }
    this.hasFields = this.statePlaces.length > 0;
  }

  /**
   * The positions of a mask, ascending.
   * @param {bigint} mask
   * @returns {Place[]}
   */
  placesOf(mask) {
    if (mask >> BigInt(this.places.length) !== 0n) throw new DecodeError("mask beyond the layout");
    return this.places.filter((place) => ((mask >> BigInt(place.position)) & 1n) === 1n);
  }
}

/**
 * @param {import("./bytes.js").Reader} from
 * @param {readonly Component[]} components
 * @returns {Layout}
 */
export function readLayout(from, components) {
  const count = from.safe();
  if (count > COMPONENTS_MAX) throw new DecodeError(`layout of ${count} components`);
  /** @type {Place[]} */
  const places = [];
  let before = -1;
  let bits = 0;
  for (let position = 0; position < count; position += 1) {
    const number = from.safe();
    if (number > 0xffff || number <= before) throw new DecodeError(`layout: component ${number} after ${before}`);
    before = number;
    const width = from.safe();
    bits += width;
    if (bits > STATE_BITS_MAX) throw new DecodeError(`layout: ${bits} bits of state`);
    places.push({ position, width, component: known(components, number, width), fields: [] });
  }
  return new Layout(places);
}

/**
 * @param {readonly Component[]} components
 * @param {number} number
 * @param {number} width
 * @returns {Known | undefined}
 */
function known(components, number, width) {
  const index = components.findIndex((component) => component.number === number);
  const spec = components[index];
  if (spec === undefined) return undefined;
  const own = spec.fields.reduce((sum, field) => sum + field.bits, 0);
  if ((own === 0) !== (width === 0) || own > width) {
    throw new DecodeError(`layout: ${spec.name} has ${width} bits, not ${own}`);
  }
  return { spec, index, width: own };
}
