import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { activationsAt, openTestLlama } from "../../tests/support/models.ts";
import { saeReference } from "../../tests/support/sae_reference.ts";
import { openDemoSae } from "../../tests/support/saes.ts";
import { oracleForwardTexts } from "../../tests/support/tensors.ts";
import { pack } from "../nn/batch.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import { type DecodableTarget, type Fidelity, measureFidelity, sampleOf } from "./fidelity.ts";
import type { Normalisation, Sae } from "./sae.ts";

Deno.test("a sample has 128 tokens that are not the first of their text", () => {
  const text = (length: number) => Uint32Array.from({ length }, (_, i) => i);
  const lengths = (texts: number[]) => sampleOf(texts.map(text)).map(({ length }) => length);
  assert.deepEqual(lengths([]), []);
  assert.deepEqual(lengths([1, 5, 1]), [5]);
  assert.deepEqual(lengths([100, 200]), [100, 30]);
  assert.deepEqual(lengths([129, 200]), [129]);
  assert.deepEqual(lengths([1000]), [129]);
  assert.deepEqual(sampleOf([text(3)]), [text(3)]);
});

/** The definitions, in f64 over all latents at once. */
async function reference(sae: Sae, x: Float32Array, positions: Uint32Array): Promise<Fidelity> {
  const { features, reconstruction } = await saeReference(sae, x);
  const [d, n] = [sae.inputSize, sae.latents];
  const tokens = [...positions.keys()].filter((t) => positions[t] > 0);
  const rows = tokens.map((t) => ({
    x: [...x.subarray(t * d, (t + 1) * d)],
    y: [...reconstruction!.subarray(t * d, (t + 1) * d)],
    active: features.subarray(t * n, (t + 1) * n).filter((f) => f > 0).length,
  }));
  const average = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const mean = Array.from({ length: d }, (_, i) => average(rows.map(({ x }) => x[i])));
  const distance = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);
  return {
    tokens: tokens.length,
    activeLatents: average(rows.map(({ active }) => active)),
    unexplained: average(rows.map(({ x, y }) => distance(x, y))) /
      average(rows.map(({ x }) => distance(x, mean))),
    activationNorm: average(rows.map(({ x }) => Math.hypot(...x))),
    reconstructionNorm: average(rows.map(({ y }) => Math.hypot(...y))),
    cosine: average(
      rows.map(({ x, y }) =>
        x.reduce((sum, v, i) => sum + v * y[i], 0) / Math.hypot(...x) / Math.hypot(...y)
      ),
    ),
  };
}

async function demoTarget(layer: number, change: Partial<Sae> = {}): Promise<DecodableTarget> {
  const [hookpoint] = resolveHookpoints([`layers.${layer}.mlp`], 6);
  const sae = await openDemoSae(layer);
  return { hookpoint, sae: { ...sae, ...change, decoder: sae.decoder! } };
}

function thresholds(latents: number): Sae["activation"] {
  const values = Float32Array.from({ length: latents }, (_, i) => 0.5 + i % 5 / 2);
  return { kind: "threshold", thresholds: values };
}

for (const family of FAMILIES) {
  Deno.test(`fidelity ${family}: every activation and normalisation against the definitions`, async () => {
    using gpu = await openTestGpu({ family });
    using model = await openTestLlama(gpu, "assets/demo/model");
    const targets = [await demoTarget(0)];
    const normalisations: Normalisation[] = ["none", "constant_norm_rescale", "layer_norm"];
    for (const [i, normalisation] of normalisations.entries()) {
      targets.push(await demoTarget(i + 1, { normalisation, activation: thresholds(2048) }));
    }
    const sample = sampleOf(oracleForwardTexts().map(({ ids }) => ids));
    const { llama, store } = model;
    const measured = await measureFidelity(gpu, llama, store, targets, sample);
    const batch = pack(sample);
    const names = targets.map(({ hookpoint }) => hookpoint.name);
    const passed = await activationsAt(gpu, llama, batch, names);
    for (const [i, { hookpoint, sae }] of targets.entries()) {
      const expected = await reference(sae, passed.get(hookpoint.name)!, batch.positions);
      assert.equal(measured[i].tokens, 128);
      for (const [figure, value] of Object.entries(expected)) {
        // Features are f32 sums of 128 terms; a latent at its threshold may fall to either side.
        const actual = measured[i][figure as keyof Fidelity];
        assert.ok(Math.abs(actual - value) <= 1e-4 * value, `${figure}: ${actual}, ${value}`);
      }
    }
  });
}

Deno.test("only decoder rows that fired are read", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const target = await demoTarget(2);
  const { decoder } = target.sae;
  const asked: number[] = [];
  const watched = {
    ...decoder,
    rows(latents: ArrayLike<number>) {
      asked.push(...Array.from(latents));
      return decoder.rows(latents);
    },
  };
  const targets = [{ ...target, sae: { ...target.sae, decoder: watched } }];
  const sample = [Uint32Array.of(8190, 70, 71, 72)];
  await measureFidelity(gpu, model.llama, model.store, targets, sample);
  assert.ok(asked.length > 16 && asked.length <= 3 * 16, `${asked.length} rows`);
  assert.equal(new Set(asked).size, asked.length);
});
