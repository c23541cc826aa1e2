// @ts-check
/**
 * Contracts of "driftlight" for browsers, written by `lightmoon codegen ts`. Do not edit: change the contracts.
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
 * Controls of a ship.
 * @typedef {object} Steer
 * @property {number} thrust -1 (brake) to 1 (full ahead); values outside are clamped.
 * @property {number} turn -1 (right) to 1 (left); values outside are clamped.
 * @property {boolean} boost Whether the booster burns.
 */

/**
 * @param {Writer} to
 * @param {Steer} value
 */
export function writeSteer(to, value) {
  to.growing((to) => {
    to.f32(value.thrust);
    to.f32(value.turn);
    to.bool(value.boost);
  });
}

/**
 * What a sector looks like.
 * @typedef {object} SectorInfo
 * @property {string} name Its name.
 * @property {number} hue Its colour in degrees, 0 to 359.
 * @property {number} halfSize Half of its side in metres: it reaches from `-half_size` to `half_size` both ways.
 * @property {(GateInfo)[]} gates Ways out.
 */

/**
 * @param {Reader} from
 * @returns {SectorInfo}
 */
export function readSectorInfo(from) {
  return from.growing((from) => ({
    name: from.field((from) => from.text(), ""),
    hue: from.field((from) => from.u16(), 0),
    halfSize: from.field((from) => from.f32(), 0),
    gates: from.field((from) => from.list((from) => readGateInfo(from)), []),
  }));
}

/** @returns {SectorInfo} what stands where an older peer sent none */
export function defaultSectorInfo() {
  return { name: "", hue: 0, halfSize: 0, gates: [] };
}

/**
 * A way into another sector.
 * @typedef {object} GateInfo
 * @property {number} x Metres to the right of the sector's middle.
 * @property {number} y Metres above the sector's middle.
 * @property {number} radius Metres within which a ship goes through.
 * @property {bigint} to Key of the sector behind it.
 * @property {string} name Name of the sector behind it.
 * @property {number} hue Colour of the sector behind it in degrees, 0 to 359.
 */

/**
 * @param {Reader} from
 * @returns {GateInfo}
 */
export function readGateInfo(from) {
  return from.growing((from) => ({
    x: from.field((from) => from.f32(), 0),
    y: from.field((from) => from.f32(), 0),
    radius: from.field((from) => from.f32(), 0),
    to: from.field((from) => from.u64(), 0n),
    name: from.field((from) => from.text(), ""),
    hue: from.field((from) => from.u16(), 0),
  }));
}

/** @returns {GateInfo} what stands where an older peer sent none */
export function defaultGateInfo() {
  return { x: 0, y: 0, radius: 0, to: 0n, name: "", hue: 0 };
}

/**
 * Where the ship is.
 * @typedef {object} Entered
 * @property {bigint} sector Key of the sector.
 * @property {bigint} avatar The ship.
 */

/**
 * @param {Reader} from
 * @returns {Entered}
 */
export function readEntered(from) {
  return from.growing((from) => ({
    sector: from.field((from) => from.u64(), 0n),
    avatar: from.field((from) => from.u64(), 0n),
  }));
}

/** @returns {Entered} what stands where an older peer sent none */
export function defaultEntered() {
  return { sector: 0n, avatar: 0n };
}

/**
 * Why a player cannot enter.
 * - `BadName`: The name is empty or too long.
 * - `Full`: The sector takes no more ships. Try again later.
 * - `Unavailable`: The sector does not answer. Try again later.
 * - `Other`: A reason that this build does not know.
 * @typedef {"BadName" | "Full" | "Unavailable" | "Other"} EnterRefused
 */

/**
 * @param {Reader} from
 * @returns {EnterRefused}
 */
export function readEnterRefused(from) {
  const number = from.u32();
  return from.growing(() => {
    switch (number) {
      case 0:
        return "BadName";
      case 1:
        return "Full";
      case 2:
        return "Unavailable";
      case 3:
        return "Other";
      default:
        return "Other";
    }
  });
}

/** @returns {EnterRefused} what stands where an older peer sent none */
export function defaultEnterRefused() {
  return "Other";
}

/**
 * Where a thing is and where it looks. 16 + 16 + 10 + 2 bits: one packet holds about 180 of them.
 * @typedef {object} Pose
 * @property {number} x Metres to the right of the sector's middle.
 * @property {number} y Metres above the sector's middle.
 * @property {number} yaw Radians from the x axis, counterclockwise.
 * @property {number} thrust How hard it burns: 0 drifts, 1 thrusts, 2 brakes, 3 boosts.
 */

