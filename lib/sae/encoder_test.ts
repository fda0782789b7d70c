import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama } from "../../tests/support/models.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { openSaeFixture, saeFixtures } from "../../tests/support/sae_fixtures.ts";
import { saeReference } from "../../tests/support/sae_reference.ts";
import { openDemoSae } from "../../tests/support/saes.ts";
import { Fixture, oracleForwardTexts } from "../../tests/support/tensors.ts";
import { storedMatrix } from "../../tests/support/weights.ts";
import type { Gpu, KernelFamily } from "../gpu/device.ts";
import type { WeightType } from "../gpu/matrix.ts";
import { allocateRows, readRows, strideOf, writeRows } from "../gpu/rows.ts";
import { WeightStore } from "../gpu/weight_store.ts";
import { pack } from "../nn/batch.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import { allocateEntries, type HostEntries, readEntries, SaeEncoder } from "./encoder.ts";
import { type Activation, keptPerToken, type Normalisation, type Sae } from "./sae.ts";

/** Activations of the embedded model are of order 1; f32 on both sides. */
const TOLERANCE = 1e-4;
/** A tie: the reference's own margin between two values, relative to them (DESIGN, Numbers). */
const TIE = 1e-4;

interface Comparison {
  slots: number;
  ties: number;
}

/**
 * Compares the TopK of one token with a reference's; members may differ only where the reference's
 * margin to the last member is a tie.
 */
function compareToken(
  actual: HostEntries,
  reference: { values: ArrayLike<number>; indices: ArrayLike<number> },
  at: number,
  k: number,
  comparison: Comparison,
): void {
  const expected = new Map(
    Array.from({ length: k }, (_, s) => [reference.indices[at + s], reference.values[at + s]]),
  );
  const smallest = reference.values[at + k - 1];
  for (let s = 0; s < k; s++) {
    comparison.slots++;
    const value = actual.values[at + s];
    const known = expected.get(actual.indices[at + s]);
    if (known !== undefined) {
      assert.ok(Math.abs(known - value) <= TOLERANCE, `slot ${at + s}: ${value}, ${known}`);
    } else {
      assert.ok(Math.abs(value - smallest) <= TIE * smallest, `slot ${at + s} is no tie`);
      comparison.ties++;
    }
  }
}

Deno.test("embedded SAEs: TopK of the model's activations equals the oracle's but for ties", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  using expected = await Fixture.open("tests/fixtures/oracle/forward.safetensors");
  const forward = oracleForwardTexts();
  const batch = pack(forward.map(({ ids }) => ids));
  const comparison = { slots: 0, ties: 0 };
  for (const layer of [0, 5]) {
    const sae = await openDemoSae(layer);
    using encoder = new SaeEncoder(gpu, model.store, [sae], batch.ids.length);
    using entries = allocateEntries(gpu, batch.ids.length, keptPerToken(sae));
    const [hookpoint] = resolveHookpoints([`layers.${layer}.mlp`], 6);
    await model.llama.forward(batch, [{
      hookpoint,
      run: (recorder, activations) => encoder.encode(recorder, sae, activations, entries),
    }]);
    const all = await readEntries(gpu, entries, batch.ids.length);
    let first = 0;
    for (const { id, ids } of forward) {
      const values = await expected.floats(`${id}.layers.${layer}.top_acts`);
      const indices = await expected.integers(`${id}.layers.${layer}.top_indices`);
      const range = [first * keptPerToken(sae), (first + ids.length) * keptPerToken(sae)];
      const actual = {
        values: all.values.slice(...range),
        indices: all.indices.slice(...range),
      };
      for (let t = 0; t < ids.length; t++) {
        compareToken(
          actual,
          { values, indices },
          t * keptPerToken(sae),
          keptPerToken(sae),
          comparison,
        );
      }
      first += ids.length;
    }
  }
  assert.ok(comparison.slots > 30_000);
  assert.ok(comparison.ties <= comparison.slots / 10_000, `${comparison.ties} ties`);
});

