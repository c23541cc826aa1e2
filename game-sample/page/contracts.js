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
 * A crystal that was mined.
 * @typedef {object} Mined
 * @property {bigint} crystal Which one.
 * @property {number} ore Ore that was in it.
 * @property {number} hue The colour of the ore, a multiple of 60 degrees.
 * @property {bigint} total All ore that the player had when this crystal was in the hold.
 */

/**
 * @param {Reader} from
 * @returns {Mined}
 */
export function readMined(from) {
  return from.growing((from) => ({
    crystal: from.field((from) => from.u64(), 0n),
    ore: from.field((from) => from.u32(), 0),
    hue: from.field((from) => from.u16(), 0),
    total: from.field((from) => from.u64(), 0n),
  }));
}

/** @returns {Mined} what stands where an older peer sent none */
export function defaultMined() {
  return { crystal: 0n, ore: 0, hue: 0, total: 0n };
}

/**
 * Why a crystal is not mined.
 * - `NotAboard`: The player has no ship in a sector. Enter first.
 * - `Gone`: There is no such crystal, or it is gone.
 * - `Spent`: Somebody else was quicker.
 * - `OutOfReach`: The ship is too far away. Fly nearer.
 * - `Unavailable`: The sector does not answer, and may have taken the crystal or not. Ask again for the same crystal.
 * - `Other`: A reason that this build does not know.
 * @typedef {"NotAboard" | "Gone" | "Spent" | "OutOfReach" | "Unavailable" | "Other"} MineRefused
 */

/**
 * @param {Reader} from
 * @returns {MineRefused}
 */
export function readMineRefused(from) {
  const number = from.u32();
  return from.growing(() => {
    switch (number) {
      case 0:
        return "NotAboard";
      case 1:
        return "Gone";
      case 2:
        return "Spent";
      case 3:
        return "OutOfReach";
      case 4:
        return "Unavailable";
      case 5:
        return "Other";
      default:
        return "Other";
    }
  });
}

/** @returns {MineRefused} what stands where an older peer sent none */
export function defaultMineRefused() {
  return "Other";
}

/**
 * What a player has mined.
 * @typedef {object} Hold
 * @property {(OreStack)[]} stacks Ore by its colour, in order of the colours.
 * @property {bigint} total All ore together.
 * @property {bigint} crystals Crystals that it came from.
 */

/**
 * @param {Reader} from
 * @returns {Hold}
 */
export function readHold(from) {
  return from.growing((from) => ({
    stacks: from.field((from) => from.list((from) => readOreStack(from)), []),
    total: from.field((from) => from.u64(), 0n),
    crystals: from.field((from) => from.u64(), 0n),
  }));
}

/** @returns {Hold} what stands where an older peer sent none */
export function defaultHold() {
  return { stacks: [], total: 0n, crystals: 0n };
}

/**
 * Ore of one colour.
 * @typedef {object} OreStack
 * @property {number} hue Its colour, a multiple of 60 degrees.
 * @property {bigint} amount How much.
 */

/**
 * @param {Reader} from
 * @returns {OreStack}
 */
export function readOreStack(from) {
  return from.growing((from) => ({
    hue: from.field((from) => from.u16(), 0),
    amount: from.field((from) => from.u64(), 0n),
  }));
}

