// @ts-check
/**
 * Contracts of "meadow" for browsers, written by `lightmoon codegen ts`. Do not edit: change the contracts.
 *
 * Responsible for: types, calls, pushes and components. Not responsible for: behaviour, which is in the SDK.
 */

import { unhex } from "/lightmoon/index.js";

/** @typedef {import("/lightmoon/index.js").Reader} Reader */
/** @typedef {import("/lightmoon/index.js").Writer} Writer */
/** @typedef {import("/lightmoon/index.js").Caller} Caller */
/** @typedef {import("/lightmoon/index.js").Target} Target */
/**
 * @template T
 * @typedef {import("/lightmoon/index.js").Component<T>} Component
 */

/**
 * Where a dot walks to.
 * @typedef {object} Goal
 * @property {number} x Metres to the right of the middle.
 * @property {number} y Metres above the middle.
 */

/**
 * @param {Writer} to
 * @param {Goal} value
 */
export function writeGoal(to, value) {
  to.growing((to) => {
    to.f32(value.x);
    to.f32(value.y);
  });
}

/**
 * A dot, as clients see it, in steps of a sixteenth of a metre.
 * @typedef {object} Dot
 * @property {number} x Metres to the right of the middle.
 * @property {number} y Metres above the middle.
 */

/**
 * @param {Reader} from
 * @returns {Dot}
 */
export function readDot(from) {
  return from.growing((from) => ({
    x: from.field((from) => from.f32(), 0),
    y: from.field((from) => from.f32(), 0),
  }));
}

/** @returns {Dot} what stands where an older peer sent none */
export function defaultDot() {
  return { x: 0, y: 0 };
}

const MEADOW_WALK = { name: "Meadow.walk", kind: 1, number: 1, lane: 33, timeoutMs: 30000 };

/** Calls that clients may make to a `Meadow`. */
export class MeadowCalls {
  /**
   * @param {Caller} caller
   * @param {Target} target
   */
  constructor(caller, target) {
    this.caller = caller;
    this.target = target;
  }

  /**
   * Walks there. Of several calls on the way the newest wins.
   * @param {Goal} to_
   * @returns {boolean} whether it was sent
   */
  walk(to_) {
    return this.caller.tell(this.target, MEADOW_WALK, (to) => to.growing((to) => {
      writeGoal(to, to_);
    }));
  }
}

/**
 * The meadow: a world that ticks.
 */
export const Meadow = {
  name: "Meadow",
  kind: 1,
  /**
   * @param {Caller} caller
   * @param {Target} target
   */
  calls: (caller, target) => new MeadowCalls(caller, target),
};

/** @type {Component<Dot>} */
export const Dot = {
  name: "Dot",
  number: 1,
  index: 0,
  travel: "state",
  fields: [
    { name: "x", bits: 12, quantise: { is: "range", min: -64.0, step: 0.0625 } },
    { name: "y", bits: 12, quantise: { is: "range", min: -64.0, step: 0.0625 } },
  ],
  read: (from) => readDot(from),
};

/** All of them, for `connect`. */
export const contracts = {
  game: "meadow",
  fingerprint: 0xfb57ac7cbcc3ccb38538251fc26b3b92n,
  descriptor: unhex(
    "9c066d6561646f77012d064d6561646f770001000101200477616c6b000100002101013c3cfb307500010702746f000a0000" +
    "0900010000013403446f74010000021401780c0000000000000050c0000000000000b03f1401790c0000000000000050c000" +
    "0000000000b03f0a01021704476f616c0000010206017800000b0006017900000b001603446f740000010206017800000b00" +
    "06017900000b00",
  ),
  components: [Dot],
};
