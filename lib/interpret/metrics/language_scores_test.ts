import assert from "node:assert/strict";
import { againstRandom, againstShuffled, borrowedExplanations } from "./controls.ts";
import type { ConfusionCounts } from "./confusion.ts";
import { confusionEstimates } from "./confusion_score.ts";
import {
  averageScores,
  frequencyWeightedF1,
  languageScores,
  pooledMetrics,
  type ScoredLatent,
} from "./language_scores.ts";
import { point } from "./latent_score.ts";
import { differenceEstimate, meanEstimate } from "./means.ts";

/** A latent with its confusion counts: true positives, false negatives, true and false positives. */
function latent(
  [truePositives, falseNegatives, trueNegatives, falsePositives]: readonly number[],
  {
    languages = ["German"],
    layer = 0,
    firedTokens = 1,
    failed = 0,
  }: { languages?: string[]; layer?: number; firedTokens?: number; failed?: number } = {},
): ScoredLatent {
  const counts: ConfusionCounts = {
    truePositives,
    falseNegatives,
    trueNegatives,
    falsePositives,
  };
  const scored = truePositives + falseNegatives + trueNegatives + falsePositives;
  return {
    latent: { hookpoint: `layers.${layer}.mlp`, layer, index: 1 },
    languages,
    firedTokens,
    score: { scored, failed, counts, metrics: confusionEstimates([counts]), main: "accuracy" },
  };
}

Deno.test("a language's score is the mean over its latents, shared ones included", () => {
  const latents = [
    latent([4, 0, 4, 0]),
    latent([2, 2, 2, 2], { failed: 3 }),
    latent([4, 0, 0, 4], { languages: ["Thai", "German"] }),
    latent([0, 0, 0, 0], { failed: 8 }),
  ];
  const [german, thai, ...others] = languageScores(latents);
  assert.equal(others.length, 0);
  assert.deepEqual([german.language, german.latents, german.failed], ["German", 3, 11]);
  assert.equal(german.metrics.accuracy.value, (1 + 0.5 + 0.5) / 3);
  assert.equal(german.metrics.accuracy.low, 0.5);
  assert.ok(german.metrics.accuracy.high > 0.8);
  assert.deepEqual([thai.language, thai.latents, thai.failed], ["Thai", 1, 0]);
  assert.equal(thai.metrics.precision.value, 0.5);
});

Deno.test("a metric that a latent has not is left out of its language's mean", () => {
  const correlated = (value: number): ScoredLatent => ({
    ...latent([1, 0, 1, 0]),
    score: {
      scored: 2,
      failed: 0,
      metrics: { ev_correlation_score: point(value) },
      main: "ev_correlation_score",
    },
  });
  const [{ metrics }] = languageScores([correlated(0.2), correlated(NaN), correlated(0.4)]);
  assert.ok(Math.abs(metrics.ev_correlation_score.value - 0.3) < 1e-15);
  const [none] = languageScores([correlated(NaN)]);
  assert.ok(Number.isNaN(none.metrics.ev_correlation_score.value));
});

Deno.test("average_scores.csv has the published columns, rows and digits", () => {
  const table = averageScores({
    fuzz: [latent([3, 0, 2, 1], { languages: ["Thai"] }), latent([1, 2, 3, 0])],
    detection: [latent([2, 1, 3, 0])],
    simulation: [{
      ...latent([1, 0, 1, 0]),
      score: { scored: 1, failed: 0, metrics: {}, main: "ev_correlation_score" },
    }],
  });
  assert.deepEqual(Object.keys(table), [
    "Language",
    "Score Type",
    "accuracy",
    "f1_score",
    "precision",
    "recall",
  ]);
  assert.deepEqual(table, {
    Language: ["German", "German", "Thai"],
    "Score Type": ["detection", "fuzz", "fuzz"],
    accuracy: [0.833, 0.667, 0.833],
    f1_score: [0.8, 0.5, 0.857],
    precision: [1, 1, 0.75],
    recall: [0.667, 0.333, 1],
  });
});

