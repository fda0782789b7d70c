/** Figures of steering, classification, explanation and training, of hand-made results. */
import assert from "node:assert/strict";
import {
  classFigures,
  classifierFigure,
  classifierMatrixFigure,
  classifierRadarFigure,
  type ClassifierResult,
} from "./classification.ts";
import { changeMatrixFigures, effectsFigure } from "./perplexity_change.ts";
import { evaluationFigures } from "./sae_evaluation.ts";
import { controlledScoresFigure, correlationFigures, linearTrend } from "./score_correlations.ts";
import { outcomesFigure, steeredTextsFigure, strengthFigure } from "./steering.ts";
import { trainingFigures } from "./training_curves.ts";

const LANGUAGES = ["German", "Thai"];

Deno.test("change matrices: as published, and in nats per token", () => {
  const [published, logarithmic] = changeMatrixFigures(
    [
      { intervened: "Thai", impacted: "Thai", meanChange: 1234.5, corpusRatio: Math.E },
      { intervened: "Thai", impacted: "German", meanChange: -1, corpusRatio: 1 },
    ],
    "sae-features_max_-0.2",
    LANGUAGES,
  );
  assert.equal(published.id, "perplexity-change-sae-features-max-minus-0-2");
  assert.deepEqual(published.rows, [
    { intervened: "Thai", impacted: "Thai", mean_change: 1234.5, nats_per_token: 1 },
    { intervened: "Thai", impacted: "German", mean_change: -1, nats_per_token: 0 },
  ]);
  assert.deepEqual([published.options.columns, published.options.rows], [LANGUAGES, ["Thai"]]);
  assert.deepEqual(published.options.domain, [0, 1000]);
  assert.deepEqual(logarithmic.options.domain, [-1, 1]);
});

Deno.test("changes beyond all numbers leave their cells empty, and the colours of the others", () => {
  const [, { rows, options }] = changeMatrixFigures(
    [
      { intervened: "Thai", impacted: "Thai", meanChange: Infinity, corpusRatio: Infinity },
      { intervened: "Thai", impacted: "German", meanChange: NaN, corpusRatio: NaN },
      { intervened: "German", impacted: "Thai", meanChange: 1, corpusRatio: Math.E },
    ],
    "x",
    LANGUAGES,
  );
  assert.deepEqual(rows.map((row) => row.mean_change), [null, null, 1]);
  assert.deepEqual(rows.map((row) => row.nats_per_token), [null, null, 1]);
  assert.deepEqual(options.domain, [-1, 1]);
});

Deno.test("effects: own and other languages, controls where there are some", () => {
  const { rows, options } = effectsFigure([{
    language: "Thai",
    own: { value: 2, low: 1, high: 3 },
    others: { value: 0.5 },
    controlOwn: { value: 0.1, low: 0, high: 0.2 },
  }], "x");
  assert.deepEqual(rows, [
    { language: "Thai", texts: "own language", nats_per_token: 2, low: 1, high: 3 },
    { language: "Thai", texts: "other languages", nats_per_token: 0.5, low: null, high: null },
    { language: "Thai", texts: "own, random features", nats_per_token: 0.1, low: 0, high: 0.2 },
  ]);
  assert.deepEqual(options.seriesNames, rows.map(({ texts }) => texts));
});

Deno.test("perplexity by strength goes through 0, in the order of strengths", () => {
  const effects = [0.2, -0.2].map((multiplier) => ({
    language: "Thai",
    multiplier,
    own: multiplier,
    others: 0.01,
  }));
  const { rows, options } = strengthFigure(effects, LANGUAGES, "x");
  assert.deepEqual(rows.map(({ multiplier }) => multiplier), [-0.2, -0.2, 0, 0, 0.2, 0.2]);
  assert.deepEqual(rows[2], {
    language: "Thai",
    multiplier: 0,
    texts: "own language",
    nats_per_token: 0,
  });
  assert.deepEqual(options.panels, ["Thai"]);
});

