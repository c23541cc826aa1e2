// @ts-check
/**
 * The console.
 *
 * Responsible for: the frame around pages, which page is shown, keys, the numbers in the bar, what was seen in the last minutes. Not
 * responsible for: what pages show (`pages/`, one file each).
 */

import { h, short, span, write } from "./kit/dom.js";
import { Live } from "./kit/live.js";
import { page as actors } from "./pages/actors.js";
import { page as audit } from "./pages/audit.js";
import { page as events } from "./pages/events.js";
import { page as letters } from "./pages/letters.js";
import { page as map } from "./pages/map.js";
import { page as overview } from "./pages/overview.js";
import { ownPage } from "./pages/own.js";
import { page as sessions } from "./pages/sessions.js";
import { page as store } from "./pages/store.js";
import { page as ticks } from "./pages/ticks.js";
import { page as workers } from "./pages/workers.js";

/** What is remembered for lines over time: two minutes, twice a second. */
const HISTORY_MAX = 240;

/**
 * A page. `mount` fills the root; what it gives is told of each message, and when the page goes.
 * @typedef {object} Page
 * @property {string} name as in the address
 * @property {string} title
 * @property {string[]} topics what it looks at
 * @property {boolean} [whole] it fills the window
 * @property {(root: HTMLElement, console: Console) => Shown} mount
 */

/** @typedef {{show?: (topic: string, message: any) => void, key?: (event: KeyboardEvent) => void, find?: () => void, stop?: () => void}} Shown */

/**
 * What pages may use.
 * @typedef {object} Console
 * @property {() => any} status the newest numbers of the node
 * @property {() => {at: number, status: any}[]} history the last minutes, the oldest first
 * @property {(more: Record<string, string>) => void} look asks the stream for more
 * @property {() => Promise<any>} contracts the game's contracts
 * @property {() => string} argument what stands in the address behind the page's name
 */

/** @type {(Page | string)[]} */
const PAGES = ["Now", overview, map, ticks, sessions, "Inside", actors, workers, store, "Happened", events, letters, audit];

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const main = byId("main");

/** @type {Page[]} */
const pages = PAGES.filter((page) => typeof page !== "string");
/** @type {{page: Page, shown: Shown, argument: string} | undefined} */
let open;
/** @type {any} */
let status;
/** @type {{at: number, status: any}[]} */
const history = [];
/** @type {Promise<any> | undefined} */
let contracts;

/** @type {Console} */
const tools = {
  status: () => status,
  history: () => history,
  look: (more) => look(more),
  contracts: () => (contracts ??= fetch("contracts.json").then((answer) => answer.json())),
  argument: () => open?.argument ?? location.hash.slice(1).split("/").slice(1).join("/"),
};

const live = new Live(
  (topic, message) => {
    if (topic === "status") took(message);
    open?.shown.show?.(topic, message);
  },
  (isThere, why) => {
    if (!isThere) state("bad", why);
    else if (status !== undefined) vitals();
  },
);

/** @param {Record<string, string>} more */
function look(more) {
  live.look([...new Set(["status", "letters", ...(open?.page.topics ?? [])])], more);
}

/** @param {any} message */
function took(message) {
  status = message;
  history.push({ at: performance.now(), status });
  if (history.length > HISTORY_MAX) history.shift();
  vitals();
}

/**
 * @param {"good" | "warn" | "bad"} level
 * @param {string} text
 */
function state(level, text) {
  byId("state").dataset["state"] = level;
  write(byId("state-text"), text);
}

