// @ts-check
/**
 * The heads-up display: who, where, how the connection is.
 *
 * Responsible for: name, sector title, connection light, counts, speed, reconnect banner. Text changes at most five times a second.
 * Not responsible for: chat, help, map.
 */

import { element, setShown, setText } from "./elements.js";

const REFRESH_MS = 200;
const SPEED_AT_FULL_BAR = 320;

/** Why a connection ended for good, in words for people; the rest shows the server's own words. */
const LOST_WORDS = new Map([
  ["replaced", "You opened Driftlight somewhere else. This page is asleep now; reload it to fly here."],
  ["incompatible", "This page is older than the server. Reload it."],
  ["unsupported", "This browser has no WebTransport, or the page was not opened over https or on this machine."],
]);

export class Hud {
  constructor() {
    this.root = element("hud", HTMLElement);
    this.pilotName = element("pilot-name", HTMLElement);
    this.place = element("place", HTMLElement);
    this.link = element("link", HTMLElement);
    this.linkText = element("link-text", HTMLElement);
    this.near = element("near", HTMLElement);
    this.frames = element("frames", HTMLElement);
    this.speedFill = element("speed-fill", HTMLElement);
    this.speedText = element("speed-text", HTMLElement);
    this.title = element("title", HTMLElement);
    this.titleName = element("title-name", HTMLElement);
    this.titleNote = element("title-note", HTMLElement);
    this.banner = element("banner", HTMLElement);
    this.bannerText = element("banner-text", HTMLElement);
    this.refreshedAt = 0;
    this.framesSeen = 0;
    this.slowest = 0;
    this.drawMs = 0;
  }

  /**
   * Shows the display for a pilot.
   * @param {string} name
   * @param {number} hue
   */
  board(name, hue) {
    setText(this.pilotName, name);
    document.documentElement.style.setProperty("--own", String(hue));
    setShown(this.root, true);
  }

  /**
   * Names the sector that was entered.
   * @param {{name: string, hue: number, gates: readonly unknown[]}} sector
   */
  enter(sector) {
    document.documentElement.style.setProperty("--hue", String(sector.hue));
    setText(this.place, sector.name);
    setText(this.titleName, sector.name);
    setText(this.titleNote, sector.gates.length === 1 ? "one gate" : `${sector.gates.length} gates`);
    // Taking the class away and reading a size starts the animation again; once per passage, so the layout costs nothing.
    this.title.classList.remove("shown");
    void this.title.offsetWidth;
    this.title.classList.add("shown");
  }

  /**
   * The state of the connection.
   * @param {import("/lightmoon/index.js").LinkState} state
   */
  connection(state) {
    this.link.dataset["state"] = state.is;
    setShown(this.banner, state.is === "reconnecting" || state.is === "lost");
    this.banner.classList.toggle("final", state.is === "lost");
    if (state.is === "reconnecting") setText(this.bannerText, "Connection lost — finding the way back…");
    if (state.is === "lost") setText(this.bannerText, LOST_WORDS.get(state.reason) ?? `Disconnected: ${state.text || state.reason}`);
  }

  /** Shows or hides frames per second. */
  toggleFrames() {
    this.frames.classList.toggle("hidden");
  }

  /**
   * Once a frame.
   * @param {import("./world.js").World} world
   * @param {import("/lightmoon/index.js").Client | undefined} client
   * @param {number} now milliseconds
   * @param {number} milliseconds since the last frame
   * @param {number} drawMs that drawing took
   */
  update(world, client, now, milliseconds, drawMs) {
    this.framesSeen += 1;
    this.slowest = Math.max(this.slowest, milliseconds);
    this.drawMs += drawMs;
    const since = now - this.refreshedAt;
    if (since < REFRESH_MS || client === undefined) return;
    this.refreshedAt = now;
    const state = client.state;
    const rtt = client.rtt;
    setText(this.linkText, state.is === "connected" && rtt !== undefined ? `${Math.max(1, Math.round(rtt))} ms` : state.is);
    setText(this.near, `${count(world.ships, "ship")} in view`);
    if (!this.frames.classList.contains("hidden")) {
      const rate = Math.round((this.framesSeen * 1000) / since);
      setText(this.frames, `${rate} fps · slowest ${this.slowest.toFixed(0)} ms · drawing ${(this.drawMs / this.framesSeen).toFixed(1)} ms · ${world.bodies.length} bodies`);
    }
    this.framesSeen = 0;
    this.slowest = 0;
    this.drawMs = 0;
    const speed = world.own === undefined ? 0 : Math.hypot(world.own.vx, world.own.vy);
    this.speedFill.style.transform = `scaleX(${Math.min(1, speed / SPEED_AT_FULL_BAR).toFixed(3)})`;
    setText(this.speedText, `${Math.round(speed)} u/s`);
  }
}

/**
 * @param {number} number
 * @param {string} noun
 */
function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
