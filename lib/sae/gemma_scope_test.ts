import assert from "node:assert/strict";
import { refuses } from "../../tests/support/refusals.ts";
import { f32, tensorFile } from "../../tests/support/tensor_files.ts";
import type { Tensor } from "../formats/safetensors.ts";
import { gemmaScopeHookpoint, openGemmaScopeSae } from "./gemma_scope.ts";

function open(changes: Record<string, Tensor | undefined> = {}) {
  const tensors = tensorFile({
    W_enc: f32([3, 6]),
    b_enc: f32([6]),
    W_dec: f32([6, 3]),
    b_dec: f32([3]),
    threshold: f32([6]),
    ...changes,
  });
  return openGemmaScopeSae(tensors, "layer_1/width_6/average_l0_2");
}

Deno.test("GemmaScope: sizes are the tensors'; b_dec is added, never subtracted", async () => {
  const sae = await open();
  assert.deepEqual([sae.inputSize, sae.latents], [3, 6]);
  assert.ok(sae.inputBias.every((value) => value === 0));
  assert.deepEqual([...sae.decoder?.bias ?? []], [0, 1, 2]);
  assert.equal((await open({ W_dec: undefined })).decoder, undefined);
});

Deno.test("GemmaScope: tensors that do not fit each other are named", async () => {
  const npz = /^layer_1\/width_6\/average_l0_2\/params\.npz: /;
  await refuses(() => open({ W_enc: undefined }), /has no tensor "W_enc"/);
  await refuses(() => open({ W_enc: f32([18]) }), npz);
  await refuses(() => open({ W_enc: f32([3, 0]) }), /"W_enc" has shape \[3,0\]/);
  await refuses(() => open({ W_enc: f32([0, 2 ** 40]) }), /expected a matrix \[d, latents\]/);
  await refuses(() => open({ W_enc: f32([6, 3]) }), npz);
  await refuses(() => open({ b_enc: f32([5]) }), /"b_enc" has shape \[5\], but \[6\]/);
  await refuses(() => open({ W_dec: f32([3, 6]) }), /"W_dec" has shape \[3,6\], but \[6,3\]/);
  await refuses(() => open({ threshold: f32([6], [0, 0, 0, 0, NaN, 0]) }), /latent 4 is NaN/);
  const integers: Tensor = { dtype: "I32", shape: [6], data: new Int32Array(6) };
  await refuses(() => open({ threshold: integers }), /"threshold" is I32, but only F32/);
});

Deno.test("GemmaScope: layer and place are in the path", async () => {
  const hookpoints: Record<string, string> = {
    "google/gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71": "layers.20",
    "gemma-scope-9b-it-res-canonical/layer_9/width_16k/canonical": "layers.9",
    "/data/gemma-scope-2b-pt-mlp/layer_0/width_65k/average_l0_8": "layers.0.mlp",
    "my saes/mlp/layer_3/width_16k/average_l0_8": "layers.3.mlp",
  };
  for (const [path, hookpoint] of Object.entries(hookpoints)) {
    assert.equal(gemmaScopeHookpoint(path), hookpoint);
  }
  const refused: [string, RegExp][] = [
    ["gemma-scope-2b-pt-att/layer_3/width_16k/average_l0_8", /"att" is not supported/],
    ["gemma-scope-2b-pt-transcoders/layer_3/width_16k/average_l0_8", /"transcoders" is not/],
    ["gemma-scope-2b-pt-res/embedding/width_4k/average_l0_6", /expected a folder layer_L/],
    ["layer_3/width_16k/average_l0_8", /does not say what its SAEs read/],
    ["", /expected a folder layer_L/],
  ];
  for (const [path, message] of refused) await refuses(() => gemmaScopeHookpoint(path), message);
});
