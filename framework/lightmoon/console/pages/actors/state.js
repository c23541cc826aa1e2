// @ts-check
/**
 * The state of one actor: its fields by name, read-only.
 *
 * Responsible for: the panel, values as people read them, walking through the entities of a world. Not responsible for: what is shown,
 * its bounds and what is left out (the server).
 */

import { bytes, h, whole, write } from "../../kit/dom.js";

/**
 * @param {string} title
 * @param {number} kind
 * @param {string} key
 * @param {() => void} look asks for what is wanted now
 */
export function statePanel(title, kind, key, look) {
  let from = "";
  let silent = 0;
  const count = h("em");
  const says = h("p.empty", null, "…");
  const values = h("div.state");
  const input = /** @type {HTMLInputElement} */ (h("input", { inputmode: "numeric", placeholder: "from entity", "aria-label": "From entity" }));
  const next = /** @type {HTMLButtonElement} */ (h("button.small", { type: "button" }, "Further"));
  const first = /** @type {HTMLButtonElement} */ (h("button.small", { type: "button" }, "From the first"));
  const walk = h("div.row", { hidden: true }, input, first, next);
  const go = (/** @type {string} */ to) => {
    from = /^\d+$/.test(to) ? to : "";
    input.value = from;
    look();
  };
  input.addEventListener("change", () => go(input.value.trim()));
  first.addEventListener("click", () => go(""));
  next.addEventListener("click", () => go(next.value));
  /** What stands there, so that only what changed is made anew. @type {Map<string, {text: string, element: HTMLElement}>} */
  let shown = new Map();
  return {
    element: h("section.panel", { "data-part": "state" }, h("h2", null, `State of ${title}`, count), says, walk, values),
    from: () => from,
    /** @param {any} inspected */
    show(inspected) {
      const isOurs = inspected !== null && inspected.kind === kind && inspected.key === key;
      // The first message is of before anybody looked.
      silent = isOurs ? 0 : silent + 1;
      if (!isOurs && silent < 3) return;
      const sentence = isOurs ? inspected.says : "It has no activation, and nothing of actors of this kind is stored: the next call makes it.";
      says.hidden = sentence === null;
      write(says, sentence ?? "");
      const all = isOurs ? inspected.values ?? [] : [];
      const entities = isOurs ? inspected.entities ?? 0 : 0;
      const when = isOurs && inspected.isStored ? "as it is stored" : `now, on worker ${inspected?.worker}`;
      write(count, entities > 0 ? `${whole(entities)} ${entities === 1 ? "entity" : "entities"}, ${when}` : all.length > 0 ? when : "");
      next.value = (isOurs && inspected.next) || "";
      next.disabled = next.value === "";
      first.disabled = from === "";
      walk.hidden = entities === 0 || (next.disabled && from === "");
      /** @type {typeof shown} */
      const now = new Map();
      let of = null;
      for (const value of all) {
        const isFirst = value.entity !== of;
        const text = `${isFirst} ${JSON.stringify(value)}`;
        const id = `${value.entity ?? ""} ${value.name}`;
        const before = shown.get(id);
        now.set(id, before?.text === text ? before : { text, element: block(value, isFirst) });
        of = value.entity;
      }
      const elements = [...now.values()].map((one) => one.element);
      // Nothing moves that stays: what is selected or held stays so.
      if (elements.length !== values.children.length || elements.some((element, at) => values.children[at] !== element)) {
        const at = values.scrollTop;
        values.replaceChildren(...elements);
        values.scrollTop = at;
      }
      shown = now;
    },
  };
}

/**
 * One kept value.
 * @param {any} value
 * @param {boolean} isFirst whether it is the first of its entity
 */
function block(value, isFirst) {
  /** @param {any} field */
  const row = (field) => [h("dt", { title: field.docs === "" ? undefined : field.docs }, field.name), h("dd", null, content(field.value))];
  const inside = value.error !== undefined
    ? h("p.dim", null, value.error)
    : h("dl", null, value.fields !== undefined ? value.fields.flatMap(row) : row({ name: "value", docs: "", value: value.value }));
  return h("div", null, isFirst && h("h4", null, `Entity ${value.entity}`), h("h3", null, value.name, h("em", null, bytes(value.bytes))), inside.children.length === 0 && value.error === undefined ? h("p.dim", null, "is there") : inside);
}

/** @param {any} value a line for each item of a list of structs */
function content(value) {
  if (!Array.isArray(value) || !value.some((item) => typeof item === "object" && item !== null)) return line(value);
  return h("ol", null, value.map((item) => h("li", null, line(item))));
}

/**
 * A value in a line.
 * @param {any} value
 * @returns {string}
 */
function line(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return String(Number.isInteger(value) ? value : Number(value.toPrecision(7)));
  if (typeof value === "string") return value === "" ? "“”" : value;
  if (Array.isArray(value)) return value.length === 0 ? "none" : `[${value.map(line).join(", ")}]`;
  if (typeof value === "object") return Object.entries(value).map(([name, inside]) => `${name} ${typeof inside === "object" && inside !== null && !Array.isArray(inside) ? `(${line(inside)})` : line(inside)}`).join(", ");
  return String(value);
}
