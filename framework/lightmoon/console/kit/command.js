// @ts-check
/**
 * Commands.
 *
 * Responsible for: sending one, saying what came of it, asking before what cannot be undone. Not responsible for: what they do.
 */

import { h } from "./dom.js";

const NAME = "lightmoon.console.name";

/** How the operator calls themselves in the audit trail. */
export const operator = {
  get() {
    return localStorage.getItem(NAME) ?? "";
  },
  /** @param {string} name */
  set(name) {
    localStorage.setItem(NAME, name);
  },
};

/**
 * Sends a command. Gives its answer; `undefined` if it was refused, which is said.
 * @param {string} path
 * @param {unknown} body
 * @param {string} [done] what to say when it was done; without it nothing is said
 * @returns {Promise<any>}
 */
export async function command(path, body, done) {
  const headers = { "content-type": "application/json", "x-lightmoon-operator": operator.get().replace(/[^\x20-\x7e]/g, "?") };
  try {
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) {
      toast(words(text), true);
      return undefined;
    }
    if (done !== undefined) toast(done, false);
    return text === "" || !answer.headers.get("content-type")?.includes("json") ? null : JSON.parse(text);
  } catch (error) {
    toast(`no answer: ${error instanceof Error ? error.message : error}`, true);
    return undefined;
  }
}

/** @param {string} text JSON with an error, or a sentence */
function words(text) {
  try {
    return String(JSON.parse(text).error);
  } catch {
    return text.trim();
  }
}

/**
 * Says something for a few seconds.
 * @param {string} text
 * @param {boolean} isBad
 */
export function toast(text, isBad) {
  const note = h(`div.toast${isBad ? ".bad" : ""}`, { role: isBad ? "alert" : "status" }, text);
  document.getElementById("toasts")?.append(note);
  setTimeout(() => note.remove(), isBad ? 9000 : 4000);
}

/**
 * Asks before something is done; gives what was typed, or `undefined`.
 * @param {{title: string, text: string, yes: string, ask?: string, given?: string}} what
 * @returns {Promise<string | undefined>}
 */
export function confirmed({ title, text, yes, ask, given }) {
  return new Promise((answer) => {
    const input = ask === undefined ? null : /** @type {HTMLInputElement} */ (h("input", { value: given ?? "", "aria-label": ask, placeholder: ask, maxlength: 120 }));
    const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-label": title },
      h("form", { method: "dialog" }, h("h2", null, title), h("p.lead", null, text), input === null ? null : h("p", null, input),
        h("div.row", null, h("button", { value: "no", type: "submit", formnovalidate: true }, "Cancel"), h("button.primary", { value: "yes" }, yes)))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes" ? (input?.value ?? "") : undefined);
    });
    // Enter in the line means yes, though Cancel stands first.
    input?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      dialog.close("yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    input?.focus();
  });
}
