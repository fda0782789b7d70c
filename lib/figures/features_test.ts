/** Figures of what identify found, of hand-made features. */
import assert from "node:assert/strict";
import { entropyFigure } from "./entropy_distribution.ts";
import { featureCountFigures } from "./feature_counts.ts";
import { ownersFigure } from "./feature_owners.ts";
import { similarityFigures } from "./feature_similarity.ts";
import { activityFigures, latentCountFigures } from "./feature_statistics.ts";
import { opposingFigure } from "./opposing_directions.ts";
import { sharedFeatureFigures } from "./shared_features.ts";

const LANGUAGES = ["German", "Korean", "Thai"];

Deno.test("features per language and layer: panels, stacks of languages, stacks of layers", () => {
  const features = [
    { language: "Thai", layer: 0 },
    { language: "Thai", layer: 2 },
    { language: "Thai", layer: 2 },
    { language: "German", layer: 2 },
  ];
  const [panels, perLayer, perLanguage] = featureCountFigures(features, {
    languages: LANGUAGES,
    layers: [0, 1, 2],
    unit: "feature",
  });
  assert.deepEqual(
    panels.rows.map(({ language, layer, count }) => [language, layer, count]),
    [
      ...[["Thai", 0, 1], ["Thai", 1, 0], ["Thai", 2, 2]],
      ...[["German", 0, 0], ["German", 1, 0], ["German", 2, 1]],
      ...[["Korean", 0, 0], ["Korean", 1, 0], ["Korean", 2, 0]],
    ],
  );
  assert.deepEqual(panels.options.panels, ["Thai", "German", "Korean"]);
  assert.deepEqual(perLayer.rows, panels.rows.filter(({ count }) => count !== 0));
  assert.deepEqual(perLayer.options.categories, ["0", "1", "2"]);
  assert.deepEqual(perLanguage.options.categories, ["Korean", "German", "Thai"]);
  assert.match(perLanguage.see, /^Thai has the most features, 3 of 4, and Korean the fewest, 0;/);
  assert.deepEqual(panels.filters, ["language", "layer"]);
});

Deno.test("neurons have figures of their own", () => {
  const figures = featureCountFigures([{ language: "Thai", layer: 0 }], {
    languages: LANGUAGES,
    layers: [0],
    unit: "neuron",
  });
  assert.deepEqual(figures.map(({ id }) => id), [
    "neurons-per-language-and-layer",
    "neurons-per-layer",
    "neurons-per-language",
  ]);
  assert.ok(figures.every(({ group }) => group === "Neurons"));
});

Deno.test("entropies: each feature once, twice as published; at most 30 round steps", () => {
  const feature = { language: "Thai", layer: 1, index: 7, entropy: Math.log(2) };
  const languages = Array.from({ length: 15 }, (_, i) => `language ${i}`);
  const figure = entropyFigure([feature], languages);
  assert.deepEqual(figure.rows, [feature]);
  assert.deepEqual(entropyFigure([feature], languages, 2).rows, [feature, feature]);
  const edges = figure.options.edges as number[];
  assert.deepEqual([edges[0], edges[1], edges.at(-1)], [0, 0.1, 2.8]);
  assert.ok(edges.length <= 31 && edges.at(-1)! >= Math.log(15));
  assert.match(figure.see, /below 0\.69, that is, fire as if in 2\.0 of 15 languages/);
  assert.doesNotMatch(entropyFigure([], languages).see, /NaN/);
});

Deno.test("owners: how many languages candidates belong to, and which are kept", () => {
  const { rows, see } = ownersFigure([5, 0, 2]);
  assert.deepEqual(rows, [
    { languages: "1", candidates: 5, kind: "kept as features" },
    { languages: "2", candidates: 0, kind: "not kept" },
    { languages: "3", candidates: 2, kind: "not kept" },
  ]);
  assert.match(see, /^5 of 7 candidates/);
  assert.equal(ownersFigure([5, 1], new Set([2])).rows[1].kind, "kept as features");
});