Deno.test("steered texts: shares by strength, and what the best strength achieved", () => {
  const own = { language: "Thai", control: false, texts: 4 };
  const texts = [
    { ...own, multiplier: 0.4, hits: 3, interval: { low: 0.3, high: 0.9 } },
    { ...own, multiplier: 0.8, hits: 3 },
    { ...own, multiplier: 0, hits: 4 },
    { ...own, multiplier: 0.4, hits: 1, control: true },
  ];
  const curves = steeredTextsFigure(texts, LANGUAGES);
  assert.deepEqual(
    curves.rows.map(({ multiplier, features, share }) => [multiplier, features, share]),
    [
      [0, "language's features", 1],
      [0.4, "language's features", 0.75],
      [0.4, "random features", 0.25],
      [0.8, "language's features", 0.75],
    ],
  );
  assert.deepEqual([curves.rows[1].low, curves.rows[3].low], [0.3, null]);
  assert.deepEqual(outcomesFigure(texts, LANGUAGES).rows, [
    { language: "Thai", outcome: "in the language", texts: 3, multiplier: 0.4 },
    { language: "Thai", outcome: "in another", texts: 1, multiplier: 0.4 },
  ]);
});

const RESULT: ClassifierResult = {
  name: "sae-count",
  classes: LANGUAGES,
  precision: [1, 0.8],
  recall: [0.75, 1],
  f1: [0.857, 0.889],
  confusion: [[3, 1], [0, 4]],
  accuracy: 0.875,
  accuracyInterval: { low: 0.6, high: 1 },
  f1Macro: 0.873,
};

Deno.test("classifiers: the best first, with their intervals", () => {
  const { rows, options, see } = classifierFigure([RESULT, {
    ...RESULT,
    name: "eld",
    f1Macro: 0.9,
  }]);
  assert.deepEqual(options.categories, ["eld", "sae-count"]);
  assert.deepEqual(rows[2], {
    ...{ classifier: "sae-count", metric: "accuracy", value: 0.875, low: 0.6, high: 1 },
  });
  assert.deepEqual(rows[3], {
    ...{ classifier: "sae-count", metric: "macro F1", value: 0.873, low: null, high: null },
  });
  assert.match(see, /^eld tells languages apart best, with a macro F1 of 0\.900/);
  assert.deepEqual(options.domain, [0.6, 1]);
});

Deno.test("classes: the confusion matrix with its most frequent mistake, scores of each class", () => {
  const [confusion, classes] = classFigures(RESULT);
  assert.deepEqual(confusion.rows.map((row) => [row.true, row.predicted, row.texts]), [
    ["German", "German", 3],
    ["German", "Thai", 1],
    ["Thai", "German", 0],
    ["Thai", "Thai", 4],
  ]);
  assert.match(confusion.see, /the most frequent is German taken for Thai \(1\)\.$/);
  assert.deepEqual(classes.rows, [
    { language: "German", metric: "precision", value: 1 },
    { language: "German", metric: "recall", value: 0.75 },
    { language: "German", metric: "F1", value: 0.857 },
    { language: "Thai", metric: "precision", value: 0.8 },
    { language: "Thai", metric: "recall", value: 1 },
    { language: "Thai", metric: "F1", value: 0.889 },
  ]);
  const [right] = classFigures({ ...RESULT, confusion: [[3, 0], [0, 4]] });
  assert.match(right.see, /no mistakes/);
  assert.equal(classifierRadarFigure([RESULT]).rows.length, 6);
  assert.deepEqual(classifierMatrixFigure([RESULT]).rows[1], {
    ...{ language: "Thai", classifier: "sae-count", f1: 0.889 },
  });
});

Deno.test("the line of least squares, and an interval of r", () => {
  const trend = linearTrend([0, 1, 2], [1, 3, 2]);
  assert.ok(Math.abs(trend.r - 0.5) < 1e-12);
  assert.ok(Math.abs(trend.slope - 0.5) < 1e-12);
  assert.ok(Math.abs(trend.intercept - 1.5) < 1e-12);
  const exact = linearTrend([0, 1, 2, 3, 4], [8, 6, 4, 2, 0]);
  assert.ok(Math.abs(exact.slope + 2) < 1e-12 && Math.abs(exact.intercept - 8) < 1e-12);
  assert.ok(Math.abs(exact.interval.low + 1) < 1e-9 && Math.abs(exact.interval.high + 1) < 1e-9);
  assert.ok(Number.isNaN(linearTrend([1, 2], [3, 3]).r));
  assert.ok(Number.isNaN(linearTrend([1, 2], [3, 4]).interval.low));
});

