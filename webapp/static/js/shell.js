// What every page does: the search box's key, menus, the theme, toasts, htmx's CSRF token.

import { askBeforeSending } from "./confirm.js";
import { csrfToken } from "./server.js";
import { completeSearches } from "./completions.js";
import { dismissLater, toast } from "./toast.js";
import { tellWhatHappened } from "./told.js";

const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.key === "?" && !typing(event.target)) document.getElementById("shortcuts")?.showModal();
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const box = document.querySelector("[data-search-box]");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const close = event.target.closest(".toast-close");
  if (close) close.closest(".toast").remove();
  if (event.target.closest("[data-theme-toggle]")) toggleTheme();
  if (event.target.closest("[data-shortcuts]")) document.getElementById("shortcuts").showModal();
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

function toggleTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("marea-theme", root.dataset.theme);
}

// While the results are looked for; a page that comes back from the browser's memory waits no more.
document.querySelector(".search-box")?.addEventListener("submit", () => document.body.classList.add("is-leaving"));
addEventListener("pageshow", () => document.body.classList.remove("is-leaving"));

askBeforeSending();
completeSearches();
document.querySelectorAll(".without-scripts").forEach((element) => element.remove());
document.querySelectorAll(".toast").forEach(dismissLater);
tellWhatHappened();
document.querySelector("form [aria-invalid=true]")?.focus(); // what has to be typed again

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:responseError", (event) => {
  let message = "The server could not answer. Please try again.";
  try {
    message = JSON.parse(event.detail.xhr.responseText).error.message;
  } catch { /* not our error shape */ }
  toast(message, { error: true });
});
document.addEventListener("htmx:sendError", () => {
  toast("The server cannot be reached. Check your connection and try again.", { error: true });
});
