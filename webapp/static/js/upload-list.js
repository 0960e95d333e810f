// The list of files. Only the rows near the window exist, so that thousands of files stay smooth.

import { State, UploadQueue } from "./upload-queue.js";
import { showPreview } from "./upload-preview.js";

const ROWS_BEYOND = 8; // kept ready above and below the window

const WORDS = {
  [State.WAITING]: "Waiting",
  [State.READING]: "Reading…",
  [State.ASKING]: "Waiting to be sent",
  [State.NEW]: "Added",
  [State.KNOWN]: "Already in your library",
  [State.RESTORED]: "Was in the trash; it is back in your library",
};

/** Shows `items` as rows of the ordered list `root`; `onAction(name, item)` hears the buttons. */
export class UploadList {
  items = [];
  #rows = new Map(); // item -> its row, for rows that exist

  constructor(root, template, onAction) {
    Object.assign(this, { root, template });
    root.addEventListener("click", (event) => {
      const action = event.target.closest("[data-action]")?.dataset.action;
      const row = event.target.closest("li");
      if (action && row) onAction(action, row.item);
    });
    addEventListener("scroll", () => this.#soon(), { passive: true });
    addEventListener("resize", () => this.#soon());
  }

  show(items) {
    this.items = items;
    this.#soon();
  }

  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#render();
    });
  }

  #render() {
    const height = parseFloat(getComputedStyle(this.root).getPropertyValue("--row-px"));
    this.root.style.blockSize = `${this.items.length * height}px`;
    const above = -this.root.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(above / height) - ROWS_BEYOND);
    const last = Math.min(this.items.length, Math.ceil((above + innerHeight) / height) + ROWS_BEYOND);
    const shown = new Set(this.items.slice(first, last));
    for (const [item, row] of this.#rows) if (!shown.has(item)) this.#remove(item, row);
    [...shown].forEach((item, index) => this.#place(item, first + index, height));
  }

  #remove(item, row) {
    if (row.contains(document.activeElement)) return; // the keyboard stays where it is
    row.remove();
    this.#rows.delete(item);
  }

  #place(item, index, height) {
    let row = this.#rows.get(item);
    if (!row) {
      row = this.template.content.firstElementChild.cloneNode(true);
      row.item = item;
      this.#rows.set(item, row);
      showPreview(row.querySelector("canvas"), item.file);
    }
    row.style.translate = `0 ${index * height}px`;
    row.setAttribute("aria-posinset", index + 1);
    row.setAttribute("aria-setsize", this.items.length);
    fill(row, item);
    // In the order of the list, since that is the order of reading and of the tab key.
    if (!row.isConnected) this.root.insertBefore(row, this.#rows.get(this.items[index + 1]) ?? null);
  }
}

function fill(row, item) {
  const isSending = item.state === State.SENDING;
  const progress = row.querySelector("progress");
  row.dataset.state = item.state;
  setText(row, ".upload-name", item.path);
  setText(row, ".upload-state", wordsFor(item));
  progress.hidden = !isSending;
  progress.value = item.size ? item.sent / item.size : 0;
  progress.setAttribute("aria-label", `Sending ${item.file.name}`);
  const link = row.querySelector("a");
  link.hidden = !item.url;
  if (item.url) link.href = item.url;
  showButton(row, "cancel", UploadQueue.isUnfinished(item), item);
  showButton(row, "retry", UploadQueue.isRetriable(item), item);
}

function wordsFor(item) {
  if (item.state !== State.SENDING) return item.reason || WORDS[item.state];
  const percent = Math.floor((100 * item.sent) / Math.max(1, item.size));
  return percent < 100 ? `Sending, ${percent} %` : "Being checked…";
}

function showButton(row, action, isShown, item) {
  const button = row.querySelector(`[data-action=${action}]`);
  button.hidden = !isShown;
  button.setAttribute("aria-label", `${action === "cancel" ? "Cancel" : "Retry"} ${item.file.name}`);
}

function setText(row, selector, text) {
  const element = row.querySelector(selector);
  if (element.textContent === text) return;
  element.textContent = text;
  element.title = text;
}
