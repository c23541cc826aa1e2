// @ts-check
/**
 * A stand-in for the SDK that needs no server: a sector with ships, creatures and crystals that move by themselves.
 *
 * Responsible for: the part of the client's surface that the page uses. Served at /lightmoon/index.js by page tests.
 * Not responsible for: bytes, reconnects, truth.
 */

const RANGE = 700;
/** @param {number} seed */
const random = (seed) => () => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 4294967296);
const NAMES = ["Vesper", "Kuiper", "Nadia", "Orrin", "Mistral", "Halley", "Juno", "Tamsin", "Brix", "Ione", "Sable", "Pico"];
const SECTORS = [
  { name: "Lantern", hue: 45 }, { name: "Aurora", hue: 150 }, { name: "Ember", hue: 12 },
  { name: "Violet Deep", hue: 275 }, { name: "Tidewell", hue: 200 },
];

class Mover {
  constructor(id, role, r, spread) {
    this.id = id;
    this.role = role;
    this.name = role === "Player" ? `${NAMES[Math.floor(r() * NAMES.length)]}` : "";
    this.hue = role === "Crystal" ? 170 + r() * 120 : Math.floor(r() * 360);
    this.x = (r() - 0.5) * spread;
    this.y = (r() - 0.5) * spread;
    this.yaw = r() * 6.28;
    this.speed = role === "Crystal" ? 0 : role === "Drifter" ? 18 + r() * 14 : 60 + r() * 150;
    this.turn = 0;
    this.thrust = role === "Player" ? 1 : 0;
    this.r = r;
  }

  step(seconds) {
    if (this.speed === 0) return;
    if (this.r() < seconds * 0.6) this.turn = (this.r() - 0.5) * (this.role === "Drifter" ? 0.4 : 1.6);
    if (Math.hypot(this.x, this.y) > 900) this.turn = 1.2;
    this.yaw += this.turn * seconds;
    this.x += Math.cos(this.yaw) * this.speed * seconds;
    this.y += Math.sin(this.yaw) * this.speed * seconds;
  }

  sample() {
    return this;
  }

  get(component) {
    return component.name === "Label" ? this : this;
  }
}

class Client {
  constructor(query) {
    const r = random(Number(query.get("seed") ?? 5));
    this.state = { is: "connecting" };
    this.rtt = 12;
    this.counters = {};
    this.playback = { tick: 0 };
    this.attached = undefined;
    this.handlers = new Map();
    this.listeners = [];
    this.toMe = [];
    this.fromMe = [];
    this.packet = () => {};
    this.attach = () => {};
    this.controls = { thrust: 0, turn: 0, boost: false };
    const dense = query.get("crowd") === "1";
    this.own = new Mover(1n, "Player", r, 100);
    Object.assign(this.own, { speed: 0, vx: 0, vy: 0, thrust: 0, x: Number(query.get("x") ?? 0), y: Number(query.get("y") ?? 0), yaw: Number(query.get("yaw") ?? 0.6) });
    this.movers = [];
    const spread = dense ? 800 : 1700;
    const counts = dense ? [90, 20, 40] : [50, 14, 60];
    let id = 2n;
    ["Player", "Drifter", "Crystal"].forEach((role, index) => {
      for (let i = 0; i < counts[index]; i += 1) this.movers.push(new Mover((id++) * 7919n, role, r, spread));
    });
    this.sector = Number(query.get("sector") ?? 4);
    this.before = performance.now();
    setTimeout(() => this.#set({ is: "connected" }), 50);
  }

  #set(state) {
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }

