// The page of one photo: fits it to the window, enlarges it, steps to its neighbours.
// htmx swaps #photo when stepping, so everything listens on the document.

import PhotoSwipe from "../vendor/photoswipe/photoswipe.esm.js";
import { showHeatMap, toggleHeatMap } from "./heat-map.js";
import { post } from "./server.js";
import { toast } from "./toast.js";
import { goAndTell } from "./told.js";

const SWIPE_PX = 60; // sideways, and at least twice as far as up or down

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, dialog, .pswp") || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (document.querySelector(".pswp")) return;
  const link = { ArrowLeft: ".previous", ArrowRight: ".next", Escape: "[data-back]", f: "[data-favourite]", Delete: "[data-trash]", h: "[data-heat-map]", z: "[data-zoom]" }[event.key];
  const target = link && document.querySelector(`#photo ${link}`);
  if (!target) return;
  event.preventDefault();
  target.click();
});

document.addEventListener("click", (event) => {
  const zoom = event.target.closest("[data-zoom]");
  const favourite = event.target.closest("[data-favourite]");
  if (zoom && !event.ctrlKey && !event.metaKey) { event.preventDefault(); enlarge(zoom); }
  if (event.target.closest("[data-heat-map]")) toggleHeatMap();
  if (favourite) { event.preventDefault(); toggleFavourite(favourite); }
});

document.addEventListener("submit", (event) => {
  if (!event.target.querySelector("[data-trash]")) return;
  event.preventDefault();
  moveToTrash(event.target);
});

// Unfolding a form is the wish to fill it in.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("#photo .disclosure[open]")) event.target.querySelector("form :is(input, textarea, select):not([type=hidden])")?.focus();
}, true);

// A person said something, or took it back; the parts of the page that changed are in the answer.
document.addEventListener("marea:said", ({ detail: { message, act } }) => {
  toast(message, { action: act && { label: "Undo", run: () => takeBack(act) } });
});

function takeBack(act) {
  const { photo } = document.getElementById("photo").dataset;
  htmx.ajax("POST", `/corrections/${act}/undo`, { values: { photo }, swap: "none" });
}

/** The original at any size: wheel, pinch, double click, drag. */
function enlarge(link) {
  const image = link.querySelector("img");
  const viewer = new PhotoSwipe({
    dataSource: [{ src: link.href, msrc: image.currentSrc, width: Number(link.dataset.width), height: Number(link.dataset.height), alt: image.alt, element: link }],
    wheelToZoom: true,
    secondaryZoomLevel: (level) => Math.max(1, level.fit * 2),
    maxZoomLevel: (level) => Math.max(4, level.fit * 3),
    counter: false,
    bgOpacity: 1,
    paddingFn: () => ({ top: 0, bottom: 0, left: 0, right: 0 }),
  });
  viewer.on("afterInit", () => {
    viewer.element.setAttribute("aria-label", image.alt);
    viewer.element.lang = image.lang || document.documentElement.lang;
  });
  viewer.on("destroy", () => link.focus({ preventScroll: true }));
  viewer.init();
}

async function toggleFavourite(button) {
  const isOn = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-pressed", String(!isOn));
  try {
    await post(isOn ? button.dataset.off : button.dataset.on, { photos: document.getElementById("photo").dataset.photo });
  } catch (error) {
    button.setAttribute("aria-pressed", String(isOn));
    toast(error.message, { error: true });
  }
}

/** On to the next photo, where it can be taken back. */
async function moveToTrash(form) {
  const { photos, next } = form.elements;
  try {
    const { message } = await post(form.action, { photos: photos.value });
    goAndTell(next.value, message, { url: form.dataset.undo, fields: { photos: photos.value }, back: location.href });
  } catch (error) {
    toast(error.message, { error: true });
  }
}

/** Fetch the neighbours' thumbnails once this photo's own is there. */
function fetchAhead() {
  const { preload } = document.getElementById("photo").dataset;
  for (const url of preload.split(" ").filter(Boolean)) new Image().src = url;
}

/** Give the photo its exact place before it is loaded. */
function fit() {
  const image = document.querySelector(".stage-zoom img");
  if (!image) return;
  if (image.complete) fetchAhead();
  else image.addEventListener("load", fetchAhead, { once: true });
  const [width, height] = ["width", "height"].map((name) => Number(image.getAttribute(name)));
  image.style.setProperty("--ratio", width / Math.max(1, height));
  image.style.setProperty("--natural", `${Math.max(width, 640)}px`);
  if (image.dataset.placeholder && !image.complete) image.style.backgroundImage = `url("${image.dataset.placeholder}")`;
  image.addEventListener("load", () => { image.style.backgroundImage = ""; }, { once: true });
  image.classList.add("is-fitted");
}

let start = null;
document.addEventListener("touchstart", (event) => {
  const isOne = event.touches.length === 1 && event.target.closest(".stage-photo");
  start = isOne && !(visualViewport?.scale > 1.01) ? { x: event.touches[0].clientX, y: event.touches[0].clientY } : null;
}, { passive: true });
document.addEventListener("touchend", (event) => {
  if (!start || event.touches.length) return;
  const [x, y] = [event.changedTouches[0].clientX - start.x, event.changedTouches[0].clientY - start.y];
  start = null;
  if (Math.abs(x) < SWIPE_PX || Math.abs(x) < 2 * Math.abs(y)) return;
  document.querySelector(x > 0 ? "#photo .previous" : "#photo .next")?.click();
}, { passive: true });

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "photo") return;
  fit();
  showHeatMap();
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.elt.id === "photo") document.querySelector("#photo .next, #photo .previous")?.blur();
});
fit();
