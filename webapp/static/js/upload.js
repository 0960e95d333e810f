// The upload page: chosen and dropped files go through the queue, and everything is told in words.

import { droppedBy, findFiles, holdsFiles, picked } from "./upload-files.js";
import { Hasher } from "./upload-hasher.js";
import { UploadList } from "./upload-list.js";
import { NOT_ADDED, State, UploadQueue } from "./upload-queue.js";
import { Pace, count, summaryOf } from "./upload-words.js";

const ANNOUNCE_MS = 15_000;

class UploadPage {
  #announcedAt = 0;
  #pace = new Pace();

  constructor(root) {
    this.root = root;
    const { filesUrl, knownUrl, hashUrl, maxBytes } = root.dataset;
    this.queue = new UploadQueue({ hasher: new Hasher(hashUrl), filesUrl, knownUrl, maxBytes: Number(maxBytes) });
    this.queue.addEventListener("change", () => this.#soon());
    const actions = { cancel: (item) => this.queue.cancel(item), retry: (item) => this.queue.retry(item) };
    this.list = new UploadList(this.#part("list"), this.#part("row"), (action, item) => actions[action](item));
    this.#listenToPickers();
    this.#listenToButtons();
    listenToDrops(this.#part("veil"), (found) => this.take(found));
    addEventListener("beforeunload", (event) => this.queue.unfinished && event.preventDefault());
    addEventListener("online", () => this.queue.isOffline && this.queue.resume());
  }

  /** Upload what `droppedBy` found, here or on another page. */
  take(dropped) {
    findFiles(dropped, (files) => this.queue.add(files));
  }

  #part(name) {
    return this.root.querySelector(`[data-part=${name}]`);
  }

  #listenToPickers() {
    for (const button of this.root.querySelectorAll("[data-pick]")) {
      const input = this.#part(button.dataset.pick);
      button.hidden = button.dataset.pick === "folder" && !("webkitdirectory" in input);
      button.addEventListener("click", () => input.click());
      input.addEventListener("change", () => {
        this.queue.add(picked(input.files));
        input.value = ""; // so that choosing the same file again is heard
      });
    }
  }

  #listenToButtons() {
    const { queue } = this;
    const pause = () => (queue.isPaused ? queue.resume() : queue.pause());
    this.#part("pause").addEventListener("click", pause);
    this.#part("cancel-all").addEventListener("click", () => queue.cancel(...queue.items));
    for (const part of ["retry-all", "retry-all-again"]) {
      this.#part(part).addEventListener("click", () => queue.retry(...queue.failed));
    }
    for (const radio of this.root.querySelectorAll("[name=shown]")) {
      radio.addEventListener("change", () => this.#soon());
    }
    this.#part("show-not-added").addEventListener("click", () => {
      this.root.querySelector("[name=shown][value=not-added]").click();
      this.#part("list").scrollIntoView();
    });
  }

  /** Render once a frame, however often the queue changes. */
  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#render();
    });
  }

  #render() {
    const { queue } = this;
    const notAdded = queue.items.filter((item) => NOT_ADDED.includes(item.state));
    const onlyNotAdded = this.root.querySelector("[name=shown]:checked").value === "not-added";
    this.list.show(onlyNotAdded ? notAdded : queue.items);
    this.#part("files").hidden = !queue.items.length;
    this.#part("drop").classList.toggle("is-small", queue.items.length > 0);
    this.#part("filter").hidden = !notAdded.length;
    this.#part("not-added-count").textContent = notAdded.length.toLocaleString("en");
    this.#part("nothing").hidden = !(onlyNotAdded && !notAdded.length);
    this.#renderNotice();
    this.#renderWhole();
    this.#renderEnd();
  }

  #renderNotice() {
    const notice = this.#part("notice");
    notice.hidden = !this.queue.notice;
    if (notice.textContent !== this.queue.notice) notice.textContent = this.queue.notice;
  }

  #renderWhole() {
    const { queue } = this;
    const isRunning = queue.unfinished > 0;
    this.#part("whole").hidden = !isRunning;
    if (!isRunning) return;
    const { done, total } = bytesOf(queue.items);
    const finished = queue.items.length - queue.unfinished;
    const words = `${count(finished)} of ${count(queue.items.length, "file")} done`;
    this.#part("progress").value = total ? done / total : 0;
    this.#part("count").textContent = words;
    this.#part("pace").textContent = queue.isPaused ? "Paused" : this.#pace.left(queue.sentBytes, total - done);
    this.#part("pause-word").textContent = queue.isPaused ? "Go on" : "Pause";
    this.#part("retry-all").hidden = !queue.count(State.FAILED);
    this.#announceSometimes(queue.isPaused ? `Paused. ${words}.` : `Uploading. ${words}.`);
  }

  #renderEnd() {
    const { queue } = this;
    const isOver = queue.items.length > 0 && !queue.unfinished;
    const summary = isOver ? summaryOf(queue) : "";
    this.#part("end").hidden = !isOver;
    this.#part("retry-all-again").hidden = !queue.count(State.FAILED);
    this.#part("show-not-added").hidden = !queue.count(...NOT_ADDED);
    this.#part("to-processing").hidden = !queue.count(State.NEW, State.RESTORED);
    if (this.#part("summary").textContent === summary) return;
    this.#part("summary").textContent = summary;
    if (isOver) this.#announce(summary);
  }

  /** Screen readers hear how it goes at the start and now and then, not at every file. */
  #announceSometimes(words) {
    if (performance.now() - this.#announcedAt > ANNOUNCE_MS || !this.#announcedAt) this.#announce(words);
  }

  #announce(words) {
    this.#announcedAt = performance.now();
    this.#part("live").textContent = words;
  }
}

function bytesOf(items) {
  let done = 0;
  let total = 0;
  for (const item of items) {
    total += item.size;
    done += UploadQueue.isUnfinished(item) ? item.sent : item.size;
  }
  return { done, total };
}

/** Files may be dropped anywhere on the page; meanwhile `veil` says so. */
function listenToDrops(veil, take) {
  let depth = 0; // of elements that the pointer is in
  const move = (by) => { depth = Math.max(0, depth + by); veil.hidden = !depth; };
  addEventListener("dragenter", (event) => holdsFiles(event) && move(1));
  addEventListener("dragleave", (event) => holdsFiles(event) && move(-1));
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    move(-depth);
    take(droppedBy(event));
  });
}

const root = document.getElementById("upload");
export const page = root && new UploadPage(root);
