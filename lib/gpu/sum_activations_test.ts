import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { NOT_COUNTED } from "./accumulators.ts";
import { allocateRows, rowsBetween, writeRows } from "./rows.ts";
import { ActivationAccumulator } from "./sum_activations.ts";

/** Nearest multiple of 2^-24 (halves away from zero), as an integer. */
function fixedPoint(a: number): bigint {
  const units = BigInt(Math.floor(Math.abs(a) * 2 ** 24 + 0.5));
  return a < 0 ? -units : units;
}

for (const family of FAMILIES) {
  Deno.test(`sums of activations equal the definition to the bit, in any blocks: ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    for (const [tokens, width] of [[1, 1], [33, 31], [257, 385], [70_000, 3]]) {
      const random = seededRandom(tokens);
      // From far below the unit of the fixed point to sums past 32 bits of it, of both signs.
      const values = randomValues(random, tokens * width)
        .map((value) => value * 2 ** Math.floor(random() * 50 - 32));
      const example = Uint32Array.from({ length: tokens }, () => random() < 0.1 ? NOT_COUNTED : 0);
      const expected = new BigInt64Array(width);
      for (const [at, value] of values.entries()) {
        const counted = example[Math.floor(at / width)] !== NOT_COUNTED;
        if (counted) expected[at % width] += fixedPoint(value);
      }
      using rows = allocateRows(gpu, "x", tokens, width);
      writeRows(gpu, rows, values);
      using sums = new ActivationAccumulator(gpu, width);
      const cut = Math.floor(tokens / 3);
      const recorder = gpu.recorder();
      for (const [from, to] of [[cut, tokens], [0, cut]]) {
        const own = gpu.bufferOf("example", example.subarray(from, to)).resource;
        sums.record(recorder, rowsBetween(rows, from, to), { example: own });
      }
      recorder.submit();
      assert.deepEqual(await sums.take(), expected);
      assert.deepEqual(await sums.take(), new BigInt64Array(width), "starts again from zero");
    }
  });
}
