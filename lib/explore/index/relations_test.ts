import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../../tests/support/gpu.ts";
import { seededRandom } from "../../stats/random.ts";
import { decoderRelations } from "./relations.ts";

const WIDTH = 67;

function decoderOf(rows: Float32Array<ArrayBuffer>) {
  return {
    bias: new Float32Array(WIDTH),
    rows: (latents: ArrayLike<number>) =>
      Promise.resolve(
        Float32Array.from(
          { length: latents.length * WIDTH },
          (_, i) => rows[latents[Math.floor(i / WIDTH)] * WIDTH + i % WIDTH],
        ),
      ),
  };
}

function cosine(rows: Float32Array, a: number, b: number): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < WIDTH; i++) {
    const [x, y] = [rows[a * WIDTH + i], rows[b * WIDTH + i]];
    [dot, aa, bb] = [dot + x * y, aa + x * x, bb + y * y];
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}

for (const family of FAMILIES) {
  Deno.test(`${family}: nearest and opposing rows are those of f64 cosines`, async () => {
    using gpu = await openTestGpu({ family });
    const latents = 4103; // a block and some rows
    const random = seededRandom(3);
    const rows = Float32Array.from({ length: latents * WIDTH }, () => random() - 0.5);
    rows.fill(0, 11 * WIDTH, 12 * WIDTH);
    const copy = rows.subarray(5 * WIDTH, 6 * WIDTH);
    rows.set(copy.map((value) => 3 * value), 4100 * WIDTH);
    rows.set(copy.map((value) => -value), 40 * WIDTH);
    const asked = [5, 11, 4102, ...Array.from({ length: 260 }, (_, i) => i + 100)];
    const told: number[] = [];
    const found = await decoderRelations(
      gpu,
      { decoder: decoderOf(rows), latents },
      asked,
      4,
      (rows) => told.push(rows),
    );
    assert.deepEqual(told, [4096, 4103]);
    assert.equal(found.length, asked.length);
    for (const at of [0, 2, 3, 150, 262]) {
      const all = Array.from({ length: latents }, (_, i) => i)
        .filter((i) => i !== asked[at])
        .map((i) => [i, cosine(rows, asked[at], i)] as const)
        .sort((a, b) => b[1] - a[1]);
      for (
        const [list, expected] of [
          [found[at].nearest, all.slice(0, 4)],
          [found[at].opposing, all.slice(-4).reverse()],
        ]
      ) {
        list.forEach(([index, value], rank) => {
          assert.ok(Math.abs(value - expected[rank][1]) < 1e-5);
          assert.ok(Math.abs(cosine(rows, asked[at], index) - value) < 1e-5);
        });
        assert.equal(list.length, 4);
      }
    }
    assert.equal(found[0].nearest[0][0], 4100);
    assert.equal(found[0].opposing[0][0], 40);
    assert.deepEqual(found[1], { nearest: [], opposing: [] });
  });
}

Deno.test("without a decoder nothing is related", async () => {
  using gpu = await openTestGpu();
  assert.deepEqual(await decoderRelations(gpu, { latents: 9 }, [1, 2], 4), [
    { nearest: [], opposing: [] },
    { nearest: [], opposing: [] },
  ]);
});
