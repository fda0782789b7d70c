import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { allocateRows, readRows, strideOf, writeRows } from "./rows.ts";
import { recordSaeInput, type RowNorm } from "./sae_input.ts";

/** A mean of 30 deviations is good for 30 · 2^-24 of one in f32: about 2e-6, squared. */
const TOLERANCE = 1e-11;

/** Sizes: alone, around a workgroup and a stride, and more rows than workgroups in a dimension. */
const SIZES: [rows: number, width: number][] = [[31, 33], [33, 257], [7, 2048], [66_000, 5]];

const NORMS: Record<RowNorm, (x: Float64Array) => Float64Array> = {
  none: (x) => x,
  constant_norm_rescale(x) {
    const norm = Math.hypot(...x);
    return x.map((value) => norm === 0 ? 0 : value * Math.sqrt(x.length) / norm);
  },
  layer_norm(x) {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    const squares = x.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return x.map((value) => (value - mean) / (Math.sqrt(squares / (x.length - 1)) + 1e-5));
  },
};

for (const [norm, formula] of Object.entries(NORMS) as [RowNorm, typeof NORMS.none][]) {
  for (const family of FAMILIES) {
    Deno.test(`SAE input, ${norm}, ${family}: against f64, padding stays zero`, async () => {
      using gpu = await openTestGpu({ family });
      const random = seededRandom(1);
      for (const [rows, width] of SIZES) {
        // A mean of 30 deviations: a deviation taken from sums of squares would be lost.
        const x = randomValues(random, rows * width).map((value) => value + 30);
        if (norm === "constant_norm_rescale") x.fill(0, 0, width);
        const bias = new Float32Array(strideOf(width));
        bias.set(randomValues(random, width));
        using input = allocateRows(gpu, "x", rows, width);
        using output = allocateRows(gpu, "y", rows, width);
        using biases = gpu.bufferOf("bias", bias);
        writeRows(gpu, input, x);
        const recorder = gpu.recorder();
        recordSaeInput(gpu, recorder, norm, input, biases.resource, output);
        recorder.submit();
        const expected = new Float64Array(x.length);
        for (let row = 0; row < rows; row++) {
          const own = formula(Float64Array.from(x.subarray(row * width, (row + 1) * width)));
          expected.set(own.map((value, i) => value - bias[i]), row * width);
        }
        const error = nmse(await readRows(gpu, output), expected);
        assert.ok(error <= TOLERANCE, `${rows} × ${width}: normalised mean squared error ${error}`);
        const padded = new Float32Array(await gpu.read(output.buffer, 0, rows * output.stride * 4));
        assert.ok(padded.every((value, at) => at % output.stride < width || value === 0));
      }
    });
  }
}
