/** Counts of the embedded model against the oracle's, and their independence of batching. */
import assert from "node:assert/strict";
import { oracleCountsOf } from "../../tests/support/oracle_counts.ts";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { activationsAt, openTestLlama, type TestLlama } from "../../tests/support/models.ts";
import { saeReference } from "../../tests/support/sae_reference.ts";
import { openDemoSae } from "../../tests/support/saes.ts";
import { projectPath } from "../../tests/support/tensors.ts";
import { readText } from "../data/files.ts";
import { type Counts, SUM_FRACTION_BITS } from "../formats/counts.ts";
import { loadTokenizer } from "../formats/tokenizer.ts";
import { equalCounts, mergeCounts } from "../lape/counts.ts";
import type { Gpu } from "../gpu/device.ts";
import { groupTexts, pack } from "../nn/batch.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Sae } from "../sae/sae.ts";
import type { Target } from "../sae/target.ts";
import { Counter, type CounterOptions } from "./counter.ts";

const LIMITS = { tokens: 4096, examples: 1024 };

async function tokenisedTexts(): Promise<Map<string, Uint32Array[]>> {
  const folder = projectPath("assets/demo/model");
  const json = await readText(`${folder}/tokenizer.json`);
  const config = await readText(`${folder}/tokenizer_config.json`);
  const tokenizer = loadTokenizer(json, config, folder);
  const texts = JSON.parse(await readText(projectPath("tests/fixtures/oracle/texts.json")));
  return new Map(
    Object.entries(texts as Record<string, string[]>)
      .map(([lang, list]) => [lang, list.map((text) => tokenizer.encode(text))]),
  );
}

type Kind = "sae" | "neurons" | "mixed SAEs";

async function targetsOf(kind: Kind): Promise<Target[]> {
  const pattern = {
    "sae": "layers.*.mlp",
    "neurons": "layers.*.mlp.act_fn",
    "mixed SAEs": "layers.{0,1,3}.mlp",
  }[kind];
  const targets: Target[] = [];
  for (const hookpoint of resolveHookpoints([pattern], 6)) {
    const { layer } = hookpoint;
    const sae = kind === "neurons" ? undefined : await openDemoSae(layer);
    targets.push({ hookpoint, sae: sae && kind === "mixed SAEs" ? varied(sae, layer) : sae });
  }
  return targets;
}

/** The embedded SAEs with another activation in every layer: thresholds, or another k. */
function varied(sae: Sae, layer: number): Sae {
  if (layer % 2 === 0) return { ...sae, activation: { kind: "topk", k: 5 + layer } };
  const thresholds = Float32Array.from({ length: sae.latents }, (_, i) => 0.5 + i % 7 - layer / 2);
  const normalisation = layer === 3 ? "layer_norm" : "none";
  return { ...sae, normalisation, activation: { kind: "threshold", thresholds } };
}

async function openCounter(
  gpu: Gpu,
  { llama, store }: TestLlama,
  kind: Kind,
  options: CounterOptions = LIMITS,
): Promise<Counter> {
  return new Counter(gpu, llama, store, await targetsOf(kind), options);
}

/** Texts, and the group of documents that each is a part of. */
interface GroupedTexts {
  readonly texts: readonly Uint32Array[];
  readonly groups: readonly number[];
}

/** Names of three groups of documents, not in the order of their indices. */
const LABELS = ["b", "c", "a"];

function grouped(texts: readonly Uint32Array[]): GroupedTexts {
  return { texts, groups: texts.map((_, i) => i * i % LABELS.length) };
}

async function count(counter: Counter, texts: readonly Uint32Array[]): Promise<Counts> {
  return await countGrouped(counter, { texts, groups: [] });
}

async function countGrouped(
  counter: Counter,
  { texts, groups }: GroupedTexts,
  labels: readonly string[] = [],
): Promise<Counts> {
  const items = texts.map((ids, i) => ({ ids, group: groups[i] ?? 0 }));
  for (const batch of groupTexts(items, counter.options)) {
    await counter.add(batch.map(({ ids }) => ids), batch.map(({ group }) => group));
  }
  return await counter.take(labels);
}

