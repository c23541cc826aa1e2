// @ts-check
/** The store: whether it answers, what waits for it, what a crash would take now. */

import { lines } from "../kit/chart.js";
import { bytes, h, micros, short, table, whole, write } from "../kit/dom.js";

const LENGTH = 240;

/** @type {import("../console.js").Page} */
export const page = {
  name: "store",
  title: "Store",
  topics: [],
  mount(root, console) {
    const { canvas, draw } = lines(150, "Bytes of effects that are in no commit yet", bytes, (value) => 2 ** Math.ceil(Math.log2(Math.max(value, 1024))));
    const [state, unsaved] = [h("span.chip"), h("em")];
    const node = table([{ title: "What the node knows" }, { title: "", number: true }], "");
    const files = table([{ title: "What the files say" }, { title: "", number: true }], "State is in memory only: it is gone when the server ends.");
    root.append(
      h("p.lead", null, "What a sync operation changed is stored before anybody hears of it. What is not stored yet is what a power cut would take."),
      h("section.panel", null, h("h2", null, "Not stored yet", unsaved), canvas),
      h("div.grid", null, h("section.panel", null, h("h2", null, "Node", state), node.element), h("section.panel", null, h("h2", null, "Files"), files.element)),
    );
    return {
      show(topic, status) {
        if (topic !== "status") return;
        const { store } = status;
        const history = console.history();
        const before = history.at(-5) ?? history[0];
        const seconds = before === undefined ? 0 : (performance.now() - before.at) / 1000;
        const rate = before === undefined || seconds === 0 ? 0 : (store.commits - before.status.store.commits) / seconds;
        const values = history.map((one) => one.status.store.unsavedBytes);
        draw([{ values: [...Array(Math.max(0, LENGTH - values.length)).fill(undefined), ...values], colour: "#eeb35a", fill: true }]);
        write(unsaved, bytes(store.unsavedBytes));
        write(state, store.away ? "does not answer" : "answers");
        state.className = `chip ${store.away ? "bad" : "good"}`;
        node.show([
          ["generation of this process", whole(store.generation)], ["commits", whole(store.commits)], ["commits a second", short(Math.max(0, rate))],
          ["snapshots of worlds", whole(store.snapshots)], ["bytes that wait for the store", bytes(store.waitingBytes)],
          ["answers and messages that wait for commits", whole(store.held)], ["messages on their way, exactly once", whole(store.letters)],
          ["messages taken, exactly once", whole(store.lettersTaken)], ["dead letters", whole(status.deadLetters)],
        ].map(([title, value]) => ({ id: title ?? "", cells: [title, value] })));
        const file = store.files;
        files.show(file === null ? [] : [
          ["state", file.state], ["last commit", whole(file.lastCommit)], ["groups, each one write and one sync", whole(file.groups)],
          ["longest group", micros(file.latencyMaxMicros)], ["free on the disk", bytes(file.freeBytes)], ["buffered", bytes(file.bufferedBytes)],
        ].map(([title, value]) => ({ id: title ?? "", cells: [title, value] })));
      },
    };
  },
};
