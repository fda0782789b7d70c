/** The small kernels of a transformer layer against f64 references, on odd sizes. */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import {
  maxAbsoluteDifference,
  nmse,
  randomValues,
  seededRandom,
} from "../../tests/support/numbers.ts";
import { storedMatrix } from "../../tests/support/weights.ts";
import { recordAttention } from "./attention.ts";
import type { Gpu, KernelFamily } from "./device.ts";
import {
  recordAdd,
  recordMultiply,
  recordScale,
  recordSilu,
  recordThreshold,
} from "./elementwise.ts";
import { recordEmbed } from "./embed.ts";
import { recordEntropy } from "./entropy.ts";
import { SHARD_ROWS, uploadMatrix, type WeightType } from "./matrix.ts";
import type { Recorder } from "./recorder.ts";
import { recordRmsNorm } from "./rmsnorm.ts";
import { recordRope } from "./rope.ts";
import { allocateRows, type OwnedRows, readRows, type Rows, strideOf, writeRows } from "./rows.ts";

/** A handful of f32 operations per value. */
const TOLERANCE = 1e-12;
/** exp and log of GPUs are specified to a few units in the last place only. */
const EXP_TOLERANCE = 1e-11;

/** Sizes: alone, around a workgroup, around a stride, and more rows than workgroups in a dimension. */
const SIZES: [rows: number, width: number][] = [[1, 1], [31, 33], [33, 257], [66_000, 5]];

function upload(gpu: Gpu, rows: number, values: Float32Array): OwnedRows {
  const matrix = allocateRows(gpu, "x", rows, values.length / rows);
  writeRows(gpu, matrix, values);
  return matrix;
}

function run(gpu: Gpu, record: (recorder: Recorder) => void): void {
  const recorder = gpu.recorder();
  record(recorder);
  recorder.submit();
}

function padded(values: Float32Array): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(strideOf(values.length));
  whole.set(values);
  return whole;
}

function assertClose(actual: Float32Array, expected: ArrayLike<number>, tolerance: number): void {
  const error = nmse(actual, expected);
  assert.ok(error <= tolerance, `normalised mean squared error ${error}`);
}

/** Workgroups whose invocations join what they have by subgroups, and those that cannot. */
const WAYS: [KernelFamily, boolean][] = [["texture", true], ["texture", false], ["tile", false]];
for (const [family, subgroups] of WAYS) {
  Deno.test(`RMSNorm against f64, ${family}, ${subgroups ? "subgroups if any" : "no subgroups"}`, async () => {
    using gpu = await openTestGpu({ family, subgroups });
    const random = seededRandom(1);
    const eps = 1e-5;
    for (const [rows, width] of SIZES) {
      const x = randomValues(random, rows * width, 3);
      const weight = randomValues(random, width);
      using input = upload(gpu, rows, x);
      using output = allocateRows(gpu, "y", rows, width);
      using weights = gpu.bufferOf("weight", padded(weight));
      run(gpu, (recorder) => recordRmsNorm(gpu, recorder, input, weights.resource, eps, output));
      const expected = new Float64Array(x.length);
      for (let row = 0; row < rows; row++) {
        const values = x.subarray(row * width, (row + 1) * width);
        const mean = values.reduce((sum, v) => sum + v * v, 0) / width;
        values.forEach((v, i) => expected[row * width + i] = weight[i] * v / Math.sqrt(mean + eps));
      }
      const normed = await readRows(gpu, output);
      assertClose(normed, expected, TOLERANCE);

      // With the residual connection before it: the same as two steps, to the bit.
      const before = randomValues(random, rows * width, 3);
      using residual = upload(gpu, rows, before);
      using update = upload(gpu, rows, x.map((v, i) => v - before[i]));
      using both = upload(gpu, rows, before);
      using together = allocateRows(gpu, "y", rows, width);
      const norm = (recorder: Recorder, from: Rows, to: Rows, added?: Rows) =>
        recordRmsNorm(gpu, recorder, from, weights.resource, eps, to, added);
      run(gpu, (recorder) => {
        recordAdd(gpu, recorder, residual, update);
        norm(recorder, residual, output);
        norm(recorder, both, together, update);
      });
      assert.deepEqual(await readRows(gpu, together), await readRows(gpu, output));
      assert.deepEqual(await readRows(gpu, both), await readRows(gpu, residual));
    }
  });
}

