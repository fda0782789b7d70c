import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../tests/support/gpu.ts";
import { copyByCommand, copyByKernel, fma } from "./ceilings.ts";
import { checkTopK, encode } from "./encode.ts";
import { encoderProduct } from "./encoder_product.ts";
import { checkProducts, linear } from "./linear.ts";
import { dot, seededMatrix } from "./seeded_matrix.ts";
import { onGpu, WrongResult } from "./workload.ts";

Deno.test("workloads: all run on this adapter and pass their own checks", async () => {
  using gpu = await openTestGpu();
  for (const type of ["bf16", "f32"] as const) {
    using product = await linear(gpu, { tokens: 33, columns: 128, outs: 192 }, type);
    using sae = encode(gpu, { tokens: 33, columns: 128, latents: 640, k: 8 }, type);
    using alone = await encoderProduct(gpu, { tokens: 257, columns: 64, outs: 16448 }, type);
    for (const workload of [product, sae, alone]) {
      const { cpuMs, wallMs } = await onGpu(gpu, workload).run(2);
      assert.ok(cpuMs > 0 && wallMs > 0);
      await workload.check();
    }
  }
});

Deno.test("workloads: results of a dispatch that never ran are refused", async () => {
  using gpu = await openTestGpu();
  using product = await linear(gpu, { tokens: 3, columns: 64, outs: 64 }, "f32");
  using sae = encode(gpu, { tokens: 3, columns: 64, latents: 128, k: 4 }, "f32");
  using alone = await encoderProduct(gpu, { tokens: 3, columns: 64, outs: 64 }, "f32");
  for (const workload of [product, sae, alone]) {
    await assert.rejects(workload.check(), WrongResult);
  }
});

Deno.test("ceilings: each does all that it counts, for both families, or is refused", async () => {
  for (const family of FAMILIES) {
    using gpu = await openTestGpu({ family });
    using arithmetic = fma(gpu, 3);
    using byKernel = copyByKernel(gpu, 2 ** 22);
    using byCommand = copyByCommand(gpu, 2 ** 22);
    for (const ceiling of [arithmetic, byKernel, byCommand]) {
      await assert.rejects(ceiling.check(), WrongResult, ceiling.name);
      await onGpu(gpu, ceiling).run(1);
      await ceiling.check();
    }
    assert.equal(byKernel.amount, 2 * 2 ** 22);
  }
});

Deno.test("checkProducts: a wrong column is found", () => {
  const shape = { tokens: 40, columns: 32, outs: 64 };
  const x = seededMatrix("x", "f32", shape.tokens, shape.columns, 1);
  const w = seededMatrix("w", "bf16", shape.outs, shape.columns, 2);
  const y = Float32Array.from(
    { length: shape.tokens * shape.outs },
    (_, at) => dot(x.row(Math.floor(at / shape.outs)), w.row(at % shape.outs)),
  );
  checkProducts(y, x.row, w.row, shape);
  const wrong = y.map((value, at) => at % shape.outs === 7 ? value + 1e-4 : value);
  assert.throws(() => checkProducts(wrong, x.row, w.row, shape), WrongResult);
  assert.throws(() => checkProducts(y.fill(NaN), x.row, w.row, shape), WrongResult);
});

Deno.test("checkTopK: what is not the TopK is refused", () => {
  const exact = Float64Array.of(0, 3, 1, 2, 0, 2.000001);
  const check = (values: number[], indices: number[]) =>
    checkTopK(Float32Array.from(values), Uint32Array.from(indices), exact);
  check([3, 2.000001], [1, 5]);
  check([3, 2], [1, 3]); // Within f32 error of the other.
  assert.throws(() => check([3, 1], [1, 2]), WrongResult);
  assert.throws(() => check([3, 2.1], [1, 5]), WrongResult);
  assert.throws(() => check([3, 3], [1, 1]), WrongResult);
  assert.throws(() => check([0, 0], [0xffffffff, 7]), WrongResult);
});