function vitals() {
  write(byId("title"), status.title);
  const titled = `${open?.page.title ?? "Console"} · ${status.title}`;
  if (document.title !== titled) document.title = titled;
  if (!status.healthy) state("bad", "the node does not take its turns");
  else if (status.stalled.length > 0) state("bad", `a turn does not end: ${status.stalled[0]}`);
  else if (status.setAside.length > 0) state("warn", `${status.setAside.length === 1 ? "1 actor is" : `${status.setAside.length} actors are`} set aside: the events say why`);
  else if (status.draining) state("warn", "drains: takes no new players");
  else if (status.store.away) state("warn", "the store does not answer");
  else state("good", `version ${status.version}, up ${span(status.upSeconds)}`);
  const rows = [
    ["players", short(status.sessions.open)],
    ["entities", short(sum("entities"))],
    ["actors", short(status.actors)],
    ["calls/s", short(rate((one) => one.node.calls))],
  ];
  rows.forEach(([name, value], at) => {
    const cell = byId("vitals").children[at] ?? byId("vitals").appendChild(h("div", null, h("dt", null, name), h("dd")));
    write(cell.lastElementChild, value ?? "");
  });
  const badge = document.querySelector('#pages a[href="#letters"] .count');
  if (badge instanceof HTMLElement) {
    badge.hidden = status.deadLetters === 0;
    write(badge, String(status.deadLetters));
  }
}

/** @param {string} name of a number of each zone */
const sum = (name) => status.zones.reduce((/** @type {number} */ all, /** @type {any} */ zone) => all + zone[name], 0);

/**
 * How fast a counter grows, over the last seconds.
 * @param {(status: any) => number} count
 */
function rate(count) {
  const [last, before] = [history.at(-1), history.at(-6) ?? history[0]];
  if (last === undefined || before === undefined || last.at === before.at) return 0;
  return Math.max(0, ((count(last.status) - count(before.status)) * 1000) / (last.at - before.at));
}

/** Shows the page that the address names. */
function route() {
  const [name, ...rest] = location.hash.slice(1).split("/");
  const page = pages.find((page) => page.name === name) ?? pages[0];
  if (page === undefined) return;
  const argument = rest.map(decodeURIComponent).join("/");
  if (open?.page === page && open.argument === argument) return;
  open?.shown.stop?.();
  main.replaceChildren();
  main.classList.toggle("whole", page.whole === true);
  write(byId("heading"), page.title);
  for (const link of document.querySelectorAll("#pages a")) {
    if (link.getAttribute("href") === `#${page.name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  open = { page, shown: {}, argument };
  look({});
  open.shown = page.mount(main, tools);
  main.scrollTop = 0;
  if (status !== undefined) {
    vitals();
    open.shown.show?.("status", status);
  }
}

function list() {
  let digit = 0;
  const item = (/** @type {Page | string} */ page) => {
    if (typeof page === "string") return h("li.gap", null, page);
    digit += 1;
    const count = page.name === "letters" ? h("span.count", { hidden: true }) : null;
    return h("li", null, h("a", { href: `#${page.name}` }, page.title, count ?? (digit <= 9 ? h("kbd", null, digit) : null)));
  };
  byId("pages").replaceChildren(...PAGES.map(item));
}

/** Pages of the game, which stand behind the others. */
async function addOwn() {
  const own = await fetch("pages.json").then((answer) => answer.json());
  if (own.length === 0) return;
  PAGES.push("Game", ...own.map(ownPage));
  pages.splice(0, pages.length, ...PAGES.filter((page) => typeof page !== "string"));
  list();
}

const KEYS = [
  ["1 … 9", "open a page"], ["/", "find, on pages that can"], ["?", "this list"], ["Esc", "close, or leave a line"],
  ["+ − 0", "map: nearer, farther, all zones"], ["[ ]", "map: one zone after the other"], ["← ↑ → ↓", "map: move"],
];

function help() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"));
  dialog.replaceChildren(h("h2", null, "Keys"), h("table", null, KEYS.map(([key, what]) => h("tr", null, h("td", null, h("kbd", null, key)), h("td", null, what)))), h("form", { method: "dialog" }, h("div.row", null, h("button", null, "Close"))));
  dialog.showModal();
}

addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null) return;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (event.key >= "1" && event.key <= "9") {
    const page = pages[Number(event.key) - 1];
    if (page !== undefined) location.hash = page.name;
  } else if (event.key === "?") help();
  else if (event.key === "/" && open?.shown.find !== undefined) {
    event.preventDefault();
    open.shown.find();
  } else open?.shown.key?.(event);
});

list();
await addOwn().catch(() => {});
addEventListener("hashchange", route);
route();
