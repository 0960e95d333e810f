// Search by a picture: dropped on the search box, pasted into it, or chosen. A photo dragged over from
// a grid of this library is an example as it stands.

import { csrfToken } from "./server.js";
import { toast } from "./toast.js";

const form = document.querySelector("[data-pictures-url]");
const OURS = /\/photos\/(\d+)\//;

if (form) listen();

function listen() {
  const picker = form.querySelector("[data-picture]");
  const button = form.querySelector("[data-pick-picture]");
  button.hidden = false;
  button.addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => take(picker.files));
  form.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files);
  });
  for (const type of ["dragenter", "dragover"]) form.addEventListener(type, over);
  form.addEventListener("dragleave", (event) => form.contains(event.relatedTarget) || light(false));
  form.addEventListener("drop", drop);
}

/** Text may still be dragged into the box. */
const isPicture = ({ dataTransfer }) => dataTransfer.types.some((type) => type === "Files" || type === "text/uri-list");

function over(event) {
  if (!isPicture(event)) return;
  event.preventDefault();
  event.stopPropagation(); // elsewhere on the page a drop is an upload
  light(true);
}

function drop(event) {
  if (!isPicture(event)) return;
  event.preventDefault();
  event.stopPropagation();
  light(false);
  const ours = event.dataTransfer.getData("text/uri-list").match(OURS);
  if (event.dataTransfer.files.length && !ours) take(event.dataTransfer.files);
  else if (ours) go({ like: [form.elements.like?.value, ours[1]].filter(Boolean).join(",") });
  else toast("Only a picture file can be searched by, or a photo of this library. Save the picture first.", { error: true });
}

async function take(files) {
  if (files.length > 1) toast("One picture at a time: the first one is searched by.");
  busy(true);
  try {
    const { token } = await send(files[0]);
    go({ image: token });
  } catch (error) {
    toast(error instanceof TypeError ? "The server cannot be reached. Check your connection and try again." : error.message, { error: true });
  } finally {
    busy(false);
    form.querySelector("[data-picture]").value = ""; // the same file may be chosen again
  }
}

async function send(file) {
  const body = new FormData();
  body.set("file", file);
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  const response = await fetch(form.dataset.picturesUrl, { method: "POST", headers, body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || !answer.token) throw new Error(answer.error?.message ?? "The server could not answer. Please try again.");
  return answer;
}

/** To the results, with the words and the examples that are there already. */
function go(fields) {
  const asked = new URLSearchParams(new FormData(form));
  asked.delete("file");
  for (const [name, value] of Object.entries(fields)) asked.set(name, value);
  location.assign(`${form.action}?${asked}`);
}

const light = (isOn) => form.classList.toggle("is-over", isOn);

function busy(isOn) {
  form.classList.toggle("is-busy", isOn);
  form.querySelector("[data-box-status]").textContent = isOn ? "Sending the picture …" : "";
}
