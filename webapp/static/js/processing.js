// Tells screen readers when the headline of the processing page changes; the figures stay quiet.

document.addEventListener("htmx:load", () => {
  const words = document.getElementById("progress")?.dataset.announce ?? "";
  const status = document.getElementById("processing-status");
  if (status && status.textContent !== words) status.textContent = words;
});
