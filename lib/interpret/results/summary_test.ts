/** Scores summed up, against sums made by hand. */
import assert from "node:assert/strict";
import type { LatentScore } from "../metrics/latent_score.ts";
import type { Group } from "./result_files.ts";
import { summarise } from "./summary.ts";
import type { Scored } from "./found.ts";

function scored(
  group: Group,
  index: number,
  accuracy: number | undefined,
  languages: readonly string[] = ["Thai"],
): Scored {
  const score: LatentScore | undefined = accuracy === undefined ? undefined : {
    ...{ scored: 10, failed: 1, main: "accuracy" },
    metrics: { accuracy: { value: accuracy, low: 0, high: 1 } },
  };
  const latent = { hookpoint: "layers.1.mlp", layer: 1, index, languages };
  return { latent, group, scorer: "detection", score, failures: [] };
}

function close(value: number | undefined, expected: number): void {
  assert.ok(Math.abs((value ?? NaN) - expected) < 1e-12, `${value}, not ${expected}`);
}

Deno.test("identified latents are compared with random ones, and with themselves when shuffled", () => {
  const { scorers } = summarise([
    scored("identified", 1, 0.9),
    scored("identified", 2, 0.7, ["German", "Thai"]),
    scored("identified", 3, undefined),
    scored("random", 8, 0.6),
    scored("random", 9, 0.5),
    scored("shuffled", 2, 0.4),
    scored("shuffled", 3, 0.1),
  ], () => 1);
  const [{ main, latents, predictions, failed, metrics, controls, languages }] = scorers;
  assert.deepEqual([scorers.length, main, latents, predictions, failed], [1, "accuracy", 2, 20, 2]);
  close(metrics.accuracy.value, 0.8);
  assert.equal(controls.random?.latents, 2);
  close(controls.random?.control.value, 0.55);
  close(controls.random?.difference.value, 0.25);
  // latent 3 has no score of its own to compare with
  close(controls.shuffled?.difference.value, 0.7 - 0.4);
  assert.deepEqual(languages.map(({ language, latents }) => [language, latents]), [
    ["German", 1],
    ["Thai", 2],
  ]);
  close(languages[0].metrics.accuracy.value, 0.7);
  close(languages[1].metrics.accuracy.value, 0.8);
});

Deno.test("without controls there is no comparison, without scores no scorer", () => {
  const [{ controls, frequency_weighted_f1 }] = summarise([scored("identified", 1, 1)], () => 1)
    .scorers;
  assert.deepEqual([controls, frequency_weighted_f1], [{}, null]);
  assert.deepEqual(summarise([], () => 1).scorers, []);
});
