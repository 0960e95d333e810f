// The library page: timeline, scrubber, selection, and the way back to where one was.

import { Scrubber } from "./scrubber.js";
import { SelectionBar } from "./selection-bar.js";
import { Selection } from "./selection.js";
import { Timeline } from "./timeline.js";
import { toast } from "./toast.js";

const PLACE = "marea-library-place";

const root = document.getElementById("timeline");
if (root) start();

async function start() {
  const seeds = JSON.parse(document.getElementById("first-tiles").textContent);
  const timeline = new Timeline(root, document.getElementById("tile"), seeds);
  new Scrubber(document.getElementById("scrubber"), timeline);
  const selection = new Selection(timeline);
  new SelectionBar(document.querySelector(".selection-bar"), selection, timeline);
  try {
    await timeline.load();
    goBack(timeline, selection);
  } catch (error) {
    toast(error.message, { error: true });
  }
  reloadWhenLookedAtAgain(timeline);
}

/** To the photo named in the address, or to where the page was left with the back button. */
function goBack(timeline, selection) {
  history.scrollRestoration = "manual";
  addEventListener("pagehide", () => sessionStorage.setItem(PLACE, scrollY));
  const photo = location.hash.match(/^#photo-(\d+)$/);
  const [{ type }] = performance.getEntriesByType("navigation");
  if (photo) {
    history.replaceState(null, "", location.pathname);
    timeline.reveal(Number(photo[1]), { block: "center" });
    selection.focus(Number(photo[1]));
  } else if (type !== "navigate") {
    scrollTo({ top: Number(sessionStorage.getItem(PLACE) ?? 0) });
  }
}

/** Photos may have arrived while another tab was in front. */
function reloadWhenLookedAtAgain(timeline) {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) timeline.load().catch(() => {});
  });
}