function randomSae(type: WeightType, latents: number, inputSize: number, k: number, seed: number) {
  const random = seededRandom(seed);
  const encoder = storedMatrix("W_enc", type, latents, randomValues(random, latents * inputSize));
  const padded = (length: number) => {
    const vector = new Float32Array(strideOf(length));
    vector.set(randomValues(random, length));
    return vector;
  };
  const sae: Sae = {
    where: `random ${seed}`,
    inputSize,
    latents,
    normalisation: "none",
    encoder,
    activation: { kind: "topk", k },
    encoderBias: padded(latents),
    inputBias: padded(inputSize),
  };
  return { sae, weights: encoder.values };
}

async function encodeTopK(
  gpu: Gpu,
  sae: Sae,
  x: Float32Array,
): Promise<{ entries: HostEntries; peak: number }> {
  const tokens = x.length / sae.inputSize;
  using store = new WeightStore(gpu);
  using encoder = new SaeEncoder(gpu, store, [sae], tokens);
  using input = allocateRows(gpu, "x", tokens, sae.inputSize);
  using entries = allocateEntries(gpu, tokens, keptPerToken(sae));
  writeRows(gpu, input, x);
  const recorder = gpu.recorder();
  await encoder.encode(recorder, sae, input, entries);
  recorder.submit();
  const { peak } = gpu.memory;
  return { entries: await readEntries(gpu, entries, tokens), peak };
}

function referenceTopK(sae: Sae, weights: Float32Array, x: Float32Array) {
  const { inputSize, latents } = sae;
  const k = keptPerToken(sae);
  const tokens = x.length / inputSize;
  const values: number[] = [];
  const indices: number[] = [];
  for (let t = 0; t < tokens; t++) {
    const z = Array.from({ length: latents }, (_, i) => {
      let sum = sae.encoderBias[i];
      for (let d = 0; d < inputSize; d++) {
        sum += weights[i * inputSize + d] * (x[t * inputSize + d] - sae.inputBias[d]);
      }
      return Math.max(0, sum);
    });
    const top = z.map((_, i) => i).sort((a, b) => z[b] - z[a] || a - b).slice(0, k);
    indices.push(...top);
    values.push(...top.map((i) => z[i]));
  }
  return { values, indices };
}

for (const family of FAMILIES as KernelFamily[]) {
  for (const type of ["f32", "f16", "bf16"] as WeightType[]) {
    Deno.test(`encode ${family} ${type}: an odd SAE against f64`, async () => {
      using gpu = await openTestGpu({ family });
      const { sae, weights } = randomSae(type, 777, 33, 7, 1);
      const x = randomValues(seededRandom(2), 91 * 33);
      const { entries } = await encodeTopK(gpu, sae, x);
      const reference = referenceTopK(sae, weights, x);
      const comparison = { slots: 0, ties: 0 };
      for (let t = 0; t < 91; t++) compareToken(entries, reference, t * 7, 7, comparison);
      assert.ok(comparison.ties <= 1);
    });
  }
}

Deno.test("encode: an SAE of several shards, resident or streamed within a budget", async () => {
  const { sae, weights } = randomSae("bf16", 40_000, 64, 5, 3);
  const x = randomValues(seededRandom(4), 6 * 64);
  const run = async (memoryBudget?: number) => {
    using gpu = await openTestGpu({ family: "texture", memoryBudget });
    return await encodeTopK(gpu, sae, x);
  };
  const resident = await run();
  const comparison = { slots: 0, ties: 0 };
  const reference = referenceTopK(sae, weights, x);
  for (let t = 0; t < 6; t++) compareToken(resident.entries, reference, t * 5, 5, comparison);
  assert.equal(comparison.ties, 0);
  const budget = resident.peak - 40_000 * 64 * 2 / 3;
  const streamed = await run(budget);
  assert.deepEqual(streamed.entries, resident.entries);
  assert.ok(streamed.peak <= budget);
});

