// @ts-check
/**
 * Goods: coins and ore, as words and as small signs.
 *
 * Responsible for: the colours that ore has, saying what goods are, whether a hold has them. Not responsible for: the hold itself
 * (`hold.js`, `purse.js`).
 */

/** @typedef {import("./contracts.js").Goods} Goods */
/** @typedef {import("./contracts.js").Hold} Hold */

/** Colours that ore has, degrees, and what people call them. */
export const ORES = new Map([[0, "red"], [60, "yellow"], [120, "green"], [180, "cyan"], [240, "blue"], [300, "violet"]]);

/**
 * Goods as signs: a disc for coins, a lozenge of its colour for ore.
 * @param {Goods} goods
 * @returns {HTMLElement[]}
 */
export function signs(goods) {
  const made = goods.ore.map((stack) => sign("ore-sign", stack.amount, `${stack.amount} ${ORES.get(stack.hue) ?? "strange"} ore`, stack.hue));
  if (goods.coins > 0n) made.unshift(sign("coin-sign", goods.coins, coinWords(goods.coins)));
  return made.length > 0 ? made : [plain("nothing")];
}

/**
 * @param {string} kind
 * @param {bigint} amount
 * @param {string} title
 * @param {number} [hue]
 */
function sign(kind, amount, title, hue) {
  const made = document.createElement("span");
  made.className = kind;
  made.title = title;
  made.textContent = String(amount);
  if (hue !== undefined) made.style.setProperty("--h", String(hue));
  return made;
}

/** @param {string} text */
function plain(text) {
  const made = document.createElement("span");
  made.className = "no-goods";
  made.textContent = text;
  return made;
}

/** @param {bigint} coins */
function coinWords(coins) {
  return coins === 1n ? "1 coin" : `${coins} coins`;
}

/**
 * Goods in a sentence.
 * @param {Goods} goods
 * @returns {string}
 */
export function words(goods) {
  const ore = goods.ore.reduce((sum, stack) => sum + stack.amount, 0n);
  const parts = [];
  if (goods.coins > 0n) parts.push(coinWords(goods.coins));
  if (ore > 0n) parts.push(`${ore} ore`);
  return parts.length > 0 ? parts.join(" and ") : "nothing";
}

/**
 * Whether all of it is in a hold.
 * @param {Hold} hold
 * @param {Goods} goods
 */
export function has(hold, goods) {
  const amount = (/** @type {number} */ hue) => hold.stacks.find((stack) => stack.hue === hue)?.amount ?? 0n;
  return goods.coins <= hold.coins && goods.ore.every((stack) => stack.amount <= amount(stack.hue));
}
