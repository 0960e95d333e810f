// What just happened, told on the page that comes after it, with its undo.

import { post } from "./server.js";
import { toast } from "./toast.js";

const TOLD = "marea-told";

/** Load this page again and tell `message` there; `undo` ({url, fields}) takes back what happened. */
export function reloadAndTell(message, undo = null) {
  sessionStorage.setItem(TOLD, JSON.stringify({ message, undo }));
  location.reload();
}

/** Go to `url` and tell it there; taking it back leads to `undo.back`. */
export function goAndTell(url, message, undo = null) {
  sessionStorage.setItem(TOLD, JSON.stringify({ message, undo }));
  location.assign(url);
}

/** Tell it, if something was to be told. */
export function tellWhatHappened() {
  const told = JSON.parse(sessionStorage.getItem(TOLD));
  sessionStorage.removeItem(TOLD);
  if (told) toast(told.message, { action: told.undo && { label: "Undo", run: () => takeBack(told.undo) } });
}

async function takeBack({ url, fields, back }) {
  try {
    const { message } = await post(url, fields);
    if (back) goAndTell(back, message);
    else reloadAndTell(message);
  } catch (error) {
    toast(error.message, { error: true });
  }
}
