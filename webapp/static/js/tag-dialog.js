// What to say about a tag of the selected photos: that it is there, wrong, right, or another.

import { confirmed } from "./confirm.js";
import { getJson } from "./server.js";

const MAX_ASKED = 500; // photos whose tags are offered; the address would get too long

/** Ask in the page's dialog; `{say, fields}`, or null when nothing was said. */
export async function askForWord(tagsUrl, ids) {
  const form = document.querySelector("#tag-dialog form");
  form.reset();
  show(form);
  form.onchange = () => show(form);
  offer(form.elements.tag.list, tagsUrl, ids);
  if (!(await confirmed("tag-dialog")) || !form.elements.tag.value.trim()) return null;
  const { say, tag, new: name } = form.elements;
  return { say: say.value, fields: say.value === "rename" ? { tag: tag.value, new: name.value } : { tag: tag.value } };
}

/** The fields and the button that belong to what is to be said. */
function show(form) {
  const chosen = form.querySelector("[name=say]:checked");
  const isRenamed = chosen.value === "rename";
  form.querySelector("[data-new-name]").hidden = !isRenamed;
  form.elements.new.required = isRenamed;
  form.querySelector(".hint").hidden = chosen.value !== "tag";
  form.querySelector("[value=yes]").textContent = chosen.dataset.label;
}

/** The tags that the photos have; without them a tag can still be typed. */
async function offer(list, tagsUrl, ids) {
  list.replaceChildren();
  try {
    const { names } = await getJson(`${tagsUrl}?photos=${ids.slice(0, MAX_ASKED).join(",")}`);
    list.replaceChildren(...names.map((name) => new Option(name, name)));
  } catch { /* see above */ }
}
