// @ts-check
/** The audit trail: who commanded what, when, and what came of it. */

import { operator } from "../kit/command.js";
import { clock, h, table } from "../kit/dom.js";

/** @type {import("../console.js").Page} */
export const page = {
  name: "audit",
  title: "Audit trail",
  topics: ["audit"],
  mount(root) {
    const name = /** @type {HTMLInputElement} */ (h("input", { maxlength: 40, placeholder: "your name", "aria-label": "Your name", oninput: () => operator.set(name.value.trim()) }));
    name.value = operator.get();
    const list = table([{ title: "When" }, { title: "Who" }, { title: "From" }, { title: "Command", wide: true }, { title: "" }, { title: "Outcome", wide: true }], "Nobody has commanded anything since this process began.");
    root.append(
      h("p.lead", null, "Each command is written down before it is carried out, to audit.jsonl in the data folder, with what came of it. All operators share one token, so a name is what somebody says of themselves; the address is what the server saw."),
      h("section.panel", null, h("h2", null, "Commands"), h("div.row", null, h("label", null, "You are ", name)), list.element),
    );
    return {
      show(topic, entries) {
        if (topic !== "audit") return;
        list.show(entries.map((/** @type {any} */ entry) => ({
          id: String(entry.number),
          cells: [clock(entry.at * 1000), entry.who === "" ? h("span.dim", null, "no name") : entry.who, h("code", null, entry.address), entry.what,
            entry.done === null ? h("span.chip.warn", null, "under way") : entry.done ? h("span.chip.good", null, "done") : h("span.chip.bad", null, "refused"), entry.outcome ?? ""],
        })));
      },
    };
  },
};
