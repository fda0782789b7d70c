import assert from "node:assert/strict";
import { maxAbsoluteDifference, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { storedMatrix } from "../../tests/support/weights.ts";
import { encodeSafetensors, fromBytes } from "../formats/safetensors.ts";
import type { WeightType } from "../gpu/matrix.ts";
import { pickColumns, transposedOf } from "./column_matrix.ts";
import { columnDecoder, rowDecoder } from "./decoder.ts";
import { columnNorms, rowNorms } from "./decoder_norms.ts";
import { floatsOf } from "./stored_rows.ts";

const TYPES: [WeightType, "F32" | "F16" | "BF16"][] = [
  ["f32", "F32"],
  ["f16", "F16"],
  ["bf16", "BF16"],
];

/** Values of the columns of a [rows, columns] matrix, one after the other. */
function columnsOf(values: Float32Array, columns: number, chosen: number[]): number[] {
  const rows = values.length / columns;
  return chosen.flatMap((column) =>
    Array.from({ length: rows }, (_, row) => values[row * columns + column])
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

for (const [type, dtype] of TYPES) {
  Deno.test(`transposed ${type}: any columns, at sizes that are no multiple of a tile`, async () => {
    for (const [width, latents] of [[1, 1], [1, 70], [33, 1], [65, 131], [64, 96]]) {
      const exact = randomValues(seededRandom(width), width * latents);
      const stored = storedMatrix("W_enc", type, width, exact);
      const data = await stored.read(0, width);
      const file = fromBytes(
        encodeSafetensors({ W_enc: { dtype, shape: [width, latents], data } }),
        "sae.safetensors",
      );
      const matrix = transposedOf(file, "W_enc", width, latents, "sae.safetensors");
      assert.deepEqual([matrix.rows, matrix.columns, matrix.type], [latents, width, type]);
      for (const [from, to] of [[0, latents], [Math.min(3, latents), latents], [0, 0]]) {
        const rows = floatsOf(await matrix.read(from, to), type);
        assert.deepEqual([...rows], columnsOf(stored.values, latents, range(from, to)));
      }
      await assert.rejects(matrix.read(0, latents + 1), RangeError);
    }
  });

  Deno.test(`picked columns ${type}: any order, repeats, more rows than one piece holds`, async () => {
    // A row of f32 fills a piece, two of the others do; the last piece is short.
    const [rows, columns] = [41, 2 ** 21 - 7];
    const values = (row: number) => Float32Array.of(row, -row, row / 4, 0.5 - row);
    const chosen = [columns - 1, 2, 0, 2, 1];
    const matrix = {
      ...storedMatrix("W", type, 1, new Float32Array(1)),
      rows,
      columns,
      async read(from: number, to: number) {
        const width = type === "f32" ? 4 : 2;
        const block = new Uint8Array((to - from) * columns * width);
        for (let row = from; row < to; row++) {
          const few = await storedMatrix("row", type, 1, values(row)).read(0, 1);
          const at = (row - from) * columns * width;
          block.set(few.subarray(0, 3 * width), at);
          block.set(few.subarray(3 * width), at + (columns - 1) * width);
        }
        return block;
      },
    };
    const picked = floatsOf(await pickColumns(matrix, chosen), type);
    const expected = chosen.flatMap((column) =>
      range(0, rows).map((row) => values(row)[column === columns - 1 ? 3 : column])
    );
    assert.deepEqual([...picked], expected);
  });
}

Deno.test("picked columns: one that is not there is refused before anything is read", async () => {
  const matrix = {
    ...storedMatrix("W", "f32", 2, new Float32Array(6)),
    read: () => Promise.reject(new Error("read")),
  };
  for (const column of [3, -1, 0.5, NaN]) {
    await assert.rejects(pickColumns(matrix, [0, column]), RangeError);
  }
  assert.equal((await pickColumns(matrix, [])).length, 0);
});

Deno.test("decoder norms: by rows and by columns, summed in f64, never 0", async () => {
  const [rows, columns] = [53, 37];
  for (const [type] of TYPES) {
    const matrix = storedMatrix("W", type, rows, randomValues(seededRandom(5), rows * columns, 9));
    const norm = (values: number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
    const byRow = range(0, rows).map((row) =>
      norm([...matrix.values.subarray(row * columns, (row + 1) * columns)])
    );
    const byColumn = range(0, columns).map((i) => norm(columnsOf(matrix.values, columns, [i])));
    assert.ok(maxAbsoluteDifference(await rowNorms(matrix), byRow) < 1e-12);
    assert.ok(maxAbsoluteDifference(await columnNorms(matrix), byColumn) < 1e-12);
  }
  const zeros = storedMatrix("W", "f32", 2, new Float32Array(6));
  assert.deepEqual([...await rowNorms(zeros), ...await columnNorms(zeros)], Array(5).fill(1e-8));
});

Deno.test("decoders: rows of either layout are scaled by their latents' own factors", async () => {
  const byRow = storedMatrix("W_dec", "f32", 3, Float32Array.of(1, 2, 3, 4, 5, 6));
  const byColumn = storedMatrix("W_dec", "f32", 2, Float32Array.of(1, 3, 5, 2, 4, 6));
  const bias = Float32Array.of(7, 8, 0, 0);
  for (
    const decoder of [
      rowDecoder(byRow, bias, (i) => i),
      columnDecoder(byColumn, bias, (i) => i),
    ]
  ) {
    assert.deepEqual([...await decoder.rows([2, 0, 1])], [10, 12, 0, 0, 3, 4]);
    assert.deepEqual([...decoder.bias], [7, 8]);
  }
});
