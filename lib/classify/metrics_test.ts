import assert from "node:assert/strict";
import { readJson } from "../data/files.ts";
import { maxAbsoluteDifference } from "../../tests/support/numbers.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { metricIntervals } from "./intervals.ts";
import { classesOf, classMetrics, confusionMatrix, macro } from "./metrics.ts";

/** What scikit-learn says of labels and predictions. */
interface Reference {
  readonly labels: string[];
  readonly predictions: string[];
  readonly classes: string[];
  readonly accuracy: number;
  readonly precision: number[];
  readonly recall: number[];
  readonly f1: number[];
  readonly precision_macro: number;
  readonly recall_macro: number;
  readonly f1_macro: number;
  readonly confusion_matrix: number[][];
}

Deno.test("metrics are scikit-learn's, also where it divides by zero", async () => {
  const path = projectPath("tests/fixtures/classify/metrics.json");
  const cases = await readJson(path) as Reference[];
  assert.ok(cases.some(({ precision }) => precision.includes(0)), "no case divides by zero");
  for (const expected of cases) {
    const classes = classesOf(expected.labels, expected.predictions);
    assert.deepEqual(classes, expected.classes);
    const positions = (names: readonly string[]) => names.map((name) => classes.indexOf(name));
    const [labels, predictions] = [expected.labels, expected.predictions].map(positions);
    const matrix = confusionMatrix(classes.length, labels, predictions);
    assert.deepEqual(matrix, expected.confusion_matrix);
    const { accuracy, precision, recall, f1 } = classMetrics(matrix);
    const found = [...precision, ...recall, ...f1, ...[precision, recall, f1].map(macro), accuracy];
    const { precision_macro, recall_macro, f1_macro } = expected;
    const reference = [
      ...[...expected.precision, ...expected.recall, ...expected.f1],
      ...[precision_macro, recall_macro, f1_macro, expected.accuracy],
    ];
    assert.ok(maxAbsoluteDifference(found, reference) < 1e-14);
  }
});

Deno.test("a text that counts twice is two texts", () => {
  const once = confusionMatrix(3, [0, 1, 1, 2, 2], [0, 1, 1, 0, 2]);
  assert.deepEqual(confusionMatrix(3, [0, 1, 2, 2], [0, 1, 0, 2], [1, 2, 1, 1]), once);
  assert.deepEqual(classMetrics([]), { accuracy: 0, precision: [], recall: [], f1: [] });
});

Deno.test("intervals are those of documents, not of texts", () => {
  // 20 documents of 30 texts, each all right or all wrong: 20 independent coins, not 600
  const documents = Array.from({ length: 600 }, (_, text) => `d${Math.floor(text / 30)}`);
  const labels = documents.map((_, text) => text % 2);
  const predictions = documents.map((_, text) =>
    Math.floor(text / 30) % 4 === 0 ? 1 - text % 2 : text % 2
  );
  const { accuracy, f1Macro } = metricIntervals(2, labels, predictions, documents);
  // binomial: 0.75 and standard error sqrt(0.75 * 0.25 / 20) = 0.097; of texts it would be 0.018
  assert.ok(accuracy.low > 0.5 && accuracy.low < 0.62, `${accuracy.low}`);
  assert.ok(accuracy.high > 0.88 && accuracy.high < 1, `${accuracy.high}`);
  assert.ok(Math.abs(f1Macro.low - accuracy.low) < 1e-12, "the classes are symmetric");
  const again = metricIntervals(2, labels, predictions, documents);
  assert.deepEqual(again, { accuracy, f1Macro });
  const other = metricIntervals(2, labels, predictions, documents, { seed: 1, replicates: 7 });
  assert.notDeepEqual(other, again);
});

Deno.test("macro F1 of a resample leaves out classes that are not in it", () => {
  const all = metricIntervals(3, [0, 1, 2], [0, 1, 2], ["a", "b", "c"]);
  assert.deepEqual(all, { accuracy: { low: 1, high: 1 }, f1Macro: { low: 1, high: 1 } });
});