/** @returns {OreStack} what stands where an older peer sent none */
export function defaultOreStack() {
  return { hue: 0, amount: 0n };
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
 * - `Crystal`: Something to mine.
 * - `Spent`: What is left of a crystal that was mined; it is gone soon.
 * - `Other`: Something that this build does not know.
 * @typedef {"Player" | "Drifter" | "Crystal" | "Spent" | "Other"} Role
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
      case 4:
        return "Spent";
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

const PILOT_MINE = { name: "Pilot.mine", kind: 2, number: 4, lane: 19, timeoutMs: 5000 };

const PILOT_HOLD = { name: "Pilot.hold", kind: 2, number: 5, lane: 35, timeoutMs: 30000 };

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
   * Enters the game with a ship of this name (1 to 24 characters) and colour (degrees, 0 to 359), where the ship was
   * last. Entering again while a ship is there gives the same ship.
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

  /**
   * Mines a crystal near the ship. What is answered is stored. Asking again for the same crystal, also after a crash,
   * counts it once and gives the same answer.
   * @param {bigint} crystal
   * @returns {Promise<{ok: Mined} | {err: MineRefused}>}
   */
  mine(crystal) {
    return this.caller.ask(this.target, PILOT_MINE, (to) => to.growing((to) => {
      to.u64(crystal);
    }), (from) => from.result((from) => readMined(from), (from) => readMineRefused(from)));
  }

  /**
   * What the player has mined so far.
   * @returns {Promise<Hold>}
   */
  hold() {
    return this.caller.ask(this.target, PILOT_HOLD, (to) => to.growing(() => {}), (from) => readHold(from));
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
  fingerprint: 0xa18036a40bd7433500b334259b2efa65n,
  descriptor: unhex(
    "fbf6060a64726966746c6967687402fb700106536563746f72000100010824057374656572000100001101013c3cfb307500" +
    "010a057374656572000a000009000100002003736179000200003301010202fb307500010804746578740002000900010000" +
    "4405737061776e0003000113001e1efb881300040b06706c617965720000040008046e616d65000200080368756500000200" +
    "0a05656e747279000a0100070a040a05010000250672656d6f76650004000013001e1efb307500010b06706c617965720000" +
    "0400090001000024046d6f6f720007000113001e1efbd00700010b06706c6179657200000400060a02010000330474616b65" +
    "0008000113001e1efba00f00020b06706c61796572000004000c076372797374616c000a0300070a060a0701000032047361" +
    "69640005000233001e1efb3075000308046e616d650002000803687565000002000804746578740002000900010000260777" +
    "656c636f6d650006000213001e1efb307500010b06736563746f72000a08000900010000fb23010550696c6f740002000007" +
    "2e05656e746572000100011301000202fb8813000208046e616d65000200080368756500000200070a0a0a0b01000028046d" +
    "696e65000400011301000204fb881300010c076372797374616c000a0300070a0c0a0d0100001804686f6c64000500012301" +
    "000202fb307500000a0e010000310c7468726f7567685f676174650002000013001e1efb10270002090466726f6d00000400" +
    "0702746f000004000900010000290a626f6172645f616e65770003000013001e1efb102700010b06736563746f7200000400" +
    "090001000018056c656176650006000013001e1efb1027000009000100003107736967687465640007000033001e1efb3075" +
    "00020b06736563746f72000004000a05706c616365000a02000900010000024604506f736501000004140178100000000000" +
    "000090c0000000000000a03f140179100000000000000090c0000000000000a03f06037961770a0109067468727573740202" +
    "0a100c054c6162656c020001000a11132b055374656572000001030b0674687275737400000b0009047475726e00000b000a" +
    "05626f6f7374000000005505456e747279000101040b05467265736800000000001404476174650001000001090466726f6d" +
    "000004001d054265727468000300000207026174000a0200090473686970000a03000b054f7468657200020001002105506c" +
    "6163650000010306017800000b0006017900000b00080379617700000b0011054e6574496400000001060130000004002307" +
    "537061776e6564000001020b06617661746172000a03000a05706c616365000a0200360c537061776e526566757365640001" +
    "01030a0446756c6c00000000000d07436c6f73696e6700010000000b054f7468657200020001001c0554616b656e00000102" +
    "08036f726500000300080368756500000200510b54616b6552656675736564000101050a04476f6e6500000000000b055370" +
    "656e740001000000100a4f75744f66526561636800020000000c064e6f5368697000030000000b054f746865720004000100" +
    "3c0a536563746f72496e666f0000010408046e616d650002000803687565000002000e0968616c665f73697a6500000b000b" +
    "05676174657300030a0900410847617465496e666f0000010606017800000b0006017900000b000b0672616469757300000b" +
    "000702746f0000040008046e616d650002000803687565000002002407456e7465726564000001020b06736563746f720000" +
    "04000b06617661746172000a0300480c456e74657252656675736564000101040d074261644e616d6500000000000a044675" +
    "6c6c0001000000110b556e617661696c61626c6500020000000b054f74686572000300010034054d696e6564000001040c07" +
    "6372797374616c000a030008036f7265000003000803687565000002000a05746f74616c00000400660b4d696e6552656675" +
    "736564000101060f094e6f7441626f61726400000000000a04476f6e6500010000000b055370656e740002000000100a4f75" +
    "744f6652656163680003000000110b556e617661696c61626c6500040000000b054f7468657200050001002f04486f6c6400" +
    "0001030c06737461636b7300030a0f000a05746f74616c000004000d086372797374616c730000040022084f726553746163" +
    "6b000001020803687565000002000b06616d6f756e74000004002c04506f73650000010406017800000b0006017900000b00" +
    "080379617700000b000b067468727573740000010026054c6162656c0000010308046e616d65000200080368756500000200" +
    "0904726f6c65000a12004a04526f6c65000101050c06506c6179657200000000000d074472696674657200010000000d0743" +
    "72797374616c00020000000b055370656e7400040000000b054f746865720003000100",
  ),
  components: [Pose, Label],
};
