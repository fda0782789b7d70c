import assert from "node:assert/strict";
import { comparisonColumns, metricsJson, predictionColumns } from "./classification_files.ts";
import { evaluate, type LabelledText } from "./evaluation.ts";
import { iso3Of } from "./language_codes.ts";

const TEXTS: LabelledText[] = ["Chinese", "Chinese", "English", "English", "Swahili"]
  .map((language, i) => ({ text: `text ${i}`, language, document: String(i) }));

/** Right, right, a tie that goes to Chinese, nothing at all, a language without scores. */
const SCORES = {
  name: "sae-count",
  languages: ["Chinese", "English"],
  scores: [[2, 0], [3, 1], [4, 4], [0, 0], [0, 1.23456]],
};

const EVALUATION = evaluate(SCORES, TEXTS, iso3Of, { replicates: 50, seed: 0 });

Deno.test("ties and texts without evidence are counted apart", () => {
  assert.equal(EVALUATION.ties, 1);
  assert.equal(EVALUATION.empty, 1);
});

Deno.test("metrics.json has the original's keys, classes in iso3", () => {
  const { accuracy_interval: interval, ...metrics } = metricsJson(EVALUATION);
  assert.deepEqual(Object.keys(metrics).slice(0, 9), [
    ...["classes", "accuracy", "precision", "recall", "f1"],
    ...["precision_macro", "recall_macro", "f1_macro", "confusion_matrix"],
  ]);
  assert.deepEqual(metrics.classes, ["eng", "swa", "zho"]);
  assert.equal(metrics.accuracy, 2 / 5);
  assert.deepEqual(metrics.confusion_matrix, [[0, 0, 2], [1, 0, 0], [0, 0, 2]]);
  assert.deepEqual(metrics.recall, [0, 0, 1]);
  const [low, high] = interval as number[];
  assert.ok(low < 2 / 5 && high > 2 / 5);
});

Deno.test("without resamples there are no intervals", () => {
  const plain = evaluate(SCORES, TEXTS, iso3Of, { replicates: 0, seed: 0 });
  assert.equal(metricsJson(plain).accuracy_interval, null);
  assert.deepEqual(comparisonColumns([plain]).accuracy_low, [null]);
});

Deno.test("predictions under the original's columns; scores scaled only where asked", () => {
  const range = { lang: "en", start: 2, end: 5 };
  const columns = predictionColumns(EVALUATION, TEXTS, range, { scaled: false });
  assert.deepEqual(columns, {
    sentences: ["text 2", "text 3", "text 4"],
    predictions: ["zho", "zho", "eng"],
    labels: ["eng", "eng", "swa"],
    "results (['Chinese', 'English'])": ["[4, 4]", "[0, 0]", "[0, 1.235]"],
  });
  const { "results (['Chinese', 'English'])": scaled } = predictionColumns(
    ...[EVALUATION, TEXTS, range] as const,
    { scaled: true },
  );
  assert.deepEqual(scaled, ["[12, 12]", "[0, 0]", "[0, 1.235]"]);
});

Deno.test("codes of languages", () => {
  const names = ["Chinese", "German", "Estonian", "Chinese (Traditional Han)"];
  assert.deepEqual(names.map(iso3Of), ["zho", "deu", "est", "Chinese (Traditional Han)"]);
});
