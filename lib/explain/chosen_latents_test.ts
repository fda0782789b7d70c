import assert from "node:assert/strict";
import { refuses } from "../../tests/support/refusals.ts";
import type { LapeResult } from "../lape/lape_json.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Sae } from "../sae/sae.ts";
import type { Target } from "../sae/target.ts";
import { controlCandidates, identifiedIndices, identifiedLatents } from "./chosen_latents.ts";

const LATENTS = 300;
const TARGETS: Target[] = resolveHookpoints(["layers.{1,3}.mlp"], 4)
  .map((hookpoint) => ({ hookpoint, sae: { latents: LATENTS } as Sae }));

/** A result in which languages have these (layer, index) features. */
function result(features: Record<string, readonly (readonly [number, number])[]>): LapeResult {
  const languages = Object.keys(features);
  return {
    languages,
    examples: languages.map(() => 1),
    tokens: languages.map(() => 1),
    layers: 4,
    features: languages.map((language) =>
      features[language].map(([layer, index]) => ({
        ...{ layer, index, entropy: 0, probability: 1 },
        ...{ globalMax: 1, globalMin: 1, globalAvg: 1 },
      }))
    ),
  };
}

const FOUND = result({
  German: [[1, 7], [1, 200], [2, 5]],
  Thai: [[1, 3], [1, 7], [3, 9], [3, 11]],
});

Deno.test("latents of all languages are explained once, hookpoint by hookpoint, by index", () => {
  const chosen = identifiedLatents(FOUND, TARGETS);
  assert.deepEqual(chosen.map(({ hookpoint }) => hookpoint), ["layers.1.mlp", "layers.3.mlp"]);
  assert.deepEqual(
    chosen.flatMap(({ identified }) =>
      identified.map(({ layer, index, languages }) => [layer, index, languages.join()])
    ),
    [[1, 3, "Thai"], [1, 7, "German,Thai"], [1, 200, "German"], [3, 9, "Thai"], [3, 11, "Thai"]],
  );
  const few = identifiedLatents(FOUND, TARGETS, 1);
  assert.deepEqual(few.map(({ identified }) => identified.map(({ index }) => index)), [[3], [9]]);
});

Deno.test("latents that the SAE has not, and hookpoints without any, are refused", async () => {
  await refuses(
    () => identifiedLatents(result({ Thai: [[3, LATENTS]] }), TARGETS),
    /names? latent 300 of layers\.3\.mlp, but its SAE has 300/,
  );
  await refuses(
    () => identifiedLatents(result({ Thai: [[2, 1]] }), TARGETS),
    /No feature was identified at layers\.1\.mlp, layers\.3\.mlp/,
  );
});

Deno.test("controls are drawn from the others, alike whatever other hookpoints have", () => {
  const [first, second] = identifiedLatents(FOUND, TARGETS);
  const excluded = identifiedIndices(FOUND, 1);
  assert.deepEqual([...excluded].sort((a, b) => a - b), [3, 7, 200]);
  const drawn = controlCandidates(first, excluded, 22);
  assert.equal(drawn.length, 24);
  assert.equal(new Set(drawn.map(({ index }) => index)).size, 24);
  assert.ok(drawn.every(({ index, layer }) => layer === 1 && !excluded.has(index)));
  assert.deepEqual(controlCandidates(first, excluded, 22), drawn);
  assert.notDeepEqual(controlCandidates(first, excluded, 23), drawn);
  const others = controlCandidates(second, identifiedIndices(FOUND, 3), 22);
  assert.notDeepEqual(others.map(({ index }) => index), drawn.map(({ index }) => index));

  const narrow = controlCandidates({ ...first, latents: 10 }, excluded, 22);
  assert.deepEqual(narrow.map(({ index }) => index).sort((a, b) => a - b), [
    ...[0, 1, 2, 4, 5, 6, 8, 9],
  ]);
});
