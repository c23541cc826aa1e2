// @ts-check
/**
 * Why connections end.
 *
 * Responsible for: close codes, their names, whether another try makes sense. Not responsible for: trying (`link.js`).
 */

/**
 * Names by number, as on the wire; the number is the WebTransport close code too.
 * @type {readonly string[]}
 */
export const CLOSE_CODES = [
  "normal",
  "shutting-down",
  "replaced",
  "protocol-violation",
  "too-large",
  "handshake-timeout",
  "idle",
  "unauthenticated",
  "incompatible",
  "overloaded",
  "rate-exceeded",
  "internal",
];

/** Reasons after which a client stays away by itself. */
const FINAL = new Set(["normal", "replaced", "protocol-violation", "too-large", "unauthenticated", "incompatible", "rate-exceeded"]);

/**
 * The end of a connection.
 * @typedef {object} Closing
 * @property {string} reason a name of {@link CLOSE_CODES}, `code N` of a newer peer, or `unsupported`
 * @property {string} text the same for people
 * @property {"us" | "peer" | "transport"} by
 */

/**
 * @param {number} number
 * @returns {string}
 */
export function closeName(number) {
  return CLOSE_CODES[number] ?? `code ${number}`;
}

/**
 * @param {string} name
 * @returns {number}
 */
export function closeNumber(name) {
  const number = CLOSE_CODES.indexOf(name);
  if (number !== -1) return number;
  const unknown = /^code (\d+)$/.exec(name);
  return unknown === null ? CLOSE_CODES.indexOf("internal") : Number(unknown[1]);
}

/**
 * Whether a client should try again by itself.
 * @param {string} name
 */
export function isWorthARetry(name) {
  return !FINAL.has(name) && name !== "unsupported";
}

/** What the other side did that it may not do. */
export class Violation extends Error {
  /**
   * @param {string} reason a name of {@link CLOSE_CODES}
   * @param {string} message
   */
  constructor(reason, message) {
    super(message);
    this.name = "Violation";
    this.reason = reason;
  }
}
