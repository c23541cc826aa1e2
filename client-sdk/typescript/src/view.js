// @ts-check
/**
 * The client's copy of what it sees in a zone, as `docs/wire-state.md` describes.
 *
 * Responsible for: View, State and (with `delta.js`) Delta payloads, entities, their values and short history, sampling between ticks.
 * Not responsible for: which attachment holds (`wire.js`), the clock of playback (`playback.js`).
 *
 * Invariants:
 * - I1: an entity exists exactly between its Enter and its Leave; State neither makes nor removes anything.
 * - I2: a component's value never goes back to an older tick.
 * - I3: memory is bounded by {@link ENTITIES_MAX} and the widths of the layout, whatever arrives.
 */

import { BitReader } from "./bits.js";
import { DecodeError, Reader } from "./bytes.js";
import { Violation } from "./close.js";
import { HEAD_BYTES, readHead, readRecords, Received } from "./delta.js";
import { Entity } from "./entity.js";
import { readLayout } from "./layout.js";
import { ENTITIES_MAX, STATE_BYTES_MAX, STICKY_BYTES_MAX, VIEW_BYTES_MAX } from "./limits.js";

/** @typedef {import("./contract.js").Component<any>} Component */
/** @typedef {import("./layout.js").Layout} Layout */
/** @typedef {import("./layout.js").Place} Place */

/**
 * The head of a state packet.
 * @typedef {object} StateHeader
 * @property {number} tick
 * @property {number} rate ticks per second
 * @property {number} input sequence of the last input applied
 * @property {number} view View payloads sent before it
 * @property {number} count records
 */

/** @typedef {{tick: number, rate: number, count: number}} PacketHeader what State and Delta packets both say */

/**
 * Who wants to know what changes. Called while a payload is applied; must not throw.
 * @typedef {object} ViewListener
 * @property {(entity: Entity) => void} [entered]
 * @property {(entity: Entity, gone: boolean) => void} [left] `gone`: it is gone from the world, not only out of view
 * @property {(entity: Entity, component: Component) => void} [changed] a sticky value changed
 * @property {(entity: Entity, component: Component) => void} [added] a component came after the entity did
 * @property {(entity: Entity, component: Component) => void} [removed] a component went before the entity does
 */

export class ClientView {
  /** @param {readonly Component[]} components those of the contracts */
  constructor(components) {
    this.components = components;
    /** @type {Map<number, Entity>} by index on the wire */
    this.byIndex = new Map();
    /** @type {Map<bigint, Entity>} */
    this.byId = new Map();
    /** @type {Entity[] | undefined} in order of ids; `undefined`: to be sorted anew */
    this.sorted = undefined;
    /** @type {Layout | undefined} */
    this.layout = undefined;
    /** @type {number | undefined} */
    this.generation = undefined;
    /** @type {number | undefined} the newest attachment, also after its end */
    this.newest = undefined;
    this.nextSequence = 0;
    this.viewTick = 0;
    /** The highest tick heard of. */
    this.newestTick = 0;
    this.received = new Received();
    /** The tick that {@link Entity.sample} shows. */
    this.renderTick = 0;
    /** @type {Set<ViewListener>} */
    this.listeners = new Set();
  }

  /**
   * A zone from here on; what was seen before is dropped.
   * @param {number} generation
   */
  attach(generation) {
    this.#dropAll(false);
    this.generation = generation;
    this.newest = generation;
    this.layout = undefined;
    this.nextSequence = 0;
    this.viewTick = 0;
    this.newestTick = 0;
    this.received = new Received();
  }

  /** No zone from here on. */
  detach() {
    this.#dropAll(false);
    this.generation = undefined;
    this.layout = undefined;
  }

  /**
   * All entities in view, in order of their ids.
   * @returns {readonly Entity[]}
   */
  entities() {
    this.sorted ??= [...this.byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    return this.sorted;
  }

  /**
   * @param {bigint} id
   * @returns {Entity | undefined}
   */
  entity(id) {
    return this.byId.get(id);
  }

  /**
   * @param {ViewListener} listener
   * @returns {() => void} stops it
   */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Applies a View payload of the present attachment; others are ignored.
   * @param {number} generation
   * @param {Uint8Array} payload
   * @throws {Violation} when it is malformed; the connection has to end
   */
  applyView(generation, payload) {
    if (generation !== this.generation) return this.#refuseNewer(generation);
    if (payload.length > VIEW_BYTES_MAX) throw new Violation("too-large", `view of ${payload.length} bytes`);
    const from = new Reader(payload);
    checked("view", () => {
      const tick = from.safe();
      const sequence = from.safe();
      if (sequence < this.nextSequence) return;
      if (sequence > this.nextSequence) throw new DecodeError(`gap: payload ${sequence} instead of ${this.nextSequence}`);
      if (tick < this.viewTick) throw new DecodeError(`tick ${tick} after ${this.viewTick}`);
      this.viewTick = tick;
      this.newestTick = Math.max(this.newestTick, tick);
      this.nextSequence += 1;
      for (let nth = 0; from.remaining > 0; nth += 1) this.#event(from, tick, nth);
    });
  }

  /**
   * View payloads come in order behind their Attach: an older one is late, a newer one cannot be.
   * @param {number} generation
   */
  #refuseNewer(generation) {
    const ahead = this.newest === undefined ? 1 : (generation - this.newest) >>> 0;
    if (ahead > 0 && ahead < 0x8000_0000) throw new Violation("protocol-violation", `view of generation ${generation} came before its attach`);
  }

