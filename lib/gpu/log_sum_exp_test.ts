/** Log-probabilities of given tokens against f64, whole and in blocks, on odd sizes. */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { maxAbsoluteDifference, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import type { Gpu } from "./device.ts";
import { TargetLogProbabilities } from "./log_sum_exp.ts";
import { allocateRows, writeRows } from "./rows.ts";

/**
 * f32 sums of up to 40,000 exponentials; logits of some tens have an f32 spacing of 2e-6 that the
 * exponent inherits.
 */
const TOLERANCE = 2e-5;

/** Runs logits [rows, vocabulary] through the kernel in blocks of `width` tokens. */
async function logProbabilities(
  gpu: Gpu,
  logits: Float32Array,
  targets: Uint32Array,
  width: number,
): Promise<Float64Array> {
  const rows = targets.length;
  const vocabulary = logits.length / rows;
  using scores = new TargetLogProbabilities(gpu, targets);
  for (let first = 0; first < vocabulary; first += width) {
    const last = Math.min(vocabulary, first + width);
    using block = allocateRows(gpu, "logits", rows, last - first);
    const part = Array.from(targets, (_, row) => [
      ...logits.subarray(row * vocabulary + first, row * vocabulary + last),
    ]).flat();
    writeRows(gpu, block, Float32Array.from(part));
    const recorder = gpu.recorder();
    scores.record(recorder, block, 0, first);
    recorder.submit();
    await gpu.settle();
  }
  return await scores.read();
}

function reference(logits: Float32Array, targets: Uint32Array): Float64Array {
  const vocabulary = logits.length / targets.length;
  return Float64Array.from(targets, (target, row) => {
    const values = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
    const highest = values.reduce((most, value) => Math.max(most, value), -Infinity);
    const sum = values.reduce((total, value) => total + Math.exp(value - highest), 0);
    return values[target] - highest - Math.log(sum);
  });
}

for (const family of FAMILIES) {
  Deno.test(`log-probabilities of targets against f64, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(5);
    for (const [rows, vocabulary] of [[1, 1], [31, 33], [3, 257], [2, 40_003]]) {
      // around -20 and around +60: padding that counted as 0 would show in the first
      for (const shift of [-20, 60]) {
        const logits = randomValues(random, rows * vocabulary, 5).map((value) => value + shift);
        const targets = Uint32Array.from(
          { length: rows },
          (_, row) => row === 0 ? vocabulary - 1 : Math.floor(random() * vocabulary),
        );
        const expected = reference(logits, targets);
        for (const width of [vocabulary, Math.ceil(vocabulary / 3)]) {
          const found = await logProbabilities(gpu, logits, targets, width);
          const difference = maxAbsoluteDifference(found, expected);
          assert.ok(difference <= TOLERANCE, `${rows} × ${vocabulary} by ${width}: ${difference}`);
        }
      }
    }
  });
}

Deno.test("log-probabilities: more rows than workgroups along x", async () => {
  using gpu = await openTestGpu();
  const rows = 33_000;
  const logits = randomValues(seededRandom(6), rows * 5);
  const targets = Uint32Array.from({ length: rows }, (_, row) => row % 5);
  const found = await logProbabilities(gpu, logits, targets, 5);
  assert.ok(maxAbsoluteDifference(found, reference(logits, targets)) <= TOLERANCE);
});

Deno.test("log-probabilities: extreme logits", async () => {
  using gpu = await openTestGpu();
  const logits = Float32Array.of(-1e30, 1e30, -1e30, -1e30, 0, 0, 0, 0);
  const found = await logProbabilities(gpu, logits, Uint32Array.of(1, 3), 2);
  assert.equal(found[0], 0);
  assert.ok(Math.abs(found[1] + Math.log(4)) <= TOLERANCE);
});
