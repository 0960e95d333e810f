// The search box completes what is typed: a combobox with a list (ARIA 1.2). Without scripts, or
// while the server does not answer, it is a plain search field.

import { getJson } from "./server.js";

const WAIT_MS = 80; // after the last key

/** Chips above the results: Delete removes the one that has the focus. */
document.addEventListener("keydown", (event) => {
  const chip = ["Delete", "Backspace"].includes(event.key) && event.target.closest(".query-chip");
  if (chip) chip.querySelector(".query-chip-remove").click();
});

export function completeSearches() {
  for (const input of document.querySelectorAll("[data-completions]")) new Completions(input);
}

class Completions {
  constructor(input) {
    this.input = input;
    this.list = document.createElement("ul");
    this.asked = 0;
    this.chosen = -1;
    this.prepare();
    input.addEventListener("input", () => this.askSoon());
    input.addEventListener("focus", () => this.askSoon());
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.onKey(event));
    // Before the field loses its focus, or the list would close under the pointer.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(option);
    });
  }

  prepare() {
    this.list.id = "completions";
    this.list.className = "completions";
    this.list.role = "listbox";
    this.list.ariaLabel = "Suggestions";
    this.list.hidden = true;
    this.input.after(this.list);
    this.input.role = "combobox";
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-expanded", "false");
  }

  askSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT_MS);
  }

  async ask() {
    const number = ++this.asked;
    const typed = this.input.value.slice(0, 500);
    const url = `${this.input.dataset.completions}?${new URLSearchParams({ q: typed })}`;
    const found = await getJson(url).catch(() => ({ completions: [] }));
    // An answer that comes late is not shown.
    if (number === this.asked && document.activeElement === this.input) this.show(found.completions);
  }

  show(completions) {
    this.chosen = -1;
    this.list.replaceChildren(...completions.map((each, place) => option(each, place)));
    this.list.hidden = completions.length === 0;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.show([]);
  }

  onKey(event) {
    if (event.isComposing) return;
    const options = this.list.children;
    if (event.key === "Escape" && options.length) {
      event.preventDefault();
      this.close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
      event.preventDefault();
      this.choose(this.chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if ((event.key === "Enter" || event.key === "Tab") && this.chosen >= 0) {
      event.preventDefault();
      this.take(options[this.chosen]);
    }
  }

  /** Choose an option by its place; before the first and after the last is the field itself. */
  choose(place) {
    const options = [...this.list.children];
    this.chosen = place < -1 ? options.length - 1 : place >= options.length ? -1 : place;
    options.forEach((each, number) => each.setAttribute("aria-selected", String(number === this.chosen)));
    const chosen = options[this.chosen];
    if (chosen) this.input.setAttribute("aria-activedescendant", chosen.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** A whole query is asked at once; the beginning of one (“tag:”) is written to go on with. */
  take(option) {
    this.input.value = option.dataset.text;
    if (option.dataset.text.endsWith(":")) this.ask();
    else this.input.form.requestSubmit();
  }
}

function option(completion, place) {
  const item = document.createElement("li");
  item.id = `completion-${place}`;
  item.role = "option";
  item.setAttribute("aria-selected", "false");
  item.dataset.text = completion.text;
  item.append(part(completion.label), part(completion.kind, "kind"));
  return item;
}

function part(text, className = "") {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}
