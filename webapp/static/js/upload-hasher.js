// Asks the hashing worker, from the page's side.

/** `new Hasher(url).hash(file)` resolves to the SHA-256 in hex, or null if the file is unreadable. */
export class Hasher {
  #worker = null;
  #waiting = new Map();
  #nextId = 0;

  constructor(url) {
    this.url = url;
    this.#start();
  }

  hash(file) {
    if (!this.#worker) this.#start();
    return new Promise((resolve) => {
      this.#waiting.set(this.#nextId, resolve);
      this.#worker.postMessage({ id: this.#nextId++, file });
    });
  }

  #start() {
    this.#worker = new Worker(this.url, { type: "module" });
    this.#worker.onmessage = ({ data: { id, hash } }) => this.#answer(id, hash);
    this.#worker.onerror = () => this.#end(); // such as when it could not be loaded
  }

  /** The next file gets a new worker. */
  #end() {
    this.#worker = null;
    [...this.#waiting.keys()].forEach((id) => this.#answer(id, null));
  }

  #answer(id, hash) {
    this.#waiting.get(id)?.(hash);
    this.#waiting.delete(id);
  }
}
