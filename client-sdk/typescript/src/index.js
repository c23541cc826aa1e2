// @ts-check
/**
 * Lightmoon for browsers: everything a page imports from `/lightmoon/index.js`.
 *
 * Responsible for: the list of names. Not responsible for: anything else.
 */

export { connect, Client } from "./client.js";
export { CallError, ERROR_CODES } from "./errors.js";
export { decode, DecodeError, encode, Reader, Writer } from "./bytes.js";
export { unhex, unknownVariant } from "./contract.js";
export { ClientView } from "./view.js";
export { Entity } from "./entity.js";

/** @typedef {import("./link.js").LinkState} LinkState */
/** @typedef {import("./wire.js").Attachment} Attachment */
/**
 * @template T
 * @typedef {import("./contract.js").Push<T>} Push
 */
/**
 * @template T
 * @typedef {import("./contract.js").Component<T>} Component
 */
/**
 * @template Calls
 * @typedef {import("./contract.js").Contract<Calls>} Contract
 */
/** @typedef {import("./contract.js").Contracts} Contracts */
/** @typedef {import("./contract.js").Caller} Caller */
/** @typedef {import("./contract.js").Target} Target */
