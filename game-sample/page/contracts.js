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
 * - `NoSector`: The map has no such sector.
 * - `Other`: A reason that this build does not know.
 * @typedef {"BadName" | "Full" | "Unavailable" | "NoSector" | "Other"} EnterRefused
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
      case 4:
        return "NoSector";
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
 * @property {bigint} coins All coins that the player had then; each crystal brings one. 0: of a build that knew no coins.
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
    coins: from.field((from) => from.u64(), 0n),
  }));
}

/** @returns {Mined} what stands where an older peer sent none */
export function defaultMined() {
  return { crystal: 0n, ore: 0, hue: 0, total: 0n, coins: 0n };
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
 * What a player has.
 * @typedef {object} Hold
 * @property {(OreStack)[]} stacks Ore by its colour, in order of the colours.
 * @property {bigint} total All ore together.
 * @property {bigint} crystals Crystals that the player mined.
 * @property {bigint} coins Coins.
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
    coins: from.field((from) => from.u64(), 0n),
  }));
}

/** @returns {Hold} what stands where an older peer sent none */
export function defaultHold() {
  return { stacks: [], total: 0n, crystals: 0n, coins: 0n };
}

/**
 * Ore of one colour.
 * @typedef {object} OreStack
 * @property {number} hue Its colour, a multiple of 60 degrees.
 * @property {bigint} amount How much.
 */

/**
 * @param {Writer} to
 * @param {OreStack} value
 */
export function writeOreStack(to, value) {
  to.growing((to) => {
    to.u16(value.hue);
    to.u64(value.amount);
  });
}

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
 * Coins and ore that go from one hold to another.
 * @typedef {object} Goods
 * @property {bigint} coins Coins.
 * @property {(OreStack)[]} ore Ore by its colour.
 */

/**
 * @param {Writer} to
 * @param {Goods} value
 */
export function writeGoods(to, value) {
  to.growing((to) => {
    to.u64(value.coins);
    to.list(value.ore, (to, item) => writeOreStack(to, item));
  });
}

/**
 * @param {Reader} from
 * @returns {Goods}
 */
export function readGoods(from) {
  return from.growing((from) => ({
    coins: from.field((from) => from.u64(), 0n),
    ore: from.field((from) => from.list((from) => readOreStack(from)), []),
  }));
}

/** @returns {Goods} what stands where an older peer sent none */
export function defaultGoods() {
  return { coins: 0n, ore: [] };
}

/**
 * An open offer.
 * @typedef {object} Trade
 * @property {TradeId} id Its name.
 * @property {bigint} with Key of the other pilot.
 * @property {string} name The other pilot's name.
 * @property {Goods} give What the offerer gives.
 * @property {Goods} want What the offerer wants for it.
 * @property {number} leftMs Milliseconds until it ends by itself.
 * @property {boolean} accepted It is accepted and paid; its goods are on their way.
 */

/**
 * @param {Reader} from
 * @returns {Trade}
 */
export function readTrade(from) {
  return from.growing((from) => ({
    id: from.field((from) => readTradeId(from), defaultTradeId()),
    with: from.field((from) => from.u64(), 0n),
    name: from.field((from) => from.text(), ""),
    give: from.field((from) => readGoods(from), defaultGoods()),
    want: from.field((from) => readGoods(from), defaultGoods()),
    leftMs: from.field((from) => from.u32(), 0),
    accepted: from.field((from) => from.bool(), false),
  }));
}

/** @returns {Trade} what stands where an older peer sent none */
export function defaultTrade() {
  return { id: defaultTradeId(), with: 0n, name: "", give: defaultGoods(), want: defaultGoods(), leftMs: 0, accepted: false };
}

/**
 * Names an offer, and the trade that comes of it; never given twice.
 * @typedef {object} TradeId
 * @property {bigint} pilot Key of the pilot who offers.
 * @property {bigint} number Counts that pilot's offers, from 1.
 */

/**
 * @param {Writer} to
 * @param {TradeId} value
 */
export function writeTradeId(to, value) {
  to.growing((to) => {
    to.u64(value.pilot);
    to.u64(value.number);
  });
}

/**
 * @param {Reader} from
 * @returns {TradeId}
 */
export function readTradeId(from) {
  return from.growing((from) => ({
    pilot: from.field((from) => from.u64(), 0n),
    number: from.field((from) => from.u64(), 0n),
  }));
}

/** @returns {TradeId} what stands where an older peer sent none */
export function defaultTradeId() {
  return { pilot: 0n, number: 0n };
}

