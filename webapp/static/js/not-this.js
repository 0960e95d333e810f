// “Not what I searched for”: the photo leaves these results at once, and can be brought back.

import { post } from "./server.js";
import { toast } from "./toast.js";

export function markOnClick(root, grid) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-not-this]");
    if (!button || event.defaultPrevented) return;
    event.preventDefault();
    markAll(button.form, [Number(button.value)], grid);
  });
}

/** Mark these photos of the results; `form` knows what was searched for. */
export async function markAll(form, ids, grid) {
  const { next, csrfmiddlewaretoken, ...asked } = Object.fromEntries(new FormData(form));
  const fields = { ...asked, photos: ids.join(",") };
  try {
    const { message } = await post(form.action, fields);
    grid.remove(ids);
    toast(message, { action: { label: "Undo", run: () => undo(form, fields) } });
  } catch (error) {
    toast(error.message, { error: true });
  }
}

async function undo(form, fields) {
  try {
    await post(form.action, { ...fields, say: "undo" });
    location.reload();
  } catch (error) {
    toast(error.message, { error: true });
  }
}
