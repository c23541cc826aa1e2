// @ts-check
/** Actors: found by kind and key, with their state, what waits for them, what they did last; and calls of their operations by a form. */

import { command } from "../kit/command.js";
import { bytes, h, micros, span, table, whole, write } from "../kit/dom.js";
import { fieldsPart } from "../kit/form.js";
import { statePanel } from "./actors/state.js";

/** The framework's own kind of players, where they have no contract. */
const VISITOR = 0xff02;

/** @type {import("../console.js").Page} */
export const page = {
  name: "actors",
  title: "Actors",
  topics: ["actors"],
  mount(root, console) {
    const argument = console.argument();
    const [kindGiven = "", keyGiven = ""] = argument.split("/");
    const kind = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Kind", onchange: () => look() }, h("option", { value: "" }, "all kinds")));
    const key = /** @type {HTMLInputElement} */ (h("input", { type: "search", inputmode: "numeric", placeholder: "key", "aria-label": "Key", oninput: () => look() }));
    key.value = keyGiven;
    const count = h("em");
    const list = table([{ title: "Kind" }, { title: "Key" }, { title: "State" }, { title: "Waiting", number: true }, { title: "Sessions", number: true }, { title: "Not stored", number: true }, { title: "Idle for", number: true }], "No such actor lives. Choose kind and key, and look closer: what is stored of it is shown.");
    const side = h("div");
    root.append(h("div.split", null, h("section.panel", null, h("h2", null, "Actors", count), h("div.row", null, kind, key, h("button", { type: "button", onclick: () => chosen(kind.value, key.value) }, "Look closer")), list.element), side));
    /** @type {ReturnType<typeof closer> | undefined} */
    let open;
    let contracts = { contracts: [], types: [] };
    const look = () => {
      /** @type {Record<string, string>} */
      const more = {};
      if (kind.value !== "") more["kind"] = kind.value;
      if (/^\d+$/.test(key.value.trim())) more["key"] = key.value.trim();
      if (open !== undefined) {
        more["trace"] = `${open.kind}/${open.key}`;
        if (open.state.from() !== "") more["from"] = open.state.from();
      }
      console.look(more);
    };
    /** @param {string} of @param {string} which */
    const chosen = (of, which) => {
      if (of === "" || !/^\d+$/.test(which)) return;
      open = closer(contracts, Number(of), which, look);
      side.replaceChildren(...open.elements);
      look();
    };
    void console.contracts().then((all) => {
      contracts = all;
      kind.append(...all.contracts.map((/** @type {any} */ contract) => h("option", { value: contract.kind }, contract.name)));
      kind.value = kindGiven;
      look();
      chosen(kindGiven, keyGiven);
    });
    side.append(h("section.panel", null, h("p.empty", null, "Choose an actor to see what it does and to call it.")));
    return {
      show(topic, message) {
        if (topic !== "actors") return;
        list.show(message.actors.map((/** @type {any} */ actor) => ({
          id: `${actor.kind}/${actor.key}`,
          class: open !== undefined && open.kind === actor.kind && open.key === actor.key ? "chosen" : "",
          pick: () => chosen(String(actor.kind), actor.key),
          cells: [actor.name, h("code", null, actor.key), state(actor), whole(actor.waiting), whole(actor.sessions), actor.kept ? bytes(actor.unsavedBytes) : "–", actor.idleMs === null ? "–" : span(actor.idleMs / 1000)],
        })));
        for (const one of contracts.contracts.length > 0 ? message.kinds : []) {
          // Kinds of the framework have no contract.
          if (![...kind.options].some((option) => option.value === String(one.kind))) kind.append(h("option", { value: one.kind }, one.name));
        }
        const all = message.kinds.map((/** @type {any} */ one) => `${whole(one.count)} ${one.name}`).join(", ");
        write(count, message.found > message.actors.length ? `the first ${message.actors.length} of ${whole(message.found)}; ${all}` : all);
        open?.show(message);
      },
      find: () => key.focus(),
    };
  },
};

