// @ts-check
/**
 * Small charts on canvases.
 *
 * Responsible for: lines over time, stacked bars, histograms; sharp on every screen. Not responsible for: where values come from.
 */

import { h } from "./dom.js";

/** Colours in the order in which they are used: told apart by the colour-blind, alike in brightness. */
export const COLOURS = ["#93a9ff", "#5fd3a2", "#eeb35a", "#e884b8", "#66c7e8", "#b792f2", "#c3d464", "#ff8a66"];

const INK = "#5d6883";
const LINE = "#20273a";
const FONT = "11px Inter, 'Segoe UI', 'DejaVu Sans', system-ui, sans-serif";

/**
 * A canvas that is drawn anew with what it is given.
 * @param {number} height
 * @param {string} label what it shows, for who cannot see it
 */
export function surface(height, label) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas.chart", { role: "img", "aria-label": label }));
  canvas.style.height = `${height}px`;
  /**
   * Its context, scaled to the screen, with nothing on it; `undefined` while it is not shown.
   * @returns {{pen: CanvasRenderingContext2D, width: number, height: number} | undefined}
   */
  const begin = () => {
    const width = canvas.clientWidth;
    const ratio = devicePixelRatio;
    const pen = canvas.getContext("2d");
    if (pen === null || width === 0) return undefined;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = FONT;
    return { pen, width, height };
  };
  return { canvas, begin };
}

/**
 * The next round number above a value: 1, 2 or 5 of a power of ten.
 * @param {number} value
 */
export function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((step) => step * power >= value) ?? 10;
  return step * power;
}

/**
 * Lines over the last seconds, the newest at the right.
 * @param {number} height
 * @param {string} label
 * @param {(value: number) => string} words
 * @param {(value: number) => number} [up] the next round number
 */
export function lines(height, label, words, up = roundUp) {
  const { canvas, begin } = surface(height, label);
  let top = 1;
  /**
   * @param {{values: (number | undefined)[], colour: string, fill?: boolean}[]} series all of one length
   */
  const draw = (series) => {
    const drawn = begin();
    if (drawn === undefined) return;
    const { pen, width } = drawn;
    const greatest = Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
    const wanted = up(greatest * 1.05);
    // It grows at once and shrinks only when much of it is empty, so that it does not flicker.
    if (wanted > top || wanted < top / 4) top = wanted;
    const [left, bottom] = [0, height - 4];
    const y = (/** @type {number} */ value) => bottom - (value / top) * (bottom - 14);
    pen.strokeStyle = LINE;
    pen.fillStyle = INK;
    pen.lineWidth = 1;
    for (const part of [0, 0.5, 1]) {
      const at = Math.round(y(top * part)) + 0.5;
      pen.beginPath();
      pen.moveTo(left, at);
      pen.lineTo(width, at);
      pen.stroke();
      if (part > 0) pen.fillText(words(top * part), left + 2, at - 3);
    }
    for (const { values, colour, fill } of series) {
      const step = width / Math.max(1, values.length - 1);
      pen.beginPath();
      let first = -1;
      values.forEach((value, at) => {
        if (value === undefined) return;
        if (first < 0) pen.moveTo(at * step, y(value));
        else pen.lineTo(at * step, y(value));
        if (first < 0) first = at;
      });
      pen.strokeStyle = colour;
      pen.lineWidth = 1.6;
      pen.lineJoin = "round";
      pen.stroke();
      if (fill === true && first >= 0) {
        pen.lineTo(width, bottom);
        pen.lineTo(first * step, bottom);
        pen.closePath();
        pen.globalAlpha = 0.12;
        pen.fillStyle = colour;
        pen.fill();
        pen.globalAlpha = 1;
      }
    }
  };
  return { canvas, draw };
}

/**
 * Bars beside each other, with words under some of them.
 * @param {number} height
 * @param {string} label
 */
export function bars(height, label) {
  const { canvas, begin } = surface(height, label);
  /**
   * @param {{value: number, colour: string, under?: string}[]} given
   */
  const draw = (given) => {
    const drawn = begin();
    if (drawn === undefined) return;
    const { pen, width } = drawn;
    const bottom = height - 18;
    const top = Math.max(1e-9, ...given.map((bar) => bar.value));
    const step = width / Math.max(1, given.length);
    pen.textAlign = "center";
    given.forEach(({ value, colour, under }, at) => {
      const tall = value <= 0 ? 0 : Math.max(2, (value / top) * (bottom - 6));
      pen.fillStyle = value <= 0 ? LINE : colour;
      pen.beginPath();
      pen.roundRect(at * step + 1.5, bottom - Math.max(tall, 1), Math.max(1, step - 3), Math.max(tall, 1), [3, 3, 0, 0]);
      pen.fill();
      if (under !== undefined) {
        pen.fillStyle = INK;
        pen.fillText(under, Math.min(Math.max((at + 0.5) * step, 14), width - 14), height - 4);
      }
    });
    pen.textAlign = "left";
  };
  return { canvas, draw };
}

/**
 * One bar whose parts stand one after the other, against a whole.
 * @param {number} height
 * @param {string} label
 */
export function parts(height, label) {
  const { canvas, begin } = surface(height, label);
  /**
   * @param {{value: number, colour: string}[]} given
   * @param {number} whole
   */
  const draw = (given, whole) => {
    const drawn = begin();
    if (drawn === undefined) return;
    const { pen, width } = drawn;
    pen.fillStyle = LINE;
    pen.beginPath();
    pen.roundRect(0, 0, width, height, 4);
    pen.fill();
    pen.save();
    pen.clip();
    let at = 0;
    for (const { value, colour } of given) {
      const wide = (value / Math.max(whole, 1e-9)) * width;
      pen.fillStyle = colour;
      pen.fillRect(at, 0, wide, height);
      at += wide;
    }
    pen.restore();
  };
  return { canvas, draw };
}