/**
 * Why a trading operation did nothing.
 * - `NotAboard`: The pilot has no ship in a sector. Enter first.
 * - `NoShip`: There is no such ship here, or nobody flies it.
 * - `OwnShip`: It is the pilot's own ship.
 * - `Nothing`: Nothing is given and nothing is wanted.
 * - `BadGoods`: Ore of a colour that there is not, or more than can be traded at once.
 * - `NotEnough`: The hold has not so much.
 * - `TooMany`: The pilot has too many open offers. Wait, or cancel one.
 * - `Unknown`: There is no such open offer, or it is over.
 * - `Unavailable`: The server cannot do it now. Ask for the open offers, and try again.
 * - `Other`: A reason that this build does not know.
 * @typedef {"NotAboard" | "NoShip" | "OwnShip" | "Nothing" | "BadGoods" | "NotEnough" | "TooMany" | "Unknown" | "Unavailable" | "Other"} TradeRefused
 */

/**
 * @param {Reader} from
 * @returns {TradeRefused}
 */
export function readTradeRefused(from) {
  const number = from.u32();
  return from.growing(() => {
    switch (number) {
      case 0:
        return "NotAboard";
      case 1:
        return "NoShip";
      case 2:
        return "OwnShip";
      case 3:
        return "Nothing";
      case 4:
        return "BadGoods";
      case 5:
        return "NotEnough";
      case 6:
        return "TooMany";
      case 7:
        return "Unknown";
      case 8:
        return "Unavailable";
      case 9:
        return "Other";
      default:
        return "Other";
    }
  });
}

/** @returns {TradeRefused} what stands where an older peer sent none */
export function defaultTradeRefused() {
  return "Other";
}

/**
 * What an operation moved: out of the hold (accepted), back into it (cancelled), or nothing (refused).
 * @typedef {object} Moved
 * @property {TradeId} trade For which trade.
 * @property {Goods} goods What.
 */

/**
 * @param {Reader} from
 * @returns {Moved}
 */
export function readMoved(from) {
  return from.growing((from) => ({
    trade: from.field((from) => readTradeId(from), defaultTradeId()),
    goods: from.field((from) => readGoods(from), defaultGoods()),
  }));
}

/** @returns {Moved} what stands where an older peer sent none */
export function defaultMoved() {
  return { trade: defaultTradeId(), goods: defaultGoods() };
}

/**
 * All open offers of a pilot, and what it has.
 * @typedef {object} Trades
 * @property {Hold} hold What is in the hold, without what is offered.
 * @property {(Trade)[]} toMe Offers of others to this pilot, oldest first.
 * @property {(Trade)[]} fromMe Offers of this pilot, oldest first.
 */

/**
 * @param {Reader} from
 * @returns {Trades}
 */
export function readTrades(from) {
  return from.growing((from) => ({
    hold: from.field((from) => readHold(from), defaultHold()),
    toMe: from.field((from) => from.list((from) => readTrade(from)), []),
    fromMe: from.field((from) => from.list((from) => readTrade(from)), []),
  }));
}

/** @returns {Trades} what stands where an older peer sent none */
export function defaultTrades() {
  return { hold: defaultHold(), toMe: [], fromMe: [] };
}

/**
 * How an offer ends.
 * - `Settled`: Both have what they traded for.
 * - `Refused`: The other pilot did not want it. What was offered is back.
 * - `TooMany`: The other pilot has too many offers to look at. What was offered is back.
 * - `Cancelled`: The offerer took it back.
 * - `TimedOut`: Nobody accepted it in time. What was offered is back.
 * - `Returned`: It was accepted when it was over already. What was paid is back.
 * - `Other`: In a way that this build does not know.
 * @typedef {"Settled" | "Refused" | "TooMany" | "Cancelled" | "TimedOut" | "Returned" | "Other"} TradeEnd
 */

/**
 * @param {Reader} from
 * @returns {TradeEnd}
 */
export function readTradeEnd(from) {
  const number = from.u32();
  return from.growing(() => {
    switch (number) {
      case 0:
        return "Settled";
      case 1:
        return "Refused";
      case 2:
        return "TooMany";
      case 3:
        return "Cancelled";
      case 4:
        return "TimedOut";
      case 5:
        return "Returned";
      case 6:
        return "Other";
      default:
        return "Other";
    }
  });
}

/** @returns {TradeEnd} what stands where an older peer sent none */
export function defaultTradeEnd() {
  return "Other";
}

/**
 * How an offer ended, told to a pilot's client.
 * @typedef {object} TradeOver
 * @property {TradeId} trade Which one.
 * @property {string} name The other pilot's name.
 * @property {TradeEnd} end How.
 * @property {Goods} got What came into the hold by that.
 * @property {Hold} hold What is in the hold now.
 */

