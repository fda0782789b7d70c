import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import type { Gpu, KernelFamily } from "./device.ts";
import { GpuError } from "./memory.ts";
import { allocateRows, type OwnedRows, strideOf, writeRows } from "./rows.ts";
import { TopK, type TopKEntries } from "./topk.ts";

/** Larger first, ties by lower index; what is not positive counts as 0. */
function reference(row: Float32Array, k: number) {
  const indices = Array.from(row, (_, index) => index)
    .sort((a, b) => Math.max(row[b], 0) - Math.max(row[a], 0) || a - b)
    .slice(0, k);
  const values = indices.map((index) => Math.max(row[index], 0));
  while (indices.length < k) {
    indices.push(0xffffffff);
    values.push(0);
  }
  return { indices, values };
}

function allocateEntries(gpu: Gpu, rows: number, k: number): TopKEntries {
  return {
    values: { buffer: gpu.buffer("values", rows * k * 4).resource },
    indices: { buffer: gpu.buffer("indices", rows * k * 4).resource },
  };
}

async function readEntries(gpu: Gpu, entries: TopKEntries, rows: number, k: number) {
  const bytes = rows * k * 4;
  return {
    values: new Float32Array(await gpu.read(entries.values.buffer, 0, bytes)),
    indices: new Uint32Array(await gpu.read(entries.indices.buffer, 0, bytes)),
  };
}

/** Columns `from` to `to` of some rows, on the GPU. */
function upload(gpu: Gpu, rows: readonly Float32Array[], from: number, to: number): OwnedRows {
  const width = to - from;
  const matrix = allocateRows(gpu, "pre", rows.length, width);
  const flat = new Float32Array(rows.length * width);
  rows.forEach((row, i) => flat.set(row.subarray(from, to), i * width));
  writeRows(gpu, matrix, flat);
  return matrix;
}

interface Settings {
  readonly capacity?: number;
  /** Columns at which the rows are cut; each part is recorded in turn. */
  readonly cuts?: readonly number[];
}

async function checkOn(
  family: KernelFamily,
  rows: readonly Float32Array[],
  k: number,
  { capacity, cuts = [] }: Settings,
): Promise<void> {
  using gpu = await openTestGpu({ family });
  const { length: width } = rows[0];
  const bounds = [0, ...cuts, width];
  const widest = Math.max(...bounds.slice(1).map((to, i) => to - bounds[i]));
  using topk = new TopK(gpu, k, rows.length, strideOf(widest), { capacity });
  const entries = allocateEntries(gpu, rows.length, k);
  for (const [i, to] of bounds.slice(1).entries()) {
    using pre = upload(gpu, rows, bounds[i], to);
    const recorder = gpu.recorder();
    topk.record(recorder, pre, bounds[i], entries);
    recorder.submit();
    await gpu.settle();
  }
  const { values, indices } = await readEntries(gpu, entries, rows.length, k);
  rows.forEach((row, i) => {
    const expected = reference(row, k);
    const where = `row ${i}, ${family}`;
    assert.deepEqual([...indices.subarray(i * k, (i + 1) * k)], expected.indices, where);
    assert.deepEqual([...values.subarray(i * k, (i + 1) * k)], expected.values, where);
  });
}

async function check(rows: readonly Float32Array[], k: number, settings: Settings = {}) {
  for (const family of FAMILIES) await checkOn(family, rows, k, settings);
}

/** Rows as a ReLU leaves them: most values zero. */
function reluRows(seed: number, count: number, width: number, shift = 1): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from(
    { length: count },
    () => randomValues(random, width).map((value) => Math.max(0, value - shift)),
  );
}

Deno.test("TopK: odd widths and k", async () => {
  for (
    const [width, k] of [[1, 1], [31, 5], [33, 33], [257, 16], [2048, 16], [1536, 64], [16384, 32]]
  ) {
    await check(reluRows(width, 5, width), k);
  }
});

Deno.test("TopK: k above the lanes' short list", async () => {
  await check(reluRows(7, 3, 4096, 0), 300);
  await check(reluRows(8, 3, 4096, 0), 512);
});

