// @ts-check
/**
 * The console of a server in a browser.
 *
 * Responsible for: opening it by its printed address, noticing what its pages complain of. Not responsible for: what tests promise.
 */

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./server.js").Server} Server */

/**
 * Opens the console as an operator does.
 * @param {import("playwright-core").Browser} browser
 * @param {Server} server
 * @param {{width: number, height: number}} [viewport]
 */
export async function openConsole(browser, server, viewport = { width: 1280, height: 800 }) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  /** @type {string[]} */
  const faults = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(`${error.name}: ${error.message}\n${error.stack ?? ""}`));
  const { console: address, consoleToken } = server.ready;
  await page.goto(`http://${address}/?token=${consoleToken}`);
  await page.waitForSelector('#state[data-state="good"]');
  return { page, faults, url: `http://${address}/` };
}

/**
 * Asks the console as a program does, with these headers.
 * @param {Server} server
 * @param {string} path
 * @param {RequestInit} [options]
 */
export function ask(server, path, options = {}) {
  return fetch(`http://${server.ready.console}/${path}`, options);
}
