import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import type { Gpu } from "./device.ts";
import { allocateRows, writeRows } from "./rows.ts";
import { recordTopKMerge, TopK, type TopKEntries } from "./topk.ts";

/** Larger first, ties by lower index; what is not positive counts as 0. */
function reference(row: Float32Array, k: number, first = 0) {
  const order = Array.from(row, (_, index) => index)
    .sort((a, b) => Math.max(row[b], 0) - Math.max(row[a], 0) || a - b)
    .slice(0, k);
  const indices = order.map((index) => first + index);
  const values = order.map((index) => Math.max(row[index], 0));
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

async function check(rows: Float32Array[], k: number, capacity?: number, first = 0) {
  using gpu = await openTestGpu();
  const width = rows[0].length;
  using pre = allocateRows(gpu, "pre", rows.length, width);
  const flat = new Float32Array(rows.length * width);
  rows.forEach((row, i) => flat.set(row, i * width));
  writeRows(gpu, pre, flat);
  using topk = new TopK(gpu, k, rows.length, pre.stride, capacity);
  const entries = allocateEntries(gpu, rows.length, k);
  const recorder = gpu.recorder();
  topk.record(recorder, pre, first, entries);
  recorder.submit();
  const { values, indices } = await readEntries(gpu, entries, rows.length, k);
  rows.forEach((row, i) => {
    const expected = reference(row, k, first);
    assert.deepEqual([...indices.subarray(i * k, (i + 1) * k)], expected.indices, `row ${i}`);
    assert.deepEqual([...values.subarray(i * k, (i + 1) * k)], expected.values, `row ${i}`);
  });
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
  for (const [width, k] of [[1, 1], [31, 5], [33, 33], [257, 16], [2048, 16], [16384, 32]]) {
    await check(reluRows(width, 5, width), k, undefined, 1000);
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
  await check(reluRows(11, 4, 3000, 0), 64, 64);
});

Deno.test("TopK: extreme values", async () => {
  const row = new Float32Array(300);
  row.set([1e-45, 3e38, 1e-38, 0, 2, 3.4e38], 40);
  await check([row], 8);
});

Deno.test("TopK: more rows than workgroups along one dimension", async () => {
  await check(reluRows(12, 66000, 8, 0), 2);
});

Deno.test("TopK merge: shards give the TopK of the whole", async () => {
  using gpu = await openTestGpu();
  for (const k of [1, 16, 200]) {
    const rows = [
      ...reluRows(13, 3, 600, 0.5),
      new Float32Array(600),
      new Float32Array(600).fill(2),
    ];
    const cut = 350;
    const shards = [[0, cut], [cut, 600]].map(([from, to]) => ({ from, to }));
    const lists = shards.map(({ from, to }) => {
      const found = rows.map((row) => reference(row.subarray(from, to), k, from));
      return {
        values: {
          buffer: gpu.bufferOf("v", Float32Array.from(found.flatMap((f) => f.values))).resource,
        },
        indices: {
          buffer: gpu.bufferOf("i", Uint32Array.from(found.flatMap((f) => f.indices))).resource,
        },
      };
    });
    const recorder = gpu.recorder();
    recordTopKMerge(gpu, recorder, k, rows.length, lists[0], lists[1]);
    recorder.submit();
    const { values, indices } = await readEntries(gpu, lists[0], rows.length, k);
    rows.forEach((row, i) => {
      const expected = reference(row, k);
      assert.deepEqual([...indices.subarray(i * k, (i + 1) * k)], expected.indices);
      assert.deepEqual([...values.subarray(i * k, (i + 1) * k)], expected.values);
    });
  }
});
