import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { Divergences } from "./kl_divergence.ts";
import { allocateRows, writeRows } from "./rows.ts";

/** f32 logits of about 10, whose differences and logarithms are taken. */
const TOLERANCE = 1e-5;

/** Odd sizes, a single token, and blocks of which most tokens are in another. */
const SIZES: [rows: number, blocks: number[]][] = [[1, [1]], [3, [257]], [70, [33, 64, 1]]];

function logSoftmax(logits: Float64Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const sum = logits.reduce((sum, value) => sum + Math.exp(value - most), 0);
  return logits.map((value) => value - most - Math.log(sum));
}

for (const family of FAMILIES) {
  Deno.test(`divergence of predictions against f64: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    for (const [rows, blocks] of SIZES) {
      const vocabulary = blocks.reduce((sum, width) => sum + width, 0);
      const random = seededRandom(rows);
      const z = randomValues(random, rows * vocabulary, 5);
      const y = z.map((value, i) => value + (i < vocabulary ? 0 : random() - 0.5) + 3);
      const targets = Uint32Array.from({ length: rows }, () => Math.floor(random() * vocabulary));
      using divergences = new Divergences(gpu, targets);
      using stack = new DisposableStack();
      const recorder = gpu.recorder();
      let first = 0;
      for (const width of blocks) {
        const [own, other] = [z, y].map((values) => {
          const block = stack.use(allocateRows(gpu, "logits", rows, width));
          const columns = Float32Array.from(
            { length: rows * width },
            (_, i) => values[Math.floor(i / width) * vocabulary + first + i % width],
          );
          writeRows(gpu, block, columns);
          return block;
        });
        divergences.record(recorder, own, other, 0, first);
        first += width;
      }
      recorder.submit();
      const all = await divergences.read();
      assert.equal(all.some(({ divergence }) => divergence > 0.01), rows > 1);
      for (const [row, found] of all.entries()) {
        const [p, q] = [z, y].map((values) =>
          logSoftmax(Float64Array.from(values.subarray(row * vocabulary, (row + 1) * vocabulary)))
        );
        const expected = {
          original: p[targets[row]],
          changed: q[targets[row]],
          divergence: p.reduce((sum, value, i) => sum + Math.exp(value) * (value - q[i]), 0),
        };
        for (const [name, value] of Object.entries(expected)) {
          const own = found[name as keyof typeof expected];
          assert.ok(Math.abs(own - value) < TOLERANCE, `${name} ${own}, expected ${value}`);
        }
        // All logits moved alike: nothing has changed.
        if (row === 0) assert.ok(found.divergence < TOLERANCE);
      }
    }
  });
}