/**
 * @param {Reader} from
 * @returns {TradeOver}
 */
export function readTradeOver(from) {
  return from.growing((from) => ({
    trade: from.field((from) => readTradeId(from), defaultTradeId()),
    name: from.field((from) => from.text(), ""),
    end: from.field((from) => readTradeEnd(from), defaultTradeEnd()),
    got: from.field((from) => readGoods(from), defaultGoods()),
    hold: from.field((from) => readHold(from), defaultHold()),
  }));
}

/** @returns {TradeOver} what stands where an older peer sent none */
export function defaultTradeOver() {
  return { trade: defaultTradeId(), name: "", end: defaultTradeEnd(), got: defaultGoods(), hold: defaultHold() };
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

const PILOT_ENTER_AT = { name: "Pilot.enter_at", kind: 2, number: 23, lane: 19, timeoutMs: 5000 };

const PILOT_MINE = { name: "Pilot.mine", kind: 2, number: 4, lane: 19, timeoutMs: 5000 };

const PILOT_HOLD = { name: "Pilot.hold", kind: 2, number: 5, lane: 35, timeoutMs: 30000 };

const PILOT_OFFER = { name: "Pilot.offer", kind: 2, number: 8, lane: 19, timeoutMs: 5000 };

const PILOT_ACCEPT = { name: "Pilot.accept", kind: 2, number: 9, lane: 19, timeoutMs: 5000 };

const PILOT_REFUSE = { name: "Pilot.refuse", kind: 2, number: 10, lane: 19, timeoutMs: 5000 };

const PILOT_CANCEL = { name: "Pilot.cancel", kind: 2, number: 11, lane: 19, timeoutMs: 5000 };

const PILOT_TRADES = { name: "Pilot.trades", kind: 2, number: 12, lane: 35, timeoutMs: 30000 };

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
   * Enters the game as `enter` does, but in this sector, wherever the ship was last; from another one it is taken out.
   * @param {string} name
   * @param {number} hue
   * @param {bigint} sector
   * @returns {Promise<{ok: Entered} | {err: EnterRefused}>}
   */
  enterAt(name, hue, sector) {
    return this.caller.ask(this.target, PILOT_ENTER_AT, (to) => to.growing((to) => {
      to.text(name);
      to.u16(hue);
      to.u64(sector);
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
   * What the player has in its hold, and how many crystals it has mined.
   * @returns {Promise<Hold>}
   */
  hold() {
    return this.caller.ask(this.target, PILOT_HOLD, (to) => to.growing(() => {}), (from) => readHold(from));
  }

  /**
   * Offers the pilot of a ship in the same sector what is in `give` for what is in `want`. What is given is taken out of
   * the hold until the offer ends: accepted, refused, cancelled, or by itself after 30 seconds.
   * @param {bigint} ship
   * @param {Goods} give
   * @param {Goods} want
   * @returns {Promise<{ok: Trade} | {err: TradeRefused}>}
   */
  offer(ship, give, want) {
    return this.caller.ask(this.target, PILOT_OFFER, (to) => to.growing((to) => {
      to.u64(ship);
      writeGoods(to, give);
      writeGoods(to, want);
    }), (from) => from.result((from) => readTrade(from), (from) => readTradeRefused(from)));
  }

  /**
   * Accepts another pilot's offer: what it wants is taken out of the hold now, what it gives comes in a moment.
   * Accepting again while it is under way gives the same answer.
   * @param {TradeId} trade
   * @returns {Promise<{ok: Moved} | {err: TradeRefused}>}
   */
  accept(trade) {
    return this.caller.ask(this.target, PILOT_ACCEPT, (to) => to.growing((to) => {
      writeTradeId(to, trade);
    }), (from) => from.result((from) => readMoved(from), (from) => readTradeRefused(from)));
  }

  /**
   * Refuses another pilot's offer.
   * @param {TradeId} trade
   * @returns {Promise<{ok: Moved} | {err: TradeRefused}>}
   */
  refuse(trade) {
    return this.caller.ask(this.target, PILOT_REFUSE, (to) => to.growing((to) => {
      writeTradeId(to, trade);
    }), (from) => from.result((from) => readMoved(from), (from) => readTradeRefused(from)));
  }

  /**
   * Takes an own offer back. What was offered is in the hold again.
   * @param {TradeId} trade
   * @returns {Promise<{ok: Moved} | {err: TradeRefused}>}
   */
  cancel(trade) {
    return this.caller.ask(this.target, PILOT_CANCEL, (to) => to.growing((to) => {
      writeTradeId(to, trade);
    }), (from) => from.result((from) => readMoved(from), (from) => readTradeRefused(from)));
  }

  /**
   * All open offers, and what is in the hold.
   * @returns {Promise<Trades>}
   */
  trades() {
    return this.caller.ask(this.target, PILOT_TRADES, (to) => to.growing(() => {}), (from) => readTrades(from));
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
  /**
   * Another pilot offers something.
   */
  tradeCame: {
    name: "Pilot.trade_came",
    kind: 2,
    number: 21,
    /** @param {Reader} from */
    read: (from) => from.growing((from) => ({
      trade: from.field((from) => readTrade(from), defaultTrade()),
    })),
  },
  /**
   * An offer ended, an own one or another pilot's.
   */
  tradeOver: {
    name: "Pilot.trade_over",
    kind: 2,
    number: 22,
    /** @param {Reader} from */
    read: (from) => from.growing((from) => ({
      over: from.field((from) => readTradeOver(from), defaultTradeOver()),
    })),
  },
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
  fingerprint: 0x1dd969f756d0f33669aeea47c21ae659n,
  descriptor: unhex(
    "fb9c0c0a64726966746c6967687402fb970106536563746f72000100010924057374656572000100001101013c3cfb307500" +
    "010a057374656572000a000009000100002003736179000200003301010202fb307500010804746578740002000900010000" +
    "4405737061776e0003000113001e1efb881300040b06706c617965720000040008046e616d65000200080368756500000200" +
    "0a05656e747279000a0100070a040a05010000250672656d6f76650004000013001e1efb307500010b06706c617965720000" +
    "0400090001000024046d6f6f720007000113001e1efbd00700010b06706c6179657200000400060a02010000330474616b65" +
    "0008000113001e1efba00f00020b06706c61796572000004000c076372797374616c000a0300070a060a0701000026087069" +
    "6c6f745f6f660009000113001e1efbd0070001090473686970000a0300060a080100003204736169640005000233001e1efb" +
    "3075000308046e616d650002000803687565000002000804746578740002000900010000260777656c636f6d650006000213" +
    "001e1efb307500010b06736563746f72000a09000900010000fb15040550696c6f7400020000172e05656e74657200010001" +
    "1301000202fb8813000208046e616d65000200080368756500000200070a0b0a0c0100003d08656e7465725f617400170001" +
    "1301000202fb8813000308046e616d650002000803687565000002000b06736563746f7200000400070a0b0a0c0100002804" +
    "6d696e65000400011301000204fb881300010c076372797374616c000a0300070a0d0a0e0100001804686f6c640005000123" +
    "01000202fb307500000a0f0100003a056f66666572000800011301000204fb88130003090473686970000a03000904676976" +
    "65000a1100090477616e74000a1100070a120a140100002806616363657074000900011301000408fb881300010a05747261" +
    "6465000a1300070a150a140100002806726566757365000a00011301000408fb881300010a057472616465000a1300070a15" +
    "0a14010000280663616e63656c000b00011301000408fb881300010a057472616465000a1300070a150a140100001a067472" +
    "61646573000c00012301000408fb307500000a1601000054076f666665726564000d000023001e1efb307500050a05747261" +
    "6465000a13000d0966726f6d5f6e616d65000200090467697665000a1100090477616e74000a11000c076c6566745f6d7300" +
    "00030009000100002f086465636c696e6564000e000023001e1efb307500020a057472616465000a13000803656e64000a17" +
    "00090001000031086163636570746564000f000023001e1efb307500020a057472616465000a13000a05676f6f6473000a11" +
    "0009000100003007736574746c65640010000023001e1efb307500020a057472616465000a13000a05676f6f6473000a1100" +
    "0900010000310872657475726e65640011000023001e1efb307500020a057472616465000a13000a05676f6f6473000a1100" +
    "0900010000300977697468647261776e0012000023001e1efb307500020a057472616465000a13000803656e64000a170009" +
    "00010000260874696d655f6f75740013000123001e1efb307500010a057472616465000a130000000100001f0c73656e645f" +
    "70617263656c730014000123001e1efb307500000900010000280a74726164655f63616d650015000213001e1efb30750001" +
    "0a057472616465000a12000900010000270a74726164655f6f7665720016000213001e1efb3075000109046f766572000a18" +
    "000900010000310c7468726f7567685f676174650002000013001e1efb10270002090466726f6d000004000702746f000004" +
    "000900010000290a626f6172645f616e65770003000013001e1efb102700010b06736563746f720000040009000100001805" +
    "6c656176650006000013001e1efb1027000009000100003107736967687465640007000033001e1efb307500020b06736563" +
    "746f72000004000a05706c616365000a02000900010000024604506f736501000004140178100000000000000090c0000000" +
    "000000a03f140179100000000000000090c0000000000000a03f06037961770a01090674687275737402020a190c054c6162" +
    "656c020001000a1a1c2b055374656572000001030b0674687275737400000b0009047475726e00000b000a05626f6f737400" +
    "0000005505456e747279000101040b05467265736800000000001404476174650001000001090466726f6d000004001d0542" +
    "65727468000300000207026174000a0200090473686970000a03000b054f7468657200020001002105506c61636500000103" +
    "06017800000b0006017900000b00080379617700000b0011054e6574496400000001060130000004002307537061776e6564" +
    "000001020b06617661746172000a03000a05706c616365000a0200360c537061776e52656675736564000101030a0446756c" +
    "6c00000000000d07436c6f73696e6700010000000b054f7468657200020001001c0554616b656e0000010208036f72650000" +
    "0300080368756500000200510b54616b6552656675736564000101050a04476f6e6500000000000b055370656e7400010000" +
    "00100a4f75744f66526561636800020000000c064e6f5368697000030000000b054f7468657200040001002805466c6f776e" +
    "00000103090473686970000a03000a0570696c6f740000040008046e616d650002003c0a536563746f72496e666f00000104" +
    "08046e616d650002000803687565000002000e0968616c665f73697a6500000b000b05676174657300030a0a004108476174" +
    "65496e666f0000010606017800000b0006017900000b000b0672616469757300000b000702746f0000040008046e616d6500" +
    "02000803687565000002002407456e7465726564000001020b06736563746f72000004000b06617661746172000a0300570c" +
    "456e74657252656675736564000101050d074261644e616d6500000000000a0446756c6c0001000000110b556e617661696c" +
    "61626c6500020000000e084e6f536563746f7200040000000b054f7468657200030001003f054d696e6564000001050c0763" +
    "72797374616c000a030008036f7265000003000803687565000002000a05746f74616c000004000a05636f696e7300000400" +
    "660b4d696e6552656675736564000101060f094e6f7441626f61726400000000000a04476f6e6500010000000b055370656e" +
    "740002000000100a4f75744f6652656163680003000000110b556e617661696c61626c6500040000000b054f746865720005" +
    "0001003a04486f6c64000001040c06737461636b7300030a10000a05746f74616c000004000d086372797374616c73000004" +
    "000a05636f696e730000040022084f7265537461636b000001020803687565000002000b06616d6f756e74000004001f0547" +
    "6f6f6473000001020a05636f696e730000040009036f726500030a1000540554726164650000010707026964000a13000904" +
    "776974680000040008046e616d65000200090467697665000a1100090477616e74000a11000c076c6566745f6d7300000300" +
    "0d08616363657074656400000000230754726164654964000001020a0570696c6f74000004000b066e756d62657200000400" +
    "a30c5472616465526566757365640001010a0f094e6f7441626f61726400000000000c064e6f5368697000010000000d074f" +
    "776e5368697000020000000d074e6f7468696e6700030000000e08426164476f6f647300040000000f094e6f74456e6f7567" +
    "6800050000000d07546f6f4d616e7900060000000d07556e6b6e6f776e0007000000110b556e617661696c61626c65000800" +
    "00000b054f74686572000900010020054d6f766564000001020a057472616465000a13000a05676f6f6473000a11002f0654" +
    "7261646573000001030904686f6c64000a0f000b05746f5f6d6500030a12000d0766726f6d5f6d6500030a12007108547261" +
    "6465456e64000101070d07536574746c656400000000000d075265667573656400010000000d07546f6f4d616e7900020000" +
    "000f0943616e63656c6c656400030000000e0854696d65644f757400040000000e0852657475726e656400050000000b054f" +
    "7468657200060001003e0954726164654f766572000001050a057472616465000a130008046e616d650002000803656e6400" +
    "0a17000803676f74000a11000904686f6c64000a0f002c04506f73650000010406017800000b0006017900000b0008037961" +
    "7700000b000b067468727573740000010026054c6162656c0000010308046e616d650002000803687565000002000904726f" +
    "6c65000a1b004a04526f6c65000101050c06506c6179657200000000000d074472696674657200010000000d074372797374" +
    "616c00020000000b055370656e7400040000000b054f746865720003000100",
  ),
  components: [Pose, Label],
};