/**
 * @param {Reader} from
 * @returns {Pose}
 */
export function readPose(from) {
  return from.growing((from) => ({
    x: from.field((from) => from.f32(), 0),
    y: from.field((from) => from.f32(), 0),
    yaw: from.field((from) => from.f32(), 0),
    thrust: from.field((from) => from.u8(), 0),
  }));
}

/** @returns {Pose} what stands where an older peer sent none */
export function defaultPose() {
  return { x: 0, y: 0, yaw: 0, thrust: 0 };
}

/**
 * What does not change from tick to tick: sent when it comes into view, and when it changed.
 * @typedef {object} Label
 * @property {string} name Its name; empty for nameless things.
 * @property {number} hue Its colour in degrees, 0 to 359.
 * @property {Role} role What it is.
 */

/**
 * @param {Reader} from
 * @returns {Label}
 */
export function readLabel(from) {
  return from.growing((from) => ({
    name: from.field((from) => from.text(), ""),
    hue: from.field((from) => from.u16(), 0),
    role: from.field((from) => readRole(from), defaultRole()),
  }));
}

/** @returns {Label} what stands where an older peer sent none */
export function defaultLabel() {
  return { name: "", hue: 0, role: defaultRole() };
}

/**
 * What a thing is.
 * - `Player`: A player's ship, or a bot's: to the game they are the same.
 * - `Drifter`: Something without a pilot that drifts about.
 * - `Crystal`: Something to collect.
 * - `Other`: Something that this build does not know.
 * @typedef {"Player" | "Drifter" | "Crystal" | "Other"} Role
 */

/**
 * @param {Reader} from
 * @returns {Role}
 */
export function readRole(from) {
  const number = from.u32();
  return from.growing(() => {
    switch (number) {
      case 0:
        return "Player";
      case 1:
        return "Drifter";
      case 2:
        return "Crystal";
      case 3:
        return "Other";
      default:
        return "Other";
    }
  });
}

/** @returns {Role} what stands where an older peer sent none */
export function defaultRole() {
  return "Other";
}

const SECTOR_STEER = { name: "Sector.steer", kind: 1, number: 1, lane: 17, timeoutMs: 30000 };

const SECTOR_SAY = { name: "Sector.say", kind: 1, number: 2, lane: 51, timeoutMs: 30000 };

/** Calls that clients may make to a `Sector`. */
export class SectorCalls {
  /**
   * @param {Caller} caller
   * @param {Target} target
   */
  constructor(caller, target) {
    this.caller = caller;
    this.target = target;
  }

  /**
   * Sets the controls of the caller's ship; they stay until the next call. Of several on the way the newest wins.
   * @param {Steer} steer
   * @returns {boolean} whether it was sent
   */
  steer(steer) {
    return this.caller.tell(this.target, SECTOR_STEER, (to) => to.growing((to) => {
      writeSteer(to, steer);
    }));
  }

  /**
   * Says something to all in the sector: 1 to 200 characters.
   * @param {string} text
   * @returns {boolean} whether it was sent
   */
  say(text) {
    return this.caller.tell(this.target, SECTOR_SAY, (to) => to.growing((to) => {
      to.text(text);
    }));
  }
}

/**
 * A sector of space.
 */
export const Sector = {
  name: "Sector",
  kind: 1,
  /**
   * @param {Caller} caller
   * @param {Target} target
   */
  calls: (caller, target) => new SectorCalls(caller, target),
  /**
   * Somebody said something.
   */
  said: {
    name: "Sector.said",
    kind: 1,
    number: 5,
    /** @param {Reader} from */
    read: (from) => from.growing((from) => ({
      name: from.field((from) => from.text(), ""),
      hue: from.field((from) => from.u16(), 0),
      text: from.field((from) => from.text(), ""),
    })),
  },
  /**
   * What the sector looks like; comes once after each arrival.
   */
  welcome: {
    name: "Sector.welcome",
    kind: 1,
    number: 6,
    /** @param {Reader} from */
    read: (from) => from.growing((from) => ({
      sector: from.field((from) => readSectorInfo(from), defaultSectorInfo()),
    })),
  },
};

const PILOT_ENTER = { name: "Pilot.enter", kind: 2, number: 1, lane: 19, timeoutMs: 5000 };

/** Calls that clients may make to a `Pilot`. */
export class PilotCalls {
  /**
   * @param {Caller} caller
   * @param {Target} target
   */
  constructor(caller, target) {
    this.caller = caller;
    this.target = target;
  }