function slice({ texts, groups }: GroupedTexts, from: number, to?: number): GroupedTexts {
  return { texts: texts.slice(from, to), groups: groups.slice(from, to) };
}

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  return actual.reduce((largest, value, at) => {
    const difference = value === expected[at] ? 0 : Math.abs(value - expected[at]);
    return Math.max(largest, difference / Math.max(1, Math.abs(expected[at])));
  }, 0);
}

function sums({ sum }: Counts): Float32Array {
  return Float32Array.from(sum, (units) => Number(units) / 2 ** SUM_FRACTION_BITS);
}

/** How many slots or texts differ in all. */
function disagreement(actual: Uint32Array, expected: Uint32Array): number {
  return actual.reduce((sum, value, at) => sum + Math.abs(value - expected[at]), 0);
}

Deno.test("latent counts equal the oracle's but for ties", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  using counter = await openCounter(gpu, model, "sae");
  let slots = 0;
  let differing = 0;
  for (const [lang, texts] of await tokenisedTexts()) {
    const counts = await count(counter, texts);
    const expected = oracleCountsOf("shared", "sae", lang);
    assert.equal(counts.examples, expected.examples);
    assert.equal(counts.tokens, expected.tokens);
    slots += counts.tokens * 16 * 6;
    const tokens = disagreement(counts.firedTokens, expected.firedTokens);
    differing += tokens;
    // A tie that falls the other way moves one slot from one latent to another.
    assert.ok(disagreement(counts.firedExamples, expected.firedExamples) <= tokens, lang);
    if (tokens > 0) continue;
    assert.ok(largestDifference(counts.max, expected.max) <= 1e-4, `${lang}: max`);
    assert.ok(largestDifference(counts.min, expected.min) <= 1e-4, `${lang}: min`);
    // The oracle adds up f32 in f32.
    assert.ok(largestDifference(sums(counts), sums(expected)) <= 1e-4, `${lang}: sum`);
  }
  assert.ok(slots > 1_000_000);
  assert.ok(differing <= slots / 10_000, `${differing} of ${slots} slots differ`);
});

Deno.test("neuron counts equal the oracle's but for values that are 0 to f32's precision", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  using counter = await openCounter(gpu, model, "neurons");
  let values = 0;
  let differing = 0;
  for (const [lang, texts] of await tokenisedTexts()) {
    const counts = await count(counter, texts);
    const expected = oracleCountsOf("shared", "neurons", lang);
    assert.equal(counts.tokens, expected.tokens);
    values += counts.tokens * counts.firedTokens.length;
    differing += disagreement(counts.firedTokens, expected.firedTokens);
    assert.ok(largestDifference(counts.max, expected.max) <= 1e-4, `${lang}: max`);
    assert.ok(largestDifference(counts.min, expected.min) <= 1e-4, `${lang}: min`);
    assert.ok(largestDifference(sums(counts), sums(expected)) <= 1e-4, `${lang}: sum`);
  }
  assert.ok(differing <= values / 100_000, `${differing} of ${values} values differ`);
});

