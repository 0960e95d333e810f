// The library as one long page. The layout of every photo is computed at once; only the photos
// near the window exist as elements, so 50,000 scroll like fifty.

import { Layout } from "./layout.js";
import { getJson } from "./server.js";
import { fillTile, makeTile, TileSource } from "./tiles.js";

const SETTLED_MS = 90; // without scrolling, before details are asked for
const WAITING_MS = 3000; // between looks at photos that are being looked at
const HEADER = 56; // pixels above each month's photos

export class Timeline extends EventTarget {
  #shown = new Map(); // index -> tile
  #sections = new Map(); // group -> {section, list}

  constructor(root, template, seeds) {
    super();
    this.root = root;
    this.template = template;
    this.layout = null;
    this.source = new TileSource(root.dataset.tilesUrl, seeds, (tiles) => this.#arrived(tiles));
    addEventListener("scroll", () => this.#onScroll(), { passive: true });
    new ResizeObserver(() => this.#onResize()).observe(root);
    setInterval(() => this.#lookAgain(), WAITING_MS);
  }

  /** Read the library from the server and show it, keeping the place one is at. */
  async load() {
    const { months } = await getJson(this.root.dataset.monthsUrl);
    if (JSON.stringify(months) !== JSON.stringify(this.months)) this.#show(months);
  }

  /** Photo ids in the page's order. */
  get order() {
    return this.layout?.ids ?? [];
  }

  /** Take photos off the page at once; the server has been told already. */
  remove(ids) {
    const gone = new Set(ids);
    const months = this.months.map((month) => {
      const kept = month.ids.map((id, at) => at).filter((at) => !gone.has(month.ids[at]));
      return { ...month, ids: kept.map((at) => month.ids[at]), ratios: kept.map((at) => month.ratios[at]) };
    });
    this.#show(months.filter((month) => month.ids.length));
  }

  /** Fetch the details of these photos again. */
  refresh(ids) {
    const shown = new Set(this.tiles().map(({ id }) => id));
    return this.source.want(ids.filter((id) => shown.has(id)), { again: true });
  }

  /** The tiles that exist now: [{id, index, tile}]. */
  tiles() {
    return [...this.#shown].map(([index, tile]) => ({ id: this.layout.ids[index], index, tile }));
  }

  tileOf(id) {
    return this.#shown.get(this.layout.ids.indexOf(id));
  }

  /** Scroll so that the photo is in view; returns its tile. */
  reveal(id, { block = "nearest" } = {}) {
    const index = this.layout.ids.indexOf(id);
    if (index < 0) return null;
    const top = this.layout.top[index] + this.#offset();
    const bottom = top + this.layout.height[index];
    const [start, end] = [scrollY + this.#barHeight() + HEADER, scrollY + innerHeight - 80];
    if (block === "center") scrollTo({ top: top - innerHeight / 3 });
    else if (top < start) scrollBy({ top: top - start });
    else if (bottom > end) scrollBy({ top: bottom - end });
    this.render();
    return this.#shown.get(index);
  }

  /** The group whose photos are at the top of the window. */
  get groupInView() {
    const at = scrollY - this.#offset() + this.#barHeight() + 1;
    return this.layout.groups.findLast((group) => group.top <= at) ?? this.layout.groups[0];
  }

  /** Scroll to a fraction (0..1) of the library, or to the top of one of its groups. */
  scrollToFraction(fraction) {
    scrollTo({ top: this.#offset() + fraction * (this.layout.total - innerHeight) });
  }

  scrollToGroup(group) {
    scrollTo({ top: this.#offset() + group.top - this.#barHeight() });
  }

  #show(months) {
    const anchor = this.#anchor();
    const focused = document.activeElement.closest(".tile")?.dataset.id;
    this.months = months;
    this.#clear();
    this.#place();
    this.#return(anchor);
    this.render();
    if (focused) this.tileOf(Number(focused))?.querySelector("a").focus({ preventScroll: true });
    this.dispatchEvent(new Event("layout"));
  }

  #place() {
    const groups = [];
    const [ids, ratios] = [[], []];
    for (const month of this.months) {
      groups.push({ month: month.month, label: monthName(month.month), from: ids.length, to: ids.length + month.ids.length });
      for (const id of month.ids) ids.push(id);
      for (const ratio of month.ratios) ratios.push(ratio / 100);
    }
    const width = this.root.clientWidth;
    this.layout = new Layout(ids, ratios, groups, { width, gap: width < 600 ? 3 : 6, header: HEADER });
    this.root.style.height = `${this.layout.total}px`;
  }

  /** The photo at the top of the window and how far it is from there. */
  #anchor() {
    if (!this.layout?.ids.length || scrollY < this.#offset()) return null;
    const [index] = this.layout.range(scrollY - this.#offset() + this.#barHeight(), Infinity);
    if (index >= this.layout.ids.length) return null;
    return { ids: this.layout.ids.slice(index, index + 500), distance: this.layout.top[index] + this.#offset() - scrollY };
  }

  #return(anchor) {
    const places = anchor && new Map(this.layout.ids.map((id, index) => [id, index]));
    const id = anchor?.ids.find((candidate) => places.has(candidate));
    if (id !== undefined) scrollTo({ top: this.layout.top[places.get(id)] + this.#offset() - anchor.distance });
  }

  /** Make the elements near the window, remove those far from it. */
  render() {
    if (!this.layout) return;
    const start = scrollY - this.#offset();
    const [from, to] = this.layout.range(start - innerHeight, start + 2 * innerHeight);
    for (const [index, tile] of this.#shown) {
      if (index < from || index >= to) {
        tile.remove();
        this.#shown.delete(index);
      }
    }
    this.#dropEmptySections();
    for (let index = to - 1; index >= from; index--) {
      if (!this.#shown.has(index)) this.#add(index);
    }
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.source.want(this.tiles().map(({ id }) => id)), SETTLED_MS);
    this.dispatchEvent(new Event("render"));
  }

  #add(index) {
    const id = this.layout.ids[index];
    const tile = makeTile(this.template, id);
    const details = this.source.get(id);
    if (details) fillTile(tile, details);
    const group = this.layout.groupOf(index);
    this.#moveTo(tile, index, group);
    const next = index + 1 < group.to ? this.#shown.get(index + 1) : null;
    this.#sectionOf(group).list.insertBefore(tile, next ?? null);
    this.#shown.set(index, tile);
  }

  #moveTo(tile, index, group) {
    const { left, top, width, height } = this.layout;
    tile.style.left = `${left[index]}px`;
    tile.style.top = `${top[index] - group.top}px`;
    tile.style.width = `${width[index]}px`;
    tile.style.height = `${height[index]}px`;
  }

  #sectionOf(group) {
    const known = this.#sections.get(group);
    if (known) return known;
    const section = document.createElement("section");
    section.className = "month";
    section.style.top = `${group.top}px`;
    section.style.height = `${group.height}px`;
    const heading = document.createElement("h2");
    heading.append(group.label, this.#pickButton(group));
    const list = document.createElement("ol");
    section.append(heading, list);
    const later = this.layout.groups.slice(this.layout.groups.indexOf(group) + 1).find((other) => this.#sections.has(other));
    this.root.insertBefore(section, later ? this.#sections.get(later).section : null);
    const made = { section, list };
    this.#sections.set(group, made);
    return made;
  }

  #pickButton(group) {
    const button = document.createElement("button");
    button.className = "month-pick";
    button.type = "button";
    button.textContent = "Select";
    button.setAttribute("aria-label", `Select ${group.label}`);
    button.addEventListener("click", () => {
      const ids = this.layout.ids.slice(group.from, group.to);
      this.dispatchEvent(new CustomEvent("pick", { detail: ids }));
    });
    return button;
  }

  #dropEmptySections() {
    for (const [group, { section, list }] of this.#sections) {
      if (list.firstElementChild) continue;
      section.remove();
      this.#sections.delete(group);
    }
  }

  #clear() {
    this.root.replaceChildren();
    this.#shown.clear();
    this.#sections.clear();
  }

  #arrived(tiles) {
    const elements = new Map(this.tiles().map(({ id, tile }) => [id, tile]));
    for (const details of tiles) {
      const tile = elements.get(details.id);
      if (tile) fillTile(tile, details);
    }
  }

  #lookAgain() {
    if (document.hidden || !this.layout) return;
    const waiting = this.tiles().filter(({ tile }) => tile.dataset.state === "waiting");
    if (waiting.length) this.source.want(waiting.map(({ id }) => id), { again: true });
  }

  #onScroll() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.render());
  }

  #onResize() {
    if (this.layout && this.root.clientWidth !== this.layout.pageWidth) this.#show(this.months);
  }

  #offset() {
    return this.root.offsetTop;
  }

  #barHeight() {
    return document.querySelector(".top-bar").offsetHeight;
  }
}

/** "2026-11" as "November 2026". */
function monthName(month) {
  const date = new Date(`${month}-01T00:00:00Z`);
  return date.toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" });
}
