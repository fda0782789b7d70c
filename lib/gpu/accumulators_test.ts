import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { Accumulators, lastBytes, seenBytes, type UnitCounts } from "./accumulators.ts";
import type { Gpu } from "./device.ts";
import { allocateRows, rowsBetween, writeRows } from "./rows.ts";

/** Nearest multiple of 2^-24 (halves away from zero), as an integer. Exact: |a| 2^24 fits f64. */
function fixedPoint(a: number): bigint {
  const units = BigInt(Math.floor(Math.abs(a) * 2 ** 24 + 0.5));
  return a < 0 ? -units : units;
}

interface Entry {
  readonly unit: number;
  readonly value: number;
  readonly example: number;
  readonly fires: boolean;
}

function reference(width: number, entries: Entry[]): UnitCounts {
  const counts = {
    firedTokens: new Uint32Array(width),
    firedExamples: new Uint32Array(width),
    sum: new BigInt64Array(width),
    max: new Float32Array(width),
    min: new Float32Array(width).fill(Infinity),
  };
  const seen = new Set<string>();
  for (const { unit, value, example, fires } of entries) {
    if (fires) {
      counts.firedTokens[unit]++;
      if (!seen.has(`${unit} ${example}`)) counts.firedExamples[unit]++;
      seen.add(`${unit} ${example}`);
    }
    counts.sum[unit] += fixedPoint(value);
    counts.max[unit] = Math.max(counts.max[unit], value);
    counts.min[unit] = Math.min(counts.min[unit], value);
  }
  return counts;
}

/** Magnitudes from far below to far above the unit of the fixed point. */
function wideValues(random: () => number, count: number): Float32Array<ArrayBuffer> {
  return randomValues(random, count).map((value) => value * 2 ** Math.floor(random() * 50 - 32));
}

interface Block {
  readonly tokens: number;
  readonly values: Float32Array<ArrayBuffer>;
  readonly indices: Uint32Array<ArrayBuffer>;
  readonly example: Uint32Array<ArrayBuffer>;
}

function topkBlock(seed: number, tokens: number, k: number, width: number): Block {
  const random = seededRandom(seed);
  const values = wideValues(random, tokens * k).map((v) => (random() < 0.2 ? 0 : Math.abs(v)));
  const indices = Uint32Array.from({ length: tokens * k }, () => Math.floor(random() ** 3 * width));
  let text = 0;
  const example = Uint32Array.from({ length: tokens }, () => (random() < 0.1 ? ++text : text));
  return { tokens, values, indices, example };
}

async function countTopK(gpu: Gpu, blocks: Block[], k: number, width: number, zeros = false) {
  using accumulators = new Accumulators(gpu, width);
  for (const { tokens, values, indices, example } of blocks) {
    const examples = example[example.length - 1] + 1;
    const seen = gpu.buffer("seen", seenBytes(examples, width));
    const entries = {
      values: { buffer: gpu.bufferOf("values", values).resource },
      indices: { buffer: gpu.bufferOf("indices", indices).resource },
    };
    const texts = { buffer: gpu.bufferOf("example", example).resource };
    const recorder = gpu.recorder();
    accumulators.recordTopK(recorder, entries, tokens, k, texts, seen.resource, zeros);
    recorder.submit();
  }
  return await accumulators.take();
}

function blockEntries({ values, indices, example }: Block, k: number, firstExample = 0): Entry[] {
  return Array.from(values, (value, slot) => ({
    unit: indices[slot],
    value,
    example: firstExample + example[Math.floor(slot / k)],
    fires: true,
  }));
}

Deno.test("counting TopK entries equals the definition, sums included, to the bit", async () => {
  using gpu = await openTestGpu();
  for (const [tokens, k, width] of [[1, 1, 1], [31, 3, 33], [257, 16, 2048], [33_000, 16, 500]]) {
    const block = topkBlock(tokens, tokens, k, width);
    const entries = blockEntries(block, k);
    const counted = await countTopK(gpu, [block], k, width);
    assert.deepEqual(counted, reference(width, entries.filter(({ value }) => value > 0)));
    assert.deepEqual(await countTopK(gpu, [block], k, width, true), reference(width, entries));
  }
});

Deno.test("counting is the same for any split into blocks", async () => {
  using gpu = await openTestGpu();
  const [k, width] = [8, 500];
  const whole = topkBlock(5, 300, k, width);
  const cut = whole.example.indexOf(whole.example[150]);
  const part = (from: number, to: number) => ({
    tokens: to - from,
    values: whole.values.slice(from * k, to * k),
    indices: whole.indices.slice(from * k, to * k),
    example: whole.example.slice(from, to).map((text) => text - whole.example[from]),
  });
  const parts = [part(cut, 300), part(0, cut)];
  assert.deepEqual(await countTopK(gpu, parts, k, width), await countTopK(gpu, [whole], k, width));
});