Deno.test("TopK: fewer positive values than k are filled up with zeros at the lowest indices", async () => {
  await check([new Float32Array(100), new Float32Array(100).fill(1, 3, 7)], 12);
});

Deno.test("TopK: more slots than columns are marked as empty", async () => {
  await check([Float32Array.of(3, 0, 1)], 5);
});

Deno.test("TopK: ties go to the lower index, negative zero is zero", async () => {
  const random = seededRandom(9);
  const few = Float32Array.from({ length: 500 }, () => Math.floor(random() * 4));
  const negativeZero = new Float32Array(70).fill(-0);
  negativeZero[69] = 1;
  await check([few], 40);
  await check([negativeZero], 3);
});

Deno.test("TopK: rows that overflow the short list give the same result", async () => {
  const equal = new Float32Array(2000).fill(0.5);
  const nearly = Float32Array.from({ length: 2000 }, (_, i) => 1 + (i % 7) * 2 ** -22);
  const usual = reluRows(10, 1, 2000)[0];
  await check([equal, usual, nearly], 20);
  await check(reluRows(11, 4, 3000, 0), 64, { capacity: 64 });
});

Deno.test("TopK: extreme values", async () => {
  const row = new Float32Array(300);
  row.set([1e-45, 3e38, 1e-38, 0, 2, 3.4e38], 40);
  await check([row], 8);
});

Deno.test("TopK: more rows than workgroups along one dimension", async () => {
  await checkOn("tile", reluRows(12, 33000, 8, 0), 2, {});
});

Deno.test("TopK: many rows of different kinds, so that lanes of a group part", async () => {
  const random = seededRandom(14);
  const kinds = [
    (row: Float32Array) => row.fill(0.25),
    (row: Float32Array) => row.fill(3, 700, 705),
    (row: Float32Array) => row.set(randomValues(random, row.length).map((v) => Math.max(0, v))),
    (row: Float32Array) => row.set(randomValues(random, 40).map(Math.abs), 960),
    (row: Float32Array) => row,
  ];
  const rows = Array.from({ length: 1100 }, (_, i) => {
    const row = new Float32Array(1000);
    kinds[i % 7 % 5](row);
    return row;
  });
  await check(rows, 24);
});

Deno.test("TopK: columns in parts give the TopK of the whole", async () => {
  for (const k of [1, 16, 200]) {
    const rows = [
      ...reluRows(13, 3, 700, 0.5),
      ...reluRows(15, 3, 700, 0),
      new Float32Array(700),
      new Float32Array(700).fill(2),
      Float32Array.from({ length: 700 }, (_, i) => i % 5),
      Float32Array.from({ length: 700 }, (_, i) => i),
    ];
    await check(rows, k, { cuts: [350] });
    await check(rows, k, { cuts: [257, 520, 521], capacity: k });
  }
});

Deno.test("TopK: logits of any sign come in their order", async () => {
  const random = seededRandom(16);
  const rows = Array.from({ length: 20 }, (_, i) => randomValues(random, 333, 4 ** (i - 10)));
  const k = 40;
  for (const family of FAMILIES) {
    using gpu = await openTestGpu({ family });
    using topk = new TopK(gpu, k, rows.length, strideOf(333), { values: "logits" });
    const entries = allocateEntries(gpu, rows.length, k);
    for (const [from, to] of [[0, 200], [200, 333]]) {
      using logits = upload(gpu, rows, from, to);
      const recorder = gpu.recorder();
      topk.record(recorder, logits, from, entries);
      recorder.submit();
      await gpu.settle();
    }
    const { indices } = await readEntries(gpu, entries, rows.length, k);
    rows.forEach((row, i) => {
      const order = Array.from(row, (_, index) => index).sort((a, b) => row[b] - row[a] || a - b);
      assert.deepEqual([...indices.subarray(i * k, (i + 1) * k)], order.slice(0, k), family);
    });
  }
});

Deno.test("TopK: a k or rows beyond what kernels can do are refused", async () => {
  for (const family of FAMILIES) {
    using gpu = await openTestGpu({ family });
    const refused = (k: number, stride: number) =>
      assert.throws(() => new TopK(gpu, k, 1, stride), GpuError);
    refused(513, 64);
    refused(16, 2 ** 22);
  }
});
