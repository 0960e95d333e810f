// Search by voice, where the browser recognises speech; on this device if it can. One that would
// send the recording to a service is started only after a question that says so.

import { confirmed } from "./confirm.js";
import { toast } from "./toast.js";

const AGREED = "marea-voice-may-leave"; // for as long as this tab is open
const LANGUAGE = navigator.language || "en";
const SENTENCES = {
  "not-allowed": "The browser does not let this page use the microphone. Allow it in the browser’s settings, or type.",
  "audio-capture": "No microphone was found. Connect one, or type.",
  "no-speech": "Nothing was heard. Press the microphone and speak, or type.",
  network: "Your browser’s speech service cannot be reached. Type instead.",
};
const FAILED = "Your browser could not recognise what was said. Try again, or type.";

const Recognition = globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition;
const button = document.querySelector("[data-voice]");
const box = document.querySelector("[data-search-box]");
let listening = null;

if (Recognition && button) offer();

async function offer() {
  const where = await whereHeard();
  if (where === "elsewhere") button.title = "Search by voice (your browser asks a service on the internet)";
  button.hidden = false;
  button.addEventListener("click", () => (listening ? listening.stop() : start(where)));
}

/** "here", "here after a download", or "elsewhere": where the browser would recognise speech. */
async function whereHeard() {
  if (!Recognition.available) return "elsewhere"; // it cannot promise anything
  try {
    const state = await Recognition.available({ langs: [LANGUAGE], processLocally: true });
    return { available: "here", downloadable: "here after a download", downloading: "here after a download" }[state] ?? "elsewhere";
  } catch {
    return "elsewhere";
  }
}

async function start(where) {
  if (where === "elsewhere" && !(await mayLeave())) return box.focus();
  if (where === "here after a download" && !(await fetched())) return;
  listen(where !== "elsewhere");
}

async function mayLeave() {
  if (sessionStorage.getItem(AGREED) !== "yes" && await confirmed("voice-dialog")) sessionStorage.setItem(AGREED, "yes");
  return sessionStorage.getItem(AGREED) === "yes";
}

async function fetched() {
  say("Your browser is fetching what it needs to recognise speech on this device …");
  const isThere = await Recognition.install({ langs: [LANGUAGE], processLocally: true }).catch(() => false);
  if (!isThere) toast("Your browser could not fetch what it needs to recognise speech. Type instead.", { error: true });
  return isThere;
}

function listen(here) {
  listening = new Recognition();
  Object.assign(listening, { lang: LANGUAGE, processLocally: here, interimResults: true });
  let isFinal = false;
  listening.addEventListener("result", ({ results }) => {
    box.value = [...results].map((result) => result[0].transcript).join("").trim();
    isFinal = [...results].every((result) => result.isFinal);
  });
  listening.addEventListener("error", ({ error }) => {
    if (error !== "aborted") toast(SENTENCES[error] ?? FAILED, { error: true });
  });
  listening.addEventListener("end", () => {
    show(false);
    if (isFinal && box.value) box.form.requestSubmit();
  });
  show(true);
  try {
    listening.start();
  } catch {
    show(false);
    toast(FAILED, { error: true });
  }
}

function show(isOn) {
  if (!isOn) listening = null;
  button.setAttribute("aria-pressed", String(isOn));
  button.setAttribute("aria-label", isOn ? "Stop listening" : "Search by voice");
  say(isOn ? "Listening …" : "");
  if (isOn) box.focus();
}

function say(words) {
  document.querySelector("[data-box-status]").textContent = words;
  box.placeholder = words || "Search your photos";
}
