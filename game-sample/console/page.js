// @ts-check
/** The sectors of Driftlight: who is there, and what is left to mine. */

/**
 * @param {HTMLElement} root
 * @param {any} tools
 */
export function mount(root, { h, table, whole, numbers }) {
  const list = table([{ title: "Sector" }, { title: "Pilots", number: true }, { title: "Ships", number: true }, { title: "Adrift", number: true }, { title: "Crystals", number: true }, { title: "Drifters", number: true }, { title: "Room" }], "No sector runs.");
  root.append(h("p.lead", null, "Ships that nobody flies drift on for a while. A crystal that was mined grows again elsewhere."), h("section.panel", null, h("h2", null, "Sectors"), list.element));
  numbers((/** @type {any} */ { sectors }) => list.show(sectors.map((/** @type {any} */ sector) => {
    const fill = h("i");
    fill.style.transform = `scaleX(${Math.min(1, (sector.ships ?? 0) / sector.room).toFixed(3)})`;
    const name = h("b.sector", null, sector.name);
    name.style.setProperty("--h", sector.hue);
    const count = (/** @type {number | null} */ value) => (value === null ? "…" : whole(value));
    return { id: sector.name, cells: [name, whole(sector.pilots), count(sector.ships), count(sector.adrift), count(sector.crystals), count(sector.drifters), h("span.meter", { title: `room for ${sector.room} ships` }, fill)] };
  })));
}
