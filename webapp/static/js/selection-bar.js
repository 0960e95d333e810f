// The bar of actions on selected photos.

import { confirmed } from "./confirm.js";
import { markAll } from "./not-this.js";
import { getJson, post } from "./server.js";
import { askForWord } from "./tag-dialog.js";
import { toast } from "./toast.js";
import { reloadAndTell } from "./told.js";

const MAX_EXAMPLES = 20; // as webapp/find/by_example/examples.py
const MAX_TAUGHT = 1000; // as webapp/teach/taught/views.py
const TAKES_AWAY = new Set(["trash", "restore", "delete", "unalbum"]); // photos leave the grid they are in

/** Connects the page's bar to a selection in a grid (`remove(ids)`, `refresh(ids)`, `load()`). */
export class SelectionBar {
  constructor(bar, selection, grid) {
    Object.assign(this, { bar, selection, grid });
    selection.addEventListener("change", () => this.#show());
    bar.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (!button) return;
      bar.querySelector(":popover-open")?.hidePopover();
      this.#do(button.dataset.do);
    });
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #show() {
    const count = this.selection.ids.size;
    this.bar.hidden = count === 0;
    document.body.classList.toggle("has-selection", count > 0);
    this.bar.querySelector(".selection-count b").textContent = count.toLocaleString("en");
    this.#nameFavourite();
  }

  /** The heart takes favourites away where all that is selected are some. */
  #nameFavourite() {
    const button = this.bar.querySelector("[data-do$=favourite]");
    if (!button) return;
    const areAll = [...this.selection.ids].every((id) => this.grid.tileOf(id)?.classList.contains("is-favourite"));
    button.dataset.do = areAll ? "unfavourite" : "favourite";
    button.querySelector("span").textContent = areAll ? "Unfavourite" : "Favourite";
  }

  #onKey(event) {
    if (event.key !== "Delete" || !this.selection.ids.size) return;
    const button = this.bar.querySelector("[data-do=trash], [data-do=delete]");
    this.#do(button.dataset.do);
  }

  async #do(action) {
    if (action === "clear") this.selection.clear();
    else if (action === "download") this.#download();
    else if (action === "similar") this.#findSimilar();
    else if (action === "tag") await this.#tag();
    else if (action === "not-this") await this.#notThis();
    else if (action === "teach") this.#teach();
    else if (action === "album") await this.#putIntoAlbum();
    else if (action === "unalbum") await this.#send("unalbum", { album: this.bar.dataset.album });
    else if (action !== "delete" || await confirmed("delete-dialog")) await this.#send(action);
  }

  async #tag() {
    const word = await askForWord(this.bar.dataset.tagsUrl, [...this.selection.ids]);
    if (word) await this.#send(word.say, word.fields);
  }

  /** The dialog's form leads to the page on which the tag is taught. */
  #teach() {
    const dialog = document.getElementById("teach-dialog");
    const { photos, tag } = dialog.querySelector("form").elements;
    photos.value = [...this.selection.ids].slice(0, MAX_TAUGHT).join(",");
    tag.value = "";
    dialog.querySelector("[data-close]").onclick = () => dialog.close();
    dialog.showModal();
  }

  async #notThis() {
    const ids = [...this.selection.ids];
    this.selection.clear();
    await markAll(document.getElementById("not-this"), ids, this.grid);
  }

  async #putIntoAlbum() {
    const input = document.getElementById("album-name");
    input.value = "";
    this.#offerAlbums(input.list);
    if (await confirmed("album-dialog") && input.value.trim()) await this.#send("album", { album: input.value });
  }

  /** Fill the list of albums to choose from; without it a name can still be typed. */
  async #offerAlbums(list) {
    try {
      const { names } = await getJson(this.bar.dataset.albumNamesUrl);
      list.replaceChildren(...names.map((name) => new Option(name, name)));
    } catch {
      list.replaceChildren();
    }
  }

  async #send(action, fields = {}) {
    const ids = [...this.selection.ids];
    try {
      const answer = await post(this.#url(action), { photos: ids.join(","), ...fields });
      this.selection.clear();
      const undo = answer.undo && this.#undoOf(answer.undo, fields);
      if (this.grid.reloads && !TAKES_AWAY.has(action)) return reloadAndTell(answer.message, undo);
      if (TAKES_AWAY.has(action)) this.grid.remove(ids);
      else this.grid.refresh(ids);
      toast(answer.message, { action: undo && { label: "Undo", run: () => this.#undo(undo, answer.undo) } });
    } catch (error) {
      toast(error.message, { error: true });
    }
  }

  /** What a person said is taken back as the act it was; other actions by their opposite. */
  #undoOf({ action, act, photos }, fields) {
    if (act) return { url: `/corrections/${act}/undo`, fields: {} };
    return { url: this.#url(action), fields: { photos: photos.join(","), ...fields } };
  }

  async #undo({ url, fields }, { action, photos }) {
    try {
      const answer = await post(url, fields);
      await (TAKES_AWAY.has(action) ? this.grid.load() : this.grid.refresh(photos));
      toast(answer.message);
    } catch (error) {
      toast(error.message, { error: true });
    }
  }

  #download() {
    const { ids } = this.selection;
    const limit = Number(this.bar.dataset.zipLimit);
    if (ids.size > limit) {
      toast(`A ZIP may hold at most ${limit.toLocaleString("en")} photos; ${ids.size.toLocaleString("en")} are selected. Nothing was downloaded; select fewer.`, { error: true });
      return;
    }
    const form = document.getElementById("zip-form");
    form.elements.photos.value = [...ids].join(",");
    form.submit();
    toast("The download begins. You can go on meanwhile.");
  }

  #findSimilar() {
    const { ids } = this.selection;
    if (ids.size > MAX_EXAMPLES) {
      toast(`Marea looks for what is like at most ${MAX_EXAMPLES} photos at once; ${ids.size.toLocaleString("en")} are selected. Select fewer.`, { error: true });
      return;
    }
    location.assign(`${this.bar.dataset.similarUrl}?${new URLSearchParams({ like: [...ids].join(",") })}`);
  }

  #url(action) {
    return this.bar.dataset.bulkUrl.replace("ACTION", action);
  }
}
