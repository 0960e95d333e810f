// The way of many files: read (SHA-256), asked about in batches, sent a few at a time.

import { askKnown, send } from "./upload-send.js";

export const State = Object.freeze({
  WAITING: "waiting", READING: "reading", ASKING: "asking", SENDING: "sending",
  NEW: "new", KNOWN: "known", RESTORED: "restored",
  REFUSED: "refused", FAILED: "failed", CANCELLED: "cancelled",
});
const UNFINISHED = [State.WAITING, State.READING, State.ASKING, State.SENDING];
const RETRIABLE = [State.FAILED, State.CANCELLED];
export const NOT_ADDED = [State.REFUSED, ...RETRIABLE];

const SENT_AT_ONCE = 3; // browsers open six connections to a server; pages need some too
const ASKED_AT_ONCE = 200;
const ASK_AFTER_MS = 200;
const SLICE_MS = 10; // of work before the page may draw again

/** Dispatches "change" whenever a file or the whole moves on. */
export class UploadQueue extends EventTarget {
  items = [];
  isPaused = false;
  notice = ""; // why the queue paused by itself
  isOffline = false; // it goes on by itself when the connection is back
  sentBytes = 0; // over the network, for the pace
  #counts = Object.fromEntries(Object.values(State).map((state) => [state, 0]));
  #firstWithHash = new Map();
  #toRead = [];
  #toAsk = [];
  #toSend = [];
  #isReading = false;
  #isAsking = false;
  #sending = new Map(); // item -> its tus upload
  #askTimer = null;

  constructor({ hasher, filesUrl, knownUrl, maxBytes }) {
    super();
    Object.assign(this, { hasher, filesUrl, knownUrl, maxBytes });
  }

  count(...states) {
    return states.reduce((sum, state) => sum + this.#counts[state], 0);
  }

  get unfinished() {
    return this.count(...UNFINISHED);
  }

  /** Add files as `upload-files.js` finds them. */
  add(found) {
    const items = found.map((each) => (
      { ...each, state: State.WAITING, size: 0, sent: 0, reason: "", url: "", sha256: "" }
    ));
    this.items.push(...items);
    this.#counts[State.WAITING] += items.length;
    this.#changed();
    this.#admit(items);
  }

  pause(notice = "", { isOffline = false } = {}) {
    Object.assign(this, { isPaused: true, notice, isOffline });
    for (const [item, upload] of this.#sending) {
      upload.abort();
      this.#putBack(item);
    }
    this.#changed();
  }

  resume() {
    Object.assign(this, { isPaused: false, notice: "", isOffline: false });
    this.#move();
  }

  cancel(...items) {
    for (const item of items) {
      if (!UploadQueue.isUnfinished(item)) continue; // asked one by one: a twin may wait again
      this.#sending.get(item)?.abort(true).catch(() => {}); // the server forgets it in a day anyway
      this.#sending.delete(item);
      this.#set(item, State.CANCELLED, { sent: 0, reason: "Cancelled." });
      this.#letTwinTry(item);
    }
    this.#move();
  }

  retry(...items) {
    for (const item of items.filter(UploadQueue.isRetriable)) {
      this.#set(item, State.WAITING, { sent: 0, reason: "" });
      this.#toRead.push(item);
    }
    this.resume();
  }

  get failed() {
    return this.items.filter((item) => item.state === State.FAILED);
  }

  static isRetriable(item) {
    return RETRIABLE.includes(item.state);
  }

  static isUnfinished(item) {
    return UNFINISHED.includes(item.state);
  }

  /** The first look at a file's size asks the disk: thousands at once would freeze the page. */
  async #admit(items) {
    let sliceEnd = performance.now() + SLICE_MS;
    for (const item of items) {
      if (performance.now() > sliceEnd) {
        this.#move();
        await new Promise((resolve) => setTimeout(resolve));
        sliceEnd = performance.now() + SLICE_MS;
      }
      if (item.state !== State.WAITING) continue; // cancelled meanwhile
      item.size = item.file.size;
      const reason = item.unreadable ? unreadableReason(item.file) : this.#unwanted(item.file);
      if (reason) this.#set(item, State.REFUSED, { reason });
      else this.#toRead.push(item);
    }
    this.#move();
  }

  #unwanted(file) {
    const kind = file.type.match(/^(video|audio)\//)?.[1];
    if (kind) return `${file.name} is ${kind === "video" ? "a video" : "a sound"}; Marea keeps photos. It was not uploaded.`;
    if (file.size <= this.maxBytes) return "";
    const megabytes = (bytes) => `${Math.round(bytes / (1 << 20)).toLocaleString("en")} MB`;
    return `${file.name} is ${megabytes(file.size)}; photos may be at most ${megabytes(this.maxBytes)}. It was not uploaded.`;
  }

