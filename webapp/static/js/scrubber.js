// The date scrubber at the right edge: the whole library's time in the height of the window.

const LABEL_GAP = 22; // pixels between year labels at least
const RESTING_MS = 2000; // without scrolling, before it fades

export class Scrubber {
  constructor(element, timeline) {
    Object.assign(this, { element, timeline });
    this.bubble = part("scrubber-bubble");
    this.thumb = part("scrubber-thumb");
    this.years = part("scrubber-years");
    element.append(this.years, this.thumb, this.bubble);
    timeline.addEventListener("layout", () => this.#draw());
    timeline.addEventListener("render", () => this.#follow());
    this.#listen();
  }

  #listen() {
    const { element } = this;
    element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      element.setPointerCapture(event.pointerId);
      element.classList.add("is-dragged");
      this.#jump(event);
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) this.#jump(event);
      this.#tell(this.#fraction(event));
    });
    element.addEventListener("pointerup", () => element.classList.remove("is-dragged"));
    element.addEventListener("pointercancel", () => element.classList.remove("is-dragged"));
    element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #fraction(event) {
    const box = this.element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
  }

  #jump(event) {
    this.timeline.scrollToFraction(this.#fraction(event));
  }

  #tell(fraction) {
    const { layout } = this.timeline;
    const group = layout.groups.findLast(({ top }) => top <= fraction * layout.total) ?? layout.groups[0];
    this.bubble.textContent = group.label;
    this.bubble.style.top = `${fraction * 100}%`;
  }

  #onKey(event) {
    const { groups } = this.timeline.layout;
    const here = groups.indexOf(this.timeline.groupInView);
    const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.timeline.scrollToGroup(groups[Math.min(groups.length - 1, Math.max(0, here + step))]);
  }

  /** Years beside their photos, those that have room. */
  #draw() {
    const { layout } = this.timeline;
    this.element.hidden = layout.total < 2 * innerHeight;
    this.element.setAttribute("aria-valuemin", 0);
    this.element.setAttribute("aria-valuemax", Math.max(0, layout.groups.length - 1));
    const height = this.element.clientHeight;
    let [year, below] = ["", -LABEL_GAP];
    this.years.replaceChildren();
    for (const group of layout.groups) {
      const at = (group.top / layout.total) * height;
      const isNew = group.month.slice(0, 4) !== year;
      year = group.month.slice(0, 4);
      if (!isNew || at - below < LABEL_GAP || at > height - LABEL_GAP) continue;
      below = at;
      const label = part("scrubber-year");
      label.textContent = year;
      label.style.top = `${at}px`;
      this.years.append(label);
    }
  }

  #follow() {
    const { layout, root } = this.timeline;
    const fraction = Math.min(1, Math.max(0, (scrollY - root.offsetTop) / Math.max(1, layout.total - innerHeight)));
    this.thumb.style.top = `${fraction * 100}%`;
    const group = this.timeline.groupInView;
    if (!group) return;
    this.element.setAttribute("aria-valuenow", layout.groups.indexOf(group));
    this.element.setAttribute("aria-valuetext", group.label);
    if (!this.element.matches(":hover")) this.#tell(fraction);
    if (scrollY === this.scrolledTo) return; // drawn anew, but nobody scrolled
    const isFirst = this.scrolledTo === undefined;
    this.scrolledTo = scrollY;
    if (isFirst) return;
    this.element.classList.add("is-moving");
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.element.classList.remove("is-moving"), RESTING_MS);
  }
}

function part(className) {
  const made = document.createElement("span");
  made.className = className;
  made.setAttribute("aria-hidden", "true");
  return made;
}