  onState(listener) { this.listeners.push(listener); }
  onAttached(listener) { this.attach = listener; }
  onStatePacket(listener) { this.packet = listener; }
  on(push, listener) { this.handlers.set(push.name.split(".")[1], listener); }
  close() {}
  /** For looking at banners: window.driftlightFake.drop() */
  drop() { this.#set({ is: "reconnecting" }); }

  me() {
    return {
      enter: async (name, hue) => {
        Object.assign(this.own, { name, hue, role: "Player" });
        this.attached = { zone: { kind: 1, key: BigInt(this.sector) }, avatar: 1n, generation: 1 };
        this.attach(this.attached);
        const here = SECTORS[this.sector - 1];
        const at = [[0, 800], [800, 0], [0, -800], [-800, 0]];
        const gates = SECTORS.filter((s) => s !== here).slice(0, 4)
          .map((s, i) => ({ x: at[i][0], y: at[i][1], radius: 60, to: 1n, name: s.name, hue: s.hue }));
        this.handlers.get("welcome")?.({ sector: { ...here, halfSize: 1000, gates } });
        setTimeout(() => this.#chatter(), 300);
        setInterval(() => this.packet(), 50);
        return { ok: {} };
      },
      trades: async () => this.#trades(),
      offer: async (ship, give, want) => {
        const other = this.movers.find((mover) => mover.id === ship);
        if (other === undefined) return { err: "NoShip" };
        const trade = { id: { pilot: 1n, number: BigInt(this.fromMe.length + 1) }, with: ship, name: other.name, give, want, leftMs: 30_000, accepted: false };
        this.fromMe.push(trade);
        return { ok: trade };
      },
      accept: async (trade) => {
        const found = this.toMe.find((other) => other.id.number === trade.number);
        if (found === undefined) return { err: "Unknown" };
        this.toMe = this.toMe.map((other) => (other === found ? { ...other, accepted: true } : other));
        return { ok: { trade, goods: found.want } };
      },
      refuse: async (trade) => {
        this.toMe = this.toMe.filter((other) => other.id.number !== trade.number);
        return { ok: { trade, goods: { coins: 0n, ore: [] } } };
      },
      cancel: async (trade) => {
        const found = this.fromMe.find((other) => other.id.number === trade.number);
        if (found === undefined) return { err: "Unknown" };
        this.fromMe = this.fromMe.filter((other) => other !== found);
        return { ok: { trade, goods: found.give } };
      },
      mine: async (crystal) => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        const found = this.movers.find((mover) => mover.id === crystal && mover.role === "Crystal");
        if (found === undefined) return { err: "Gone" };
        found.role = "Spent";
        this.ore = (this.ore ?? 42n) + 3n;
        return { ok: { crystal, ore: 3, hue: Math.floor(found.hue / 60) * 60, total: this.ore, coins: 104n } };
      },
    };
  }

  #trades() {
    const hold = { stacks: [{ hue: 180, amount: 12n }, { hue: 240, amount: 30n }], total: this.ore ?? 42n, crystals: 14n, coins: 103n };
    return { hold, toMe: [...this.toMe], fromMe: [...this.fromMe] };
  }

  /** For looking at offers: window.driftlightFake.offered(give, want) */
  offered(give, want) {
    const number = BigInt(this.toMe.length + 1);
    const trade = { id: { pilot: 9n, number }, with: 9n, name: NAMES[Number(number) % NAMES.length], give, want, leftMs: 30_000, accepted: false };
    this.toMe.push(trade);
    this.handlers.get("trade_came")?.({ trade });
  }

  #chatter() {
    const near = this.movers.filter((m) => m.role === "Player" && Math.hypot(m.x - this.own.x, m.y - this.own.y) < 300);
    const lines = ["anyone near the Aurora gate?", "look at that whale!", "o/"];
    near.slice(0, 3).forEach((m, i) => this.handlers.get("said")?.({ name: m.name, hue: m.hue, text: lines[i] }));
  }

  zone() {
    return {
      steer: (controls) => { this.controls = controls; },
      say: (text) => this.handlers.get("said")?.({ name: this.own.name, hue: this.own.hue, text }),
    };
  }

  tick(now) {
    const seconds = Math.min(0.1, (now - this.before) / 1000);
    this.before = now;
    this.playback.tick += seconds * 20;
    for (const mover of this.movers) mover.step(seconds);
    const own = this.own;
    own.yaw += this.controls.turn * 2.8 * seconds;
    const push = Math.max(0, this.controls.thrust) * 170 * (this.controls.boost ? 2.2 : 1);
    own.vx += (Math.cos(own.yaw) * push - own.vx * 0.6) * seconds;
    own.vy += (Math.sin(own.yaw) * push - own.vy * 0.6) * seconds;
    own.x = Math.max(-1000, Math.min(1000, own.x + own.vx * seconds));
    own.y = Math.max(-1000, Math.min(1000, own.y + own.vy * seconds));
    own.thrust = this.controls.thrust <= 0 ? 0 : this.controls.boost ? 3 : 1;
  }

  get view() {
    const own = this.own;
    const seen = this.movers.filter((m) => Math.hypot(m.x - own.x, m.y - own.y) < RANGE);
    return { entities: () => (this.attached === undefined ? [] : [own, ...seen]) };
  }
}

/** @param {string} text */
export const unhex = (text) => new Uint8Array(text.length / 2);

export function connect() {
  const client = new Client(new URLSearchParams(location.search));
  Object.defineProperty(window, "driftlightFake", { value: client, configurable: true });
  return client;
}