  /**
   * @param {Reader} from
   * @param {number} tick
   * @param {number} nth events of the payload before this one
   */
  #event(from, tick, nth) {
    const kind = from.u8();
    if (kind === 5) {
      // Behind the first event, and without entities that is nothing but a layout.
      if (nth !== 1 || this.layout === undefined || this.byId.size > 0) throw new DecodeError("widths of fields out of place");
      return this.layout.readFields(from);
    }
    if (kind === 0) {
      if (nth !== 0) throw new DecodeError("layout that is not the first event");
      this.#dropAll(true);
      this.layout = readLayout(from, this.components);
      this.received = new Received();
      return;
    }
    const layout = this.layout;
    if (layout === undefined) throw new DecodeError("event before the layout");
    const index = fixed16(from);
    if (kind === 1) return this.#enter(from, tick, index, layout);
    const entity = this.byIndex.get(index);
    if (entity === undefined) throw new DecodeError(`entity ${index} is not in the view`);
    if (kind === 2) {
      const reason = from.u8();
      if (reason > 1) throw new DecodeError(`leave for reason ${reason}`);
      this.#drop(entity, reason === 1);
    } else if (kind === 3) {
      const place = layout.places[from.u8()];
      if (place === undefined || place.width !== 0 || !entity.has.has(place.position)) {
        throw new DecodeError("sticky value of a component that the entity does not have");
      }
      this.#sticky(from, entity, place);
      this.#tell("changed", entity, [place]);
    } else if (kind === 4) {
      this.#mask(from, tick, entity, layout);
    } else {
      throw new DecodeError(`event ${kind}`);
    }
  }

  /**
   * @param {Reader} from
   * @param {number} tick
   * @param {number} index
   * @param {Layout} layout
   */
  #enter(from, tick, index, layout) {
    if (from.remaining < 8) throw new DecodeError("ends early");
    const id = from.view.getBigUint64(from.position, true);
    from.position += 8;
    if (id === 0n) throw new DecodeError("entity without an id");
    if (this.byIndex.has(index) || this.byId.has(id)) throw new DecodeError(`entity ${index} is in the view already`);
    if (this.byIndex.size >= ENTITIES_MAX) throw new Violation("too-large", "too many entities");
    const entity = new Entity(id, index, this, this.components.length);
    const places = layout.placesOf(from.u64());
    this.byIndex.set(index, entity);
    this.byId.set(id, entity);
    this.sorted = undefined;
    // Values are read before anybody hears of the entity: a listener sees it whole.
    this.#values(from, tick, entity, places);
    for (const listener of this.listeners) listener.entered?.(entity);
  }

  /**
   * @param {Reader} from
   * @param {number} tick
   * @param {Entity} entity
   * @param {Layout} layout
   */
  #mask(from, tick, entity, layout) {
    const places = layout.placesOf(from.u64());
    const removed = layout.places.filter((place) => entity.has.has(place.position) && !places.includes(place));
    const added = places.filter((place) => !entity.has.has(place.position));
    for (const place of removed) {
      entity.has.delete(place.position);
      if (place.component !== undefined) entity.forget(place.component.index);
    }
    this.#values(from, tick, entity, added);
    this.#tell("removed", entity, removed);
    this.#tell("added", entity, added);
  }

  /**
   * Values of components that are new to an entity.
   * @param {Reader} from
   * @param {number} tick
   * @param {Entity} entity
   * @param {readonly Place[]} places
   */
  #values(from, tick, entity, places) {
    const bits = new BitReader(from.source, from.position, from.end);
    for (const place of places) {
      entity.has.add(place.position);
      if (place.width > 0) readState(bits, place, entity, tick);
    }
    from.position = bits.align();
    for (const place of places) if (place.width === 0) this.#sticky(from, entity, place);
  }

  /**
   * @param {Reader} from
   * @param {Entity} entity
   * @param {Place} place
   */
  #sticky(from, entity, place) {
    const length = from.count(1);
    if (length > STICKY_BYTES_MAX) throw new DecodeError(`sticky value of ${length} bytes`);
    const end = from.position + length;
    const known = place.component;
    if (known !== undefined) {
      const inner = new Reader(from.source, from.position, end);
      entity.setSticky(known.index, known.spec.read(inner));
      inner.finish();
    }
    from.position = end;
  }

  /**
   * @param {"changed" | "added" | "removed"} what
   * @param {Entity} entity
   * @param {readonly Place[]} places
   */
  #tell(what, entity, places) {
    for (const { component } of places) {
      if (component === undefined) continue;
      for (const listener of this.listeners) listener[what]?.(entity, component.spec);
    }
  }

  /**
   * Applies a State packet of the present attachment.
   * @param {number} generation
   * @param {Uint8Array} payload
   * @returns {StateHeader | undefined} `undefined`: it was ignored
   * @throws {Violation} when it is malformed; the connection has to end
   */
  applyState(generation, payload) {
    const layout = this.layout;
    if (generation !== this.generation || layout === undefined) return undefined;
    if (payload.length > STATE_BYTES_MAX) throw new Violation("too-large", `state of ${payload.length} bytes`);
    return checked("state", () => {
      const from = new Reader(payload);
      const header = { tick: from.safe(), rate: from.u8(), input: from.safe(), view: from.safe(), count: fixed16(from) };
      if (header.rate < 1 || header.rate > 60) throw new DecodeError(`rate of ${header.rate}`);
      const bits = new BitReader(payload, from.position);
      this.#records(bits, header, layout);
      if (bits.align() !== payload.length) throw new DecodeError("bytes after the records");
      this.newestTick = Math.max(this.newestTick, header.tick);
      return header;
    });
  }

  /**
   * Applies a Delta packet of the present attachment.
   * @param {number} generation
   * @param {Uint8Array} payload
   * @returns {import("./delta.js").DeltaHeader | undefined} `undefined`: it was ignored, as one that is not newer than the last is
   * @throws {Violation} when it is malformed; the connection has to end
   */
  applyDelta(generation, payload) {
    const layout = this.layout;
    if (generation !== this.generation || layout === undefined) return undefined;
    if (payload.length > STATE_BYTES_MAX) throw new Violation("too-large", `delta of ${payload.length} bytes`);
    return checked("delta", () => {
      if (!layout.hasFields) throw new DecodeError("no widths of fields");
      if (payload.length < HEAD_BYTES) throw new DecodeError("ends early");
      const bits = new BitReader(payload, HEAD_BYTES);
      const header = readHead(payload, bits, this.newestTick);
      if (this.received.newest !== undefined && header.tick <= this.received.newest) return undefined;
      readRecords(bits, header, layout, this.byIndex);
      if (bits.align() !== payload.length) throw new DecodeError("bytes after the records");
      this.newestTick = Math.max(this.newestTick, header.tick);
      this.received.note(header.tick);
      return header;
    });
  }

  /**
   * What the server has to know of what arrived, to write deltas against it.
   * @returns {import("./frames.js").Receipt | undefined} `undefined`: no view arrived yet, or the server writes none
   */
  receipt() {
    if (this.generation === undefined || this.layout?.hasFields !== true) return undefined;
    const { newest, bits } = this.received;
    return { generation: this.generation, tick: newest ?? 0, received: bits, views: this.nextSequence };
  }

  /**
   * @param {BitReader} bits
   * @param {StateHeader} header
   * @param {Layout} layout
   */
  #records(bits, header, layout) {
    let index = 0xffff;
    let places = layout.statePlaces;
    for (let record = 0; record < header.count; record += 1) {
      if (bits.take(1) === 0) index = (index + 1) & 0xffff;
      else if (bits.take(1) === 0) index = (index + 2 + bits.take(4)) & 0xffff;
      else index = bits.take(16);
      if (bits.take(1) === 0) places = layout.statePlaces.filter(() => bits.take(1) === 1);
      const entity = this.byIndex.get(index);
      for (const place of places) {
        if (entity === undefined || !entity.has.has(place.position)) bits.skip(place.width);
        else readState(bits, place, entity, header.tick);
      }
    }
  }

  /**
   * @param {Entity} entity
   * @param {boolean} gone
   */
  #drop(entity, gone) {
    this.byIndex.delete(entity.index);
    this.byId.delete(entity.id);
    this.sorted = undefined;
    for (const listener of this.listeners) listener.left?.(entity, gone);
  }

  /** @param {boolean} gone */
  #dropAll(gone) {
    for (const entity of [...this.entities()]) this.#drop(entity, gone);
  }
}

/**
 * Reads one state component of an entity.
 * @param {BitReader} bits
 * @param {Place} place
 * @param {Entity} entity
 * @param {number} tick
 */
function readState(bits, place, entity, tick) {
  const component = place.component;
  if (component === undefined) return bits.skip(place.width);
  const values = component.spec.fields.map((/** @type {{bits: number}} */ field) => bits.take(field.bits));
  bits.skip(place.width - component.width);
  entity.setState(component.index, component.spec, tick, values);
}

/**
 * Two bytes, little-endian, as the view's own integers are.
 * @param {Reader} from
 */
function fixed16(from) {
  return from.u8() | (from.u8() << 8);
}

/**
 * Runs `read` and makes its decode errors the connection's.
 * @template T
 * @param {string} what
 * @param {() => T} read
 * @returns {T}
 */
function checked(what, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) throw new Violation("protocol-violation", `${what}: ${error.message}`);
    throw error;
  }
}
