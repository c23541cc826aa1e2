// @ts-check
/** Sessions: who plays, from where, and what the lanes to all of them carry. A session can be ended here. */

import { command, confirmed } from "../kit/command.js";
import { bytes, h, short, table, whole, write } from "../kit/dom.js";

/** Lanes to clients as the network counts them: title, how it is counted, unit. */
/** @type {[string, string, (value: number) => string][]} */
const LANES = [
  ["streams received", "stream_bytes_received", bytes], ["streams sent", "stream_bytes_sent", bytes],
  ["datagrams received", "datagrams_received", short], ["datagrams sent", "datagrams_sent", short],
  ["datagrams dropped for lack of room", "datagrams_dropped", short], ["times a link waited for the node", "read_stalls", short],
];

/** @type {import("../console.js").Page} */
export const page = {
  name: "sessions",
  title: "Sessions and lanes",
  topics: [],
  mount(root, console) {
    const find = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "player, session or address", "aria-label": "Find a session", oninput: () => redraw() }));
    const count = h("span.dim");
    const list = table([{ title: "Session" }, { title: "Player" }, { title: "From" }, { title: "By" }, { title: "Zone" }, { title: "Open requests", number: true }, { title: "" }, { title: "" }], "Nobody plays.");
    const lanes = table([{ title: "Lane" }, { title: "In all", number: true }, { title: "A second", number: true }], "");
    const tallies = table([{ title: "What became of sessions" }, { title: "Since the start", number: true }], "");
    root.append(
      h("section.panel", null, h("h2", null, "Sessions", count), h("div.row", null, find), list.element),
      h("div.grid", null, h("section.panel", null, h("h2", null, "Lanes of all links"), lanes.element), h("section.panel", null, h("h2", null, "Logins and ends"), tallies.element)),
    );
    const redraw = () => {
      const status = console.status();
      if (status === undefined) return;
      const wanted = find.value.trim().toLowerCase();
      const found = status.sessions.list.filter((/** @type {any} */ one) => wanted === "" || [one.session, one.player, one.remote, one.zone ?? ""].some((text) => text.toLowerCase().includes(wanted)));
      list.show(found.map((/** @type {any} */ one) => ({
        id: one.session,
        cells: [h("code", null, one.session), one.player, h("code", null, one.remote), one.transport, one.zone ?? "–", one.requests,
          one.waits ? h("span.chip.warn", null, "away, may come back") : h("span.chip.good", null, "here"),
          h("button.small.danger", { type: "button", onclick: () => void kick(one) }, "Kick")],
      })));
      const { open, list: listed } = status.sessions;
      write(count, open > listed.length ? `the first ${listed.length} of ${whole(open)}` : `${whole(open)} open, ${status.handshakes} come in`);
      const history = console.history();
      const before = history.at(-5) ?? history[0];
      const seconds = before === undefined ? 0 : (performance.now() - before.at) / 1000;
      lanes.show(LANES.map(([title, name, words]) => {
        const more = before === undefined || seconds === 0 ? 0 : ((status.net[name] ?? 0) - (before.status.net[name] ?? 0)) / seconds;
        return { id: name, cells: [title, words(status.net[name] ?? 0), words(Math.max(0, more))] };
      }));
      const node = status.node;
      tallies.show([
        ["let in", node.sessionsOpened], ["ended", node.sessionsClosed], ["went on over another connection", node.sessionsResumed],
        ["went on here after a restart", node.sessionsRestored], ["waited for their client in vain", node.sessionsAbandoned],
        ["replaced by another login", node.sessionsReplaced], ["ended by an operator", node.sessionsKicked], ["logins refused", node.loginsRefused],
      ].map(([title, value]) => ({ id: String(title), cells: [String(title), whole(Number(value))] })));
    };
    return { show: (topic) => topic === "status" && redraw(), find: () => find.focus() };
  },
};

/** @param {any} session */
async function kick(session) {
  const reason = await confirmed({
    title: `End the session of player ${session.player}?`,
    text: "The client is told why and does not come back by itself. The player may log in again.",
    yes: "Kick", ask: "why, for the player", given: "",
  });
  if (reason !== undefined) await command("command/kick", { session: session.session, reason }, `The session of player ${session.player} is over.`);
}
