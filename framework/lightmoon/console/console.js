// The status page: asks for /status.json each second and shows it. Text goes in as text, never as markup.

const SECOND_MS = 1000;
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} name @param {string | number} text @param {string} [className] */
function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = String(text);
  if (className) made.className = className;
  return made;
}

/** @param {string} id @param {string[]} heads @param {(string | number)[][]} rows */
function table(id, heads, rows) {
  const line = (/** @type {string} */ name, /** @type {(string | number)[]} */ cells) => {
    const made = document.createElement("tr");
    made.append(...cells.map((cell) => element(name, cell, typeof cell === "number" ? "number" : "")));
    return made;
  };
  const shown = rows.length > 0 ? rows.map((cells) => line("td", cells)) : [line("td", ["none"])];
  const head = line("th", heads);
  // A column of numbers has its head above their right edge.
  [...head.children].forEach((cell, at) => cell.classList.toggle("number", typeof rows[0]?.[at] === "number"));
  byId(id).replaceChildren(head, ...shown);
}

/** @param {Record<string, number>} totals @param {Record<string, number> | undefined} before @param {number} seconds */
function counterRows(totals, before, seconds) {
  return Object.entries(totals).map(([name, total]) => {
    const perSecond = before && seconds > 0 ? Math.round((total - (before[name] ?? total)) / seconds) : 0;
    return [name, total, perSecond];
  });
}

/** @param {any} store */
function storeRows(store) {
  const rows = [
    ["state", store.away ? "does not answer: play goes on, `sync` operations are refused" : (store.files?.state ?? "in memory")],
    ["generation of the node", store.generation],
    ["answers and messages that wait for commits", store.held],
    ["bytes that wait for the store", store.waitingBytes],
    ["bytes of effects in no commit yet, about", store.unsavedBytes],
  ];
  if (store.files) {
    rows.push(
      ["last commit of the store", store.files.lastCommit],
      ["slowest group of commits, µs", store.files.latencyMaxMicros],
      ["free where the data lies, MB", Math.floor((store.files.freeBytes ?? 0) / 1e6)],
    );
  }
  return rows;
}

/** @param {{ kind: number, key: string }} actor */
const named = (actor) => `${actor.kind}/${actor.key}`;

/** @param {any} letter */
function again(letter) {
  const button = document.createElement("button");
  button.textContent = "send again";
  button.addEventListener("click", async () => {
    button.disabled = true;
    const which = new URLSearchParams({ kind: letter.from.kind, key: letter.from.key, number: letter.number });
    const answer = await fetch(`dead-letters/replay?${which}`, { method: "POST" });
    button.textContent = answer.ok ? "sent" : await answer.text();
  });
  return button;
}

/** @param {number} count */
async function showLetters(count) {
  byId("letters-section").hidden = count === 0;
  if (count === 0) return;
  const answer = await fetch("dead-letters.json");
  if (!answer.ok) return;
  const letters = /** @type {any[]} */ (await answer.json());
  const rows = letters.map((letter) => [named(letter.from), named(letter.to), letter.operation, letter.tries, letter.argumentBytes, ""]);
  table("letters", ["from", "to", "operation", "tries", "bytes", ""], rows);
  [...byId("letters").querySelectorAll("tr")].slice(1).forEach((row, at) => row.lastElementChild?.append(again(letters[at])));
}

/** @type {{ at: number, totals: Record<string, number> } | undefined} */
let last;

/** @param {any} status */
function show(status) {
  document.title = `${status.title} console`;
  byId("title").textContent = `${status.title} ${status.version}`;
  byId("state").textContent = status.healthy ? `up ${status.upSeconds} s` : "the node does not take its turns";
  byId("state").className = status.healthy ? "" : "lost";
  const tiles = [
    ["sessions", status.sessions.open],
    ["links", status.net.links],
    ["actors", status.actors],
    ["zones", status.zones.length],
    ["longest turn, µs", status.turnMaxMicros],
    ["commits", status.store.commits],
    ["snapshots", status.store.snapshots],
    ["messages under way", status.store.letters],
  ];
  byId("tiles").replaceChildren(
    ...tiles.map(([label, value]) => {
      const tile = document.createElement("div");
      tile.append(element("b", value), element("span", label));
      return tile;
    }),
  );
  table("store", ["what", "now"], storeRows(status.store));
  const zoneKeys = ["zone", "entities", "viewers", "tick", "rateHz", "tickMicros", "longestTickMicros", "rung", "ticksSkipped"];
  const zoneHeads = ["zone", "entities", "viewers", "tick", "rate, Hz", "last tick, µs", "longest tick, µs", "overload", "ticks skipped"];
  table("zones", zoneHeads, status.zones.map((/** @type {any} */ zone) => zoneKeys.map((key) => zone[key] ?? "")));
  table(
    "sessions",
    ["session", "player", "remote", "zone"],
    status.sessions.list.map((/** @type {any} */ s) => [s.session, s.player, s.remote, s.zone ?? ""]),
  );
  const totals = { ...status.node, ...status.net };
  const now = performance.now();
  table("counters", ["counter", "total", "per second"], counterRows(totals, last?.totals, last ? (now - last.at) / SECOND_MS : 0));
  last = { at: now, totals };
}

async function refresh() {
  try {
    const answer = await fetch("status.json");
    if (!answer.ok) throw new Error(await answer.text());
    const status = await answer.json();
    show(status);
    await showLetters(status.deadLetters);
  } catch (error) {
    byId("state").textContent = `no answer: ${error instanceof Error ? error.message : error}`;
    byId("state").className = "lost";
  }
  setTimeout(refresh, SECOND_MS);
}

refresh();
