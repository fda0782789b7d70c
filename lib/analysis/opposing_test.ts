import assert from "node:assert/strict";
import type { Decoder } from "../sae/sae.ts";
import { seededRandom } from "../stats/random.ts";
import { decoderDirections } from "./opposing.ts";

/** A decoder in memory. */
function decoderOf(rows: readonly (readonly number[])[], bias: readonly number[]): Decoder {
  return {
    bias: Float32Array.from(bias),
    rows: (latents) =>
      Promise.resolve(Float32Array.from(Array.from(latents, (i) => rows[i]).flat())),
  };
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

Deno.test("the most opposed row of 37 × 13, against a plain search", async () => {
  const random = seededRandom(7);
  const vector = () => Array.from({ length: 13 }, () => Math.fround(random() - 0.5));
  const rows = Array.from({ length: 37 }, vector);
  const bias = vector();
  const seen: number[] = [];
  const decoder = decoderOf(rows, bias);
  const blockBytes = 10 * 13 * 4 + 1;
  const read = (rows: number) => seen.push(rows);
  const found = await decoderDirections(decoder, 37, [5, 36, 0], read, blockBytes);
  assert.deepEqual(seen, [10, 20, 30, 37]);
  assert.deepEqual(await decoderDirections(decoder, 37, [5, 36, 0]), found);
  for (const [i, index] of [5, 36, 0].entries()) {
    const cosines = rows.map((row) => cosine(row, rows[index]));
    const lowest = Math.min(...cosines);
    assert.equal(found[i].index, index);
    assert.equal(found[i].opposing?.index, cosines.indexOf(lowest));
    assert.ok(Math.abs(found[i].opposing!.cosine - lowest) < 1e-14);
    assert.ok(Math.abs(found[i].bias - cosine(rows[index], bias)) < 1e-14);
  }
});

Deno.test("ties go to the lower latent; rows of zeros oppose nothing and nothing opposes them", async () => {
  const rows = [[0, 0, 0], [1, 0, 0], [-2, 0, 0], [-1, 0, 0]];
  const [zero, one] = await decoderDirections(decoderOf(rows, [0, 0, 0]), 4, [0, 1]);
  assert.equal(zero.opposing, undefined);
  assert.deepEqual(one.opposing, { index: 2, cosine: -1 });
  assert.ok(Number.isNaN(one.bias));
});