Deno.test("correlations: a figure per metric that was measured, a trend per kind of test", () => {
  const score = (entropy: number, accuracy: number | null, scorer: string) => ({
    ...{ language: "Thai", layer: 0, index: entropy, entropy, scorer, metrics: { accuracy } },
  });
  const figures = correlationFigures([
    score(0, 0.9, "detection"),
    score(1, 0.8, "detection"),
    score(2, 0.7, "detection"),
    score(3, null, "detection"),
    score(0, 0.5, "fuzz"),
  ], LANGUAGES);
  assert.deepEqual(figures.map(({ id }) => id), ["entropy-and-accuracy"]);
  const [{ rows, see, options }] = figures;
  assert.equal(rows.length, 4);
  assert.deepEqual(rows[1], {
    ...{ language: "Thai", layer: 0, index: 1, scorer: "detection", entropy: 1, score: 0.8 },
  });
  const [trend, ...others] = options.trends as { panel: string; slope: number }[];
  assert.equal(others.length, 0);
  assert.ok(trend.panel === "detection" && Math.abs(trend.slope + 0.1) < 1e-12);
  assert.match(see, /detection r = −1\.000 \[−1\.00, −1\.00\], slope −0\.100\.$/);
});

Deno.test("controls: quartiles of each group", () => {
  const scores = [0, 1, 2, 3, 4].map((i) => ({ scorer: "fuzz", group: "random", score: i / 4 }));
  assert.deepEqual(controlledScoresFigure(scores, "accuracy").rows, [{
    ...{ kind: "fuzz, random", scorer: "fuzz", group: "random", latents: 5 },
    ...{ low: 0, q1: 0.25, median: 0.5, q3: 0.75, high: 1 },
  }]);
});

Deno.test("training: a figure per value, long logs thinned but for what is held out", () => {
  const points = Array.from({ length: 1001 }, (_, i) => ({
    step: i + 1,
    tokens: 64 * (i + 1),
    coder: "layers.3.mlp",
    values: { fvu: 1 / (i + 1), ...i === 1 && { held_out_fvu: 0.25 } },
  }));
  const [fvu, held] = trainingFigures(points, "run a");
  assert.deepEqual([fvu.id, held.id], ["training-fvu-run-a", "training-held-out-fvu-run-a"]);
  assert.deepEqual(fvu.rows[0], {
    ...{ step: 1, tokens: 64, coder: "layers.3.mlp", layer: 3, fvu: 1 },
  });
  assert.deepEqual(fvu.rows.slice(1, 3).map(({ step }) => step), [4, 7]);
  assert.equal(fvu.rows.at(-1)?.step, 1001);
  assert.match(fvu.see, /One step in 3 is drawn\.$/);
  assert.deepEqual(held.rows.map(({ step }) => step), [2]);
  assert.ok(!/is drawn/.test(held.see));
});

Deno.test("evaluation: a matrix per measure that is there", () => {
  const saes = LANGUAGES.map((language, i) => ({
    hookpoint: "layers.0",
    language,
    measures: { fvu: i / 4, kl_sae: null },
  }));
  const words = { title: "A", see: "B" };
  const measures = [{ measure: "fvu", ...words }, { measure: "kl_sae", ...words }];
  const figures = evaluationFigures(saes, measures);
  assert.deepEqual(figures.map(({ id }) => id), ["evaluation-fvu"]);
  assert.deepEqual(figures[0].rows, [
    { hookpoint: "layers.0", language: "German", fvu: 0 },
    { hookpoint: "layers.0", language: "Thai", fvu: 0.25 },
  ]);
});
