// For other pages to load: files dropped on them lead to the upload page, which takes them along.
//
// A File does not survive going to another page, so the upload page comes to the files: its content
// takes this page's place, under its own address.

import { droppedBy, holdsFiles } from "./upload-files.js";

addEventListener("dragover", (event) => isOurs(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!isOurs(event)) return;
  event.preventDefault();
  uploadHere(droppedBy(event));
});

/** The upload page itself listens too, once it is here. */
const isOurs = (event) => holdsFiles(event) && !document.getElementById("upload");

async function uploadHere(dropped) {
  const uploadUrl = document.querySelector(".site-nav a[href$='/upload/']").href;
  const response = await fetch(uploadUrl);
  const fetched = new DOMParser().parseFromString(await response.text(), "text/html");
  const script = fetched.querySelector("script[data-upload]");
  if (!script) return location.assign(uploadUrl); // signed out meanwhile
  document.head.append(document.importNode(fetched.querySelector("link[data-upload]"), true));
  document.title = fetched.title;
  document.getElementById("content").replaceChildren(
    ...document.importNode(fetched.getElementById("content"), true).childNodes,
  );
  history.pushState(null, "", uploadUrl);
  addEventListener("popstate", () => location.reload());
  scrollTo(0, 0);
  const { page } = await import(script.src);
  page.take(dropped);
}
