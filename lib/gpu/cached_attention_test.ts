/** Attention to a cache against packed attention, which is tested against f64 (layers_test.ts). */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { recordAttention } from "./attention.ts";
import { recordCachedAttention } from "./cached_attention.ts";
import type { Gpu } from "./device.ts";
import { allocateKeyValues, type AttentionShape } from "./key_values.ts";
import { allocateRows, readRows, type Rows, writeRows } from "./rows.ts";

const SHAPES: AttentionShape[] = [
  { heads: 1, keyValueHeads: 1, headDim: 4 },
  { heads: 8, keyValueHeads: 2, headDim: 12 },
  { heads: 5, keyValueHeads: 5, headDim: 16 },
];
/** Tokens of each sequence. */
const LENGTHS = [31, 1, 33, 257];
/** Tokens of a sequence in the cache: just enough, and more in all than a texture has lines. */
const CAPACITIES = [257, 4200];

function bindings(gpu: Gpu, owned: DisposableStack, values: readonly number[]): GPUBufferBinding {
  return { buffer: owned.use(gpu.bufferOf("words", Uint32Array.from(values))).resource };
}

/** Packed attention of whole sequences, [tokens, heads · headDim]. */
async function packed(gpu: Gpu, shape: AttentionShape, qkv: Rows): Promise<Float32Array> {
  let start = 0;
  const starts = LENGTHS.flatMap((length) =>
    Array<number>(length).fill((start += length) - length)
  );
  using owned = new DisposableStack();
  const places = {
    firsts: bindings(gpu, owned, starts),
    positions: bindings(gpu, owned, starts.map((first, token) => token - first)),
  };
  using y = allocateRows(gpu, "y", qkv.rows, shape.heads * shape.headDim);
  const recorder = gpu.recorder();
  recordAttention(gpu, recorder, shape, qkv, places, y);
  recorder.submit();
  return await readRows(gpu, y);
}

/**
 * The first part of every sequence goes into the cache in one batch, then the last tokens one by one, the
 * sequences backwards.
 */
async function testCache(gpu: Gpu, shape: AttentionShape, capacity: number): Promise<void> {
  const random = seededRandom(2);
  const { heads, keyValueHeads, headDim } = shape;
  const width = (heads + 2 * keyValueHeads) * headDim;
  const tokens = LENGTHS.flatMap((length, sequence) =>
    Array.from({ length }, (_, position) => ({ sequence, position }))
  );
  const values = randomValues(random, tokens.length * width, 2);
  using whole = allocateRows(gpu, "qkv", tokens.length, width);
  writeRows(gpu, whole, values);
  const expected = await packed(gpu, shape, whole);
  using cache = allocateKeyValues(gpu, "cache", LENGTHS.length * capacity, shape);
  const late = (at: number) => LENGTHS[tokens[at].sequence] - tokens[at].position <= 3;
  const all = [...tokens.keys()];
  const steps = [3, 2, 1].map((left) =>
    all.filter((at) => LENGTHS[tokens[at].sequence] - tokens[at].position === left).reverse()
  );
  for (const part of [all.filter((at) => !late(at)), ...steps]) {
    using owned = new DisposableStack();
    const qkv = owned.use(allocateRows(gpu, "some qkv", part.length, width));
    const y = owned.use(allocateRows(gpu, "y", part.length, heads * headDim));
    const some = new Float32Array(part.length * width);
    part.forEach((at, i) => some.set(values.subarray(at * width, (at + 1) * width), i * width));
    writeRows(gpu, qkv, some);
    const places = {
      firsts: bindings(gpu, owned, part.map((at) => tokens[at].sequence * capacity)),
      positions: bindings(gpu, owned, part.map((at) => tokens[at].position)),
    };
    const recorder = gpu.recorder();
    recordCachedAttention(gpu, recorder, shape, qkv, cache, places, y);
    recorder.submit();
    const found = await readRows(gpu, y);
    const wide = heads * headDim;
    part.forEach((at, i) =>
      assert.deepEqual(
        found.subarray(i * wide, (i + 1) * wide),
        expected.subarray(at * wide, (at + 1) * wide),
        `token ${tokens[at].position} of sequence ${tokens[at].sequence}`,
      )
    );
  }
}

for (const family of FAMILIES) {
  Deno.test(`a prefix at once, then token by token in any order of sequences: as packed, to the bit, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    for (const capacity of CAPACITIES) {
      for (const shape of SHAPES) await testCache(gpu, shape, capacity);
    }
  });
}
