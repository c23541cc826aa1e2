// @ts-check
/**
 * Colours by hue.
 *
 * Responsible for: turning hues (degrees) into CSS colours and RGB triples. Not responsible for: which hue a thing has.
 */

/**
 * @param {number} hue degrees
 * @param {number} saturation percent
 * @param {number} lightness percent
 * @param {number} [alpha] 0 to 1
 */
export function hsl(hue, saturation, lightness, alpha = 1) {
  return `hsl(${((hue % 360) + 360) % 360} ${saturation}% ${lightness}% / ${alpha})`;
}

/**
 * The RGB values (0 to 255) of a colour.
 * @param {number} hue degrees
 * @param {number} saturation 0 to 1
 * @param {number} lightness 0 to 1
 * @returns {[number, number, number]}
 */
export function rgb(hue, saturation, lightness) {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  /** @param {number} n */
  const channel = (n) => {
    const k = (n + ((hue % 360) + 360) / 30) % 12;
    return 255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Sprites are drawn once per step of hue; finer differences cannot be seen. */
const HUE_STEP = 12;

/**
 * The hue that sprites are cached under.
 * @param {number} hue degrees
 */
export function steppedHue(hue) {
  return (Math.round(hue / HUE_STEP) * HUE_STEP) % 360;
}
