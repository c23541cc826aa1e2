// @ts-check
/**
 * Forms for values of contracts.
 *
 * Responsible for: a part of a form for each type of the descriptor, and reading what was typed. Not responsible for: sending it; the
 * server says what does not fit.
 */

import { h } from "./dom.js";

/** @typedef {{element: HTMLElement, read: () => unknown}} Part */

/** Structs and enums inside each other that a form opens by itself. */
const DEPTH_MAX = 6;

const WHOLE = new Set(["u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128"]);
const FRACTION = new Set(["f32", "f64", "duration", "systemTime"]);

/**
 * The fields of a struct, or an operation's arguments.
 * @param {any} contracts the game's contracts
 * @param {any[]} fields
 * @param {number} [depth]
 * @returns {Part}
 */
export function fieldsPart(contracts, fields, depth = 0) {
  const nameless = fields.length === 1 && fields[0].name === "0";
  if (nameless) return part(contracts, fields[0].type, depth);
  const parts = fields.map((field) => ({ field, inside: part(contracts, field.type, depth) }));
  const element = h("div", null, parts.map(({ field, inside }) => {
    const label = h("label.label", null, field.name);
    const first = inside.element.matches("input, select") ? inside.element : inside.element.querySelector("input, select");
    if (first !== null) {
      first.id ||= `field-${(numbered += 1)}`;
      label.setAttribute("for", first.id);
    }
    return h("div.field", null, label, inside.element, field.docs === "" ? null : h("small", null, field.docs));
  }));
  return { element, read: () => Object.fromEntries(parts.map(({ field, inside }) => [field.name, inside.read()])) };
}

let numbered = 0;

/**
 * @param {any} contracts
 * @param {any} type
 * @param {number} depth
 * @returns {Part}
 */
function part(contracts, type, depth) {
  if (typeof type === "string") return scalar(type);
  if (depth > DEPTH_MAX) return json("deeper than this form goes: write it as JSON");
  const [[sort, inside]] = /** @type {[[string, any]]} */ (Object.entries(type));
  switch (sort) {
    case "nonZero": return scalar(inside);
    case "ref": return line("key of an actor", "0");
    case "option": return option(contracts, inside, depth);
    case "list": case "set": return list(contracts, inside, depth);
    case "named": return named(contracts, inside, depth);
    case "tuple": return tuple(contracts, inside, depth);
    default: return json(`${sort}, as JSON`);
  }
}

/** @param {string} type @returns {Part} */
function scalar(type) {
  if (type === "bool") {
    const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox" }));
    return { element: h("div.row", null, box), read: () => box.checked };
  }
  if (WHOLE.has(type)) return line(type, "0");
  if (FRACTION.has(type)) return line(type === "f32" || type === "f64" ? type : "seconds", "0");
  return line(type, "");
}

/**
 * A line; numbers go as text, since those of 64 bits do not fit a number of a page.
 * @param {string} hint
 * @param {string} given
 * @returns {Part}
 */
function line(hint, given) {
  const input = /** @type {HTMLInputElement} */ (h("input", { placeholder: hint, value: given, title: hint, autocomplete: "off", spellcheck: "false" }));
  return { element: input, read: () => input.value };
}

/** @param {string} hint @returns {Part} */
function json(hint) {
  const input = /** @type {HTMLInputElement} */ (h("input.mono", { placeholder: hint, title: hint, value: "[]" }));
  return {
    element: input,
    read() {
      try {
        return JSON.parse(input.value);
      } catch {
        return input.value;
      }
    },
  };
}

/** @param {any} contracts @param {any} type @param {number} depth @returns {Part} */
function option(contracts, type, depth) {
  const inside = part(contracts, type, depth + 1);
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", title: "whether there is one", onchange: () => show() }));
  const show = () => {
    inside.element.hidden = !box.checked;
  };
  show();
  return { element: h("div.row", null, box, inside.element), read: () => (box.checked ? inside.read() : null) };
}

/** @param {any} contracts @param {any} type @param {number} depth @returns {Part} */
function list(contracts, type, depth) {
  /** @type {Part[]} */
  let items = [];
  const rows = h("div");
  const add = () => {
    const item = part(contracts, type, depth + 1);
    const row = h("div.row", null, item.element, h("button.small", { type: "button", onclick: () => {
      items = items.filter((other) => other !== item);
      row.remove();
    } }, "Remove"));
    items.push(item);
    rows.append(row);
  };
  return { element: h("div.inside", null, rows, h("button.small", { type: "button", onclick: add }, "Add")), read: () => items.map((item) => item.read()) };
}

/** @param {any} contracts @param {any[]} types @param {number} depth @returns {Part} */
function tuple(contracts, types, depth) {
  if (types.length === 0) return { element: h("span.dim", null, "nothing"), read: () => null };
  const parts = types.map((type) => part(contracts, type, depth + 1));
  return { element: h("div.row", null, parts.map((one) => one.element)), read: () => parts.map((one) => one.read()) };
}

/** @param {any} contracts @param {string} name @param {number} depth @returns {Part} */
function named(contracts, name, depth) {
  const entry = contracts.types.find((/** @type {any} */ type) => type.name === name);
  if (entry === undefined) return json(name);
  if (entry.struct !== undefined) {
    const inside = fieldsPart(contracts, entry.struct.fields, depth + 1);
    if (!inside.element.matches("input, select")) inside.element.classList.add("inside");
    return inside;
  }
  return variants(contracts, entry.enum.variants, depth);
}

/** @param {any} contracts @param {any[]} all @param {number} depth @returns {Part} */
function variants(contracts, all, depth) {
  /** @type {Part | undefined} */
  let inside;
  const fields = h("div.inside");
  const choice = /** @type {HTMLSelectElement} */ (h("select", { onchange: () => show() }, all.map((variant) => h("option", { value: variant.name }, variant.name))));
  const show = () => {
    const variant = all.find((one) => one.name === choice.value);
    inside = variant === undefined || variant.fields.length === 0 ? undefined : fieldsPart(contracts, variant.fields, depth + 1);
    fields.replaceChildren(...(inside === undefined ? [] : [inside.element]));
    fields.hidden = inside === undefined;
  };
  show();
  return { element: h("div", null, choice, fields), read: () => (inside === undefined ? choice.value : { [choice.value]: inside.read() }) };
}
