// @ts-check
/** The first page: whether all is well, in numbers and lines of the last two minutes. And what is done with the whole node. */

import { lines } from "../kit/chart.js";
import { command, confirmed } from "../kit/command.js";
import { bytes, h, micros, short, table, whole, write } from "../kit/dom.js";

/** @typedef {{at: number, status: any}} Sample */

/** @param {any} status @param {string} name */
const sum = (status, name) => status.zones.reduce((/** @type {number} */ all, /** @type {any} */ zone) => all + zone[name], 0);

/**
 * How fast a counter grew between each two samples, a few apart so that it is calm.
 * @param {Sample[]} history
 * @param {(status: any) => number} count
 * @param {number} length
 */
function rates(history, count, length) {
  const values = history.map((sample, at) => {
    const before = history[Math.max(0, at - 4)];
    if (before === undefined || before === sample) return undefined;
    return Math.max(0, ((count(sample.status) - count(before.status)) * 1000) / (sample.at - before.at));
  });
  return [...Array(Math.max(0, length - values.length)).fill(undefined), ...values];
}

const LENGTH = 240;

/** @type {import("../console.js").Page} */
export const page = {
  name: "overview",
  title: "Overview",
  topics: [],
  mount(root, console) {
    const tiles = new Map([
      ["players", "playing now"], ["entities", "things in all zones"], ["tick", "slowest zone's tick"],
      ["busy", "busiest worker"], ["sent", "state to clients"], ["commits", "commits to the store"],
    ].map(([name, about]) => [name, tile(name ?? "", about ?? "")]));
    const flows = chart("Calls, and state packets to clients, in a second", (value) => `${short(value)}/s`, [["calls", "#93a9ff"], ["state packets", "#5fd3a2"]]);
    const load = chart("How much of its time each worker is in its turns", (value) => `${Math.round(value * 100)} %`, [["busiest worker", "#eeb35a"]]);
    const zones = table([{ title: "Zone" }, { title: "Rate", number: true }, { title: "Things", number: true }, { title: "Viewers", number: true }, { title: "Last tick", number: true }, { title: "Longest", number: true }, { title: "State" }], "No zone runs.");
    const drain = h("button", { onclick: () => void askDrain(console.status()?.draining === true) }, "Drain");
    root.append(
      h("div.tiles", null, [...tiles.values()].map((one) => one.element)),
      h("div.grid", null, flows.element, load.element),
      h("section.panel", null, h("h2", null, "Zones", h("em", null, h("a", { href: "#map" }, "on the map"))), zones.element),
      h("section.panel", null, h("h2", null, "The whole node"), h("div.row", null, drain,
        h("button", { onclick: () => void command("command/snapshot", {}, "Every world that is kept makes a snapshot.") }, "Snapshot now"),
        h("span.dim", null, "Drain: takes no new players; those that are here play on. Each command is in the ", h("a", { href: "#audit" }, "audit trail"), "."))),
    );
    const redraw = () => {
      const history = console.history();
      flows.draw([rates(history, (one) => one.node.calls, LENGTH), rates(history, (one) => sum(one, "states"), LENGTH)]);
      load.draw([busiest(history)]);
    };
    const observer = new ResizeObserver(redraw);
    observer.observe(root);
    return {
      show(topic, status) {
        if (topic !== "status") return;
        const history = console.history();
        const last = (/** @type {(status: any) => number} */ count) => rates(history, count, 1).at(-1) ?? 0;
        const busy = busiest(history).at(-1) ?? 0;
        const slowest = [...status.zones].sort((one, other) => mean(other) - mean(one))[0];
        const tick = slowest === undefined ? 0 : mean(slowest);
        const share = slowest === undefined ? 0 : (tick * slowest.rateHz) / 1e6;
        tiles.get("players")?.show(whole(status.sessions.open), "", `${status.sessions.list.filter((/** @type {any} */ one) => one.waits).length} wait to come back`);
        tiles.get("entities")?.show(whole(sum(status, "entities")), "", `in ${status.zones.length} ${status.zones.length === 1 ? "zone" : "zones"}, ${whole(sum(status, "viewers"))} viewers`);
        tiles.get("tick")?.show(micros(tick), "", slowest === undefined ? "no zone runs" : `zone ${slowest.zone}, ${Math.round(share * 100)} % full`, share > 0.8 ? "bad" : share > 0.5 ? "warn" : "");
        tiles.get("busy")?.show(`${Math.round(busy * 100)}`, "%", `${status.workers.length} worker${status.workers.length === 1 ? "" : "s"}`, busy > 0.9 ? "bad" : busy > 0.7 ? "warn" : "");
        tiles.get("sent")?.show(bytes(last((one) => sum(one, "stateBytes"))), "/s", `${short(last((one) => sum(one, "states")))} packets/s`);
        tiles.get("commits")?.show(short(last((one) => one.store.commits)), "/s", status.store.away ? "the store is away" : `${bytes(status.store.unsavedBytes)} not stored yet`, status.store.away ? "bad" : "");
        zones.show(status.zones.map((/** @type {any} */ zone) => ({
          id: zone.zone,
          cells: [zone.zone, `${zone.rateHz} Hz`, whole(zone.entities), whole(zone.viewers), micros(zone.tickMicros), micros(zone.longestTickMicros),
            zone.rung > 0 ? h("span.chip.warn", null, `gives way, rung ${zone.rung}`) : h("span.chip.good", null, "calm")],
        })));
        write(drain, status.draining ? "Take players again" : "Drain");
        redraw();
      },
      stop: () => observer.disconnect(),
    };
  },
};

