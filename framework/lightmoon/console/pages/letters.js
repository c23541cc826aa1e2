// @ts-check
/** Dead letters: messages that were promised to take effect exactly once, and that their receivers could not take. */

import { command } from "../kit/command.js";
import { h, table, whole } from "../kit/dom.js";

/** @type {import("../console.js").Page} */
export const page = {
  name: "letters",
  title: "Dead letters",
  topics: [],
  mount(root, console) {
    const list = table([{ title: "From" }, { title: "To" }, { title: "Operation" }, { title: "Tries", number: true }, { title: "Arguments", wide: true }, { title: "" }], "There are none. That is how it should be.");
    root.append(
      h("p.lead", null, "Their receivers failed five times to take them. They are kept until they are taken: mend what failed, then send them again."),
      h("section.panel", null, h("h2", null, "Dead letters"), list.element),
    );
    /** @type {any} */
    let contracts;
    void console.contracts().then((all) => {
      contracts = all;
    });
    const name = (/** @type {any} */ letter) => {
      const contract = contracts?.contracts.find((/** @type {any} */ one) => one.kind === letter.to.kind);
      const operation = contract?.operations.find((/** @type {any} */ one) => one.number === letter.operation);
      return operation === undefined ? `operation ${letter.operation}` : `${contract.name}.${operation.name}`;
    };
    const replay = (/** @type {any} */ letter) => {
      const query = new URLSearchParams({ kind: letter.from.kind, key: letter.from.key, number: letter.number });
      return command(`dead-letters/replay?${query}`, {}, "It is sent again.");
    };
    return {
      show(topic, letters) {
        if (topic !== "letters") return;
        list.show(letters.map((/** @type {any} */ letter) => ({
          id: `${letter.from.kind}/${letter.from.key}/${letter.number}`,
          cells: [`${letter.from.kind}/${letter.from.key}`, `${letter.to.kind}/${letter.to.key}`, name(letter), whole(letter.tries),
            h("code", null, `${letter.arguments}${letter.argumentBytes * 2 > letter.arguments.length ? "…" : ""}`),
            h("button.small", { type: "button", onclick: () => void replay(letter) }, "Send again")],
        })));
      },
    };
  },
};
