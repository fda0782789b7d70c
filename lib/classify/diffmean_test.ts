import assert from "node:assert/strict";
import type { DiffMean } from "../lape/diffmean.ts";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama } from "../../tests/support/models.ts";
import { maxAbsoluteDifference, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { Fixture } from "../../tests/support/tensors.ts";
import forward from "../../tests/fixtures/oracle/forward.json" with { type: "json" };
import { resolveHookpoints } from "../nn/hookpoints.ts";
import { diffMeanDirections, diffMeanScores } from "./diffmean.ts";
import { textMeans } from "./text_means.ts";

/** Means of languages as DiffMean has them. */
function differences(means: number[][][], layers: number[]): DiffMean {
  const [languages, width] = [means.length, means[0][0].length];
  const average = (g: number | undefined, l: number, i: number) => {
    const others = means.filter((_, h) => h !== g);
    return others.reduce((sum, mean) => sum + mean[l][i], 0) / others.length;
  };
  const each = (valueOf: (l: number, i: number) => number) =>
    layers.flatMap((_, l) => Array.from({ length: width }, (_, i) => valueOf(l, i)));
  return {
    languages: Array.from({ length: languages }, (_, g) => `L${g}`),
    layers,
    width,
    mean: Float32Array.from(
      means.flatMap((mean, g) => each((l, i) => mean[l][i] - average(g, l, i))),
    ),
    centre: Float32Array.from(each((l, i) => average(undefined, l, i))),
  };
}

Deno.test("scores by the formula: (x - m) · d / |d|, m halfway between a mean and the others'", () => {
  const random = seededRandom(3);
  const vector = () => [...randomValues(random, 7)];
  const means = Array.from({ length: 5 }, () => [vector(), vector()]);
  const directions = diffMeanDirections(differences(means, [1, 4]));
  const x = [vector(), vector()];
  const scores = diffMeanScores(directions, x.map((values) => Float64Array.from(values)));
  means.forEach((mean, g) => {
    let expected = 0;
    for (let l = 0; l < 2; l++) {
      const others = mean[l].map((_, i) =>
        means.filter((_, h) => h !== g).reduce((sum, other) => sum + other[l][i], 0) / 4
      );
      const length = Math.hypot(...mean[l].map((value, i) => value - others[i]));
      mean[l].forEach((value, i) =>
        expected += (x[l][i] - (value + others[i]) / 2) * (value - others[i]) / length
      );
    }
    assert.ok(Math.abs(scores[g] - expected) < 1e-5, `${g}: ${scores[g]}, expected ${expected}`);
  });
});

Deno.test("languages with the same mean say nothing", () => {
  const same = differences([[[1, 2]], [[1, 2]]], [0]);
  assert.deepEqual(diffMeanScores(diffMeanDirections(same), [Float64Array.of(5, 5)]), [0, 0]);
});

Deno.test("a text's mean is that of the oracle's activations, whatever the batch", async () => {
  using oracle = await Fixture.open("tests/fixtures/oracle/forward.safetensors");
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const hookpoints = resolveHookpoints(["layers.{0,5}.mlp"], model.llama.config.layers);
  const texts = forward.map(({ ids }) => ({ ids: Uint32Array.from(ids) }));
  const longest = Math.max(...texts.map(({ ids }) => ids.length));
  const meansOf = (tokens: number) =>
    Array.fromAsync(
      textMeans({ ...model, gpu, limits: { tokens, examples: 64 } }, hookpoints, texts),
    );
  const means = await meansOf(2000);
  for (const [text, { lang, row, ids }] of forward.entries()) {
    for (const [h, { name }] of hookpoints.entries()) {
      const values = await oracle.floats(`${lang}.${row}.${name}`);
      const width = values.length / ids.length;
      const expected = Array.from(
        { length: width },
        (_, i) =>
          values.reduce((sum, value, at) => at % width === i ? sum + value : sum, 0) / ids.length,
      );
      const difference = maxAbsoluteDifference(means[text][h], expected);
      assert.ok(difference < 1e-4, `${lang} ${name}: ${difference}`);
    }
  }
  assert.deepEqual(await meansOf(longest), means);
});
