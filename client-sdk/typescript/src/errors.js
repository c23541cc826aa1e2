// @ts-check
/**
 * Why a call failed: the stable codes, as `docs/book/src/errors` lists them.
 *
 * Responsible for: codes, names, whether a retry is safe or of use. Not responsible for: the game's own refusals, which are values.
 */

/**
 * @typedef {object} CodeEntry
 * @property {string} name
 * @property {boolean} nothingWasDone a repeat is safe
 * @property {boolean} retry a repeat may succeed
 */

/** @type {ReadonlyMap<number, CodeEntry>} */
export const ERROR_CODES = new Map([
  [1, { name: "no-such-operation", nothingWasDone: true, retry: false }],
  [2, { name: "bad-arguments", nothingWasDone: true, retry: false }],
  [3, { name: "wrong-type", nothingWasDone: true, retry: false }],
  [4, { name: "not-allowed", nothingWasDone: true, retry: false }],
  [5, { name: "too-fast", nothingWasDone: true, retry: true }],
  [6, { name: "not-attached", nothingWasDone: true, retry: true }],
  [7, { name: "no-such-kind", nothingWasDone: true, retry: false }],
  [8, { name: "busy", nothingWasDone: true, retry: true }],
  [9, { name: "timed-out", nothingWasDone: false, retry: true }],
  [10, { name: "panicked", nothingWasDone: false, retry: true }],
  [11, { name: "gone", nothingWasDone: false, retry: true }],
  [12, { name: "deadlock", nothingWasDone: true, retry: false }],
  [13, { name: "store-unavailable", nothingWasDone: true, retry: true }],
  [14, { name: "unreadable", nothingWasDone: true, retry: false }],
  [15, { name: "request-reused", nothingWasDone: true, retry: false }],
  [16, { name: "answer-forgotten", nothingWasDone: false, retry: false }],
  [17, { name: "not-kept", nothingWasDone: true, retry: false }],
]);

/** Why a call failed. */
export class CallError extends Error {
  /**
   * @param {number} code
   * @param {string} text
   * @param {boolean} [neverSent] the call never left this page, so nothing was done, whatever the code says
   */
  constructor(code, text, neverSent = false) {
    const entry = ERROR_CODES.get(code);
    super(text === "" ? (entry?.name ?? `error ${code}`) : text);
    this.name = "CallError";
    this.code = code;
    /** The stable name; `unknown` for codes of a newer server. */
    this.codeName = entry?.name ?? "unknown";
    /** Whether the call certainly was not served: it may be made again. Else it may have been. */
    this.nothingWasDone = neverSent || (entry?.nothingWasDone ?? false);
    this.retry = entry?.retry ?? false;
  }
}