  /**
   * Enters the game with a ship of this name (1 to 24 characters) and colour (degrees, 0 to 359). Entering again
   * while a ship is there gives the same ship.
   * @param {string} name
   * @param {number} hue
   * @returns {Promise<{ok: Entered} | {err: EnterRefused}>}
   */
  enter(name, hue) {
    return this.caller.ask(this.target, PILOT_ENTER, (to) => to.growing((to) => {
      to.text(name);
      to.u16(hue);
    }), (from) => from.result((from) => readEntered(from), (from) => readEnterRefused(from)));
  }
}

/**
 * A player.
 */
export const Pilot = {
  name: "Pilot",
  kind: 2,
  /**
   * @param {Caller} caller
   * @param {Target} target
   */
  calls: (caller, target) => new PilotCalls(caller, target),
};

/** @type {Component<Pose>} */
export const Pose = {
  name: "Pose",
  number: 1,
  index: 0,
  travel: "state",
  fields: [
    { name: "x", bits: 16, quantise: { is: "range", min: -1024.0, step: 0.03125 } },
    { name: "y", bits: 16, quantise: { is: "range", min: -1024.0, step: 0.03125 } },
    { name: "yaw", bits: 10, quantise: { is: "angle" } },
    { name: "thrust", bits: 2, quantise: { is: "unsigned" } },
  ],
  read: (from) => readPose(from),
};

/** @type {Component<Label>} */
export const Label = {
  name: "Label",
  number: 2,
  index: 1,
  travel: "sticky",
  fields: [],
  read: (from) => readLabel(from),
};

/** All of them, for `connect`. */
export const contracts = {
  game: "driftlight",
  fingerprint: 0x369f97c06d766683ea4cf24841187e73n,
  descriptor: unhex(
    "fb59040a64726966746c6967687402fb170106536563746f72000100010624057374656572000100001101013c3cfb307500" +
    "010a057374656572000a000009000100002003736179000200003301010202fb307500010804746578740002000900010000" +
    "4405737061776e0003000113001e1efb881300040b06706c617965720000040008046e616d65000200080368756500000200" +
    "0a05656e747279000a0100070a020a04010000250672656d6f76650004000013001e1efb307500010b06706c617965720000" +
    "040009000100003204736169640005000233001e1efb3075000308046e616d65000200080368756500000200080474657874" +
    "0002000900010000260777656c636f6d650006000213001e1efb307500010b06736563746f72000a05000900010000960550" +
    "696c6f7400020000032e05656e746572000100011301000202fb8813000208046e616d65000200080368756500000200070a" +
    "070a08010000310c7468726f7567685f676174650002000013001e1efb10270002090466726f6d000004000702746f000004" +
    "000900010000290a626f6172645f616e65770003000013001e1efb102700010b06736563746f720000040009000100000246" +
    "04506f736501000004140178100000000000000090c0000000000000a03f140179100000000000000090c0000000000000a0" +
    "3f06037961770a01090674687275737402020a090c054c6162656c020001000a0a0c2b055374656572000001030b06746872" +
    "75737400000b0009047475726e00000b000a05626f6f7374000000003705456e747279000101030b05467265736800000000" +
    "001404476174650001000001090466726f6d000004000b054f7468657200020001001807537061776e6564000001010b0661" +
    "7661746172000a030011054e657449640000000106013000000400360c537061776e52656675736564000101030a0446756c" +
    "6c00000000000d07436c6f73696e6700010000000b054f7468657200020001003c0a536563746f72496e666f000001040804" +
    "6e616d650002000803687565000002000e0968616c665f73697a6500000b000b05676174657300030a060041084761746549" +
    "6e666f0000010606017800000b0006017900000b000b0672616469757300000b000702746f0000040008046e616d65000200" +
    "0803687565000002002407456e7465726564000001020b06736563746f72000004000b06617661746172000a0300480c456e" +
    "74657252656675736564000101040d074261644e616d6500000000000a0446756c6c0001000000110b556e617661696c6162" +
    "6c6500020000000b054f7468657200030001002c04506f73650000010406017800000b0006017900000b0008037961770000" +
    "0b000b067468727573740000010026054c6162656c0000010308046e616d650002000803687565000002000904726f6c6500" +
    "0a0b003e04526f6c65000101040c06506c6179657200000000000d074472696674657200010000000d074372797374616c00" +
    "020000000b054f746865720003000100",
  ),
  components: [Pose, Label],
};
