// Counts, pace and summary, as people say them.

import { State } from "./upload-queue.js";

const SAMPLE_MS = 1000;
const WEIGHT = 0.2; // of the newest second in the pace

/** 1 file, 2 files, 5,000 files. */
export function count(number, noun = "") {
  const words = number.toLocaleString("en");
  return noun ? `${words} ${noun}${number === 1 ? "" : "s"}` : words;
}

/** One sentence about a queue that is done. */
export function summaryOf(queue) {
  const known = queue.count(State.KNOWN);
  const parts = [
    [queue.count(State.NEW), (n) => `${count(n, "photo")} added`],
    [known, (n) => `${count(n)} ${n === 1 ? "was" : "were"} already in your library`],
    [queue.count(State.RESTORED), (n) => `${count(n)} came back from the trash`],
    [queue.count(State.REFUSED, State.FAILED), (n) => `${count(n)} could not be added`],
    [queue.count(State.CANCELLED), (n) => `${count(n)} cancelled`],
  ];
  return `Done: ${parts.filter(([n]) => n).map(([n, words]) => words(n)).join(", ")}.`;
}

/** How long the rest takes, from the bytes that went over the network lately. */
export class Pace {
  #sampledAt = 0;
  #sampledBytes = 0;
  #bytesPerMs = 0;

  left(sentBytes, leftBytes) {
    const now = performance.now();
    if (now - this.#sampledAt >= SAMPLE_MS) {
      const newest = (sentBytes - this.#sampledBytes) / (now - this.#sampledAt);
      this.#bytesPerMs += (newest - this.#bytesPerMs) * (this.#bytesPerMs ? WEIGHT : 1);
      this.#sampledAt = now;
      this.#sampledBytes = sentBytes;
    }
    return this.#bytesPerMs > 0 ? `${duration(leftBytes / this.#bytesPerMs)} left` : "";
  }
}

function duration(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) return "less than a minute";
  return minutes < 90 ? `about ${count(minutes, "minute")}` : `about ${count(Math.round(minutes / 60), "hour")}`;
}
