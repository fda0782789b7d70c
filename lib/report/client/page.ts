/// <reference lib="dom" />
// The page reads the same without this: it adds filters, a search, figures that answer the pointer,
// and files to save.
import { unpackFigures } from "../figure_pack.ts";
import { markContents } from "./contents.ts";
import { element, elements } from "./elements.ts";
import { FigureView } from "./figure_view.ts";
import { Listing } from "./listing.ts";

const language = element<HTMLSelectElement>("#language");
const layer = element<HTMLSelectElement>("#layer");
const search = element<HTMLInputElement>("#search");
const listing = new Listing();
const views: FigureView[] = [];

/** Shows what is chosen, and says how much that is. */
function choose(): void {
  const choice = { language: language.value, layer: layer.value };
  for (const view of views) view.choose(choice);
  const count = listing.show({ ...choice, words: search.value });
  const chosen = choice.language !== "" || choice.layer !== "" || search.value.trim() !== "";
  element("#found").textContent = chosen && listing.size > 0
    ? `${count.toLocaleString("en")} of ${listing.size.toLocaleString("en")} features`
    : "";
  element("#reset").hidden = !chosen;
}

function chooseAll(): void {
  language.value = layer.value = search.value = "";
  choose();
}

/** Brings what the address names into view, filtered out or folded away as it may be. */
function reveal(): void {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target === null) return;
  if (target.closest("[hidden]") !== null) chooseAll();
  for (let at = target.closest("details"); at; at = at.parentElement?.closest("details") ?? null) {
    at.open = true;
  }
  target.scrollIntoView();
}

async function start(): Promise<void> {
  language.addEventListener("change", choose);
  layer.addEventListener("change", choose);
  search.addEventListener("input", choose);
  element("#reset").addEventListener("click", () => {
    chooseAll();
    search.focus();
  });
  element("#unfold").addEventListener("click", () => {
    for (const lists of elements<HTMLDetailsElement>("details:not(.data)")) lists.open = true;
  });
  addEventListener("hashchange", reveal);
  markContents();
  const packed = element("#figures").textContent ?? "";
  const figures = new Map((await unpackFigures(packed)).map((figure) => [figure.id, figure]));
  for (const block of elements("figure.plot")) {
    const figure = figures.get(block.id);
    if (figure) views.push(new FigureView(block, figure));
  }
  choose(); // a browser that comes back to the page keeps what was chosen
  for (const control of elements("[data-needs-script]")) control.hidden = false;
  reveal();
}

start();
