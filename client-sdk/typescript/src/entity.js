// @ts-check
/**
 * An entity in view: its values, newest and between ticks.
 *
 * Responsible for: sticky values, the short history of state values, sampling. Not responsible for: reading payloads (`view.js`).
 *
 * Invariants:
 * - I1: a history is ordered by tick, strictly ascending, at most {@link HISTORY_VALUES} long.
 * - I2: `sample` allocates only the first time; the object it returns is the same one each time.
 */

import { HISTORY_VALUES } from "./limits.js";
import { between, restore } from "./quantise.js";

/**
 * @template T
 * @typedef {import("./contract.js").Component<T>} Component
 */

/** The longest way between two values, in ticks: one that is older than this stood until so long before the newer. */
const REST_TICKS = 4;
/** Ticks beyond the newest value that motion is continued in a straight line. */
const AHEAD_TICKS = 2;

/**
 * @typedef {object} History
 * @property {number[]} ticks ascending
 * @property {number[][]} values bits per field
 * @property {Record<string, number | boolean>} shown what `sample` returns
 */

export class Entity {
  /**
   * @param {bigint} id
   * @param {number} index
   * @param {{renderTick: number}} view
   * @param {number} components
   */
  constructor(id, index, view, components) {
    this.id = id;
    this.index = index;
    this.view = view;
    /** @type {Set<number>} positions of the components it has, also of those we do not know */
    this.has = new Set();
    /** @type {(History | undefined)[]} */
    this.histories = new Array(components).fill(undefined);
    /** @type {unknown[]} */
    this.sticky = new Array(components).fill(undefined);
  }

  /**
   * The newest value the server sent.
   * @template T
   * @param {Component<T>} component
   * @returns {T | undefined} `undefined`: the entity has no such component
   */
  get(component) {
    if (component.travel === "sticky") return /** @type {T | undefined} */ (this.sticky[component.index]);
    const history = this.histories[component.index];
    const values = history?.values.at(-1);
    if (values === undefined) return undefined;
    /** @type {Record<string, number | boolean>} */
    const out = {};
    component.fields.forEach((field, i) => {
      out[field.name] = shownAs(field, restore(field, values[i] ?? 0));
    });
    return /** @type {T} */ (/** @type {unknown} */ (out));
  }

  /**
   * The tick of the newest value of a state component.
   * @param {Component<any>} component
   * @returns {number | undefined}
   */
  tickOf(component) {
    return this.histories[component.index]?.ticks.at(-1);
  }

  /**
   * The quantised fields of the newest value of a state component.
   * @param {Component<any>} component
   * @returns {readonly number[] | undefined}
   */
  bitsOf(component) {
    return this.histories[component.index]?.values.at(-1);
  }

  /**
   * The value at the view's render tick, between the ticks around it. State components only.
   * @template T
   * @param {Component<T>} component
   * @returns {T | undefined} the same object each time, with new values; `undefined`: the entity has no such component
   */
  sample(component) {
    const history = this.histories[component.index];
    if (history === undefined) return undefined;
    const { ticks, values, shown } = history;
    const last = ticks.length - 1;
    const render = this.view.renderTick;
    let later = 0;
    while (later < last && /** @type {number} */ (ticks[later]) < render) later += 1;
    const earlier = Math.max(0, later - 1);
    const to = /** @type {number} */ (ticks[later]);
    const from = earlier === later ? to : Math.max(/** @type {number} */ (ticks[earlier]), to - REST_TICKS);
    const at = Math.max(from, Math.min(render, to + AHEAD_TICKS));
    const share = to === from ? 0 : (at - from) / (to - from);
    const one = /** @type {number[]} */ (values[earlier]);
    const other = /** @type {number[]} */ (values[later]);
    const fields = component.fields;
    for (let i = 0; i < fields.length; i += 1) {
      const field = /** @type {import("./quantise.js").FieldSpec} */ (fields[i]);
      const value = between(field, /** @type {number} */ (one[i]), /** @type {number} */ (other[i]), share);
      shown[field.name] = shownAs(field, value);
    }
    return /** @type {T} */ (/** @type {unknown} */ (shown));
  }

  /**
   * @param {number} index
   * @param {unknown} value
   */
  setSticky(index, value) {
    this.sticky[index] = value;
  }

  /**
   * Takes a state value unless a newer one is known.
   * @param {number} index
   * @param {Component<any>} component
   * @param {number} tick
   * @param {number[]} values
   */
  setState(index, component, tick, values) {
    const history = this.histories[index];
    if (history === undefined) {
      const shown = Object.fromEntries(component.fields.map((field) => [field.name, 0]));
      this.histories[index] = { ticks: [tick], values: [values], shown };
      return;
    }
    if (tick <= /** @type {number} */ (history.ticks.at(-1))) return;
    history.ticks.push(tick);
    history.values.push(values);
    if (history.ticks.length > HISTORY_VALUES) {
      history.ticks.shift();
      history.values.shift();
    }
  }

  /**
   * The values that a delta of `tick` names: the newest that are not newer than `age` ticks before it, than `gap` ticks before that, and, where
   * motion bends, than `gap` ticks before those. What is not named is the first.
   * @param {number} index
   * @param {number} tick
   * @param {import("./delta.js").Baseline} baseline
   * @returns {[number[], number[], number[]] | undefined}
   */
  rowsAt(index, tick, { age, gap, bends }) {
    const history = this.histories[index];
    if (history === undefined) return undefined;
    const base = rowAt(history, tick - age);
    const older = gap === 0 ? base : rowAt(history, tick - age - gap);
    const oldest = bends ? rowAt(history, tick - age - 2 * gap) : base;
    return base === undefined || older === undefined || oldest === undefined ? undefined : [base, older, oldest];
  }

  /** @param {number} index component that the entity lost */
  forget(index) {
    this.histories[index] = undefined;
    this.sticky[index] = undefined;
  }
}

/**
 * @param {History} history
 * @param {number} tick
 * @returns {number[] | undefined}
 */
function rowAt(history, tick) {
  let place = history.ticks.length - 1;
  while (place >= 0 && /** @type {number} */ (history.ticks[place]) > tick) place -= 1;
  return history.values[place];
}

/**
 * @param {import("./quantise.js").FieldSpec} field
 * @param {number} value
 * @returns {number | boolean}
 */
function shownAs(field, value) {
  return field.quantise.is === "bool" ? value !== 0 : value;
}
