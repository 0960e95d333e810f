// The justified layout: rows of equal width, each photo whole, nothing measured from the page.
// Positions of 50,000 photos are known before any of them is loaded, so nothing ever jumps.

const NARROWEST = 0.55; // width / height; beyond these a photo is cropped in the grid
const WIDEST = 2.8;

/** Height that rows aim at, pixels: some two photos across a phone, six across a desktop. */
export const rowHeight = (width) => Math.min(220, Math.round(95 + width * 0.09));

/**
 * Places photos in the order given.
 *
 * `groups` are [{from, to}] index ranges, each beginning a new row under `header` pixels;
 * `extra` pixels are kept free under each row for words. Afterwards `left`, `top`, `width` and
 * `height` hold pixels by index, each group has `top` and `height`, and `top` never decreases.
 */
export class Layout {
  constructor(ids, ratios, groups, { width, gap, header = 0, extra = 0, target = rowHeight(width) }) {
    Object.assign(this, { ids, groups, gap, extra, target, pageWidth: width });
    for (const name of ["left", "top", "width", "height"]) this[name] = new Float32Array(ids.length);
    this.total = 0;
    for (const group of groups) this.#place(group, ratios, header);
  }

  #place(group, ratios, header) {
    group.top = this.total;
    let top = this.total + header;
    for (let at = group.from; at < group.to; ) {
      const row = this.#row(ratios, at, group.to);
      this.#placeRow(ratios, row, top);
      top += row.height + this.extra + this.gap;
      at = row.to;
    }
    this.total = top;
    group.height = top - group.top;
  }

  /** The row that begins at `from`: taken as long as that brings it closer to the target height. */
  #row(ratios, from, end) {
    let sum = 0;
    let before = Infinity; // height without the photo looked at
    for (let to = from + 1; to <= end; to++) {
      sum += clamp(ratios[to - 1]);
      const height = (this.pageWidth - this.gap * (to - from - 1)) / sum;
      if (height > this.target) { before = height; continue; }
      const isCloser = this.target - height <= before - this.target || to - from === 1;
      return isCloser ? { from, to, height: Math.round(height), full: true }
        : { from, to: to - 1, height: Math.round(before), full: true };
    }
    return { from, to: end, height: Math.min(this.target, Math.round(before)), full: false };
  }

  #placeRow(ratios, { from, to, height, full }, top) {
    let left = 0;
    for (let index = from; index < to; index++) {
      const isLast = full && index === to - 1;
      const width = isLast ? this.pageWidth - left : Math.round(clamp(ratios[index]) * height);
      this.left[index] = left;
      this.top[index] = top;
      this.width[index] = width;
      this.height[index] = height;
      left += width + this.gap;
    }
  }

  /** Index range [from, to) of photos that touch the pixels from `start` to `end`. */
  range(start, end) {
    const from = this.#first((index) => this.top[index] + this.height[index] >= start);
    const to = this.#first((index) => this.top[index] > end);
    return [from, to];
  }

  #first(isPast) {
    let low = 0;
    let high = this.ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isPast(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The index an arrow key leads to from `index`; the same one where there is no further. */
  beside(index, key) {
    const last = this.ids.length - 1;
    if (key === "ArrowLeft") return Math.max(0, index - 1);
    if (key === "ArrowRight") return Math.min(last, index + 1);
    if (key === "Home") return 0;
    if (key === "End") return last;
    return this.#acrossRows(index, key === "ArrowDown" ? 1 : -1);
  }

  #acrossRows(index, step) {
    const middle = this.left[index] + this.width[index] / 2;
    let at = index;
    while (this.ids[at] !== undefined && this.top[at] === this.top[index]) at += step;
    if (this.ids[at] === undefined) return index;
    const row = this.top[at];
    let best = at;
    for (; this.ids[at] !== undefined && this.top[at] === row; at += step) {
      if (this.#distance(at, middle) < this.#distance(best, middle)) best = at;
    }
    return best;
  }

  #distance(index, x) {
    return Math.abs(this.left[index] + this.width[index] / 2 - x);
  }

  groupOf(index) {
    return this.groups.find((group) => index < group.to);
  }
}

const clamp = (ratio) => Math.min(WIDEST, Math.max(NARROWEST, ratio));
