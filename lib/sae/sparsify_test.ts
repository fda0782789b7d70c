import assert from "node:assert/strict";
import { refuses, survivesHostileFields } from "../../tests/support/refusals.ts";
import { f32, tensorFile } from "../../tests/support/tensor_files.ts";
import type { Tensor } from "../formats/safetensors.ts";
import { keptPerToken } from "./sae.ts";
import { openSparsifySae, sparsifyHookpoint } from "./sparsify.ts";

const CONFIG = { d_in: 3, k: 2, num_latents: 6 };

function tensors(changes: Record<string, Tensor | undefined> = {}) {
  return tensorFile({
    "encoder.weight": f32([6, 3]),
    "encoder.bias": f32([6]),
    "b_dec": f32([3]),
    ...changes,
  });
}

Deno.test("sparsify: sizes, k and biases; the decoder is not needed", async () => {
  const sae = await openSparsifySae(CONFIG, tensors(), "layers.0.mlp");
  assert.deepEqual([sae.inputSize, sae.latents, keptPerToken(sae)], [3, 6, 2]);
  assert.deepEqual([...sae.encoderBias.subarray(0, 8)], [0, 1, 2, 3, 4, 5, 0, 0]);
  assert.deepEqual(
    new Float32Array((await sae.encoder.read(1, 2)).buffer),
    Float32Array.of(3, 4, 5),
  );
});

Deno.test("sparsify: without num_latents the width is d_in times the expansion factor", async () => {
  const config = { d_in: 3, k: 2, num_latents: 0, expansion_factor: 2, signed: false };
  assert.equal((await openSparsifySae(config, tensors(), "sae")).latents, 6);
});

Deno.test("sparsify: groupmax, transcoders and skip connections", async () => {
  const config = { ...CONFIG, activation: "groupmax", transcode: true, skip_connection: true };
  const file = tensors({ W_dec: f32([6, 3]), W_skip: f32([3, 3]) });
  const sae = await openSparsifySae(config, file, "layers.0.mlp");
  assert.deepEqual(sae.activation, { kind: "topk", k: 2, grouped: true });
  assert.ok(sae.transcoder);
  assert.equal(sae.skip?.rows, 3);
  // A transcoder's b_dec is added to what it writes, and not taken from what it reads.
  assert.ok(sae.inputBias.every((value) => value === 0));
  assert.deepEqual([...sae.decoder!.bias.subarray(0, 3)], [0, 1, 2]);
});

Deno.test("sparsify: what is missing, of another shape or not supported is named", async () => {
  const words: Tensor = { dtype: "I32", shape: [3], data: new Int32Array(3) };
  const cases: [object, Record<string, Tensor | undefined>, RegExp][] = [
    [{ k: undefined }, {}, /layers\.0\.mlp\/cfg\.json: field "k"/],
    [{ activation: "relu" }, {}, /"relu" is not supported, only "topk" and "groupmax" are/],
    [{ activation: "groupmax", k: 4 }, {}, /6 latents do not make k = 4 equal groups/],
    [{ skip_connection: true }, {}, /W_skip/],
    [{ k: 7 }, {}, /k is 7, more than its 6 latents/],
    [{ num_latents: 5 }, {}, /has shape \[6,3\], but \[5,3\]/],
    [{}, { b_dec: undefined }, /b_dec/],
    [{}, { b_dec: words }, /"b_dec" is I32, but only F32, F16 and BF16/],
    [{}, { W_dec: f32([3, 6]) }, /"W_dec" has shape \[3,6\], but \[6,3\]/],
  ];
  for (const [change, tensorChange, message] of cases) {
    const open = () =>
      openSparsifySae({ ...CONFIG, ...change }, tensors(tensorChange), "layers.0.mlp");
    await refuses(open, message);
  }
});

Deno.test("sparsify: hostile configs are opened or refused, never more", async () => {
  const full = {
    ...CONFIG,
    expansion_factor: 2,
    activation: "topk",
    transcode: false,
    skip_connection: false,
  };
  await survivesHostileFields(full, (config) => openSparsifySae(config, tensors(), "sae"));
});

Deno.test("sparsify: folders are named after hookpoints", async () => {
  assert.equal(sparsifyHookpoint("saes/layers.10.mlp"), "layers.10.mlp");
  assert.equal(sparsifyHookpoint("model.layers.3/"), "layers.3");
  assert.equal(sparsifyHookpoint("saes/layers.3.mlp/seed12"), "layers.3.mlp");
  for (const folder of ["", "/", "seed0", "saes", "h.3", "layers.1.self_attn"]) {
    await refuses(() => sparsifyHookpoint(folder), /are not supported, only those of an MLP's/);
  }
});
