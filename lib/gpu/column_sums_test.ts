import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { recordColumnSums, recordSumPartials, summedBlocks } from "./column_sums.ts";
import { recordGatherRows } from "./gather_rows.ts";
import { allocateRows, readRows, rowsBetween, writeRows } from "./rows.ts";
import { recordTransposeRows } from "./transpose_rows.ts";

/** f32 sums of blocks of 64 values about 1, against f64. */
const TOLERANCE = 1e-11;

Deno.test("sums down columns, weighted and centred, against f64; in pieces to the bit", async () => {
  using gpu = await openTestGpu();
  for (const [rows, width] of [[1, 1], [33, 31], [130, 257], [70_000, 3]]) {
    const random = seededRandom(rows);
    const x = randomValues(random, rows * width).map((value) => value + 1);
    const weights = randomValues(random, rows);
    const centre = randomValues(random, width);
    using matrix = allocateRows(gpu, "x", rows, width);
    using middle = allocateRows(gpu, "centre", 1, width);
    using weight = gpu.bufferOf("weights", weights);
    using factors = gpu.bufferOf("factors", Float32Array.of(5, 0.25));
    using sums = allocateRows(gpu, "sums", summedBlocks(rows), width);
    using squares = allocateRows(gpu, "squares", summedBlocks(rows), width);
    using total = allocateRows(gpu, "total", 1, width);
    using variation = allocateRows(gpu, "variation", 1, width);
    writeRows(gpu, matrix, x);
    writeRows(gpu, middle, centre);
    const cut = Math.min(rows, 64);
    const run = async (pieces: [from: number, to: number][]) => {
      writeRows(gpu, total, centre);
      const recorder = gpu.recorder();
      for (const [from, to] of pieces) {
        const piece = rowsBetween(matrix, from, to);
        const part = { buffer: weight.resource, offset: from * 4 };
        const wanted = { sums, squares, weight: part, centre: middle };
        recordColumnSums(gpu, recorder, piece, wanted, from / 64);
      }
      const factor = { values: factors.resource, at: 1 };
      recordSumPartials(gpu, recorder, sums, total, { scale: -2, factor, add: true });
      recordSumPartials(gpu, recorder, squares, variation, { scale: 3 });
      recorder.submit();
      return [await readRows(gpu, total), await readRows(gpu, variation)];
    };
    const expected = [Float64Array.from(centre), new Float64Array(width)];
    for (const [i, value] of x.entries()) {
      expected[0][i % width] -= 0.5 * weights[Math.floor(i / width)] * value;
      expected[1][i % width] += 3 * (value - centre[i % width]) ** 2;
    }
    const whole = await run([[0, rows]]);
    whole.forEach((found, i) => {
      const error = nmse(found, expected[i]);
      assert.ok(error <= TOLERANCE, `${rows} × ${width}: ${error}`);
    });
    assert.deepEqual(await run([[0, cut], [cut, rows]]), whole);
  }
});

Deno.test("rows can be chosen and turned into columns", async () => {
  using gpu = await openTestGpu();
  for (const [rows, width] of [[1, 1], [31, 33], [67, 257], [300, 5]]) {
    const random = seededRandom(width);
    const x = randomValues(random, rows * width);
    const chosen = Uint32Array.from({ length: rows + 9 }, () => Math.floor(random() * rows));
    using matrix = allocateRows(gpu, "x", rows, width);
    using indices = gpu.bufferOf("chosen", chosen);
    using some = allocateRows(gpu, "some", chosen.length, width);
    using turned = allocateRows(gpu, "turned", width, rows + 70);
    using factors = gpu.bufferOf("factors", Float32Array.of(1, 2, 0.5));
    writeRows(gpu, matrix, x);
    // What lay there before must go.
    writeRows(gpu, turned, new Float32Array(width * (rows + 70)).fill(9));
    const recorder = gpu.recorder();
    recordGatherRows(gpu, recorder, matrix, indices.resource, some);
    recordTransposeRows(gpu, recorder, matrix, turned);
    const factor = { values: factors.resource, at: 2 };
    recordTransposeRows(gpu, recorder, matrix, turned, { factor, add: true });
    recorder.submit();
    assert.deepEqual(
      await readRows(gpu, some),
      Float32Array.from({ length: chosen.length * width }, (_, i) => {
        return x[chosen[Math.floor(i / width)] * width + i % width];
      }),
    );
    assert.deepEqual(
      await readRows(gpu, turned),
      Float32Array.from({ length: width * (rows + 70) }, (_, i) => {
        const [column, row] = [Math.floor(i / (rows + 70)), i % (rows + 70)];
        return row < rows ? Math.fround(x[row * width + column] * 1.5) : 0;
      }),
    );
  }
});
