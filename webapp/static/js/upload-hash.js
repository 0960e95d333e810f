// A worker that computes SHA-256. The browser's own is many times faster, but it cannot stream and
// is not there over plain HTTP, as in a home network; then JavaScript reads the file in pieces.

import { sha256 } from "../vendor/@noble/hashes/sha2.js";

const AT_ONCE_BYTES = 32 << 20; // larger files are not held in memory as a whole
const PIECE_BYTES = 4 << 20;

self.onmessage = async ({ data: { id, file } }) => {
  try {
    self.postMessage({ id, hash: inHex(await hashOf(file)) });
  } catch {
    self.postMessage({ id, hash: null }); // moved, changed or forbidden since it was chosen
  }
};

async function hashOf(file) {
  if (!self.isSecureContext || file.size > AT_ONCE_BYTES) return hashInPieces(file);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
}

async function hashInPieces(file) {
  const hash = sha256.create();
  for (let start = 0; start < file.size; start += PIECE_BYTES) {
    hash.update(new Uint8Array(await file.slice(start, start + PIECE_BYTES).arrayBuffer()));
  }
  return hash.digest();
}

const inHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
