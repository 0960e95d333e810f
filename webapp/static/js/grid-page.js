// Pages with a grid from the server: search, trash, similar photos.

import { Grid } from "./grid.js";
import { markOnClick } from "./not-this.js";
import { SelectionBar } from "./selection-bar.js";
import { Selection } from "./selection.js";

const root = document.querySelector("[data-grid]");
if (root) {
  const grid = new Grid(root);
  const selection = new Selection(grid);
  const bar = document.querySelector(".selection-bar");
  if (bar) new SelectionBar(bar, selection, grid);
  selection.paint();
  markOnClick(root, grid);
}
