import assert from "node:assert/strict";
import { initialTensors } from "./initial_tensors.ts";
import type { CoderShape } from "./shape.ts";

const SHAPE: CoderShape = {
  inputSize: 25,
  latents: 400,
  k: 4,
  activation: "topk",
  transcode: false,
  skipConnection: true,
  normalizeDecoder: true,
  multiTopk: false,
  auxkAlpha: 0,
};

Deno.test("an autoencoder starts uniform and tied, its biases and skip connection at 0", () => {
  const tensors = initialTensors(SHAPE, 1);
  const encoder = tensors.get("encoder.weight")!;
  assert.equal(encoder.length, 400 * 25);
  assert.deepEqual(tensors.get("W_dec"), encoder);
  // Uniform within ±1/√25: mean 0, variance bound² / 3.
  const mean = encoder.reduce((sum, value) => sum + value, 0) / encoder.length;
  const square = encoder.reduce((sum, value) => sum + value ** 2, 0) / encoder.length;
  assert.ok(encoder.every((value) => Math.abs(value) <= 0.2));
  assert.ok(Math.abs(mean) < 4 * 0.2 / Math.sqrt(3 * encoder.length), `mean ${mean}`);
  assert.ok(Math.abs(square / (0.04 / 3) - 1) < 0.04, `mean square ${square}`);
  const zero = { "encoder.bias": 400, "b_dec": 25, "W_skip": 625 } as const;
  for (const [name, length] of Object.entries(zero)) {
    assert.deepEqual(tensors.get(name as keyof typeof zero), new Float32Array(length));
  }
});

Deno.test("seeds decide, and a transcoder's decoder starts at 0", () => {
  const first = initialTensors(SHAPE, 1);
  assert.deepEqual(initialTensors(SHAPE, 1), first);
  assert.notDeepEqual(initialTensors(SHAPE, 2), first);
  const { transcode, skipConnection } = { transcode: true, skipConnection: false };
  const transcoder = initialTensors({ ...SHAPE, transcode, skipConnection }, 1);
  assert.deepEqual(transcoder.get("encoder.weight"), first.get("encoder.weight"));
  assert.deepEqual(transcoder.get("W_dec"), new Float32Array(400 * 25));
  assert.equal(transcoder.has("W_skip"), false);
});
