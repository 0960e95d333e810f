// Asks the hashing worker, from the page's side.

/** `new Hasher(url).hash(file)` resolves to the SHA-256 in hex, or null if the file is unreadable. */
export class Hasher {
  #worker;
  #waiting = new Map();
  #nextId = 0;

  constructor(url) {
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data: { id, hash } }) => this.#answer(id, hash);
    this.#worker.onerror = () => [...this.#waiting.keys()].forEach((id) => this.#answer(id, null));
  }

  hash(file) {
    return new Promise((resolve) => {
      this.#waiting.set(this.#nextId, resolve);
      this.#worker.postMessage({ id: this.#nextId++, file });
    });
  }

  #answer(id, hash) {
    this.#waiting.get(id)?.(hash);
    this.#waiting.delete(id);
  }
}