/** @param {any} actor */
function state(actor) {
  const level = actor.state === "set aside" ? "bad" : actor.failures > 0 || actor.state.startsWith("rests") ? "warn" : actor.state === "ready" ? "good" : "accent";
  return h(`span.chip.${level}`, null, actor.failures > 0 ? `${actor.state}, ${actor.failures} panics` : actor.state);
}

/**
 * What one actor is and did, and its operations.
 * @param {any} contracts
 * @param {number} kind
 * @param {string} key
 * @param {() => void} look
 */
function closer(contracts, kind, key, look) {
  const contract = contracts.contracts.find((/** @type {any} */ one) => one.kind === kind);
  const name = contract?.name ?? (kind === VISITOR ? "Visitor" : `kind ${kind}`);
  const steps = table([{ title: "When" }, { title: "Did" }, { title: "Took", number: true }], "Nothing since you look.");
  const operations = (contract?.operations ?? []).filter((/** @type {any} */ one) => one.form !== "push");
  const choice = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "Operation", onchange: () => show() }, operations.map((/** @type {any} */ one) => h("option", { value: one.name }, one.name))));
  const [docs, fields, answer] = [h("p.dim"), h("div"), h("pre", { hidden: true, "aria-live": "polite" })];
  /** @type {import("../kit/form.js").Part | undefined} */
  let form;
  const show = () => {
    const operation = operations.find((/** @type {any} */ one) => one.name === choice.value);
    if (operation === undefined) return;
    form = fieldsPart(contracts, operation.arguments);
    write(docs, `${operation.docs} ${about(operation)}`.trim());
    fields.replaceChildren(form.element);
    answer.hidden = true;
  };
  show();
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const call = /** @type {HTMLButtonElement} */ (button);
    call.disabled = true;
    const result = await command("command/call", { kind, key, operation: choice.value, arguments: form?.read() ?? {} });
    call.disabled = false;
    answer.hidden = result === undefined;
    if (result !== undefined) write(answer, result === null ? "It is on its way; this operation has no answer." : JSON.stringify(result.answer, null, 2));
  };
  const button = h("button.primary", { type: "submit" }, "Call");
  const state = statePanel(`${name} ${key}`, kind, key, look);
  const elements = [
    state.element,
    h("section.panel", null, h("h2", null, `Call ${name} ${key}`, h("em", null, "as the node itself")), operations.length === 0 ? h("p.empty", null, "It has no operations.") : h("form", { onsubmit: submit }, choice, docs, fields, h("p.row", null, button)), answer),
    h("section.panel", null, h("h2", null, "Did last", h("em", null, "while you look")), steps.element),
  ];
  // The panels stand one below the other.
  for (const element of elements.slice(1)) element.style.setProperty("margin-top", "16px");
  return {
    kind, key, elements, state,
    /** @param {any} message */
    show(message) {
      state.show(message.inspected);
      const named = [...message.traced].reverse().map((/** @type {any} */ step) => {
        const operation = contract?.operations.find((/** @type {any} */ one) => one.number === step.operation);
        return { name: operation?.name ?? step.step, agoMs: step.agoMs, tookMicros: step.tookMicros, count: 1 };
      });
      // What came several times in a row is one line, with the longest of them.
      const rows = named.reduce((/** @type {typeof named} */ rows, step) => {
        const last = rows.at(-1);
        if (last === undefined || last.name !== step.name) return [...rows, step];
        last.count += 1;
        last.tookMicros = Math.max(last.tookMicros, step.tookMicros);
        return rows;
      }, []);
      steps.show(rows.map((row, at) => ({
        id: String(at),
        cells: [row.agoMs < 1000 ? "now" : `${span(row.agoMs / 1000)} ago`, row.count > 1 ? `${row.name} ×${row.count}` : row.name, micros(row.tookMicros)],
      })));
    },
  };
}

/** @param {any} operation what its callers should know */
function about(operation) {
  const words = [operation.form === "request" ? "Answers." : "One way: it answers nothing."];
  if (operation.durability === "sync") words.push("What it changes is stored before it answers.");
  if (operation.reliability === "exactly-once") words.push("A call from here is none of the deliveries that are promised once.");
  return words.join(" ");
}
