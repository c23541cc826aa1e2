// @ts-check
/**
 * A browser and a server for a suite.
 *
 * Responsible for: starting both, or neither: what one test file leaves running keeps it from ending.
 * Not responsible for: either of them (`pages.js`, `server.js`).
 */

import { startBrowser } from "./pages.js";
import { Server } from "./server.js";

/**
 * @param {Parameters<typeof Server.start>[0]} options of the server
 * @returns {Promise<[import("playwright-core").Browser, Server]>}
 */
export async function startBoth(options) {
  const [browser, server] = await Promise.allSettled([startBrowser(), Server.start(options)]);
  if (browser.status === "fulfilled" && server.status === "fulfilled") return [browser.value, server.value];
  if (browser.status === "fulfilled") await browser.value.close();
  if (server.status === "fulfilled") await server.value.stop();
  throw browser.status === "rejected" ? browser.reason : /** @type {PromiseRejectedResult} */ (server).reason;
}
