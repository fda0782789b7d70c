import assert from "node:assert/strict";
import type { ScoredExample } from "../scorers/scorer.ts";
import { areaUnderCurve, areaUnderCurveEstimate } from "./area_under_curve.ts";
import { confusionCounts, confusionMetrics, pooledCounts } from "./confusion.ts";
import { confusionScore } from "./confusion_score.ts";

/** Rows by sign: what is so, then what was predicted; `+?` has no prediction. */
function rows(...signs: string[]): ScoredExample[] {
  return signs.map((sign) => {
    const activating = sign[0] === "+";
    const prediction = sign[1] === "?" ? null : sign[1] === "+";
    return {
      str_tokens: [],
      activations: [],
      distance: activating ? 0 : -1,
      activating,
      prediction,
      probability: null,
      correct: prediction === null ? null : prediction === activating,
    };
  });
}

const times = (count: number, sign: string) => Array<string>(count).fill(sign);

Deno.test("counts and metrics by hand; rows without prediction are left out", () => {
  const counts = confusionCounts(
    rows(...times(6, "++"), ...times(2, "+-"), ...times(1, "-+"), ...times(3, "--"), "+?", "-?"),
  );
  assert.deepEqual(counts, {
    truePositives: 6,
    falseNegatives: 2,
    falsePositives: 1,
    trueNegatives: 3,
  });
  assert.deepEqual(confusionMetrics(counts), {
    precision: 6 / 7,
    recall: 6 / 8,
    f1_score: 2 * (6 / 7) * (6 / 8) / (6 / 7 + 6 / 8),
    accuracy: (6 / 8 + 3 / 4) / 2,
    true_positive_rate: 6 / 8,
    true_negative_rate: 3 / 4,
    false_positive_rate: 1 / 4,
    false_negative_rate: 2 / 8,
  });
});

Deno.test("what would divide by zero is 0", () => {
  const none = confusionMetrics(confusionCounts([]));
  assert.deepEqual(new Set(Object.values(none)), new Set([0]));
  const onlyNegatives = confusionMetrics(confusionCounts(rows("--", "-+")));
  assert.deepEqual(
    [onlyNegatives.precision, onlyNegatives.f1_score, onlyNegatives.accuracy],
    [0, 0, 0.25],
  );
});

Deno.test("accuracy is balanced: yes to everything has a half, however many fire", () => {
  const { accuracy, recall } = confusionMetrics(confusionCounts(rows("++", "-+", "-+", "-+")));
  assert.deepEqual([accuracy, recall], [0.5, 1]);
});

Deno.test("counts of parts add up", () => {
  const [a, b] = [rows("++", "+-", "--"), rows("-+", "++")];
  assert.deepEqual(
    pooledCounts([confusionCounts(a), confusionCounts(b)]),
    confusionCounts([...a, ...b]),
  );
});

Deno.test("weights count a row several times", () => {
  assert.deepEqual(confusionCounts(rows("++", "-+", "--"), [2, 0, 3]), {
    truePositives: 2,
    falsePositives: 0,
    trueNegatives: 3,
    falseNegatives: 0,
  });
});

Deno.test("area under the curve: pairs in the right order, ties half", () => {
  assert.equal(areaUnderCurve([3, 4], [1, 2]), 1);
  assert.equal(areaUnderCurve([1, 2], [3, 4]), 0);
  assert.equal(areaUnderCurve([1, 1], [1]), 0.5);
  assert.equal(areaUnderCurve([0.1, 0.4, 0.35], [0.4, 0.2]), (1 + 0.5 + 1) / 6);
  assert.ok(Number.isNaN(areaUnderCurve([], [1])));
  assert.ok(Number.isNaN(areaUnderCurveEstimate([1], []).low));
});

Deno.test("an area has an interval around it, narrower for more values", () => {
  const spread = (count: number, shift: number) =>
    Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) + shift);
  const few = areaUnderCurveEstimate(spread(10, 0.5), spread(10, 0));
  const many = areaUnderCurveEstimate(spread(200, 0.5), spread(200, 0));
  for (const { value, low, high } of [few, many]) assert.ok(low < value && value < high);
  assert.ok(many.high - many.low < (few.high - few.low) / 2);
});

Deno.test("failures are counted, and intervals hold the value", () => {
  const many = rows(
    ...Array.from({ length: 20 }, (_, i) => ["++", "+-", "--", i % 2 ? "-+" : "--", "++"]).flat(),
    ...times(5, "+?"),
  );
  const { scored, failed, metrics, main, counts } = confusionScore(many, 5);
  assert.deepEqual([scored, failed, main], [100, 5, "accuracy"]);
  assert.deepEqual(counts, confusionCounts(many));
  for (const { value, low, high } of Object.values(metrics)) {
    assert.ok(low <= value && value <= high);
    assert.ok(high - low < 0.3);
  }
  assert.equal(metrics.auc, undefined, "no row has a probability");
  // Wilson's interval of 40 of 60
  assert.ok(Math.abs(metrics.recall.low - 0.5406) < 1e-4);
  assert.ok(Math.abs(metrics.recall.high - 0.7727) < 1e-4);
});

Deno.test("questions are drawn whole: rows that are answered alike say less", () => {
  const alike = [0, 1, 2, 3].flatMap((i) =>
    rows(...times(5, i < 2 ? "++" : "+-"), ...times(5, "--"))
  );
  const width = (perQuestion: number) => {
    const { low, high } = confusionScore(alike, perQuestion).metrics.accuracy;
    return high - low;
  };
  assert.ok(width(10) > 1.5 * width(1));
});

Deno.test("where nothing is wrong there is doubt still, as far as few rows leave it", () => {
  const { accuracy, f1_score } = confusionScore(
    rows(...times(10, "++"), ...times(10, "--")),
    5,
  ).metrics;
  // Wilson's lower limit of 10 of 10 is 0.7225, of the share and of the rate alike
  assert.ok(Math.abs(accuracy.low - (1 - Math.SQRT2 * (1 - 0.72247) / 2)) < 1e-4);
  assert.ok(Math.abs(f1_score.low - 2 * 0.72247 / 1.72247) < 1e-4);
  for (const { value, high } of [accuracy, f1_score]) assert.deepEqual([value, high], [1, 1]);
});

Deno.test("published rows with probabilities have an area", () => {
  const [a, b, c, d] = rows("++", "+-", "--", "-+");
  const scored = [
    { ...a, probability: 0.9 },
    { ...b, probability: 0.3 },
    { ...c, probability: 0.1 },
    { ...d, probability: 0.6 },
  ];
  assert.equal(confusionScore(scored, 1).metrics.auc.value, 3 / 4);
});

Deno.test("no rows are no score", () => {
  const { scored, failed, metrics } = confusionScore([], 5);
  assert.deepEqual([scored, failed, metrics.accuracy.value], [0, 0, 0]);
  assert.deepEqual([metrics.recall.low, metrics.recall.high], [0, 1]);
});
