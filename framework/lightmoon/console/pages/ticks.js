// @ts-check
/** Ticks: of each zone how long they took within the last two minutes, as a histogram, and in which phases. */

import { bars, parts } from "../kit/chart.js";
import { h, micros, whole, write } from "../kit/dom.js";

/** The phases of a tick, in their order. */
const PHASES = [
  ["schedules", "the game's systems", "#93a9ff"], ["collect", "reading components", "#66c7e8"], ["grid", "sorting places", "#c3d464"],
  ["replication", "what each viewer gets", "#5fd3a2"], ["send", "handing packets on", "#eeb35a"],
];

/** @type {import("../console.js").Page} */
export const page = {
  name: "ticks",
  title: "Ticks",
  topics: [],
  mount(root, console) {
    const list = h("div.grid");
    const legend = h("div.legend", null, PHASES.map(([name, about, colour]) => {
      const mark = h("i");
      mark.style.setProperty("--c", colour ?? "");
      return h("span", null, mark, h("b", null, name ?? ""), ` ${about}`);
    }));
    root.append(
      h("p.lead", null, "How long the ticks of each zone took within the last two minutes. Below: in which phases a mean tick spends its time, against the time that a tick has."),
      legend, list,
    );
    /** @type {Map<string, ReturnType<typeof panel>>} */
    const panels = new Map();
    return {
      show(topic, status) {
        if (topic !== "status") return;
        const first = console.history()[0]?.status ?? status;
        for (const zone of status.zones) {
          const one = panels.get(zone.zone) ?? panel(zone.zone);
          if (!panels.has(zone.zone)) list.append(one.element);
          panels.set(zone.zone, one);
          const before = first.zones.find((/** @type {any} */ other) => other.zone === zone.zone);
          // A zone that began anew counts from the beginning.
          one.show(zone, before !== undefined && before !== zone && before.ticks < zone.ticks ? before : undefined);
        }
        for (const [zone, one] of panels) {
          if (status.zones.some((/** @type {any} */ other) => other.zone === zone)) continue;
          one.element.remove();
          panels.delete(zone);
        }
      },
    };
  },
};

/** @param {string} zone */
function panel(zone) {
  const histogram = bars(118, `How long ticks of zone ${zone} took`);
  const phases = parts(12, `Phases of a mean tick of zone ${zone}`);
  const rate = h("em");
  const values = ["half under", "99 of 100", "longest ever"].map((name) => [name, h("b")]);
  const more = h("p.dim");
  const line = h("div.legend", null, values.map(([name, value]) => h("span", null, `${name} `, value)));
  return {
    element: h("section.panel", null, h("h2", null, `Zone ${zone}`, rate), histogram.canvas, line, h("p", null, "\u00a0"), phases.canvas, more),
    /**
     * @param {any} now
     * @param {any} before
     */
    show(now, before) {
      const counts = since(now.tickTimes, before?.tickTimes ?? []);
      const ticks = now.ticks - (before?.ticks ?? 0);
      const budget = 1e6 / now.rateHz;
      write(rate, `${now.rateHz} Hz, ${whole(now.viewers)} viewers, ${whole(now.entities)} things`);
      const total = (/** @type {string} */ phase) => (now.totalMicros[phase] - (before?.totalMicros[phase] ?? 0)) / Math.max(1, ticks);
      const mean = PHASES.reduce((sum, [phase]) => sum + total(phase ?? ""), 0);
      const texts = [micros(percentile(counts, 0.5)), micros(percentile(counts, 0.99)), micros(now.longestTickMicros)];
      values.forEach(([, value], at) => write(/** @type {Element} */ (value), texts[at] ?? ""));
      histogram.draw(columns(counts, budget));
      phases.draw(PHASES.map(([phase, , colour]) => ({ value: total(phase ?? ""), colour: colour ?? "" })), budget);
      const skipped = now.ticksSkipped - (before?.ticksSkipped ?? 0);
      write(more, `mean ${micros(mean)}: ${((mean / budget) * 100).toFixed(1)} % of ${micros(budget)}${skipped > 0 ? `, ${whole(skipped)} ticks given up` : ""}${now.rung > 0 ? `, gives way on rung ${now.rung}` : ""}`);
      more.className = mean > budget * 0.8 || skipped > 0 ? "bad-text" : "dim";
    },
  };
}

/**
 * What was counted between two looks.
 * @param {[number, number][]} now
 * @param {[number, number][]} before
 * @returns {[number, number][]}
 */
function since(now, before) {
  const old = new Map(before);
  return now.map(([upper, count]) => /** @type {[number, number]} */ ([upper, count - (old.get(upper) ?? 0)])).filter(([, count]) => count > 0);
}

/**
 * @param {[number, number][]} counts
 * @param {number} part
 */
function percentile(counts, part) {
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  let left = all * part;
  for (const [upper, count] of counts) {
    left -= count;
    if (left <= 0) return upper;
  }
  return 0;
}

/**
 * Half octaves from 16 µs to beyond what a tick has; what is longer than that is red.
 * @param {[number, number][]} counts
 * @param {number} budget
 */
function columns(counts, budget) {
  const edges = Array.from({ length: 26 }, (_, at) => 16 * 2 ** (at / 2 + 0.5)).filter((edge) => edge < budget * 4);
  return edges.map((edge, at) => {
    const below = at === 0 ? 0 : (edges[at - 1] ?? 0);
    const value = counts.filter(([upper]) => upper > below * 1.001 && (upper <= edge * 1.001 || at === edges.length - 1)).reduce((sum, [, count]) => sum + count, 0);
    const shade = edge > budget ? "#ff6f7d" : edge > budget / 2 ? "#eeb35a" : "#93a9ff";
    return { value, colour: shade, ...(at % 4 === 3 ? { under: micros(edge).replace(/\.\d+/, "") } : {}) };
  });
}
