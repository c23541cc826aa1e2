// @ts-check
/** Workers: what each does, what waits for it, and what went to the others. */

import { h, short, table, whole } from "../kit/dom.js";

/** @type {import("../console.js").Page} */
export const page = {
  name: "workers",
  title: "Workers",
  topics: [],
  mount(root, console) {
    const list = table([
      { title: "Worker" }, { title: "Busy" }, { title: "", number: true }, { title: "Turns/s", number: true }, { title: "Actors", number: true }, { title: "Zones", number: true },
      { title: "Critical", number: true }, { title: "High", number: true }, { title: "Normal", number: true }, { title: "Low", number: true },
    ], "");
    const across = table([
      { title: "Worker" }, { title: "Sent to others", number: true }, { title: "Waits for room", number: true }, { title: "Refused", number: true }, { title: "Dropped", number: true },
      { title: "Replaced by newer", number: true }, { title: "Operations that waited", number: true }, { title: "Panics", number: true }, { title: "Slow", number: true },
    ], "");
    const stalls = h("div");
    root.append(
      h("p.lead", null, "A worker is one thread that runs actors and zones. Messages wait in four queues, the most urgent first; an actor stays on its worker for the life of the process."),
      stalls,
      h("section.panel", null, h("h2", null, "Time and queues"), list.element),
      h("section.panel", null, h("h2", null, "Between workers"), across.element),
    );
    /** @type {HTMLElement[]} */
    const meters = [];
    return {
      show(topic, status) {
        if (topic !== "status") return;
        const history = console.history();
        const before = history.at(-5) ?? history[0];
        const seconds = before === undefined ? 0 : (performance.now() - before.at) / 1000;
        const text = status.stalled.join("\n");
        if (stalls.textContent !== text) stalls.replaceChildren(...(text === "" ? [] : [h("section.panel", null, h("h2.bad-text", null, "Turns that do not end"), h("pre", null, text))]));
        list.show(status.workers.map((/** @type {any} */ worker, /** @type {number} */ at) => {
          const old = before?.status.workers[at];
          const rate = (/** @type {string} */ name) => (old === undefined || seconds === 0 ? 0 : Math.max(0, (worker[name] - old[name]) / seconds));
          const busy = Math.min(1, rate("busySeconds"));
          const meter = (meters[at] ??= h("span.meter", null, h("i")));
          const bar = /** @type {HTMLElement} */ (meter.firstElementChild);
          bar.style.transform = `scaleX(${busy.toFixed(3)})`;
          bar.style.background = busy > 0.9 ? "var(--bad)" : busy > 0.7 ? "var(--warn)" : "var(--accent)";
          return { id: String(at), cells: [`worker ${at}`, meter, `${(busy * 100).toFixed(1)} %`, short(rate("turns")), whole(worker.actors), whole(worker.zones), ...worker.queued.map(whole)] };
        }));
        across.show(status.workers.map((/** @type {any} */ worker, /** @type {number} */ at) => ({
          id: String(at),
          cells: [`worker ${at}`, whole(worker.sentAcross), whole(worker.across), whole(worker.refusedAcross), whole(worker.droppedAcross), whole(worker.replacedAcross), whole(worker.waitedAcross), whole(worker.panics), whole(worker.slow)],
        })));
      },
    };
  },
};
