// Teaching a tag: one key for each answer.

const KEYS = { y: "y", ArrowRight: "y", n: "n", ArrowLeft: "n", s: "s", ArrowDown: "s", u: "u", z: "u" };

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  const button = key && document.querySelector(`#round [data-key="${key}"]:not(:disabled)`);
  if (!button) return;
  event.preventDefault();
  button.click();
});

// The pressed button is gone with its question: whoever uses a keyboard goes on where they were.
let pressed = null;
document.addEventListener("htmx:beforeRequest", (event) => {
  pressed = event.detail.elt.contains(document.activeElement) ? document.activeElement.dataset.key : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (pressed) document.querySelector(`#round [data-key="${pressed}"]`)?.focus({ preventScroll: true });
});
