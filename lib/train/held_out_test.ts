import assert from "node:assert/strict";
import type { TokenRows } from "../data/token_rows.ts";
import { trainingBatches } from "./batches.ts";
import { measuredRows, splitRows } from "./held_out.ts";

/** Rows that hold their own number. */
function rowsOf(rows: number, contextLength: number): TokenRows {
  return {
    rows,
    contextLength,
    parts: [{ language: undefined, rows }],
    leftOver: 0,
    sha256: {},
    read: (chosen) =>
      Promise.resolve(
        Uint32Array.from({ length: chosen.length * contextLength }, (_, i) =>
          chosen[Math.floor(i / contextLength)]),
      ),
    [Symbol.dispose]() {},
  };
}

const ORDER = { batchSize: 3, shuffleSeed: 42, vocabularySize: 10_000 };

Deno.test("the last rows of the order are held out, the others trained on as without", () => {
  const rows = rowsOf(50, 4);
  const all = [...trainingBatches(rows, ORDER).order];
  const { training, heldOut } = splitRows(rows, ORDER, 0.05);
  assert.deepEqual([...training.order], all.slice(0, 47));
  assert.deepEqual([...heldOut?.order ?? []], all.slice(47));
  const few = splitRows(rows, { ...ORDER, maxExamples: 10 }, 0.05);
  assert.deepEqual([...few.training.order], all.slice(0, 10));
  assert.deepEqual([...few.heldOut?.order ?? []], all.slice(47));
  const most = splitRows(rows, { ...ORDER, maxExamples: 49 }, 0.05);
  assert.deepEqual([...most.training.order], all.slice(0, 47), "no row is in both");
});

Deno.test("no rows, or a single one, or more than need be", () => {
  assert.equal(splitRows(rowsOf(50, 4), ORDER, 0).heldOut, undefined);
  const single = splitRows(rowsOf(1, 4), ORDER, 0.5);
  assert.equal(single.heldOut, undefined);
  assert.equal(single.training.rows, 1);
  const many = splitRows(rowsOf(1000, 4096), ORDER, 0.5);
  assert.equal(many.heldOut?.rows, 32, "131,072 tokens");
  assert.equal(many.training.rows, 968);
  assert.equal(measuredRows(rowsOf(1000, 4096), ORDER).rows, 32);
  assert.equal(measuredRows(rowsOf(7, 4096), ORDER).rows, 7);
});

Deno.test("what is held out comes in batches", async () => {
  const { heldOut } = splitRows(rowsOf(50, 4), ORDER, 0.1);
  const sizes = (await Array.fromAsync(heldOut?.batches() ?? [])).map(({ rows }) => rows);
  assert.deepEqual(sizes, [3, 2]);
});
