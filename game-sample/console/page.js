// @ts-check
/** The sectors of Driftlight: who is there, and what is left to mine. */

/**
 * @param {HTMLElement} root
 * @param {any} tools
 */
export function mount(root, { h, table, whole, numbers }) {
  const columns = [{ title: "Sector" }, ...["Pilots", "Ships", "Crystals", "Drifters"].map((title) => ({ title, number: true })), { title: "Room" }];
  const list = table(columns, "No sector runs.");
  root.append(h("section.panel", null, h("h2", null, "Sectors"), list.element));
  numbers((/** @type {any[]} */ sectors) => list.show(sectors.map(([name, hue, room, ...counts]) => {
    const [title, fill] = [h("b.sector", null, name), h("i")];
    title.style.setProperty("--h", hue);
    fill.style.transform = `scaleX(${Math.min(1, (counts[1] ?? 0) / room).toFixed(3)})`;
    return { id: name, cells: [title, ...counts.map((/** @type {number | null} */ count) => (count === null ? "…" : whole(count))), h("span.meter", { title: `room for ${room} ships` }, fill)] };
  })));
}
