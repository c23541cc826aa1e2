// @ts-check
/**
 * Driftlight: puts the parts together and runs the frames.
 *
 * Responsible for: making each part once, wiring keys, the order of drawing. Not responsible for: anything a part does.
 */

import { Border } from "./border.js";
import { Camera } from "./camera.js";
import { Chat } from "./chat.js";
import { Crystals } from "./crystals.js";
import { Drifters } from "./drifters.js";
import { element } from "./elements.js";
import { Gates } from "./gates.js";
import { Helm } from "./helm.js";
import { Help } from "./help.js";
import { install } from "./hook.js";
import { Hold } from "./hold.js";
import { Hud } from "./hud.js";
import { Input, typing } from "./input.js";
import { Minimap } from "./minimap.js";
import { Mining } from "./mining.js";
import { Nebula } from "./nebula.js";
import { Pace } from "./pace.js";
import { Passage } from "./passage.js";
import { Purse } from "./purse.js";
import { Screen } from "./screen.js";
import { Session } from "./session.js";
import { Ships } from "./ships.js";
import { Sound } from "./sound.js";
import { Stars } from "./stars.js";
import { Start } from "./start.js";
import { Trading } from "./trade.js";
import { World } from "./world.js";

/** A frame after a pause (a hidden tab) counts as this long at most. */
const FRAME_SECONDS_MAX = 0.1;

const canvas = element("space", HTMLCanvasElement);
const screen = new Screen(canvas);
const camera = new Camera(screen);
const world = new World();
const nebula = new Nebula();
const stars = new Stars();
const border = new Border();
const gates = new Gates();
const crystals = new Crystals();
const drifters = new Drifters();
const ships = new Ships();
const passage = new Passage();
const pace = new Pace();
const minimap = new Minimap(element("map", HTMLElement), element("minimap", HTMLCanvasElement));
const hud = new Hud();
const hold = new Hold();
const purse = new Purse();
const help = new Help();
const sound = new Sound();
/** @type {Session | undefined} */
let session;
const chat = new Chat((text) => session?.say(text));
const mining = new Mining(
  (crystal) => session?.mine(crystal) ?? Promise.reject(new Error("not connected")),
  {
    mined: (mined) => {
      hold.mined(mined);
      sound.mined(mined.hue);
      // A crystal of before there were coins brought none, and its answer says nothing of them.
      if (mined.coins > 0n) purse.set(mined.coins);
      trading.changed();
    },
    note: (text) => chat.note(text),
  },
);
const trading = new Trading(() => session, {
  hold: (listed) => {
    hold.list(listed);
    purse.set(listed.coins);
  },
  note: (text) => chat.note(text),
});
const helm = new Helm((controls) => session?.steer(controls));
const input = new Input(canvas, () => helm.want(input.read(camera, world.own), performance.now()));
const start = new Start(fly);
const hook = install(world, hold, purse, trading, camera, sound, () => session);

/**
 * Connects with the name and colour chosen.
 * @param {string} name
 * @param {number} hue
 */
function fly(name, hue) {
  session?.close();
  sound.begin();
  hud.board(name, hue);
  let zone = "";
  session = new Session(name, hue, {
    connection: (state) => {
      hud.connection(state);
      if (state.is === "lost" && start.open) start.refuse(`The server cannot be reached: ${state.text || state.reason}`);
    },
    entered: () => {
      start.leave();
      void trading.look();
    },
    tradeCame: (trade) => {
      trading.came(trade);
      sound.traded();
    },
    tradeOver: (over) => {
      trading.over(over);
      sound.traded();
    },
    refused: (why) => {
      session?.close();
      start.refuse(why);
    },
    attached: (key) => {
      helm.forget();
      if (zone !== "" && zone !== String(key)) {
        passage.flash(world.sector.hue);
        sound.passed();
      }
      if (zone !== String(key)) world.clear();
      zone = String(key);
    },
    welcome: (sector) => {
      const changed = sector.name !== world.sector.name;
      world.sector = { name: sector.name, hue: sector.hue, halfSize: sector.halfSize, gates: sector.gates };
      if (!changed) return;
      nebula.tint(sector.hue, seedOf(sector.name));
      hud.enter(sector);
    },
    said: (who, theirHue, text) => {
      chat.said(who, theirHue, text, performance.now());
      sound.said(theirHue);
    },
    packet: () => {
      const now = performance.now();
      helm.want(input.read(camera, world.own), now);
      helm.afterState(now);
    },
  });
}

