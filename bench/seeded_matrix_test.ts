import assert from "node:assert/strict";
import { allRows, seededMatrix } from "./seeded_matrix.ts";

Deno.test("seeded matrix: a row stands for exactly the bytes that are uploaded", async () => {
  for (const [type, width] of [["f32", 4], ["bf16", 2]] as const) {
    const matrix = seededMatrix("m", type, 5, 24, 3);
    const bytes = await matrix.read(1, 4);
    assert.equal(bytes.length, 3 * 24 * width);
    const words = type === "f32"
      ? new Uint32Array(bytes.buffer)
      : Uint32Array.from(new Uint16Array(bytes.buffer), (half) => half << 16);
    assert.deepEqual(new Float32Array(words.buffer).slice(24, 48), matrix.row(2), type);
  }
});

Deno.test("seeded matrix: reproducible, rows unlike each other, variance 1 / columns", () => {
  const [rows, columns] = [50, 400];
  const values = allRows(seededMatrix("m", "f32", rows, columns, 9));
  assert.deepEqual(values, allRows(seededMatrix("m", "f32", rows, columns, 9)));
  assert.ok(new Set(values).size > 0.99 * values.length);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.001, `mean ${mean}`);
  assert.ok(Math.abs(variance * columns - 1) < 0.03, `variance ${variance * columns}`);
});