Deno.test("shared features: intersections, Jaccard's index, and layers by halves", () => {
  const place = (language: string, layer: number, index: number, shares: number) => ({
    language,
    layer,
    index,
    shares,
  });
  const figures = sharedFeatureFigures(
    [
      ...["German", "Thai"].map((language) => place(language, 0, 1, 2)),
      ...LANGUAGES.map((language) => place(language, 1, 1, 3)),
      ...["Korean", "Thai"].map((language) => place(language, 1, 2, 2)),
    ],
    LANGUAGES,
    [0, 1],
  );
  const [common, jaccard, all, low, high] = figures;
  assert.deepEqual(common.rows.map(({ a, b, common }) => [a, b, common]), [
    ["German", "German", 2],
    ["German", "Korean", 1],
    ["German", "Thai", 2],
    ["Korean", "Korean", 2],
    ["Korean", "Thai", 2],
    ["Thai", "Thai", 3],
  ]);
  assert.deepEqual(jaccard.rows.map((row) => row.jaccard), [1, 1 / 3, 2 / 3, 1, 2 / 3, 1]);
  assert.deepEqual(all.rows, [
    { layer: 0, languages: 2, features: 1 },
    { layer: 1, languages: 2, features: 1 },
    { layer: 1, languages: 3, features: 1 },
  ]);
  assert.deepEqual(low.rows, all.rows.slice(0, 2));
  assert.deepEqual(high.rows, all.rows.slice(2));
  assert.match(jaccard.see, /^German and Thai share most, 67 %/);
});

Deno.test("similarity: every feature once in order, its diagonal, lines between layers", () => {
  const [first, second, third] = [[0, 9], [0, 10], [2, 1]].map(([layer, index]) => ({
    layer,
    index,
  }));
  const [iou, pearson] = similarityFigures("Thai", [
    { a: first, b: second, iou: 0.12345, pearson: -0.5 },
    { a: first, b: third, iou: 0, pearson: null },
    { a: second, b: third, iou: 0.5, pearson: 0.25 },
  ]);
  const names = ["L0 (9)", "L0 (10)", "L2 (1)"];
  assert.deepEqual(iou.options.columns, names);
  assert.deepEqual(iou.options.parted, ["L0 (10)"]);
  assert.deepEqual(iou.rows, [
    { a: names[0], b: names[1], iou: 0.123 },
    { a: names[0], b: names[2], iou: 0 },
    { a: names[1], b: names[2], iou: 0.5 },
    ...names.map((name) => ({ a: name, b: name, iou: 1 })),
  ]);
  assert.equal(pearson.rows.length, 5);
  assert.deepEqual(pearson.rows[0], { a: names[0], b: names[1], pearson: -0.5 });
  assert.match(iou.see, /at most on 50 %/);
});

Deno.test("activity: features that fire, by how often, how strongly and how specifically", () => {
  const feature = {
    ...{ language: "Thai", layer: 3, index: 5, firedTokens: 40, average: 2, max: 9 },
    ...{ probability: 0.2, entropy: 0.4 },
  };
  const [often] = activityFigures([feature, { ...feature, firedTokens: 0 }], LANGUAGES);
  assert.deepEqual(often.rows, [{
    ...{ language: "Thai", layer: 3, index: 5, fired_tokens: 40, average: 2, max: 9 },
    ...{ probability: 0.2, entropy: 0.4 },
  }]);
});

Deno.test("latent counts: a figure per layer, in their order", () => {
  const box = {
    ...{ low: 1, q1: 2, median: 3, q3: 4, high: 20_000 },
    ...{ rare: 7, frequent: 2, constant: 1, language: "Thai" },
  };
  const figures = latentCountFigures([{ ...box, layer: 10 }, { ...box, layer: 9 }], LANGUAGES);
  assert.deepEqual(figures.map(({ id }) => id), ["latent-counts-9", "latent-counts-10"]);
  assert.deepEqual(figures[0].rows, [{ ...box, layer: 9 }]);
});

Deno.test("opposing directions: counted in words, steps around all cosines", () => {
  const at = { language: "Thai", layer: 0 };
  const { rows, see, options } = opposingFigure([
    { ...at, index: 1, cosine: -0.61, bothTokens: 0 },
    { ...at, index: 2, cosine: -0.5, bothTokens: 3 },
  ], LANGUAGES);
  assert.match(see, /^1 of 2 features .* and 1 never fire/);
  assert.deepEqual(rows[1], { ...at, index: 2, cosine: -0.5, both_tokens: 3 });
  const edges = options.edges as number[];
  assert.deepEqual(edges, [-0.625, -0.6, -0.575, -0.55, -0.525, -0.5, -0.475]);
});