/** @param {any} zone mean time of its ticks so far, in µs */
function mean(zone) {
  const total = /** @type {number[]} */ (Object.values(zone.totalMicros)).reduce((sum, value) => sum + value, 0);
  return zone.ticks === 0 ? 0 : total / zone.ticks;
}

/** @param {Sample[]} history the share of time of the busiest worker */
function busiest(history) {
  const workers = history[0]?.status.workers.length ?? 0;
  const each = Array.from({ length: workers }, (_, at) => rates(history, (status) => status.workers[at]?.busySeconds ?? 0, LENGTH));
  return Array.from({ length: LENGTH }, (_, at) => {
    const values = each.map((values) => values[at]).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : Math.min(1, Math.max(...values));
  });
}

/** @param {boolean} drains */
async function askDrain(drains) {
  if (drains) return command("command/drain", { drain: false }, "New players are let in again.");
  const sure = await confirmed({ title: "Drain this node?", text: "New players are turned away until this is taken back. Those that are here play on, and may come back.", yes: "Drain" });
  return sure === undefined ? undefined : command("command/drain", { drain: true }, "No new players are let in.");
}

/**
 * @param {string} name
 * @param {string} about
 */
function tile(name, about) {
  const [value, unit, more] = [h("span"), h("small"), h("em")];
  const element = h("div.tile", { title: about }, h("span", null, about), h("b", null, value, unit), more);
  element.dataset["name"] = name;
  value.className = "value";
  value.style.font = "inherit";
  value.style.color = "inherit";
  return {
    element,
    /** @param {string} text @param {string} suffix @param {string} below @param {string} [level] */
    show(text, suffix, below, level = "") {
      write(value, text);
      write(unit, suffix);
      write(more, below);
      element.className = `tile ${level}`;
    },
  };
}

/**
 * @param {string} title
 * @param {(value: number) => string} words
 * @param {[string, string][]} series names and colours
 */
function chart(title, words, series) {
  const { canvas, draw } = lines(150, title, words);
  const values = series.map(() => h("b"));
  const legend = series.map(([name, colour], at) => {
    const mark = h("i");
    mark.style.setProperty("--c", colour);
    return h("span", null, mark, name, " ", values[at]);
  });
  return {
    element: h("section.panel", null, h("h2", null, title), canvas, h("div.legend", null, legend)),
    /** @param {(number | undefined)[][]} given */
    draw(given) {
      draw(given.map((values, at) => ({ values, colour: series[at]?.[1] ?? "#93a9ff", fill: at === 0 })));
      given.forEach((one, at) => write(values[at], words(one.at(-1) ?? 0)));
    },
  };
}
