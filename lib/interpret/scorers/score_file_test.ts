import assert from "node:assert/strict";
import { InputError } from "../../formats/input_error.ts";
import { readScoredExamples } from "./score_file.ts";

const ROW = {
  str_tokens: ["a", " b"],
  activations: [0, 1.5],
  distance: -1,
  activating: false,
  prediction: null,
  probability: null,
  correct: null,
};

Deno.test("a score file is a list of rows; Python's -1.0 and 0.5 are numbers", () => {
  const text = JSON.stringify([ROW, { ...ROW, prediction: true, probability: 0.5, correct: false }])
    .replace('"distance":-1', '"distance":-1.0');
  const rows = readScoredExamples(text, "file");
  assert.deepEqual(rows[0], ROW);
  assert.deepEqual([rows[1].prediction, rows[1].probability, rows[1].correct], [true, 0.5, false]);
});

Deno.test("anything else is refused", () => {
  const { correct: _, ...withoutCorrect } = ROW;
  for (const json of ["", "{}", "[1]", JSON.stringify([withoutCorrect]), '[{"distance":NaN}]']) {
    assert.throws(() => readScoredExamples(json, "scores/fuzz/x.txt"), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /^scores\/fuzz\/x\.txt is not a score file of detection or fuzz/);
      return true;
    });
  }
});
