// A grid that the server rendered (search, trash, similar photos), laid out in justified rows.

import { Layout } from "./layout.js";
import { showImage } from "./tiles.js";

const REASONS = 26; // pixels for a line of words under each photo

export class Grid extends EventTarget {
  reloads = true; // what it shows is up to the server

  constructor(root) {
    super();
    this.root = root;
    new ResizeObserver(() => this.#place()).observe(root);
    this.read();
  }

  /** Take up the tiles that the list has now. */
  read() {
    this.elements = [...this.root.querySelectorAll(".tile")];
    this.byId = new Map(this.elements.map((tile) => [Number(tile.dataset.id), tile]));
    for (const tile of this.elements) {
      const image = tile.querySelector("img");
      if (image) showImage(image, null, image.dataset.placeholder);
    }
    this.#place(true);
  }

  get order() {
    return [...this.byId.keys()];
  }

  tiles() {
    return [...this.byId].map(([id, tile], index) => ({ id, index, tile }));
  }

  tileOf(id) {
    return this.byId.get(id);
  }

  reveal(id) {
    const tile = this.byId.get(id);
    tile?.scrollIntoView({ block: "nearest" });
    return tile;
  }

  remove(ids) {
    ids.forEach((id) => this.byId.get(id)?.remove());
    this.read();
    if (!this.elements.length) location.reload(); // the server knows what an empty page says
  }

  async refresh() {
    location.reload();
  }

  async load() {
    location.reload();
  }

  #place(force = false) {
    const width = this.root.clientWidth;
    if (!width || (!force && width === this.layout?.pageWidth)) return;
    const ratios = this.elements.map((tile) => ratioOf(tile.dataset.ratio));
    const extra = this.root.classList.contains("has-reasons") ? REASONS : 0;
    const groups = [{ from: 0, to: ratios.length }];
    this.layout = new Layout(this.order, ratios, groups, { width, extra, gap: width < 600 ? 4 : 8 });
    this.root.classList.add("is-placed");
    this.root.style.height = `${this.layout.total}px`;
    this.elements.forEach((tile, index) => this.#moveTo(tile, index));
    this.dispatchEvent(new Event("render"));
  }

  #moveTo(tile, index) {
    const { left, top, width, height, extra } = this.layout;
    tile.style.left = `${left[index]}px`;
    tile.style.top = `${top[index]}px`;
    tile.style.width = `${width[index]}px`;
    tile.style.height = `${height[index] + extra}px`;
  }
}

/** "4:3" as 4 / 3. */
function ratioOf(text) {
  const [width, height] = text.split(":").map(Number);
  return width / Math.max(1, height);
}
