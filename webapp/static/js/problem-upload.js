// Uploads a ZIP of classes with its progress. Without this script the form does it by itself.

const LOST = "The connection broke. Choose Upload to try again.";

for (const form of document.querySelectorAll("[data-problem-upload]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

function send(form) {
  const button = form.querySelector("button");
  const line = form.querySelector(".problem-sending");
  const [bar, words] = [line.querySelector("progress"), line.querySelector("[role=status]")];
  const request = new XMLHttpRequest();
  const stay = (message) => {
    button.disabled = false;
    bar.hidden = true;
    words.textContent = message;
  };
  line.hidden = bar.hidden = false;
  button.disabled = true;
  words.textContent = "Uploading";
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.max = total;
    bar.value = loaded;
    words.textContent = `${megabytes(loaded)} of ${megabytes(total)} MB`;
  });
  request.addEventListener("load", () => {
    const answer = read(request.responseText);
    if (request.status === 201 && answer.url) location.assign(answer.url);
    else stay(answer.error?.message ?? LOST);
  });
  request.addEventListener("error", () => stay(LOST));
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.send(new FormData(form));
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function megabytes(bytes) {
  return Math.ceil(bytes / 1e6).toLocaleString();
}
