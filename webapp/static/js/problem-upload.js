// Uploads a ZIP of classes in pieces: one that was on its way when the page was closed goes on where it was, once
// the same file is chosen again. Without this script the form does it by itself.

import { send } from "./upload-send.js";

const LOST = "The connection broke. Choose Upload, and it goes on where it was.";

for (const form of document.querySelectorAll("[data-problem-upload]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    upload(form);
  });
}

function upload(form) {
  const button = form.querySelector("button");
  const line = form.querySelector(".problem-sending");
  const [bar, words] = [line.querySelector("progress"), line.querySelector("[role=status]")];
  const [title, file] = [form.elements.title.value, form.elements.file.files[0]];
  const fingerprint = ["zip", title, file.name, file.size, file.lastModified].join("-");
  line.hidden = bar.hidden = false;
  button.disabled = true;
  words.textContent = "Uploading";
  send({ file, fingerprint, metadata: { title, filename: file.name } }, form.dataset.problemUpload, {
    progress: (bytes) => {
      bar.max = file.size;
      bar.value = bytes;
      words.textContent = `${megabytes(bytes)} of ${megabytes(file.size)} MB`;
    },
    done: ({ url }) => location.assign(url),
    failed: ({ reason, isOffline }) => {
      button.disabled = false;
      bar.hidden = true;
      words.textContent = isOffline ? LOST : reason;
    },
  });
}

function megabytes(bytes) {
  return Math.ceil(bytes / 1e6).toLocaleString();
}