Deno.test("a mean between two third decimals is rounded to the even one, as pandas does", () => {
  // 13.91 / 20 = 0.6955; summed one after the other, doubles come out below it
  const hundredths = [
    53,
    52,
    82,
    40,
    92,
    52,
    48,
    87,
    87,
    69,
    80,
    83,
    57,
    69,
    86,
    85,
    80,
    45,
    90,
    54,
  ];
  const latents = hundredths.map((hits) => latent([hits, 100 - hits, hits, 100 - hits]));
  const { accuracy, recall } = averageScores({ fuzz: latents });
  assert.deepEqual([accuracy, recall], [[0.696], [0.696]]);
});

Deno.test("pooled metrics are of all rows together", () => {
  const pooled = pooledMetrics([latent([4, 0, 4, 0]), latent([0, 8, 8, 0])]);
  assert.equal(pooled?.recall.value, 4 / 12);
  assert.equal(pooled?.accuracy.value, (4 / 12 + 1) / 2);
  assert.deepEqual([pooled?.recall.low, pooled?.recall.high], [0, 1]);
  assert.equal(pooledMetrics([]), undefined);
});

Deno.test("F1 is weighted by firings within a hookpoint, hookpoints count alike", () => {
  const latents = [
    latent([1, 0, 1, 0], { firedTokens: 3 }), // F1 1
    latent([0, 1, 1, 0], { firedTokens: 1 }), // F1 0
    latent([1, 1, 1, 0], { layer: 5, firedTokens: 100 }), // F1 2/3
    latent([0, 0, 0, 0], { layer: 5, firedTokens: 900 }), // no valid answer
  ];
  assert.ok(Math.abs(frequencyWeightedF1(latents) - (3 / 4 + 2 / 3) / 2) < 1e-15);
  assert.ok(Number.isNaN(frequencyWeightedF1([])));
});

Deno.test("means and differences have intervals; what is undefined is left out", () => {
  assert.deepEqual(meanEstimate([2, NaN, 2]), { value: 2, low: 2, high: 2 });
  assert.ok(Object.values(meanEstimate([NaN])).every(Number.isNaN));
  assert.ok(Object.values(differenceEstimate([1], [])).every(Number.isNaN));
  const spread = Array.from({ length: 50 }, (_, i) => (i % 10) / 10);
  const { value, low, high } = differenceEstimate(spread.map((x) => x + 1), spread);
  assert.ok(Math.abs(value - 1) < 1e-12);
  // standard error of the difference: sqrt(2 * 0.0825 / 50) = 0.0574
  assert.ok(
    Math.abs(low - (1 - 1.96 * 0.0574)) < 0.03 && Math.abs(high - (1 + 1.96 * 0.0574)) < 0.03,
  );
});

Deno.test("pairs are compared as pairs: what varies alike in both does not widen the interval", () => {
  const control = Array.from({ length: 20 }, (_, i) => i / 20);
  const { control: shuffled, difference } = againstShuffled(control.map((c) => [c + 0.25, c]));
  assert.ok(Math.abs(shuffled.value - 0.475) < 1e-12);
  assert.ok(Math.abs(difference.low - 0.25) < 1e-12 && Math.abs(difference.high - 0.25) < 1e-12);
  const random = againstRandom(control.map((c) => c + 0.25), control);
  assert.ok(random.difference.high - random.difference.low > 0.2);
  assert.equal(random.control.value, shuffled.value);
});

Deno.test("a latent borrows the next explanation of its group that differs from its own", () => {
  assert.deepEqual(
    borrowedExplanations(["a", "b", "a", "a", "b"], ["1", "2", "3", "4", "5"]),
    [2, 4, 3, 0, 1],
  );
  assert.deepEqual(borrowedExplanations(["a", "b", "b"], ["1", "2", "2"]), [1, 0, 0]);
  assert.deepEqual(borrowedExplanations(["a"], ["1"]), [undefined]);
  assert.deepEqual(borrowedExplanations(["a", "a"], ["1", "1"]), [undefined, undefined]);
});
