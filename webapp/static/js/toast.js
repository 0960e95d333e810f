// Short messages at the bottom of the page, read out by screen readers.

const SHOWN_MS = 8000;

/** Show `text`; `action` ({label, run}) adds a button such as Undo. */
export function toast(text, { error = false, action = null } = {}) {
  const box = document.createElement("div");
  box.className = error ? "toast error" : "toast";
  const words = document.createElement("p");
  words.textContent = text;
  box.append(words);
  if (action) box.append(button(action.label, () => { box.remove(); action.run(); }));
  const close = button("×", () => box.remove());
  close.className = "toast-close";
  close.setAttribute("aria-label", "Dismiss");
  box.append(close);
  document.getElementById("toasts").append(box);
  dismissLater(box);
}

/** Remove a toast after a while, unless someone is looking at or using it. */
export function dismissLater(box) {
  setTimeout(() => (box.matches(":hover, :focus-within") ? dismissLater(box) : box.remove()), SHOWN_MS);
}

function button(label, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", run);
  return made;
}
