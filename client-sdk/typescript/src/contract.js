// @ts-check
/**
 * What generated code says about contracts, in the words of this client.
 *
 * Responsible for: the shapes of contracts, operations, pushes and components. Not responsible for: filling them in
 * (`lightmoon codegen ts` does), sending (`client.js`).
 */

import { DecodeError } from "./reader.js";

/** @typedef {import("./bytes.js").Reader} Reader */
/** @typedef {import("./bytes.js").Writer} Writer */

/**
 * A call that clients may make.
 * @typedef {object} Operation
 * @property {string} name for people
 * @property {number} kind of the contract
 * @property {number} number
 * @property {number} lane `priority << 4 | reliability`
 * @property {number} timeoutMs of a request
 */

/**
 * A message of an actor to the client.
 * @template T
 * @typedef {object} Push
 * @property {string} name for people
 * @property {number} kind of the contract
 * @property {number} number
 * @property {(reader: Reader) => T} read
 */

/**
 * A replicated component.
 * @template T
 * @typedef {object} Component
 * @property {string} name
 * @property {number} number from `contracts.lock`
 * @property {number} index among the components of these contracts
 * @property {"state" | "sticky"} travel
 * @property {readonly import("./quantise.js").FieldSpec[]} fields empty for sticky ones
 * @property {(reader: Reader) => T} read the whole value in the byte format
 */

/**
 * Whom a call is for.
 * @typedef {{is: "own"} | {is: "zone"} | {is: "actor", key: bigint}} Target
 */

/**
 * What sends the calls of generated code.
 * @typedef {object} Caller
 * @property {(target: Target, operation: Operation, write: (writer: Writer) => void) => boolean} tell
 * @property {<T>(target: Target, operation: Operation, write: (writer: Writer) => void, read: (reader: Reader) => T) => Promise<T>} ask
 */

/**
 * A contract: what `client.me`, `client.zone` and `client.actor` take.
 * @template Calls
 * @typedef {object} Contract
 * @property {string} name
 * @property {number} kind
 * @property {(caller: Caller, target: Target) => Calls} calls
 */

/**
 * All contracts of a game: what `connect` takes.
 * @typedef {object} Contracts
 * @property {string} game
 * @property {bigint} fingerprint
 * @property {Uint8Array} descriptor for servers that do not know the fingerprint
 * @property {readonly Component<any>[]} components
 */

/**
 * Bytes of hexadecimal text, as generated code carries descriptors.
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function unhex(text) {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * Refuses a reader's variant that the contract does not have.
 * @param {string} type
 * @param {number} number
 * @returns {never}
 */
export function unknownVariant(type, number) {
  throw new DecodeError(`${type} has no variant ${number}`);
}
