// “Not what I searched for”: the photo leaves these results at once, and can be brought back.

import { post } from "./server.js";
import { toast } from "./toast.js";

export function markOnClick(root, grid) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-not-this]");
    if (!button || event.defaultPrevented) return;
    event.preventDefault();
    mark(button.form, Number(button.value), grid);
  });
}

async function mark(form, id, grid) {
  const fields = { q: form.elements.q.value, photos: id };
  try {
    const { message } = await post(form.action, fields);
    grid.remove([id]);
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
