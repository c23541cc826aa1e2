// @ts-check
/**
 * Noise and repeatable chance for things that must look the same in every page.
 *
 * Responsible for: a seeded generator, a hash of numbers, smooth noise in layers. Not responsible for: what is drawn with it.
 */

/**
 * A generator of numbers in [0, 1), equal for equal seeds (mulberry32).
 * @param {number} seed
 * @returns {() => number}
 */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A number of [0, 1) for an entity, always the same one.
 * @param {bigint} id
 */
export function chanceOf(id) {
  return seeded(Number(id & 0xffff_ffffn) ^ Number((id >> 32n) & 0xffff_ffffn))();
}

/**
 * Smooth noise of [0, 1] over the plane.
 * @param {number} seed
 * @returns {(x: number, y: number) => number}
 */
export function smoothNoise(seed) {
  const size = 256;
  const random = seeded(seed);
  const lattice = new Float32Array(size * size);
  for (let i = 0; i < lattice.length; i += 1) lattice[i] = random();
  /** @param {number} x @param {number} y */
  const at = (x, y) => /** @type {number} */ (lattice[((y & 255) << 8) | (x & 255)]);
  return (x, y) => {
    const left = Math.floor(x);
    const top = Math.floor(y);
    const u = ease(x - left);
    const v = ease(y - top);
    const upper = at(left, top) * (1 - u) + at(left + 1, top) * u;
    const lower = at(left, top + 1) * (1 - u) + at(left + 1, top + 1) * u;
    return upper * (1 - v) + lower * v;
  };
}

/**
 * Noise in octaves, each half as strong and about twice as fine as the one before.
 * @param {(x: number, y: number) => number} noise
 * @param {number} x
 * @param {number} y
 * @param {number} octaves
 */
export function layered(noise, x, y, octaves) {
  let sum = 0;
  let weight = 0.5;
  let total = 0;
  for (let i = 0; i < octaves; i += 1) {
    sum += noise(x, y) * weight;
    total += weight;
    weight *= 0.5;
    // The odd factor and shift keep the lattices of two octaves from lining up.
    x = x * 2.03 + 17.1;
    y = y * 2.03 + 9.7;
  }
  return sum / total;
}

/** @param {number} t */
function ease(t) {
  return t * t * (3 - 2 * t);
}
