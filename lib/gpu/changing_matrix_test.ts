import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { ChangingMatrix } from "./changing_matrix.ts";
import { recordMatMul } from "./matmul.ts";
import { allocateRows, readRows, writeRows } from "./rows.ts";

for (const family of FAMILIES) {
  Deno.test(`products with a matrix follow what is written to it: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    // One row, odd sizes, and columns that a texture holds in three segments.
    for (
      const [outputs, inputs, tokens] of [[1, 1, 1], [33, 31, 5], [257, 130, 33], [9, 16_500, 2]]
    ) {
      const random = seededRandom(outputs);
      const x = randomValues(random, tokens * inputs);
      using input = allocateRows(gpu, "x", tokens, inputs);
      using output = allocateRows(gpu, "y", tokens, outputs);
      using values = allocateRows(gpu, "w", outputs, inputs);
      using matrix = new ChangingMatrix(gpu, "w", values);
      writeRows(gpu, input, x);
      for (let round = 0; round < 2; round++) {
        const w = randomValues(random, outputs * inputs);
        writeRows(gpu, values, w);
        const recorder = gpu.recorder();
        matrix.record(recorder);
        recordMatMul(gpu, recorder, input, matrix, output);
        recorder.submit();
        const expected = Float64Array.from({ length: tokens * outputs }, (_, at) => {
          const [token, row] = [Math.floor(at / outputs), at % outputs];
          let sum = 0;
          for (let k = 0; k < inputs; k++) sum += x[token * inputs + k] * w[row * inputs + k];
          return sum;
        });
        // f32 sums of up to 16,500 products.
        const error = nmse(await readRows(gpu, output), expected);
        assert.ok(error <= 1e-10, `${outputs} × ${inputs}: ${error}`);
      }
    }
  });
}
