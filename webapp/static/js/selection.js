// Selecting photos: checkboxes, shift for a range, a long press on touch, keys. Works on any grid
// that has `root`, `order` (ids), `layout`, `tiles()`, `tileOf(id)` and `reveal(id)`.

const LONG_PRESS_MS = 450;
const STEADY_PX = 10; // a finger that moves further scrolls

export class Selection extends EventTarget {
  ids = new Set();
  #anchor = null; // where a range begins
  #current = null; // the photo that Tab leads to
  #pressed = false; // a long press was just made: its click is not one

  constructor(grid) {
    super();
    this.grid = grid;
    this.#listen(grid.root);
    grid.addEventListener("render", () => this.paint());
    grid.addEventListener("pick", (event) => this.toggleAll(event.detail));
  }

  toggle(id) {
    if (!this.ids.delete(id)) this.ids.add(id);
    this.#anchor = id;
    this.#changed();
  }

  /** Select everything from the last toggled photo to this one. */
  extendTo(id) {
    const { order } = this.grid;
    const [a, b] = [order.indexOf(this.#anchor ?? id), order.indexOf(id)];
    if (a < 0 || b < 0) return;
    order.slice(Math.min(a, b), Math.max(a, b) + 1).forEach((each) => this.ids.add(each));
    this.#changed();
  }

  /** Select these photos, or none of them where all are selected already. */
  toggleAll(ids) {
    const areAll = ids.every((id) => this.ids.has(id));
    ids.forEach((id) => (areAll ? this.ids.delete(id) : this.ids.add(id)));
    this.#changed();
  }

  all() {
    this.ids = new Set(this.grid.order);
    this.#changed();
  }

  clear() {
    this.ids.clear();
    this.#anchor = null;
    this.#changed();
  }

  /** Show on the tiles that exist what is selected and which of them Tab leads to. */
  paint() {
    const tiles = this.grid.tiles();
    if (tiles.length && !tiles.some(({ id }) => id === this.#current)) {
      this.#current = (tiles.find(({ tile }) => isInView(tile)) ?? tiles[0]).id;
    }
    for (const { id, tile } of tiles) {
      const box = tile.querySelector("input");
      box.checked = this.ids.has(id);
      tile.classList.toggle("is-selected", box.checked);
      box.tabIndex = tile.querySelector("a").tabIndex = id === this.#current ? 0 : -1;
    }
  }

  #changed() {
    this.grid.root.classList.toggle("is-selecting", this.ids.size > 0);
    this.paint();
    this.dispatchEvent(new Event("change"));
  }

  #listen(root) {
    root.addEventListener("click", (event) => this.#onClick(event));
    root.addEventListener("pointerdown", (event) => this.#onPointerDown(event));
    root.addEventListener("contextmenu", (event) => { if (this.#pressed) event.preventDefault(); });
    root.addEventListener("focusin", (event) => {
      const id = idOf(event.target);
      if (id !== null && id !== this.#current) { this.#current = id; this.paint(); }
    });
    root.addEventListener("keydown", (event) => this.#onGridKey(event));
    document.addEventListener("keydown", (event) => this.#onPageKey(event));
  }

  #onClick(event) {
    const id = idOf(event.target);
    if (id === null) return;
    if (this.#pressed) {
      event.preventDefault();
      this.#pressed = false;
      return;
    }
    const isBox = event.target.matches("input");
    if (!isBox && (!this.ids.size || event.ctrlKey || event.metaKey)) return;
    if (!isBox) event.preventDefault();
    if (event.shiftKey && this.#anchor !== null) this.extendTo(id);
    else this.toggle(id);
  }

  #onPointerDown(event) {
    const id = idOf(event.target);
    this.#pressed = false;
    if (event.pointerType !== "touch" || id === null || this.ids.size) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      stop.abort();
      this.#pressed = true;
      navigator.vibrate?.(12);
      this.toggle(id);
    }, LONG_PRESS_MS);
    stop.signal.addEventListener("abort", () => clearTimeout(timer));
    const { signal } = stop;
    for (const end of ["pointerup", "pointercancel", "scroll"]) addEventListener(end, () => stop.abort(), { signal, capture: true });
    addEventListener("pointermove", (move) => {
      if (Math.hypot(move.clientX - event.clientX, move.clientY - event.clientY) > STEADY_PX) stop.abort();
    }, { signal });
  }

  #onGridKey(event) {
    const id = idOf(event.target);
    if (id === null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "x") this.toggle(id);
    else if (/^Arrow|^Home$|^End$/.test(event.key)) this.#move(event, id);
    else if (event.key === "Enter" && event.target.matches("input")) event.target.closest("li").querySelector("a").click();
    else return;
    event.preventDefault();
  }

  #move(event, id) {
    const { layout } = this.grid;
    const next = layout.ids[layout.beside(layout.ids.indexOf(id), event.key)];
    if (event.shiftKey) {
      this.#anchor ??= id;
      this.extendTo(next);
    }
    this.focus(next);
  }

  focus(id) {
    this.#current = id;
    const tile = this.grid.reveal(id);
    this.paint();
    tile?.querySelector("a").focus({ preventScroll: true });
  }

  #onPageKey(event) {
    if (event.target.closest("input:not([type=checkbox]), textarea, dialog")) return;
    if (document.querySelector(":popover-open")) return; // Escape closes that first
    if (event.key === "Escape" && this.ids.size) this.clear();
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.all();
    else return;
    event.preventDefault();
  }
}

function idOf(target) {
  const tile = target.closest(".tile");
  return tile ? Number(tile.dataset.id) : null;
}

function isInView(tile) {
  const box = tile.getBoundingClientRect();
  return box.top >= 60 && box.top < innerHeight;
}
