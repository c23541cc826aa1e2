// @ts-check
/**
 * `window.driftlight`: what tests and curious people may look at.
 *
 * Responsible for: reading the page's state, a bounded log of frames. Not responsible for: changing anything in the game.
 */

/** Frames kept: 30 seconds at 60 a second. */
const FRAMES_MAX = 1_800;

/**
 * @typedef {object} FrameRecord
 * @property {number} at milliseconds of the page's clock
 * @property {number} tick the zone's tick that was shown, with its fraction
 * @property {string} zone key of the zone that was shown
 * @property {{x: number, y: number, yaw: number} | undefined} own
 * @property {{id: string, x: number, y: number}[]} others
 */

/** @typedef {ReturnType<typeof makeHook>} Hook */

/**
 * @param {import("./world.js").World} world
 * @param {import("./hold.js").Hold} hold
 * @param {import("./purse.js").Purse} purse
 * @param {import("./trade.js").Trading} trading
 * @param {import("./camera.js").Camera} camera
 * @param {import("./sound.js").Sound} sound
 * @param {() => import("./session.js").Session | undefined} session
 */
function makeHook(world, hold, purse, trading, camera, sound, session) {
  /** @type {FrameRecord[]} */
  let frames = [];
  let recording = false;
  return {
    /** State of the connection: connecting, connected, reconnecting, lost, or `start` before the first. */
    connection: () => session()?.client.state.is ?? "start",
    /** Round trip in milliseconds. */
    rtt: () => session()?.client.rtt,
    /** Name of the sector; empty before the first. */
    sector: () => world.sector.name,
    /** The sector's gates. */
    gates: () => world.sector.gates.map((gate) => ({ ...gate })),
    /** Key of the attached zone. */
    zone: () => String(session()?.client.attached?.zone.key ?? ""),
    /** The own ship as it is shown. */
    own: () => (world.own === undefined ? undefined : place(world.own)),
    /** What the client counted: packets, pushes, calls that were not sent. */
    counters: () => session()?.client.counters,
    /** Ore in the hold, as the server answered. */
    ore: () => Number(hold.total),
    /** Coins, as the server answered. */
    coins: () => Number(purse.coins),
    /** Names of those whose offers are open here, and of those to whom own ones are. */
    offers: () => ({ toMe: trading.toMe.map((trade) => trade.name), fromMe: trading.fromMe.map((trade) => trade.name) }),
    /** Whether sound is on, and how loud it is. */
    sound: () => ({ on: sound.on, level: sound.level }),
    /** Where a place of the sector is shown, CSS pixels. */
    shown: (/** @type {number} */ x, /** @type {number} */ y) => ({ x: camera.screenX(x), y: camera.screenY(y) }),
    /** Everything in view. */
    entities: () => world.bodies.filter((body) => body.present).map(place),
    /** Starts or stops the log of frames; starting empties it. */
    record: (/** @type {boolean} */ on) => {
      recording = on;
      if (on) frames = [];
    },
    /** The log of frames. */
    frames: () => frames,
    /** Called by the page after each frame. */
    frame: (/** @type {number} */ at) => {
      if (!recording || frames.length >= FRAMES_MAX) return;
      const client = session()?.client;
      frames.push({
        at,
        tick: client?.playback.tick ?? 0,
        zone: String(client?.attached?.zone.key ?? ""),
        own: world.own === undefined ? undefined : { x: world.own.x, y: world.own.y, yaw: world.own.yaw },
        others: world.bodies
          .filter((body) => body.present && !body.own)
          .map((body) => ({ id: String(body.id), x: body.x, y: body.y })),
      });
    },
  };
}

/** @param {import("./world.js").Body} body */
function place(body) {
  const { x, y, yaw, name, hue, look, own, vx, vy } = body;
  return { id: String(body.id), x, y, yaw, name, hue, look, own, vx, vy };
}

/**
 * Puts the hook into the window.
 * @param {import("./world.js").World} world
 * @param {import("./hold.js").Hold} hold
 * @param {import("./purse.js").Purse} purse
 * @param {import("./trade.js").Trading} trading
 * @param {import("./camera.js").Camera} camera
 * @param {import("./sound.js").Sound} sound
 * @param {() => import("./session.js").Session | undefined} session
 * @returns {Hook}
 */
export function install(world, hold, purse, trading, camera, sound, session) {
  const hook = makeHook(world, hold, purse, trading, camera, sound, session);
  Object.defineProperty(window, "driftlight", { value: hook });
  return hook;
}
