// @ts-check
/** The map: all zones side by side, what is in them as dots, who looks as rings. Four times a second, moved in between. */

import { COLOURS } from "../kit/chart.js";
import { h, whole, write } from "../kit/dom.js";
import { Sky } from "./map/sky.js";

/** @type {import("../console.js").Page} */
export const page = {
  name: "map",
  title: "Map",
  topics: ["map"],
  whole: true,
  mount(root) {
    const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-label": "Map of all zones", tabindex: 0 }));
    const tip = h("div.tip", { hidden: true });
    const [zones, kinds] = [h("div.zones"), h("div.kinds")];
    const side = h("aside", null, h("section", null, h("h2", null, "Zones"), zones), h("section", null, h("h2", null, "In them"), kinds));
    const hint = h("p.hint", null, "Drag to move, wheel to zoom, double click for all. ", h("kbd", null, "["), " ", h("kbd", null, "]"), " one zone after the other");
    root.append(h("div.map", null, canvas, side, tip, hint));
    const sky = new Sky(canvas, tip);
    let chosen = -1;
    /** @param {number} at -1: all */
    const choose = (at) => {
      chosen = at;
      sky.fit(at);
      mark();
    };
    const mark = () => [...zones.children].forEach((button, at) => button.setAttribute("aria-pressed", String(at === chosen)));
    canvas.addEventListener("dblclick", () => choose(-1));
    return {
      show(topic, message) {
        if (topic !== "map") return;
        sky.take(message.zones);
        list(zones, message.zones, choose);
        mark();
        legend(kinds, message.zones);
      },
      key(event) {
        const count = zones.children.length;
        if (event.key === "[") choose(chosen <= 0 ? count - 1 : chosen - 1);
        else if (event.key === "]") choose(chosen + 1 >= count ? 0 : chosen + 1);
        else if (event.key === "0") choose(-1);
        else sky.key(event);
      },
      stop: () => sky.stop(),
    };
  },
};

/**
 * @param {HTMLElement} root
 * @param {any[]} zones
 * @param {(at: number) => void} choose
 */
function list(root, zones, choose) {
  while (root.children.length > zones.length) root.lastElementChild?.remove();
  zones.forEach((zone, at) => {
    const button = root.children[at] ?? root.appendChild(h("button", { type: "button", onclick: () => choose(at) }, h("span"), h("em")));
    write(button.firstElementChild, `${zone.kind} ${zone.key}`);
    write(button.lastElementChild, whole(zone.counts.reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0)));
  });
}

/**
 * @param {HTMLElement} root
 * @param {any[]} zones
 */
function legend(root, zones) {
  const names = zones.find((zone) => zone.names.length > 0)?.names ?? [];
  const total = (/** @type {number} */ at) => zones.reduce((sum, zone) => sum + (zone.counts[at] ?? 0), 0);
  const shown = zones.reduce((sum, zone) => sum + zone.places.length / 4, 0);
  const all = zones.reduce((sum, zone) => sum + zone.counts.reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0), 0);
  const rows = names.map((/** @type {string} */ name, /** @type {number} */ at) => ({ name, count: total(at), colour: COLOURS[at % COLOURS.length], ring: false }));
  const nameless = zones.reduce((sum, zone) => sum + (zone.counts[zone.names.length] ?? 0), 0);
  if (nameless > 0) rows.push({ name: names.length === 0 ? "things" : "others", count: nameless, colour: "#8b97b0", ring: false });
  rows.push({ name: "viewers", count: zones.reduce((sum, zone) => sum + zone.viewers.length, 0), colour: "#ffffff", ring: true });
  if (root.children.length !== rows.length + (shown < all ? 1 : 0)) {
    root.replaceChildren(...rows.map((/** @type {any} */ row) => h("div", null, h(row.ring ? "i.ring" : "i"), h("span"), h("b"))), ...(shown < all ? [h("p.dim")] : []));
  }
  rows.forEach((/** @type {any} */ row, /** @type {number} */ at) => {
    const [mark, name, count] = /** @type {HTMLElement[]} */ ([...(root.children[at]?.children ?? [])]);
    mark?.style.setProperty("--c", row.colour);
    write(name, row.name);
    write(count, whole(row.count));
  });
  if (shown < all) write(root.lastElementChild, `${whole(shown)} of ${whole(all)} are drawn.`);
}