Deno.test("elementwise operations against f64", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(2);
  const silu = (v: number) => v / (1 + Math.exp(-v));
  for (const [rows, width] of SIZES) {
    const y = randomValues(random, rows * width, 4);
    const x = randomValues(random, rows * width);
    const row = randomValues(random, width);
    using operand = upload(gpu, rows, x);
    using vector = gpu.bufferOf("row", padded(row));
    const check = async (
      record: (recorder: Recorder, target: OwnedRows) => void,
      formula: (y: number, x: number, column: number) => number,
      tolerance: number,
    ) => {
      using target = upload(gpu, rows, y);
      run(gpu, (recorder) => record(recorder, target));
      const expected = Float64Array.from(y, (value, at) => formula(value, x[at], at % width));
      assertClose(await readRows(gpu, target), expected, tolerance);
    };
    await check((r, t) => recordAdd(gpu, r, t, operand), (a, b) => a + b, TOLERANCE);
    await check((r, t) => recordMultiply(gpu, r, t, operand), (a, b) => a * b, TOLERANCE);
    await check((r, t) => recordSilu(gpu, r, t), (a) => silu(a), EXP_TOLERANCE);
    await check(
      (r, t) => recordScale(gpu, r, t, vector.resource),
      (a, _, column) => a * row[column],
      TOLERANCE,
    );
    await check(
      (r, t) => recordThreshold(gpu, r, t, vector.resource),
      (a, _, column) => a > Math.max(0, row[column]) ? a : 0,
      0,
    );
  }
});

Deno.test("rotary embedding against f64", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(3);
  for (
    const [rows, heads, others, headDim] of [[1, 1, 0, 4], [33, 3, 2, 32], [257, 5, 1, 12], [
      66_000,
      1,
      1,
      8,
    ]]
  ) {
    const width = (heads + others) * headDim;
    const half = headDim / 2;
    const z = randomValues(random, rows * width);
    const positions = Uint32Array.from({ length: rows }, (_, t) => (t * 7) % 50);
    const angles = Float64Array.from(
      { length: 50 * half },
      (_, at) => Math.floor(at / half) * 10000 ** (-(at % half) / half),
    );
    const table = Float32Array.from(
      { length: angles.length * 2 },
      (_, at) => at % 2 === 0 ? Math.cos(angles[at >> 1]) : Math.sin(angles[at >> 1]),
    );
    using rotated = upload(gpu, rows, z);
    using where = gpu.bufferOf("positions", positions);
    using turns = gpu.bufferOf("table", table);
    run(
      gpu,
      (recorder) =>
        recordRope(gpu, recorder, rotated, where.resource, turns.resource, heads, headDim),
    );
    const expected = Float64Array.from(z);
    for (let t = 0; t < rows; t++) {
      for (let head = 0; head < heads; head++) {
        for (let i = 0; i < half; i++) {
          const at = t * width + head * headDim + i;
          const angle = angles[positions[t] * half + i];
          expected[at] = z[at] * Math.cos(angle) - z[at + half] * Math.sin(angle);
          expected[at + half] = z[at + half] * Math.cos(angle) + z[at] * Math.sin(angle);
        }
      }
    }
    assertClose(await readRows(gpu, rotated), expected, TOLERANCE);
  }
});

interface Attention {
  readonly lengths: number[];
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
}

function attentionReference(qkv: Float32Array, shape: Attention): Float64Array {
  const { lengths, heads, keyValueHeads, headDim } = shape;
  const width = (heads + 2 * keyValueHeads) * headDim;
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const y = new Float64Array(tokens * heads * headDim);
  let start = 0;
  for (const length of lengths) {
    for (let t = start; t < start + length; t++) {
      for (let head = 0; head < heads; head++) {
        const group = Math.floor(head / (heads / keyValueHeads));
        const query = t * width + head * headDim;
        const scores = Array.from({ length: t - start + 1 }, (_, j) => {
          const key = (start + j) * width + (heads + group) * headDim;
          let score = 0;
          for (let i = 0; i < headDim; i++) score += qkv[query + i] * qkv[key + i];
          return score / Math.sqrt(headDim);
        });
        const largest = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - largest));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        weights.forEach((weight, j) => {
          const value = (start + j) * width + (heads + keyValueHeads + group) * headDim;
          for (let i = 0; i < headDim; i++) {
            y[(t * heads + head) * headDim + i] += weight / total * qkv[value + i];
          }
        });
      }
    }
    start += length;
  }
  return y;
}

async function attend(gpu: Gpu, qkv: Float32Array, shape: Attention): Promise<Float32Array> {
  const { lengths, heads, headDim } = shape;
  let start = 0;
  const starts = lengths.flatMap((length) => {
    start += length;
    return Array<number>(length).fill(start - length);
  });
  using input = upload(gpu, starts.length, qkv);
  using output = allocateRows(gpu, "y", starts.length, heads * headDim);
  using firsts = gpu.bufferOf("starts", Uint32Array.from(starts));
  using positions = gpu.bufferOf("positions", Uint32Array.from(starts, (first, t) => t - first));
  const places = { firsts: firsts.resource, positions: positions.resource };
  run(gpu, (recorder) => recordAttention(gpu, recorder, shape, input, places, output));
  return await readRows(gpu, output);
}

