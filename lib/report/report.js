// The page reads the same without this: it adds a filter by language and a button to unfold.
const filter = document.querySelector("#filter");
const sections = document.querySelectorAll("section.language");

function show(id) {
  filter.value = id;
  for (const section of sections) section.hidden = id !== "" && section.id !== id;
}

/** Brings what the address names into view, filtered out or folded away as it may be. */
function reveal() {
  const target = document.getElementById(location.hash.slice(1));
  if (target === null) return;
  if (target.closest("section[hidden]") !== null) show("");
  const folded = target.closest("details");
  if (folded !== null) folded.open = true;
  target.scrollIntoView();
}

filter.addEventListener("change", () => show(filter.value));
document.querySelector("#unfold").addEventListener("click", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
globalThis.addEventListener("hashchange", reveal);
document.querySelector(".controls").hidden = false;
reveal();