for (const kind of ["sae", "neurons", "mixed SAEs"] as const) {
  Deno.test(`counts of ${kind} are bit-equal for every batch size and split`, async () => {
    using gpu = await openTestGpu();
    using model = await openTestLlama(gpu, "assets/demo/model");
    const list = [...(await tokenisedTexts()).values()].flatMap((list) => list.slice(0, 2));
    const texts = grouped(list);
    const groups = LABELS.length;
    using whole = await openCounter(gpu, model, kind, { ...LIMITS, groups });
    const expected = await countGrouped(whole, texts, LABELS);
    assert.ok(expected.firedTokens.some((fired) => fired > 0));
    assert.equal(expected.documents?.labels.length, 2);
    assert.equal(expected.activations === undefined, kind === "neurons");
    for (const examples of [1, 7, 64]) {
      using counter = await openCounter(gpu, model, kind, { tokens: 4096, examples, groups });
      const counts = await countGrouped(counter, texts, LABELS);
      assert.ok(equalCounts(counts, expected), `${examples} per batch`);
    }
    const later = await countGrouped(whole, slice(texts, 17), LABELS);
    const earlier = await countGrouped(whole, slice(texts, 0, 17), LABELS);
    assert.ok(equalCounts(mergeCounts(later, earlier), expected));
  });

  Deno.test(`a group's counts of ${kind} are those of its texts alone`, async () => {
    using gpu = await openTestGpu();
    using model = await openTestLlama(gpu, "assets/demo/model");
    const texts = grouped([...(await tokenisedTexts()).values()].map(([text]) => text));
    using counter = await openCounter(gpu, model, kind, { ...LIMITS, groups: LABELS.length });
    const { documents, ...all } = await countGrouped(counter, texts, LABELS);
    let tokens = 0;
    for (const [at, label] of documents!.labels.entries()) {
      const own = texts.texts.filter((_, i) => LABELS[texts.groups[i]] === label);
      const alone = await count(counter, own);
      assert.equal(documents!.tokens[at], alone.tokens);
      const [from, to] = [documents!.offsets[at], documents!.offsets[at + 1]];
      const dense = new Uint32Array(alone.firedTokens.length);
      for (let entry = from; entry < to; entry++) {
        dense[documents!.units[entry]] = documents!.firedTokens[entry];
      }
      assert.deepEqual(dense, alone.firedTokens);
      tokens += alone.tokens;
    }
    assert.equal(tokens, all.tokens);
  });

  Deno.test(`without BOS, counts of ${kind} lack what fires on BOS alone`, async () => {
    using gpu = await openTestGpu();
    using model = await openTestLlama(gpu, "assets/demo/model");
    const texts = grouped([...(await tokenisedTexts()).values()].map(([text]) => text));
    const [bos] = texts.texts[0];
    const n = texts.texts.length;
    using all = await openCounter(gpu, model, kind, { ...LIMITS, groups: LABELS.length });
    using without = await openCounter(gpu, model, kind, {
      ...LIMITS,
      groups: LABELS.length,
      excluded: bos,
    });
    const whole = await countGrouped(all, texts, LABELS);
    const rest = await countGrouped(without, texts, LABELS);
    // Attention is causal: BOS gives the same values whatever follows it.
    const onBos = await countGrouped(all, {
      texts: texts.texts.map(() => Uint32Array.of(bos)),
      groups: texts.groups,
    }, LABELS);
    assert.equal(rest.tokens, whole.tokens - n);
    assert.ok(onBos.firedTokens.some((fired) => fired === n));
    const together = mergeCounts(rest, onBos);
    const examples = rest.firedExamples.map((fired, at) => onBos.firedTokens[at] > 0 ? n : fired);
    assert.ok(equalCounts({ ...together, examples: n, firedExamples: examples }, whole));
  });
}

Deno.test("sums of activations are those of the values at the hookpoints, to the bit", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const texts = [...(await tokenisedTexts()).values()].map(([text]) => text);
  using counter = await openCounter(gpu, model, "mixed SAEs");
  const { activations, layers } = await count(counter, texts);
  const names = layers.map((layer) => `layers.${layer}.mlp`);
  const values = await activationsAt(gpu, model.llama, pack(texts), names);
  const { hiddenSize } = model.llama.config;
  assert.equal(activations!.width, hiddenSize);
  for (const [row, name] of names.entries()) {
    const expected = new BigInt64Array(hiddenSize);
    for (const [at, value] of values.get(name)!.entries()) {
      // Halves away from zero, as in kernels/accumulate.wgsl.
      const units = BigInt(Math.floor(Math.abs(value) * 2 ** SUM_FRACTION_BITS + 0.5));
      expected[at % hiddenSize] += value < 0 ? -units : units;
    }
    assert.deepEqual(activations!.sum.slice(row * hiddenSize, (row + 1) * hiddenSize), expected);
  }
});

