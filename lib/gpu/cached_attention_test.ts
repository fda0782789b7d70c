/** Attention to a cache against packed attention, which is tested against f64 (layers_test.ts). */
import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { type AttentionShape, recordAttention } from "./attention.ts";
import { recordCachedAttention } from "./cached_attention.ts";
import type { Gpu } from "./device.ts";
import { allocateRows, readRows, type Rows, writeRows } from "./rows.ts";

const SHAPES: AttentionShape[] = [
  { heads: 1, keyValueHeads: 1, headDim: 4 },
  { heads: 8, keyValueHeads: 2, headDim: 12 },
  { heads: 5, keyValueHeads: 5, headDim: 16 },
];
/** Tokens of each sequence. */
const LENGTHS = [31, 1, 33, 257];
const CAPACITY = 260;

function bindings(gpu: Gpu, owned: DisposableStack, values: readonly number[]): GPUBufferBinding {
  return { buffer: owned.use(gpu.bufferOf("words", Uint32Array.from(values))).resource };
}

/** Packed attention of whole sequences, [tokens, heads · headDim]. */
async function packed(gpu: Gpu, shape: AttentionShape, qkv: Rows): Promise<Float32Array> {
  let start = 0;
  const starts = LENGTHS.flatMap((length) =>
    Array<number>(length).fill((start += length) - length)
  );
  using memory = gpu.bufferOf("starts", Uint32Array.from(starts));
  using y = allocateRows(gpu, "y", qkv.rows, shape.heads * shape.headDim);
  const recorder = gpu.recorder();
  recordAttention(gpu, recorder, shape, qkv, memory.resource, y);
  recorder.submit();
  return await readRows(gpu, y);
}

Deno.test("a prefix at once, then token by token in any order of sequences: as packed, to the bit", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(2);
  for (const shape of SHAPES) {
    const { heads, keyValueHeads, headDim } = shape;
    const width = (heads + 2 * keyValueHeads) * headDim;
    const tokens = LENGTHS.flatMap((length, sequence) =>
      Array.from({ length }, (_, position) => ({ sequence, position }))
    );
    const values = randomValues(random, tokens.length * width, 2);
    using whole = allocateRows(gpu, "qkv", tokens.length, width);
    writeRows(gpu, whole, values);
    const expected = await packed(gpu, shape, whole);
    const rows = LENGTHS.length * CAPACITY;
    using cache = allocateRows(gpu, "cache", rows, 2 * keyValueHeads * headDim);
    // the first part of every sequence in one batch, then the last tokens, sequences backwards
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
        firsts: bindings(gpu, owned, part.map((at) => tokens[at].sequence * CAPACITY)),
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
});
