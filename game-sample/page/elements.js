// @ts-check
/**
 * Finding the page's elements and changing them only when something changed.
 *
 * Responsible for: typed look-up by id, text and class changes without needless layout. Not responsible for: what they say.
 */

/**
 * The element with this id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{new (): T, prototype: T}} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return found;
}

/**
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} node
 * @param {boolean} shown
 */
export function setShown(node, shown) {
  node.classList.toggle("hidden", !shown);
}
