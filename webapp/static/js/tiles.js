// Tiles: a photo's place in a grid, and where its details come from.

import { getJson } from "./server.js";

const BATCH = 100; // tiles in one request
const KEPT = 3000; // details remembered, of photos seen last

/** A tile element for the photo, made from the page's template; its details follow later. */
export function makeTile(template, id) {
  const tile = template.content.firstElementChild.cloneNode(true);
  tile.dataset.id = id;
  const [link, box] = [tile.querySelector("a"), tile.querySelector("input")];
  link.id = `photo-${id}`;
  link.href = `/photos/${id}/`;
  link.tabIndex = box.tabIndex = -1;
  box.value = id;
  return tile;
}

/** Show the photo's details in its tile. */
export function fillTile(tile, details) {
  tile.dataset.state = details.state;
  tile.classList.toggle("is-favourite", details.is_favourite);
  tile.querySelector("a").href = details.url;
  tile.querySelector("input").setAttribute("aria-label", `Select: ${details.alt}`);
  const image = tile.querySelector("img");
  const words = tile.querySelector(".tile-waiting");
  image.hidden = !details.thumbnail;
  words.hidden = Boolean(details.thumbnail);
  words.textContent = details.state === "failed" ? "Set aside" : "Being looked at";
  tile.querySelector("a").setAttribute("aria-label", words.hidden ? "" : `${details.alt}: ${words.textContent}`);
  if (words.hidden) tile.querySelector("a").removeAttribute("aria-label");
  showStack(tile.querySelector(".tile-stack"), details.stack_size);
  image.alt = details.alt;
  image.lang = details.lang || document.documentElement.lang;
  if (details.thumbnail) showImage(image, details.thumbnail, details.placeholder);
}

/** How many photos are behind the tile. */
function showStack(badge, size) {
  badge.hidden = !size;
  badge.title = `${size} photos in this stack`;
  badge.querySelector("span").textContent = size || "";
}

/** The tiny placeholder first, then the thumbnail over it. */
export function showImage(image, source, placeholder) {
  if (placeholder) image.style.backgroundImage = `url("${placeholder}")`;
  image.addEventListener("error", () => image.classList.add("is-missing"), { once: true });
  if (source && image.getAttribute("src") !== source) image.src = source;
}

/** Fetches details of photos in batches and remembers them. */
export class TileSource {
  #known = new Map();
  #asked = new Set();

  constructor(url, seeds, onArrival) {
    this.url = url;
    this.onArrival = onArrival;
    for (const details of seeds) this.#known.set(details.id, details);
  }

  get(id) {
    return this.#known.get(id);
  }

  /** Ask for what is not known yet of `ids`; `again` asks for all of them. */
  async want(ids, { again = false } = {}) {
    const missing = ids.filter((id) => (again || !this.#known.has(id)) && !this.#asked.has(id));
    const batches = [];
    for (let at = 0; at < missing.length; at += BATCH) batches.push(missing.slice(at, at + BATCH));
    await Promise.all(batches.map((batch) => this.#fetch(batch)));
  }

  async #fetch(ids) {
    ids.forEach((id) => this.#asked.add(id));
    try {
      const { tiles } = await getJson(`${this.url}?photos=${ids.join(",")}`);
      tiles.forEach((details) => this.#remember(details));
      this.onArrival(tiles);
    } catch {
      // Scrolling asks again; a lost connection needs no message for each batch.
    } finally {
      ids.forEach((id) => this.#asked.delete(id));
    }
  }

  #remember(details) {
    this.#known.delete(details.id);
    this.#known.set(details.id, details);
    if (this.#known.size > KEPT) this.#known.delete(this.#known.keys().next().value);
  }
}
