import assert from "node:assert/strict";
import type { Figure } from "../figures/figure.ts";
import { chosenPart, hasChosen } from "./figure_choice.ts";

const ALL = { language: "", layer: "" };
const FIGURE: Figure = {
  id: "a",
  group: "g",
  title: "t",
  see: "s",
  kind: "bars",
  options: {
    panel: "language",
    panels: ["Thai", "Hindi"],
    category: "layer",
    categories: ["0", "1"],
    series: "language",
    seriesNames: ["Thai", "Hindi"],
  },
  rows: [
    { language: "Thai", layer: 0, value: 1 },
    { language: "Thai", layer: 1, value: 2 },
    { language: "Hindi", layer: 1, value: 3 },
    { language: null, layer: 1, value: 4 },
  ],
  filters: ["language", "layer"],
};

const valuesOf = ({ rows }: Figure) => rows.map(({ value }) => value);

Deno.test("rows of what is chosen stay, and those of nothing in particular", () => {
  assert.equal(chosenPart(FIGURE, ALL), FIGURE);
  assert.deepEqual(valuesOf(chosenPart(FIGURE, { ...ALL, language: "Thai" })), [1, 2, 4]);
  assert.deepEqual(valuesOf(chosenPart(FIGURE, { ...ALL, layer: "1" })), [2, 3, 4]);
  assert.deepEqual(valuesOf(chosenPart(FIGURE, { language: "Hindi", layer: "1" })), [3, 4]);
});

Deno.test("no room is left for what was not chosen, and series keep their colours", () => {
  const { options } = chosenPart(FIGURE, { language: "Hindi", layer: "1" });
  assert.deepEqual(options.panels, ["Hindi"]);
  assert.deepEqual(options.categories, ["1"]);
  assert.deepEqual(options.seriesNames, ["Thai", "Hindi"]);
});

Deno.test("a figure without a filter is shown as it is", () => {
  const figure = { ...FIGURE, filters: [] };
  assert.equal(chosenPart(figure, { language: "Thai", layer: "7" }), figure);
  assert.ok(hasChosen(figure, { language: "Thai", layer: "7" }));
});

Deno.test("a background alone is nothing of what was chosen", () => {
  assert.ok(hasChosen(FIGURE, { language: "Hindi", layer: "1" }));
  assert.ok(!hasChosen(FIGURE, { language: "Hindi", layer: "0" }));
  assert.ok(!hasChosen(FIGURE, { ...ALL, language: "Korean" }));
});