/** @param {string} text */
function seedOf(text) {
  let seed = 7;
  for (const letter of text) seed = (Math.imul(seed, 31) + (letter.codePointAt(0) ?? 0)) >>> 0;
  return seed % 9973;
}

window.addEventListener("keydown", (event) => {
  if (typing(event) || start.open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.code === "Enter") chat.start();
  else if (event.code === "KeyE" || event.code === "Space") mining.nearest(world);
  else if (event.code === "KeyT") {
    if (trading.bid.open) trading.bid.close();
    else if (!trading.bid.nearest(world)) chat.note("No ship in view to trade with.");
  } else if (event.code === "KeyH" || event.key === "?") help.toggle();
  else if (event.code === "KeyM") minimap.toggle();
  else if (event.code === "KeyF") hud.toggleFrames();
  else if (event.code === "KeyV") chat.note(sound.toggle() ? "Sound on." : "Sound off.");
  else if (event.code === "Escape") {
    help.close();
    trading.bid.close();
  }
  else return;
  event.preventDefault();
});

canvas.addEventListener("pointerdown", (event) => {
  mining.at(world, camera, event.clientX, event.clientY);
  trading.bid.down(event);
});
canvas.addEventListener("pointerup", (event) => trading.bid.up(event, world, camera));

let before = performance.now();

/** @param {number} now milliseconds */
function frame(now) {
  requestAnimationFrame(frame);
  const passed = Math.max(0, now - before);
  const seconds = Math.min(passed / 1000, FRAME_SECONDS_MAX);
  before = now;
  const client = session?.client;
  if (client !== undefined) {
    client.tick(now);
    world.update(client.view, client.attached?.avatar ?? 0n, now, seconds);
  }
  if (world.own === undefined) {
    if (start.open) camera.drift(now);
  } else {
    camera.follow(world.own, seconds);
    const controls = input.read(camera, world.own);
    helm.want(controls, now);
    sound.engine(controls, Math.hypot(world.own.vx, world.own.vy));
  }
  const drawFrom = performance.now();
  draw(now, seconds);
  hud.update(world, client, now, passed, performance.now() - drawFrom);
  minimap.draw(world, now);
  trading.offers.tick(now);
  pace.frame(passed, screen);
  hook.frame(now);
}

/**
 * Everything on the canvas, from far to near.
 * @param {number} now milliseconds
 * @param {number} seconds
 */
function draw(now, seconds) {
  const flight = world.own ?? { x: camera.x, y: camera.y, vx: 0, vy: 0 };
  screen.reset();
  nebula.draw(screen, camera, seconds);
  stars.drawFar(screen, camera, now);
  border.draw(screen, camera, world.sector, now);
  gates.draw(screen, camera, world.sector.gates, now);
  drifters.draw(screen, camera, world.bodies, now);
  crystals.draw(screen, camera, world.bodies, now);
  mining.draw(screen, camera, world.own, now);
  ships.drawTrails(screen, camera, world.bodies);
  ships.draw(screen, camera, world.bodies, now);
  stars.drawDust(screen, camera, flight);
  ships.drawNames(screen, camera, world.bodies);
  if (world.own !== undefined) gates.drawSigns(screen, camera, world.sector.gates, world.own);
  chat.draw(screen, camera, world, now);
  passage.draw(screen, now);
}

nebula.tint(world.sector.hue, seedOf("Driftlight"), true);
requestAnimationFrame(frame);
