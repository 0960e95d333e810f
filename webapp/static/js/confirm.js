// Questions before what cannot be undone.

/** Ask in the dialog with this id; true when it was answered with yes. */
export function confirmed(id) {
  const dialog = document.getElementById(id);
  dialog.returnValue = "";
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close(), { once: true });
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Forms with `data-ask="dialog id"` are sent only after a yes. */
export function askBeforeSending() {
  document.addEventListener("submit", async (event) => {
    const { ask } = event.target.dataset;
    if (!ask) return;
    event.preventDefault();
    if (await confirmed(ask)) event.target.submit();
  });
}
