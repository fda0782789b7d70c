import assert from "node:assert/strict";
import { encodeSafetensors, fromBytes, type Tensor } from "../formats/safetensors.ts";
import { InputError } from "../formats/input_error.ts";
import { keptPerToken } from "./sae.ts";
import { openSparsifySae } from "./sparsify.ts";

const CONFIG = { d_in: 3, k: 2, num_latents: 6 };

function tensors(changes: Record<string, Tensor | undefined> = {}) {
  const f32 = (...shape: number[]): Tensor => ({
    dtype: "F32",
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  });
  const all: Record<string, Tensor | undefined> = {
    "encoder.weight": f32(6, 3),
    "encoder.bias": f32(6),
    "b_dec": f32(3),
    ...changes,
  };
  const there = Object.entries(all).filter((entry): entry is [string, Tensor] => !!entry[1]);
  return fromBytes(encodeSafetensors(Object.fromEntries(there)), "sae.safetensors");
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

Deno.test("sparsify: what is missing, of another shape or not supported is named", async () => {
  const refuses = (config: object, source: ReturnType<typeof tensors>, message: RegExp) =>
    assert.rejects(openSparsifySae(config, source, "layers.0.mlp"), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  await refuses({ ...CONFIG, k: undefined }, tensors(), /layers\.0\.mlp\/cfg\.json: field "k"/);
  await refuses({ ...CONFIG, activation: "groupmax" }, tensors(), /"groupmax" is not supported/);
  await refuses({ ...CONFIG, transcode: true }, tensors(), /transcoders are not supported/);
  await refuses({ ...CONFIG, k: 7 }, tensors(), /k is 7, more than its 6 latents/);
  await refuses({ ...CONFIG, num_latents: 5 }, tensors(), /has shape \[6,3\], but \[5,3\]/);
  await refuses(CONFIG, tensors({ b_dec: undefined }), /b_dec/);
  const words: Tensor = { dtype: "I32", shape: [3], data: new Int32Array(3) };
  await refuses(CONFIG, tensors({ b_dec: words }), /"b_dec" is I32, but only F32, F16 and BF16/);
});