/** f [tokens, latents] as the pieces of `encodeDense` give it. */
async function encodeDense(gpu: Gpu, sae: Sae, x: Float32Array, tokens: number) {
  using store = new WeightStore(gpu);
  using encoder = new SaeEncoder(gpu, store, [sae], tokens);
  using input = allocateRows(gpu, "x", tokens, sae.inputSize);
  writeRows(gpu, input, x);
  const features = new Float32Array(tokens * sae.latents);
  const pieces: { latent: number; token: number }[] = [];
  store.reserve("readback", 16 * 2 ** 20);
  const recorder = gpu.recorder();
  await encoder.encodeDense(recorder, sae, input, async ({ values, latent, token }) => {
    recorder.submit();
    const read = await readRows(gpu, values);
    for (let row = 0; row < values.rows; row++) {
      const own = read.subarray(row * values.width, (row + 1) * values.width);
      features.set(own, (token + row) * sae.latents + latent);
    }
    pieces.push({ latent, token });
  });
  return { features, pieces, peak: gpu.memory.peak };
}

/** An SAE with thresholds of both signs and scales around 1. */
function thresholdSae(type: WeightType, latents: number, seed: number) {
  const random = seededRandom(seed);
  const { sae } = randomSae(type, latents, 33, 1, seed);
  const thresholds = randomValues(random, latents, 4);
  const latentScale = Float32Array.from({ length: latents }, () => 0.5 + random());
  const activation: Activation = { kind: "threshold", thresholds };
  return { ...sae, activation, latentScale };
}

/**
 * Values agree, and what is active differs only where the value is at its threshold to f32's
 * precision: pre-activations are of order 6, f32 sums of 33 terms err by 1e-6 of that.
 */
function assertSameFeatures(actual: Float32Array, expected: Float64Array, sae: Sae): void {
  const { activation } = sae;
  assert.equal(activation.kind, "threshold");
  let active = 0;
  let atThreshold = 0;
  for (const [at, value] of actual.entries()) {
    if (value > 0) active++;
    if (Math.abs(value - expected[at]) <= TOLERANCE) continue;
    const threshold = "thresholds" in activation ? activation.thresholds[at % sae.latents] : NaN;
    const distance = Math.abs(Math.max(value, expected[at]) - threshold);
    assert.ok(distance <= TOLERANCE, `${at}: ${value}, expected ${expected[at]}`);
    atThreshold++;
  }
  assert.ok(active > actual.length / 10 && active < actual.length / 2, `${active} are active`);
  assert.ok(atThreshold <= 2, `${atThreshold} at their threshold`);
}

for (const family of FAMILIES) {
  for (const normalisation of ["none", "constant_norm_rescale", "layer_norm"] as Normalisation[]) {
    Deno.test(`encode dense ${family} ${normalisation}: an odd SAE against f64`, async () => {
      using gpu = await openTestGpu({ family });
      const tokens = 91;
      const x = randomValues(seededRandom(5), tokens * 33, 3).map((value) => value + 1);
      for (const type of ["f32", "bf16"] as WeightType[]) {
        const sae = { ...thresholdSae(type, 777, 6), normalisation };
        const { features } = await encodeDense(gpu, sae, x, tokens);
        const { features: expected } = await saeReference(sae, x);
        assertSameFeatures(features, expected, sae);
      }
    });
  }

  Deno.test(`encode ${family}: TopK of normalised input and scaled latents against f64`, async () => {
    using gpu = await openTestGpu({ family });
    const [tokens, k] = [40, 7];
    const x = randomValues(seededRandom(5), tokens * 33, 3);
    const sae: Sae = {
      ...thresholdSae("f32", 777, 6),
      normalisation: "layer_norm",
      activation: { kind: "topk", k },
    };
    const { entries } = await encodeTopK(gpu, sae, x);
    const { features } = await saeReference(sae, x);
    const order = (t: number) =>
      Array.from({ length: sae.latents }, (_, i) => i)
        .sort((i, j) => features[t * sae.latents + j] - features[t * sae.latents + i])
        .slice(0, k);
    const indices = Array.from({ length: tokens }, (_, t) => order(t)).flat();
    const values = indices.map((i, slot) => features[Math.floor(slot / k) * sae.latents + i]);
    const comparison = { slots: 0, ties: 0 };
    for (let t = 0; t < tokens; t++) {
      compareToken(entries, { values, indices }, t * k, k, comparison);
    }
    assert.equal(comparison.ties, 0);
  });
}

