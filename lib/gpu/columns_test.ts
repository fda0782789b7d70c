import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { ColumnReader } from "./columns.ts";
import { allocateRows, writeRows } from "./rows.ts";

Deno.test("columns come back as they are, in the order asked for, over several readbacks", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(1);
  // The last one takes 8 MB, two readbacks.
  for (const [rows, width, count] of [[1, 1, 1], [31, 33, 5], [257, 700, 64], [20_000, 130, 100]]) {
    const x = randomValues(random, rows * width);
    const columns = Uint32Array.from({ length: count }, (_, j) => (j * 37 + 5) % width);
    using matrix = allocateRows(gpu, "x", rows, width);
    using reader = new ColumnReader(gpu, count);
    writeRows(gpu, matrix, x);
    const found = await reader.read(gpu.recorder(), matrix, columns);
    assert.equal(found.length, rows * count);
    const wrong = found.findIndex((value, at) =>
      value !== x[Math.floor(at / count) * width + columns[at % count]]
    );
    assert.equal(wrong, -1);
  }
});

Deno.test("no columns and no rows are nothing to read", async () => {
  using gpu = await openTestGpu();
  using matrix = allocateRows(gpu, "x", 3, 5);
  using reader = new ColumnReader(gpu, 2);
  assert.equal((await reader.read(gpu.recorder(), matrix, new Uint32Array())).length, 0);
});