Deno.test("counts of mixed SAEs are bit-equal within any memory budget", async () => {
  const texts = [...(await tokenisedTexts()).values()].map(([text]) => text);
  const run = async (memoryBudget?: number) => {
    using gpu = await openTestGpu({ memoryBudget });
    using model = await openTestLlama(gpu, "assets/demo/model");
    using counter = await openCounter(gpu, model, "mixed SAEs", { tokens: 512, examples: 64 });
    return { counts: await count(counter, texts), peak: gpu.memory.peak };
  };
  const resident = await run();
  const budget = resident.peak - 2 * 2 ** 20;
  const streamed = await run(budget);
  assert.ok(streamed.peak <= budget);
  assert.ok(equalCounts(streamed.counts, resident.counts));
});

Deno.test("latents with thresholds are counted where they are above them, token by token", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const { llama, store } = model;
  const targets = (await targetsOf("mixed SAEs")).slice(0, 2);
  const texts = [...(await tokenisedTexts()).values()].map(([text]) => text);
  using counter = new Counter(gpu, llama, store, targets, LIMITS);
  const counts = await count(counter, texts);
  assert.deepEqual(counts.layers, [0, 1]);
  const [{ hookpoint, sae }] = targets.slice(1);
  const passed = await activationsAt(gpu, llama, pack(texts), [hookpoint.name]);
  const { features } = await saeReference(sae!, passed.get(hookpoint.name)!);
  const first = texts.flatMap((text, i) => Array.from(text, () => i));
  let differing = 0;
  for (let unit = 0; unit < counts.width; unit++) {
    const active = first.flatMap((text, token) => {
      const value = features[token * counts.width + unit];
      return value > 0 ? { text, value } : [];
    });
    const at = counts.width + unit;
    if (counts.firedTokens[at] !== active.length) {
      differing++;
      continue;
    }
    assert.equal(counts.firedExamples[at], new Set(active.map(({ text }) => text)).size);
    if (active.length === 0) {
      assert.deepEqual([counts.sum[at], counts.max[at], counts.min[at]], [0n, 0, Infinity]);
      continue;
    }
    const values = active.map(({ value }) => value);
    const sum = values.reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(counts.max[at] - Math.max(...values)) <= 1e-4);
    assert.ok(Math.abs(counts.min[at] - Math.min(...values)) <= 1e-4);
    assert.ok(
      Math.abs(Number(counts.sum[at]) / 2 ** SUM_FRACTION_BITS - sum) <= 1e-4 * values.length,
    );
  }
  assert.ok(counts.firedTokens.subarray(counts.width).some((fired) => fired > 20));
  // Values that are at their threshold to f32's precision may fall to either side.
  assert.ok(differing <= 2, `${differing} latents differ`);
});

Deno.test("targets that do not fit each other or the model are refused in one sentence", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  using tiny = await openTestLlama(gpu, "tests/fixtures/tiny_llama32");
  const [latents, neurons] = [await targetsOf("sae"), await targetsOf("neurons")];
  const refuses = ({ llama, store }: TestLlama, targets: Target[], message: RegExp) =>
    assert.throws(() => new Counter(gpu, llama, store, targets, LIMITS), message);
  refuses(model, [latents[0], neurons[1]], /cannot be counted with the others/);
  refuses(tiny, [latents[0]], /reads activations of width 128, .* has width 80/);
  refuses(model, [latents[0], {
    ...latents[1],
    sae: { ...latents[1].sae!, latents: 2047 },
  }], /has 2047 latents but .* has 2048: count SAEs of one number of latents/);
  refuses(model, [latents[0], latents[0]], /in one layer/);
  const most = Math.floor(gpu.limits.maxStorageBufferBindingSize / (4 * 2048));
  assert.throws(
    () => new Counter(gpu, model.llama, model.store, latents, { ...LIMITS, groups: most + 1 }),
    new RegExp(`at most ${most}: lower --document-groups`),
  );
});
