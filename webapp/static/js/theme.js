// Runs before the first paint, so that neither the chosen theme nor pages without scripts flicker.
document.documentElement.classList.add("js");
const theme = localStorage.getItem("marea-theme");
if (theme) document.documentElement.dataset.theme = theme;
