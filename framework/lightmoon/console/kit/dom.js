// @ts-check
/**
 * Elements and numbers.
 *
 * Responsible for: making elements without markup in texts, writing only what changed, numbers as people read them. Not responsible
 * for: what is shown.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element. `class`, `for`, `data-…` and the like are attributes, `onclick` and the like listeners.
 * @param {string} name `div`, or `div.panel.wide`
 * @param {Record<string, any> | null} [given]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(name, given, ...children) {
  const [tag = "div", ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(given ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

/**
 * Writes a text only if it is another one, so that what is selected stays so.
 * @param {Element | null | undefined} element
 * @param {string} text
 */
export function write(element, text) {
  if (element instanceof Element && element.textContent !== text) element.textContent = text;
}

/** @typedef {{title: string, number?: boolean, wide?: boolean}} Column */

/**
 * A table whose rows are kept: only cells that changed are touched.
 * @param {Column[]} columns
 * @param {string} nothing what stands there without rows
 */
export function table(columns, nothing) {
  const body = h("tbody");
  const head = h("thead", null, h("tr", null, columns.map((column) => h("th", { scope: "col", class: column.number === true ? "n" : undefined }, column.title))));
  const empty = h("p.empty", null, nothing);
  const element = h("div.scroll", null, h("table", null, head, body), empty);
  /** @type {Map<string, HTMLElement>} */
  let rows = new Map();
  /**
   * @param {{id: string, cells: Child[], class?: string, pick?: () => void}[]} wanted
   */
  const show = (wanted) => {
    empty.hidden = wanted.length > 0;
    head.hidden = wanted.length === 0;
    /** @type {Map<string, HTMLElement>} */
    const next = new Map();
    wanted.forEach(({ id, cells, class: mark, pick }, at) => {
      const row = rows.get(id) ?? h("tr", pick === undefined ? null : { "data-pick": true, tabindex: 0, onclick: pick, onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && pick() }, columns.map((column) => h("td", { class: column.number === true ? "n" : column.wide === true ? "wide" : undefined })));
      if (row.className !== (mark ?? "")) row.className = mark ?? "";
      cells.forEach((cell, column) => fill(/** @type {HTMLElement} */ (row.children[column]), cell));
      if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
      next.set(id, row);
    });
    for (const [id, row] of rows) if (!next.has(id)) row.remove();
    rows = next;
  };
  show([]);
  return { element, show };
}

/**
 * @param {HTMLElement} cell
 * @param {Child} content
 */
function fill(cell, content) {
  if (!(content instanceof Element)) return write(cell, content === null || content === undefined || content === false ? "" : String(content instanceof Node ? content.textContent : content));
  const before = cell.firstElementChild;
  if (before !== null && before.isEqualNode(content)) return;
  // A button that is held down or has the focus stays.
  if (before instanceof HTMLButtonElement && content instanceof HTMLButtonElement && before.textContent === content.textContent) return;
  cell.replaceChildren(content);
}

const THIN = "\u2009";

/**
 * A whole number with thin spaces.
 * @param {number} value
 */
export function whole(value) {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, THIN);
}

/**
 * A number with three digits that count, and a unit of thousands.
 * @param {number} value
 * @param {string[]} [units]
 * @param {number} [step]
 */
export function short(value, units = ["", "k", "M", "G", "T"], step = 1000) {
  let at = 0;
  let rest = value;
  while (Math.abs(rest) >= step && at < units.length - 1) {
    rest /= step;
    at += 1;
  }
  const digits = at === 0 && Number.isInteger(rest) ? 0 : Math.abs(rest) >= 100 ? 0 : Math.abs(rest) >= 10 ? 1 : 2;
  const unit = units[at] ?? "";
  return `${rest.toFixed(digits)}${unit === "" ? "" : THIN}${unit}`;
}

/** @param {number} value */
export const bytes = (value) => short(value, ["B", "KiB", "MiB", "GiB", "TiB"], 1024);

/**
 * A time from microseconds.
 * @param {number} value
 */
export function micros(value) {
  if (value < 1000) return `${Math.round(value)}${THIN}µs`;
  if (value < 1e6) return `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)}${THIN}ms`;
  return `${(value / 1e6).toFixed(2)}${THIN}s`;
}

/**
 * A length of time, the two largest units of it.
 * @param {number} seconds
 */
export function span(seconds) {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole}${THIN}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}min ${whole % 60}${THIN}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}${THIN}h ${Math.floor((whole % 3600) / 60)}${THIN}min`;
  return `${Math.floor(whole / 86_400)}${THIN}d ${Math.floor((whole % 86_400) / 3600)}${THIN}h`;
}

/**
 * The time of day, with its date if that is not today.
 * @param {number} millis since 1970
 */
export function clock(millis) {
  const date = new Date(millis);
  const time = date.toLocaleTimeString([], { hour12: false });
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString()} ${time}`;
}