Deno.test("encode dense: shards and pieces in order, streamed within a budget to the same bits", async () => {
  const sae = thresholdSae("f32", 40_000, 7);
  const tokens = 300;
  const x = randomValues(seededRandom(8), tokens * 33, 3);
  const run = async (memoryBudget?: number) => {
    using gpu = await openTestGpu({ family: "texture", memoryBudget });
    return await encodeDense(gpu, sae, x, tokens);
  };
  const resident = await run();
  assert.ok(resident.pieces.length > 3);
  const latents = [...new Set(resident.pieces.map(({ latent }) => latent))];
  assert.deepEqual(latents, [0, 16_384, 32_768]);
  for (const latent of latents) {
    const own = resident.pieces.filter((piece) => piece.latent === latent);
    assert.equal(own[0].token, 0);
    assert.ok(own.every(({ token }, i) => i === 0 || token > own[i - 1].token));
  }
  const sampled = [0, 255, 256, 299];
  for (const t of sampled) {
    const { features } = await saeReference(sae, x.subarray(t * 33, (t + 1) * 33));
    const own = resident.features.subarray(t * sae.latents, (t + 1) * sae.latents);
    assertSameFeatures(own, features, sae);
  }
  const budget = resident.peak - 40_000 * 64 * 4 / 3;
  const streamed = await run(budget);
  assert.ok(streamed.peak <= budget);
  assert.deepEqual(streamed.features, resident.features);
});

Deno.test("an encoder refuses SAEs it was not made for, and activations of the other kind", async () => {
  using gpu = await openTestGpu();
  using store = new WeightStore(gpu);
  const [dense, other] = [thresholdSae("f32", 70, 1), thresholdSae("f32", 70, 2)];
  const { sae: topk } = randomSae("f32", 70, 33, 3, 3);
  using encoder = new SaeEncoder(gpu, store, [dense, topk], 4);
  using x = allocateRows(gpu, "x", 4, 33);
  using entries = allocateEntries(gpu, 4, 3);
  const recorder = gpu.recorder();
  const ignore = () => {};
  await assert.rejects(encoder.encodeDense(recorder, other, x, ignore), /not among/);
  await assert.rejects(
    encoder.encodeDense(recorder, topk, x, ignore),
    /number of latents per token/,
  );
  await assert.rejects(encoder.encode(recorder, dense, x, entries), /has a threshold/);
});

/** f [tokens, latents], whatever the activation. */
async function featuresOf(gpu: Gpu, sae: Sae, x: Float32Array): Promise<Float32Array> {
  const tokens = x.length / sae.inputSize;
  if (sae.activation.kind === "threshold") {
    return (await encodeDense(gpu, sae, x, tokens)).features;
  }
  const { entries: { values, indices } } = await encodeTopK(gpu, sae, x);
  const features = new Float32Array(tokens * sae.latents);
  for (const [slot, value] of values.entries()) {
    features[Math.floor(slot / sae.activation.k) * sae.latents + indices[slot]] = value;
  }
  return features;
}

for (const family of FAMILIES) {
  Deno.test(`encode ${family}: SAEs of every kind of file against their authors' formulas`, async () => {
    using gpu = await openTestGpu({ family });
    for (const found of saeFixtures()) {
      using fixture = await openSaeFixture(found);
      const { sae, features: expected } = fixture;
      const features = await featuresOf(gpu, sae, fixture.x);
      assert.equal(features.length, expected.length);
      for (const [at, value] of features.entries()) {
        const where = `${found.folder} ${at}: ${value}, expected ${expected[at]}`;
        assert.equal(value > 0, expected[at] > 0, where);
        const allowed = TOLERANCE * Math.max(1, expected[at]);
        assert.ok(Math.abs(value - expected[at]) <= allowed, where);
      }
    }
  });
}