  /** Start whatever may start now. */
  #move() {
    this.#changed();
    if (this.isPaused) return;
    this.#readNext();
    this.#askSoon();
    while (this.#sending.size < SENT_AT_ONCE) {
      const item = next(this.#toSend, State.ASKING);
      if (!item) break;
      this.#send(item);
    }
  }

  async #readNext() {
    if (this.#isReading) return;
    const item = next(this.#toRead, State.WAITING);
    if (!item) return;
    this.#isReading = true;
    this.#set(item, State.READING);
    const hash = item.sha256 || (await this.hasher.hash(item.file));
    this.#isReading = false;
    if (item.state === State.READING) this.#wasRead(item, hash);
    this.#move();
  }

  #wasRead(item, hash) {
    if (!hash) return this.#set(item, State.FAILED, { reason: unreadableReason(item.file) });
    item.sha256 = hash;
    const twin = this.#firstWithHash.get(hash);
    if (twin && twin !== item && !NOT_ADDED.includes(twin.state)) {
      return this.#set(item, State.KNOWN, { twin, reason: `The same photo as ${twin.path}.` });
    }
    this.#firstWithHash.set(hash, item);
    this.#set(item, State.ASKING);
    this.#toAsk.push(item);
  }

  /** Ask when a batch is full, or after a moment when files are few. */
  #askSoon() {
    if (this.#isAsking || !this.#toAsk.length) return;
    clearTimeout(this.#askTimer);
    const isDue = this.#toAsk.length >= ASKED_AT_ONCE || !(this.#isReading || this.#toRead.length);
    this.#askTimer = isDue ? (this.#ask(), null) : setTimeout(() => this.#ask(), ASK_AFTER_MS);
  }

  async #ask() {
    if (this.#isAsking || this.isPaused) return;
    const asked = this.#toAsk.splice(0, ASKED_AT_ONCE).filter((item) => item.state === State.ASKING);
    if (!asked.length) return;
    this.#isAsking = true;
    try {
      const known = await askKnown(this.knownUrl, asked.map((item) => item.sha256));
      for (const item of asked.filter((each) => each.state === State.ASKING)) {
        const photo = known[item.sha256];
        if (photo) this.#set(item, State.KNOWN, { url: photo.url });
        else this.#toSend.push(item);
      }
    } catch (failure) {
      this.#toAsk.unshift(...asked);
      this.pause(failure.reason, failure);
    }
    this.#isAsking = false;
    this.#move();
  }

  #send(item) {
    this.#set(item, State.SENDING);
    const { file, path, sha256 } = item;
    const metadata = { filename: path, lastModified: String(file.lastModified) };
    const upload = send({ file, fingerprint: sha256, metadata }, this.filesUrl, {
      progress: (bytes) => this.#sent(item, bytes),
      done: ({ photo, outcome }) => {
        this.#sending.delete(item);
        this.#set(item, outcome, { url: photo.url });
        this.#move();
      },
      failed: (failure) => {
        this.#sending.delete(item);
        this.#sendingFailed(item, failure);
        this.#move();
      },
    });
    this.#sending.set(item, upload);
  }

  #sent(item, bytes) {
    this.sentBytes += Math.max(0, bytes - item.sent);
    item.sent = bytes;
    this.#changed();
  }

  #sendingFailed(item, failure) {
    const { reason, stopsAll, mayPass } = failure;
    if (!stopsAll) {
      this.#set(item, mayPass ? State.FAILED : State.REFUSED, { reason });
      return this.#letTwinTry(item);
    }
    this.#putBack(item);
    this.pause(reason, failure);
  }

  /** What waited for `item` to arrive goes its own way, since it did not. */
  #letTwinTry(item) {
    for (const other of this.items.filter((each) => each.twin === item)) {
      this.#set(other, State.WAITING, { twin: null, reason: "" });
      this.#toRead.push(other);
    }
  }

  /** Back to before it was asked about: meanwhile the photo may have arrived after all. */
  #putBack(item) {
    this.#sending.delete(item);
    this.#set(item, State.ASKING, { sent: 0 });
    this.#toAsk.unshift(item);
  }

  #set(item, state, facts = {}) {
    this.#counts[item.state] -= 1;
    this.#counts[state] += 1;
    Object.assign(item, facts, { state });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

const unreadableReason = (file) => `${file.name} could not be read. It may have been moved or changed; choose it again.`;

/** Take the first item that is still in the state it was queued in: others were cancelled. */
function next(queue, state) {
  let item = queue.shift();
  while (item && item.state !== state) item = queue.shift();
  return item;
}
