// @ts-check
/**
 * A page of the game: its module, its style and its numbers.
 *
 * `page.js` exports `mount(root, tools)`, which may give a function that is called when the page goes. Tools are `numbers(show)`, which
 * calls `show` with the page's numbers each second, `status()`, `command(path, body)`, and the makers of elements and charts.
 */

import * as chart from "../kit/chart.js";
import { command } from "../kit/command.js";
import * as dom from "../kit/dom.js";

const EVERY_MS = 1000;

/**
 * @param {{name: string, title: string}} own
 * @returns {import("../console.js").Page}
 */
export function ownPage({ name, title }) {
  return {
    name: `own-${name}`,
    title,
    topics: [],
    mount(root, console) {
      const home = `own/${name}/`;
      let isOpen = true;
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      /** @type {(() => void) | undefined} */
      let stop;
      const style = dom.h("link", { rel: "stylesheet", href: `${home}page.css` });
      document.head.append(style);
      const numbers = (/** @type {(numbers: any) => void} */ show) => {
        const ask = async () => {
          try {
            const answer = await fetch(`${home}numbers.json`);
            if (isOpen && answer.ok) show(await answer.json());
          } catch {
            // The frame says that the server is away.
          }
          if (isOpen) timer = setTimeout(ask, EVERY_MS);
        };
        void ask();
      };
      import(new URL(`../${home}page.js`, import.meta.url).href).then((module) => {
        if (isOpen) stop = module.mount(root, { numbers, status: console.status, command, ...dom, ...chart });
      }).catch((error) => root.append(dom.h("p.empty", null, `The page of the game cannot be shown: ${error}`)));
      return {
        stop() {
          isOpen = false;
          clearTimeout(timer);
          style.remove();
          stop?.();
        },
      };
    },
  };
}
