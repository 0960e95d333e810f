// A worker that computes SHA-256, reading a file piece by piece.
// crypto.subtle can neither stream nor be used over plain HTTP in a home network.

import { sha256 } from "../vendor/@noble/hashes/sha2.js";

const PIECE_BYTES = 4 << 20;

self.onmessage = async ({ data: { id, file } }) => {
  try {
    self.postMessage({ id, hash: await hashOf(file) });
  } catch {
    self.postMessage({ id, hash: null }); // moved, changed or forbidden since it was chosen
  }
};

async function hashOf(file) {
  const hash = sha256.create();
  for (let start = 0; start < file.size; start += PIECE_BYTES) {
    hash.update(new Uint8Array(await file.slice(start, start + PIECE_BYTES).arrayBuffer()));
  }
  return [...hash.digest()].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
