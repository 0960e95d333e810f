// Sends one file over tus, and says in words why it could not.

import "../vendor/tus-js-client/tus.min.js";

const { tus } = globalThis;
const PIECE_BYTES = 32 << 20; // larger files go in several requests, each a point to go on from
const RETRY_DELAYS_MS = [500, 2000, 5000, 10_000];
const MAY_PASS = ["quota", "decode_timeout", "decoder_died"]; // refusals that another try may lift
const SIGNED_OUT = "You are signed out. Sign in again in another tab, then go on here.";
const UNREACHABLE = "The server cannot be reached. Uploading goes on when the connection is back.";
const UNCLEAR = "The server could not take this file. Try again later.";

/**
 * Start sending `file`. Its fingerprint finds it again after the page was closed. Callbacks:
 * progress(bytes), done(what the server answered to the last byte), failed(Failure).
 */
export function send({ file, fingerprint, metadata }, endpoint, { progress, done, failed }) {
  const isLarge = file.size > PIECE_BYTES;
  const upload = new tus.Upload(file, {
    endpoint,
    chunkSize: PIECE_BYTES,
    uploadDataDuringCreation: !isLarge,
    retryDelays: RETRY_DELAYS_MS,
    metadata,
    fingerprint: async () => `marea-${fingerprint}`,
    storeFingerprintForResuming: isLarge,
    removeFingerprintOnSuccess: true,
    onBeforeRequest: identify,
    onShouldRetry: (error) => mayPass(statusOf(error)),
    onProgress: progress,
    onSuccess: ({ lastResponse }) => done(JSON.parse(lastResponse.getBody())),
    onError: (error) => failed(failureOf(error)),
  });
  start(upload, isLarge);
  return upload;
}

/** Ask which of these hashes are in the library: {hash: {id, url}}. Throws a failure. */
export async function askKnown(url, hashes) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfCookie() };
  const request = { method: "POST", headers, body: JSON.stringify({ hashes }) };
  const response = await fetch(url, request).catch(() => null);
  if (!response?.ok) throw failure(response?.status ?? 0, await response?.text());
  return (await response.json()).known;
}

/** A large file that was on its way when the page was closed goes on where it was. */
async function start(upload, isLarge) {
  const [previous] = isLarge ? await upload.findPreviousUploads() : [];
  if (previous) upload.resumeFromPreviousUpload(previous);
  upload.start();
}

/** The cookie, not the page's copy: it is fresh after signing in again in another tab. */
function csrfCookie() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
}

function identify(request) {
  request.setHeader("X-CSRFToken", csrfCookie());
  request.setHeader("Accept", "application/json");
}

const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;
const mayPass = (status) => status === 0 || status === 409 || status === 423 || (status >= 500 && status !== 507);
const failureOf = (error) => failure(statusOf(error), error.originalResponse?.getBody());

/** What went wrong: some failures stop all sending, some may pass for this file, some are final. */
function failure(status, body) {
  if (status === 0) return { reason: UNREACHABLE, stopsAll: true, isOffline: true };
  if (status === 401 || status === 403) return { reason: SIGNED_OUT, stopsAll: true };
  const { code, message } = errorIn(body);
  const isFinal = status === 413 || status === 422;
  return { reason: message ?? UNCLEAR, stopsAll: status === 507, mayPass: !isFinal || MAY_PASS.includes(code) };
}

function errorIn(body) {
  try {
    return JSON.parse(body).error;
  } catch {
    return {};
  }
}
