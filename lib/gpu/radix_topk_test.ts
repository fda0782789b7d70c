import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { type Gpu, GRID } from "./device.ts";
import { recordGroupMax } from "./group_max.ts";
import { recordRadixTopK } from "./radix_topk.ts";
import type { Recorder } from "./recorder.ts";
import { allocateRows, type Rows, writeRows } from "./rows.ts";
import type { TopKEntries } from "./topk.ts";

/** Not negative, with many equal values and zeros of both signs. */
function activations(count: number, seed: number): Float32Array<ArrayBuffer> {
  const random = seededRandom(seed);
  return randomValues(random, count, 2).map((value) =>
    random() < 0.3 ? Math.max(0, Math.round(value)) : random() < 0.1 ? -0 : Math.max(0, value)
  );
}

async function found(
  gpu: Gpu,
  values: Float32Array,
  width: number,
  k: number,
  record: (recorder: Recorder, pre: Rows, entries: TopKEntries) => void,
) {
  const rows = values.length / width;
  using pre = allocateRows(gpu, "pre", rows, width);
  using top = gpu.buffer("values", rows * k * 4);
  using indices = gpu.buffer("indices", rows * k * 4);
  writeRows(gpu, pre, values);
  const recorder = gpu.recorder();
  const entries = { values: { buffer: top.resource }, indices: { buffer: indices.resource } };
  record(recorder, pre, entries);
  recorder.submit();
  return {
    values: Array.from(new Float32Array(await gpu.read(top.resource, 0, rows * k * 4))),
    indices: Array.from(new Uint32Array(await gpu.read(indices.resource, 0, rows * k * 4))),
  };
}

/** By sorting: larger first, ties by lower index; then in the order of indices. */
function expectedTopK(row: Float32Array, k: number) {
  return Array.from(row, (value, index) => ({ value: value + 0, index }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
    .slice(0, k)
    .sort((a, b) => a.index - b.index);
}

for (const family of FAMILIES) {
  Deno.test(`TopK for any k, in the order of indices: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const sizes = [[1, 1, 1], [31, 33, 7], [5, 257, 257], [3, 4099, 1500]];
    // more rows than workgroups along one dimension: the fold of the grid is the same in both families
    if (family === "texture") sizes.push([GRID + 11, 5, 2]);
    for (const [rows, width, k] of sizes) {
      const values = activations(rows * width, rows);
      const entries = await found(
        gpu,
        values,
        width,
        k,
        (recorder, pre, into) => recordRadixTopK(gpu, recorder, pre, k, into),
      );
      const expected = Array.from(
        { length: rows },
        (_, row) => expectedTopK(values.subarray(row * width, (row + 1) * width), k),
      ).flat();
      assert.deepEqual(entries.indices, expected.map(({ index }) => index));
      assert.deepEqual(entries.values, expected.map(({ value }) => value));
    }
  });

  Deno.test(`the largest of each group, ties to the lowest index: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const sizes = [[1, 1, 1], [31, 33, 11], [5, 257, 1], [7, 1030, 10], [11_000, 6, 3]];
    for (const [rows, width, groups] of sizes) {
      const values = activations(rows * width, rows + 1);
      const entries = await found(
        gpu,
        values,
        width,
        groups,
        (recorder, pre, into) => recordGroupMax(gpu, recorder, pre, groups, into),
      );
      const size = width / groups;
      const expected = Array.from({ length: rows * groups }, (_, item) => {
        const start = item * size; // groups follow each other, rows too
        const group = values.subarray(start, start + size);
        const [{ value, index }] = expectedTopK(group, 1);
        return { value, index: start % width + index };
      });
      assert.deepEqual(entries.indices, expected.map(({ index }) => index));
      assert.deepEqual(
        entries.values.map((value) => value + 0),
        expected.map(({ value }) => value),
      );
    }
  });

  Deno.test(`groups that ranges of latents cut through: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const [rows, latents, groups] = [5, 1030, 10];
    const values = activations(rows * latents, 3);
    const whole = await found(
      gpu,
      values,
      latents,
      groups,
      (recorder, pre, into) => recordGroupMax(gpu, recorder, pre, groups, into),
    );
    const cuts = [0, 64, 103, 700, latents];
    const owned = new DisposableStack();
    using _ranges = owned;
    const pieces = cuts.slice(1).map((to, i) => {
      const width = to - cuts[i];
      const piece = owned.use(allocateRows(gpu, "range", rows, width));
      const own = Array.from(
        { length: rows },
        (_, row) => values.subarray(row * latents + cuts[i], row * latents + to),
      );
      writeRows(gpu, piece, Float32Array.from(own.flatMap((part) => [...part])));
      return { piece, first: cuts[i] };
    });
    const inPieces = await found(gpu, values, latents, groups, (recorder, _, into) => {
      for (const { piece, first } of pieces) {
        recordGroupMax(gpu, recorder, piece, groups, into, { first, latents });
      }
    });
    assert.deepEqual(inPieces, whole);
  });
}

Deno.test("more than there are, and groups that are not equal, are refused", async () => {
  using gpu = await openTestGpu();
  using pre = allocateRows(gpu, "pre", 1, 10);
  const entries = { values: { buffer: pre.buffer }, indices: { buffer: pre.buffer } };
  assert.throws(() => recordRadixTopK(gpu, gpu.recorder(), pre, 11, entries), RangeError);
  assert.throws(() => recordGroupMax(gpu, gpu.recorder(), pre, 3, entries), RangeError);
});