Deno.test("taking the counts starts them again from zero", async () => {
  using gpu = await openTestGpu();
  using accumulators = new Accumulators(gpu, 40);
  const example = { buffer: gpu.bufferOf("example", Uint32Array.of(0)).resource };
  using rows = allocateRows(gpu, "a", 1, 40);
  writeRows(gpu, rows, new Float32Array(40).fill(1.5));
  const recorder = gpu.recorder();
  accumulators.recordNeurons(recorder, rows, example);
  recorder.submit();
  assert.deepEqual((await accumulators.take()).firedTokens, new Uint32Array(40).fill(1));
  assert.deepEqual(await accumulators.take(), reference(40, []));
});

Deno.test("counting neurons equals the definition, negative values and carries included", async () => {
  using gpu = await openTestGpu();
  for (const [tokens, width] of [[1, 1], [33, 31], [257, 385], [2, 66_000 * 8]]) {
    const random = seededRandom(tokens);
    const values = wideValues(random, tokens * width);
    let text = 0;
    const example = Uint32Array.from({ length: tokens }, () => (random() < 0.1 ? ++text : text));
    using rows = allocateRows(gpu, "a", tokens, width);
    writeRows(gpu, rows, values);
    using accumulators = new Accumulators(gpu, width);
    const texts = { buffer: gpu.bufferOf("example", example).resource };
    const recorder = gpu.recorder();
    accumulators.recordNeurons(recorder, rows, texts);
    recorder.submit();
    const entries = Array.from(values, (value, at) => ({
      unit: at % width,
      value,
      example: example[Math.floor(at / width)],
      fires: value > 0,
    }));
    assert.deepEqual(await accumulators.take(), reference(width, entries));
  }
});

interface DenseBlock {
  readonly tokens: number;
  readonly width: number;
  /** [tokens, width], most of them 0 */
  readonly values: Float32Array<ArrayBuffer>;
  readonly example: Uint32Array<ArrayBuffer>;
}

function denseBlock(seed: number, tokens: number, width: number): DenseBlock {
  const random = seededRandom(seed);
  const values = wideValues(random, tokens * width)
    .map((value) => (random() < 0.7 ? 0 : Math.abs(value)));
  let text = 0;
  const example = Uint32Array.from({ length: tokens }, () => (random() < 0.1 ? ++text : text));
  return { tokens, width, values, example };
}

/** Counts a batch in pieces: tokens cut where said, latents in two shards at a multiple of 64. */
async function countDense(gpu: Gpu, block: DenseBlock, cuts: number[] = []): Promise<UnitCounts> {
  const { tokens, width, values, example } = block;
  const shards = width > 64 ? [[0, 64], [64, width]] : [[0, width]];
  using accumulators = new Accumulators(gpu, width);
  using last = gpu.buffer("last", lastBytes(width));
  using texts = gpu.bufferOf("example", example);
  const recorder = gpu.recorder();
  for (const [first, end] of shards) {
    using rows = allocateRows(gpu, "f", tokens, end - first);
    const own = values.filter((_, at) => at % width >= first && at % width < end);
    writeRows(gpu, rows, own);
    const ends = [...cuts, tokens];
    for (const [i, to] of ends.entries()) {
      const from = i === 0 ? 0 : ends[i - 1];
      const piece = rowsBetween(rows, from, to);
      const own = { buffer: texts.resource, offset: from * 4 };
      accumulators.recordDense(recorder, piece, first, own, last.resource);
    }
    recorder.submit();
    await gpu.settle();
  }
  return await accumulators.take();
}

Deno.test("counting dense latents equals the definition, to the bit, wherever pieces are cut", async () => {
  using gpu = await openTestGpu();
  // The last one is longer than one dispatch walks.
  for (const [tokens, width] of [[1, 1], [130, 31], [257, 700], [33_000, 3]]) {
    const block = denseBlock(tokens, tokens, width);
    const entries = Array.from(block.values, (value, at) => ({
      unit: at % width,
      value,
      example: block.example[Math.floor(at / width)],
      fires: true,
    })).filter(({ value }) => value > 0);
    const expected = reference(width, entries);
    assert.deepEqual(await countDense(gpu, block), expected);
    if (tokens > 128) assert.deepEqual(await countDense(gpu, block, [64, 128]), expected);
  }
});
