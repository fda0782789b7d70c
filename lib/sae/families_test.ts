import assert from "node:assert/strict";
import { openSaeFixture, saeFixtures } from "../../tests/support/sae_fixtures.ts";
import { saeReference } from "../../tests/support/sae_reference.ts";
import { readJson } from "../data/files.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { findSaes, type FoundSae, saeHookpoint } from "./families.ts";

/** Expected values and weights divided by scales are f32. */
const TOLERANCE = 1e-5;

/** What the files of each fixture say of where it belongs. */
const HOOKPOINTS: Readonly<Record<string, string>> = {
  "gemma-scope-2b-pt-res/layer_3/width_70/average_l0_12": "layers.3",
  "layers.0.mlp": "layers.0.mlp",
  "layers.1.mlp": "layers.1.mlp",
  "layers.2": "layers.2",
  "llama_scope_converted": "layers.15",
  "llama_scope_jumprelu": "layers.15",
  "llama_scope_topk": "layers.7.mlp",
  "llama_scope_without_norms": "layers.15",
  "saelens_flat": "layers.2",
  "saelens_jumprelu": "layers.2.mlp",
  "saelens_layer_norm": "layers.2.mlp",
  "saelens_standard": "layers.2.mlp",
  "saelens_topk": "layers.4",
  "saelens_topk_scaled": "layers.2.mlp",
};

for (const found of saeFixtures()) {
  Deno.test(`${found.folder}: features and reconstruction are those of its authors' formulas`, async () => {
    using fixture = await openSaeFixture(found);
    const { features, reconstruction } = await saeReference(fixture.sae, fixture.x);
    assert.deepEqual(Array.from(features, Boolean), Array.from(fixture.features, Boolean));
    assertClose(features, fixture.features);
    assert.ok(reconstruction);
    assertClose(reconstruction, fixture.reconstruction);
  });
}

function assertClose(actual: Float64Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries()) {
    const allowed = TOLERANCE * Math.max(1, Math.abs(expected[i]));
    assert.ok(Math.abs(value - expected[i]) <= allowed, `${i}: ${value}, expected ${expected[i]}`);
  }
}

Deno.test("every fixture is found, and belongs to the hookpoint that its files name", async () => {
  const all = saeFixtures();
  assert.deepEqual(all.map(({ folder }) => folder), Object.keys(HOOKPOINTS));
  for (const { family, folder, configFile } of all) {
    const config = configFile && await readJson(projectPath(`tests/fixtures/saes/${configFile}`));
    assert.equal(saeHookpoint(family, config, folder), HOOKPOINTS[folder]);
  }
});

Deno.test("decoder rows: any order, repeats, none; the same one by one as all at once", async () => {
  for (const found of saeFixtures()) {
    using fixture = await openSaeFixture(found);
    const { decoder, inputSize, latents } = fixture.sae;
    assert.ok(decoder);
    assert.equal(decoder.bias.length, inputSize);
    const all = await decoder.rows(Array.from({ length: latents }, (_, i) => i));
    const chosen = [latents - 1, 3, 3, 0];
    const expected = chosen.flatMap((i) => [...all.subarray(i * inputSize, (i + 1) * inputSize)]);
    assert.deepEqual([...await decoder.rows(chosen)], expected);
    assert.equal((await decoder.rows([])).length, 0);
    await assert.rejects(decoder.rows([latents]), RangeError);
  }
});

Deno.test("SAEs are found by the names of their files, wherever they lie", () => {
  const summary = ({ family, folder, configFile, tensorFile, files }: FoundSae) => {
    assert.deepEqual(files, configFile === undefined ? [tensorFile] : [configFile, tensorFile]);
    return [family, folder, tensorFile];
  };
  assert.deepEqual(
    findSaes([
      "README.md",
      "cfg.json",
      "sae.safetensors",
      "a/b/cfg.json",
      "a/b/sae_weights.safetensors",
      "a/b/sparsity.safetensors",
      "L0R-8x/hyperparams.json",
      "L0R-8x/lm_config.json",
      "L0R-8x/checkpoints/final.safetensors",
      "layer_0/width_16k/average_l0_8/params.npz",
      "no_config/sae.safetensors",
      "no_weights/cfg.json",
      "other/checkpoints/final.safetensors",
      "mysae.safetensors",
      "__proto__/params.npz",
    ]).map(summary),
    [
      ["sparsify", "", "sae.safetensors"],
      ["saelens", "a/b", "a/b/sae_weights.safetensors"],
      ["llama_scope", "L0R-8x", "L0R-8x/checkpoints/final.safetensors"],
      [
        "gemma_scope",
        "layer_0/width_16k/average_l0_8",
        "layer_0/width_16k/average_l0_8/params.npz",
      ],
      ["gemma_scope", "__proto__", "__proto__/params.npz"],
    ],
  );
  assert.deepEqual(findSaes([]), []);
});
