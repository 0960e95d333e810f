// "Why it matched": lays over the photo where the search saw its words. A worker draws the map; we
// ask until it is there. It stays on while stepping through the results.

const PATIENCE_MS = 45_000;
const LATE = "The heat map is taking longer than usual. Is a worker running? Try again in a minute.";
const PLACES = [
  ["at the upper left", "at the top", "at the upper right"],
  ["at the left", "in the middle", "at the right"],
  ["at the lower left", "at the bottom", "at the lower right"],
];

let isOn = false;
let address = ""; // of the map shown last
let waiting = null; // AbortController of what is being asked for

export function toggleHeatMap() {
  isOn = !isOn;
  showHeatMap();
}

/** Make the photo on the page look as the button says; also called when another photo came. */
export function showHeatMap() {
  waiting?.abort();
  const button = document.querySelector("[data-heat-map]");
  if (!button) return;
  const layer = document.querySelector(".heat-map");
  button.setAttribute("aria-pressed", String(isOn));
  if (!isOn) {
    layer.hidden = true;
    say("");
  } else if (layer.src) {
    reveal(layer);
  } else {
    waiting = new AbortController();
    load(button.dataset.heatMap, layer, waiting.signal);
  }
}

async function load(url, layer, signal) {
  say("Drawing what the search looked at …", { busy: true });
  try {
    const map = await fetchMap(url, signal);
    URL.revokeObjectURL(address); // of the photo before, whose picture is gone from the page
    layer.src = address = URL.createObjectURL(map);
    await layer.decode();
    if (!signal.aborted) reveal(layer);
  } catch (error) {
    if (signal.aborted) return;
    isOn = false;
    document.querySelector("[data-heat-map]")?.setAttribute("aria-pressed", "false");
    say(error instanceof TypeError ? "The server cannot be reached. Check your connection and try again." : error.message);
  }
}

async function fetchMap(url, signal) {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; ) {
    const response = await fetch(url, { signal });
    if (response.status === 200) return response.blob();
    if (response.status !== 202) throw new Error(await sentence(response));
    await pause(1000 * (Number(response.headers.get("Retry-After")) || 1));
    signal.throwIfAborted();
  }
  throw new Error(LATE);
}

async function sentence(response) {
  const body = await response.json().catch(() => ({}));
  return body.error?.message ?? "The server could not answer. Please try again.";
}

function reveal(layer) {
  layer.hidden = false;
  const place = brightest(layer);
  say(place ? `The search looked most of all ${place} of the photo.` : "The search looked at the photo as a whole.");
}

/** In which ninth of the photo the map is strongest, in words. */
function brightest(layer) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 3, height: 3 });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(layer, 0, 0, 3, 3);
  const strength = [...context.getImageData(0, 0, 3, 3).data].filter((_, index) => index % 4 === 3);
  const most = Math.max(...strength);
  return most ? PLACES.flat()[strength.indexOf(most)] : "";
}

function say(words, { busy = false } = {}) {
  const note = document.querySelector(".heat-note");
  note.textContent = words;
  note.classList.toggle("is-busy", busy);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