for (const family of FAMILIES) {
  Deno.test(`attention over packed texts against f64, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(4);
    const shapes: Attention[] = [
      { lengths: [1], heads: 1, keyValueHeads: 1, headDim: 4 },
      { lengths: [31, 1, 33, 5], heads: 4, keyValueHeads: 2, headDim: 32 },
      { lengths: [257, 3], heads: 8, keyValueHeads: 2, headDim: 12 },
      { lengths: [17, 6], heads: 6, keyValueHeads: 1, headDim: 64 },
      { lengths: [5, 9], heads: 5, keyValueHeads: 1, headDim: 20 },
      { lengths: Array(70_001).fill(1), heads: 4, keyValueHeads: 2, headDim: 4 },
      { lengths: Array(6_001).fill(3), heads: 2, keyValueHeads: 2, headDim: 4 },
    ];
    for (const shape of shapes) {
      const tokens = shape.lengths.reduce((sum, length) => sum + length, 0);
      const width = (shape.heads + 2 * shape.keyValueHeads) * shape.headDim;
      const qkv = randomValues(random, tokens * width, 2);
      assertClose(await attend(gpu, qkv, shape), attentionReference(qkv, shape), EXP_TOLERANCE);
    }
  });

  Deno.test(`attention of a text does not depend on what it is packed with, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const shape = { heads: 4, keyValueHeads: 2, headDim: 8 };
    const qkv = randomValues(seededRandom(5), 60 * 64);
    const together = await attend(gpu, qkv, { ...shape, lengths: [13, 40, 7] });
    const alone = await attend(gpu, qkv.slice(13 * 64, 53 * 64), { ...shape, lengths: [40] });
    assert.deepEqual(alone, together.slice(13 * 32, 53 * 32));
  });

  Deno.test(`embedding gather, ${family}: exact in every width, across shards`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(6);
    const vocabulary = family === "texture" ? SHARD_ROWS + 5 : 300;
    for (const type of ["f32", "f16", "bf16"] as WeightType[]) {
      for (const [tokens, width] of [[70, 33], [66_000, 5]]) {
        const table = storedMatrix("E", type, vocabulary, randomValues(random, vocabulary * width));
        const ids = Uint32Array.from({ length: tokens }, () => Math.floor(random() * vocabulary));
        ids[3] = vocabulary - 1;
        using matrix = await uploadMatrix(gpu, table);
        using idBuffer = gpu.bufferOf("ids", ids);
        using output = allocateRows(gpu, "y", tokens, width);
        run(gpu, (recorder) => {
          for (const shard of matrix.shards) {
            recordEmbed(gpu, recorder, shard, idBuffer.resource, output);
          }
        });
        const expected = new Float32Array(tokens * width);
        ids.forEach((id, t) =>
          expected.set(table.values.subarray(id * width, (id + 1) * width), t * width)
        );
        assert.equal(maxAbsoluteDifference(await readRows(gpu, output), expected), 0);
      }
    }
  });
}

Deno.test("entropy against f64", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(7);
  for (const [languages, units] of [[1, 1], [2, 31], [15, 257], [2, 66_000 * 8]]) {
    const fired = Uint32Array.from(
      { length: languages * units },
      () => random() < 0.5 ? 0 : Math.floor(random() * 1000),
    );
    const tokens = Uint32Array.from(
      { length: languages },
      () => 1000 + Math.floor(random() * 1000),
    );
    using firedBuffer = gpu.bufferOf("fired", fired);
    using tokensBuffer = gpu.bufferOf("tokens", tokens);
    using result = gpu.buffer("entropy", units * 4);
    run(gpu, (recorder) =>
      recordEntropy(
        gpu,
        recorder,
        languages,
        units,
        firedBuffer.resource,
        tokensBuffer.resource,
        result.resource,
      ));
    const expected = Float64Array.from({ length: units }, (_, unit) => {
      const p = Array.from(tokens, (count, g) => fired[g * units + unit] / count);
      const sum = p.reduce((total, value) => total + value, 0);
      return p.reduce((h, value) => value === 0 ? h : h - value / sum * Math.log(value / sum), 0);
    });
    const entropy = new Float32Array(await gpu.read(result.resource, 0, units * 4));
    entropy.forEach((h, unit) =>
      assert.ok(Math.abs(h - expected[unit]) <= 1e-5, `unit ${unit}: ${h}, ${expected[unit]}`)
    );
  }
});
