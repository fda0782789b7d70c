import assert from "node:assert/strict";
import { openTestGpu } from "../tests/support/gpu.ts";
import { readRows } from "../lib/gpu/rows.ts";
import { WeightStore } from "../lib/gpu/weight_store.ts";
import { pack } from "../lib/nn/batch.ts";
import { Llama } from "../lib/nn/llama.ts";
import { seededConfig, seededTensors } from "./seeded_model.ts";

Deno.test("a random model runs, keeps the scale of its activations, and is the same each time", async () => {
  using gpu = await openTestGpu();
  const config = seededConfig({ layers: 3, hiddenSize: 128, mlpSize: 320, vocabularySize: 96 });
  const run = async () => {
    using store = new WeightStore(gpu);
    using llama = new Llama(gpu, config, seededTensors(config), "random", store);
    const texts = [[1, 2, 3], [4, 95]].map((ids) => Uint32Array.from(ids));
    return await readRows(gpu, await llama.forward(pack(texts), [], true));
  };
  const residual = await run();
  assert.equal(residual.length, 5 * 128);
  const square = residual.reduce((sum, value) => sum + value ** 2, 0) / residual.length;
  assert.ok(square > 1e-3 && square < 100, `mean square ${square}`);
  assert.deepEqual(await run(), residual);
});

Deno.test("a random model: matrices differ, and only what it has is read", async () => {
  const config = seededConfig({ layers: 2, hiddenSize: 64, mlpSize: 64, vocabularySize: 64 });
  const tensors = seededTensors(config);
  const matrices = tensors.names().filter((name) => tensors.info(name).shape.length === 2);
  assert.equal(matrices.length, 1 + 2 * 7);
  const contents = await Promise.all(matrices.map(async (name) => `${await tensors.read(name)}`));
  assert.equal(new Set(contents).size, matrices.length);
  const [name] = matrices;
  const part = await tensors.read(name, 3, 5);
  assert.deepEqual(part, (await tensors.read(name)).slice(3 * 128, 5 * 128));
  await assert.rejects(async () => await tensors.read("model.lm_head.weight"), /has no tensor/);
});
