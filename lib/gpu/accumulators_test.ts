import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import {
  Accumulators,
  lastBytes,
  NOT_COUNTED,
  seenBytes,
  type TokenParts,
  type UnitCounts,
} from "./accumulators.ts";
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
  readonly group: number;
  readonly fires: boolean;
}

/** Groups of documents that tokens are thrown into. */
const GROUPS = 5;

/** The definition; entries of tokens that are left out play no part. */
function reference(width: number, entries: Entry[], groups = GROUPS): UnitCounts {
  const counts = {
    firedTokens: new Uint32Array(width),
    firedExamples: new Uint32Array(width),
    sum: new BigInt64Array(width),
    max: new Float32Array(width),
    min: new Float32Array(width).fill(Infinity),
    groups: new Uint32Array(groups * width),
  };
  const seen = new Set<string>();
  for (const { unit, value, example, group, fires } of entries) {
    if (example === NOT_COUNTED) continue;
    if (fires) {
      if (groups > 0) counts.groups[group * width + unit]++;
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

/** What tokens belong to, on the host. */
interface Parts {
  readonly example: Uint32Array<ArrayBuffer>;
  readonly group: Uint32Array<ArrayBuffer>;
}

/** Texts of some ten tokens, each in a group; some tokens are left out. */
function randomParts(random: () => number, tokens: number): Parts {
  const [example, group] = [new Uint32Array(tokens), new Uint32Array(tokens)];
  let [text, itsGroup] = [0, 0];
  for (let token = 0; token < tokens; token++) {
    if (random() < 0.1) {
      text++;
      itsGroup = Math.floor(random() * GROUPS);
    }
    example[token] = random() < 0.05 ? NOT_COUNTED : text;
    group[token] = itsGroup;
  }
  return { example, group };
}

function uploaded(gpu: Gpu, { example, group }: Parts): TokenParts {
  return {
    example: gpu.bufferOf("example", example).resource,
    group: gpu.bufferOf("group", group).resource,
  };
}

interface Block extends Parts {
  readonly tokens: number;
  readonly values: Float32Array<ArrayBuffer>;
  readonly indices: Uint32Array<ArrayBuffer>;
}

function topkBlock(seed: number, tokens: number, k: number, width: number): Block {
  const random = seededRandom(seed);
  const values = wideValues(random, tokens * k).map((v) => (random() < 0.2 ? 0 : Math.abs(v)));
  const indices = Uint32Array.from({ length: tokens * k }, () => Math.floor(random() ** 3 * width));
  return { tokens, values, indices, ...randomParts(random, tokens) };
}

async function countTopK(gpu: Gpu, blocks: Block[], k: number, width: number, zeros = false) {
  using accumulators = new Accumulators(gpu, width, GROUPS);
  for (const { tokens, values, indices, ...parts } of blocks) {
    const seen = gpu.buffer("seen", seenBytes(tokens, width));
    const entries = {
      values: { buffer: gpu.bufferOf("values", values).resource },
      indices: { buffer: gpu.bufferOf("indices", indices).resource },
    };
    const texts = uploaded(gpu, parts);
    const recorder = gpu.recorder();
    accumulators.recordTopK(recorder, entries, tokens, k, texts, seen.resource, zeros);
    recorder.submit();
  }
  return await accumulators.take(GROUPS);
}

function blockEntries({ values, indices, example, group }: Block, k: number): Entry[] {
  return Array.from(values, (value, slot) => ({
    unit: indices[slot],
    value,
    example: example[Math.floor(slot / k)],
    group: group[Math.floor(slot / k)],
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
  const text = whole.example.findLast((text, at) => at < 150 && text !== NOT_COUNTED)! + 1;
  const cut = whole.example.indexOf(text);
  const part = (from: number, to: number) => ({
    tokens: to - from,
    values: whole.values.slice(from * k, to * k),
    indices: whole.indices.slice(from * k, to * k),
    example: whole.example.slice(from, to),
    group: whole.group.slice(from, to),
  });
  const parts = [part(cut, 300), part(0, cut)];
  assert.deepEqual(await countTopK(gpu, parts, k, width), await countTopK(gpu, [whole], k, width));
});

Deno.test("taking the counts starts them again from zero", async () => {
  using gpu = await openTestGpu();
  using accumulators = new Accumulators(gpu, 40);
  const texts = { example: gpu.bufferOf("example", Uint32Array.of(0)).resource };
  using rows = allocateRows(gpu, "a", 1, 40);
  writeRows(gpu, rows, new Float32Array(40).fill(1.5));
  const recorder = gpu.recorder();
  accumulators.recordNeurons(recorder, rows, texts, 0);
  recorder.submit();
  assert.deepEqual((await accumulators.take()).firedTokens, new Uint32Array(40).fill(1));
  assert.deepEqual(await accumulators.take(), reference(40, [], 0));
});

Deno.test("without groups no group is counted, and tokens without one are refused with them", async () => {
  using gpu = await openTestGpu();
  using rows = allocateRows(gpu, "a", 1, 3);
  writeRows(gpu, rows, Float32Array.of(1, -1, 2));
  const texts = { example: gpu.bufferOf("example", Uint32Array.of(0)).resource };
  const values = [1, -1, 2];
  const entries = values.map((value, unit) => ({
    unit,
    value,
    example: 0,
    group: 0,
    fires: value > 0,
  }));
  using plain = new Accumulators(gpu, 3);
  using grouped = new Accumulators(gpu, 3, 2);
  const recorder = gpu.recorder();
  plain.recordNeurons(recorder, rows, texts, 0);
  assert.throws(() => grouped.recordNeurons(recorder, rows, texts, 0), RangeError);
  recorder.submit();
  assert.deepEqual(await plain.take(), reference(3, entries, 0));
});

Deno.test("counting neurons equals the definition, negative values and carries included", async () => {
  using gpu = await openTestGpu();
  for (const [tokens, width] of [[1, 1], [33, 31], [257, 385], [2, 66_000 * 8]]) {
    const random = seededRandom(tokens);
    const values = wideValues(random, tokens * width);
    const { example, group } = randomParts(random, tokens);
    using rows = allocateRows(gpu, "a", tokens, width);
    writeRows(gpu, rows, values);
    using accumulators = new Accumulators(gpu, width, GROUPS);
    const recorder = gpu.recorder();
    accumulators.recordNeurons(recorder, rows, uploaded(gpu, { example, group }), 0);
    recorder.submit();
    const entries = Array.from(values, (value, at) => ({
      unit: at % width,
      value,
      example: example[Math.floor(at / width)],
      group: group[Math.floor(at / width)],
      fires: value > 0,
    }));
    assert.deepEqual(await accumulators.take(GROUPS), reference(width, entries));
  }
});

interface DenseBlock extends Parts {
  readonly tokens: number;
  readonly width: number;
  /** [tokens, width], most of them 0 */
  readonly values: Float32Array<ArrayBuffer>;
}

function denseBlock(seed: number, tokens: number, width: number): DenseBlock {
  const random = seededRandom(seed);
  const values = wideValues(random, tokens * width)
    .map((value) => (random() < 0.7 ? 0 : Math.abs(value)));
  return { tokens, width, values, ...randomParts(random, tokens) };
}

/** Counts a batch in pieces: tokens cut where said, latents in two shards at a multiple of 64. */
async function countDense(gpu: Gpu, block: DenseBlock, cuts: number[] = []): Promise<UnitCounts> {
  const { tokens, width, values } = block;
  const shards = width > 64 ? [[0, 64], [64, width]] : [[0, width]];
  using accumulators = new Accumulators(gpu, width, GROUPS);
  using last = gpu.buffer("last", lastBytes(width));
  const parts = uploaded(gpu, block);
  const recorder = gpu.recorder();
  for (const [first, end] of shards) {
    using rows = allocateRows(gpu, "f", tokens, end - first);
    const own = values.filter((_, at) => at % width >= first && at % width < end);
    writeRows(gpu, rows, own);
    const ends = [...cuts, tokens];
    for (const [i, to] of ends.entries()) {
      const from = i === 0 ? 0 : ends[i - 1];
      const piece = rowsBetween(rows, from, to);
      accumulators.recordDense(recorder, piece, first, parts, from, last.resource);
    }
    recorder.submit();
    await gpu.settle();
  }
  return await accumulators.take(GROUPS);
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
      group: block.group[Math.floor(at / width)],
      fires: true,
    })).filter(({ value }) => value > 0);
    const expected = reference(width, entries);
    assert.deepEqual(await countDense(gpu, block), expected);
    if (tokens > 128) assert.deepEqual(await countDense(gpu, block, [64, 128]), expected);
  }
});
