// @ts-check
/** Events: what happened, the newest first. */

import { clock, h, table, write } from "../kit/dom.js";

/** As many as the server keeps. */
const KEPT_MAX = 500;
const CHIPS = new Map([["fault", "bad"], ["warning", "warn"], ["note", "accent"]]);

/** @type {import("../console.js").Page} */
export const page = {
  name: "events",
  title: "Events",
  topics: ["events"],
  mount(root) {
    /** @type {any[]} */
    let lines = [];
    const find = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "text, player, address, actor", "aria-label": "Find events", oninput: () => redraw() }));
    const level = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Which events", onchange: () => redraw() }, h("option", { value: "" }, "everything"), h("option", { value: "fault warning" }, "faults and warnings"), h("option", { value: "fault" }, "faults")));
    const count = h("em");
    const list = table([{ title: "When" }, { title: "" }, { title: "What" }, { title: "Whom" }, { title: "", wide: true }], "Nothing of this kind happened.");
    root.append(h("section.panel", null, h("h2", null, "What happened", count), h("div.row", null, find, level), list.element));
    const redraw = () => {
      const wanted = find.value.trim().toLowerCase();
      const levels = level.value.split(" ");
      const found = lines.filter((line) => (level.value === "" || levels.includes(line.level)) && (wanted === "" || `${line.title} ${line.about} ${line.text}`.toLowerCase().includes(wanted)));
      list.show(found.slice(0, 200).map((line) => ({
        id: String(line.number),
        cells: [clock(line.at), h(`span.chip.${CHIPS.get(line.level) ?? "accent"}`, null, line.level), line.title, h("code", null, line.about), line.text],
      })));
      write(count, found.length > 200 ? `the newest 200 of ${found.length}` : `${found.length}`);
    };
    return {
      show(topic, message) {
        if (topic !== "events") return;
        // A stream begins with all that is kept; then comes what is new.
        const newest = message.at(-1)?.number ?? 0;
        if (newest < (lines[0]?.number ?? 0)) lines = [];
        const known = lines[0]?.number ?? 0;
        lines = [...message.filter((/** @type {any} */ line) => line.number > known).reverse(), ...lines].slice(0, KEPT_MAX);
        redraw();
      },
      find: () => find.focus(),
    };
  },
};
