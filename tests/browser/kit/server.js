// @ts-check
/**
 * The sample game's server as a child process.
 *
 * Responsible for: starting it on ports of its choice, waiting until it says that it is ready, killing it hard.
 * Not responsible for: building it (`cargo build -p game-sample`), pages.
 */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const READY_MS = 30_000;
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** @returns {string} the binary, from `GAME_SAMPLE` or the usual target folders */
function binary() {
  const target = process.env["CARGO_TARGET_DIR"] ?? join(ROOT, "target");
  const candidates = [process.env["GAME_SAMPLE"] ?? "", join(target, "release/game-sample"), join(target, "debug/game-sample")];
  const found = candidates.find((path) => path !== "" && existsSync(path));
  if (found === undefined) throw new Error("no game-sample binary: run `cargo build -p game-sample`, or set GAME_SAMPLE");
  return found;
}

export class Server {
  /**
   * Starts a server with a data folder of its own: the sample's, or that of another game.
   * @param {{bots?: number, binary?: string}} [options]
   */
  static async start(options = {}) {
    const server = new Server(mkdtempSync(join(tmpdir(), "driftlight-")), options);
    try {
      await server.run();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /**
   * @param {string} data
   * @param {{bots?: number, binary?: string}} options
   */
  constructor(data, options) {
    this.data = data;
    this.binary = options.binary ?? binary();
    this.own = ["--bots", String(options.bots ?? 50)];
    /** @type {import("node:child_process").ChildProcess | undefined} */
    this.child = undefined;
    /** When the process and all that hold its outputs have ended. */
    this.gone = /** @type {Promise<void>} */ (Promise.resolve());
    this.log = "";
    /** @type {{web: string, game: string, console: string, consoleToken: string}} */
    this.ready = { web: "", game: "", console: "", consoleToken: "" };
  }

  /** Runs it (again), on the ports it had before. */
  async run() {
    const readyFile = join(this.data, "ready.json");
    rmSync(readyFile, { force: true });
    const any = "127.0.0.1:0";
    const ports = this.ready.web === "" ? { listen: any, web: any } : { listen: this.ready.game, web: this.ready.web };
    const args = ["--data", this.data, "--listen", ports.listen, "--web", ports.web, "--console", any];
    args.push("--ready-json", readyFile, ...this.own);
    const child = spawn(this.binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    // Once the outputs end, which the node has as well: it dies with its parent, the process that we started.
    this.gone = new Promise((done) => void child.once("close", () => done(undefined)));
    /** @type {Error | undefined} */
    let failed;
    // One that cannot be started ends so; it has no other end.
    child.once("error", (error) => (failed = error));
    for (const output of [child.stdout, child.stderr]) {
      output?.on("data", (text) => {
        this.log = (this.log + String(text)).slice(-20_000);
      });
    }
    const ready = await until(READY_MS, () => {
      if (failed !== undefined) throw failed;
      const end = child.exitCode ?? child.signalCode;
      if (end !== null) throw new Error(`the server ended with ${end}:\n${this.log}`);
      return existsSync(readyFile) ? JSON.parse(readFileSync(readyFile, "utf8")) : undefined;
    });
    this.ready = { ...ready, web: address(ready.web), game: address(ready.game), console: address(ready.console) };
  }

  /** What the server counts, by name. @returns {Promise<Record<string, any>>} */
  async metrics() {
    const { console: address, consoleToken } = this.ready;
    const answer = await fetch(`http://${address}/metrics`, { headers: { authorization: `Bearer ${consoleToken}` } });
    const lines = (await answer.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    // The name with its labels, which may have spaces.
    return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]));
  }

  /** Address of the page. */
  get url() {
    return `http://${this.ready.web}/`;
  }

  /** Ends it in order, as Ctrl-C does: what it knows is stored. */
  async end() {
    this.child?.kill("SIGINT");
    await this.gone;
    this.child = undefined;
  }

  /** Kills it as a power cut would. */
  async kill() {
    this.child?.kill("SIGKILL");
    // It may have ended long ago.
    await this.gone;
    this.child = undefined;
  }

  /** Kills it and removes its data. */
  async stop() {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }
}

/**
 * `host:port` of an address that may be a URL.
 * @param {string} text
 */
function address(text) {
  return text.replace(/^\w+:\/\//, "").replace(/\/$/, "");
}

/**
 * Asks again and again until there is an answer.
 * @template T
 * @param {number} ms at most
 * @param {() => T | undefined | Promise<T | undefined>} ask
 * @returns {Promise<T>}
 */
export async function until(ms, ask) {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${ask}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
