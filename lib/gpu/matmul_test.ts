import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { type StoredMatrix, storedMatrix } from "../../tests/support/weights.ts";
import type { Gpu } from "./device.ts";
import { gatedMatrix, gatedVector, gateTurn } from "./gated_matrix.ts";
import { type Epilogue, recordGatedMatMul, recordMatMul } from "./matmul.ts";
import { PANEL, SHARD_ROWS, uploadMatrix, type WeightType } from "./matrix.ts";
import { allocateRows, readRows, rowsBetween, writeRows } from "./rows.ts";

/** f32 sums of a few thousand terms against f64: rounding gives about 1e-13. */
const TOLERANCE = 1e-10;

function reference(x: Float32Array, w: StoredMatrix, finish = (sum: number, _at: number) => sum) {
  const { rows: outs, columns } = w;
  const tokens = x.length / columns;
  const y = new Float64Array(tokens * outs);
  for (let m = 0; m < tokens; m++) {
    for (let n = 0; n < outs; n++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += x[m * columns + k] * w.values[n * columns + k];
      y[m * outs + n] = finish(sum, m * outs + n);
    }
  }
  return y;
}

async function multiply(
  gpu: Gpu,
  x: Float32Array,
  w: StoredMatrix,
  epilogue: Epilogue = {},
) {
  const tokens = x.length / w.columns;
  using matrix = await uploadMatrix(gpu, w);
  using input = allocateRows(gpu, "x", tokens, w.columns);
  using output = allocateRows(gpu, "y", tokens, w.rows);
  writeRows(gpu, input, x);
  const recorder = gpu.recorder();
  recordMatMul(gpu, recorder, input, matrix, output, epilogue);
  recorder.submit();
  return { values: await readRows(gpu, output), shards: matrix.shards.length };
}

const SHAPES: [tokens: number, columns: number, outs: number][] = [
  [1, 1, 1],
  [1, 72, 257],
  [3, 129, 65],
  [7, 33, 9],
  [9, 64, 128],
  [31, 33, 257],
  [33, 257, 31],
  [257, 128, 33],
  [17, 2048, 129],
];

for (const family of FAMILIES) {
  for (const type of ["f32", "f16", "bf16"] as WeightType[]) {
    Deno.test(`matmul ${family} ${type}: odd shapes against f64`, async () => {
      using gpu = await openTestGpu({ family });
      const random = seededRandom(1);
      for (const [tokens, columns, outs] of SHAPES) {
        const x = randomValues(random, tokens * columns);
        const w = storedMatrix("w", type, outs, randomValues(random, outs * columns));
        const { values } = await multiply(gpu, x, w);
        const error = nmse(values, reference(x, w));
        assert.ok(error <= TOLERANCE, `${tokens} × ${columns} × ${outs}: ${error}`);
      }
    });
  }

  Deno.test(`matmul ${family}: bias and ReLU`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(2);
    const [tokens, columns, outs] = [35, 65, 130];
    const x = randomValues(random, tokens * columns);
    const w = storedMatrix("w", "bf16", outs, randomValues(random, outs * columns));
    const bias = randomValues(random, outs, 5);
    using biasBuffer = gpu.bufferOf("bias", bias);
    for (const relu of [false, true]) {
      const { values } = await multiply(gpu, x, w, { bias: biasBuffer.resource, relu });
      const floor = relu ? 0 : -Infinity;
      const expected = reference(x, w, (sum, at) => Math.max(floor, sum + bias[at % outs]));
      assert.ok(nmse(values, expected) <= TOLERANCE);
      assert.equal(values.some((value) => value < 0), !relu);
    }
  });

  Deno.test(`matmul ${family}: a token's result does not depend on what it is batched with`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(3);
    const [tokens, columns, outs] = [100, 192, 70];
    const x = randomValues(random, tokens * columns);
    const w = storedMatrix("w", "f32", outs, randomValues(random, outs * columns));
    const { values: all } = await multiply(gpu, x, w);
    for (const [from, to] of [[0, 1], [63, 64], [40, 99]]) {
      const { values } = await multiply(gpu, x.slice(from * columns, to * columns), w);
      assert.deepEqual(values, all.slice(from * outs, to * outs));
    }
  });
}

/** Relative to the values: beside the sums an exponential, of which WGSL promises 3 + 2 |x| ULP. */
const GATED_TOLERANCE = 1e-10;

const GATED_SHAPES = [[1, 64, 1], [2, 129, 9], [7, 33, 65], [35, 65, 130], [17, 300, 96]];

for (const family of FAMILIES) {
  Deno.test(`gated matmul ${family}: odd shapes against f64, one product or its factors`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(9);
    for (const type of ["f32", "f16", "bf16"] as WeightType[]) {
      for (const [tokens, columns, neurons] of GATED_SHAPES) {
        const x = randomValues(random, tokens * columns);
        const matrix = () =>
          storedMatrix("w", type, neurons, randomValues(random, neurons * columns));
        const [gate, up] = [matrix(), matrix()];
        const biases = [randomValues(random, neurons), randomValues(random, neurons)] as const;
        const turn = gateTurn(gpu);
        using w = await uploadMatrix(gpu, gatedMatrix("gated", gate, up, turn));
        using input = allocateRows(gpu, "x", tokens, columns);
        using output = allocateRows(gpu, "y", tokens, neurons);
        using factor = allocateRows(gpu, "up", tokens, neurons);
        using biasBuffer = gpu.bufferOf("bias", gatedVector(...biases, turn));
        writeRows(gpu, input, x);
        for (const bias of [undefined, biasBuffer.resource]) {
          const added = (of: 0 | 1) => (sum: number, at: number) =>
            bias ? sum + biases[of][at % neurons] : sum;
          const [gates, ups] = [reference(x, gate, added(0)), reference(x, up, added(1))];
          const agrees = async (rows: typeof output, expected: Float64Array) => {
            const error = nmse(await readRows(gpu, rows), expected);
            assert.ok(
              error <= GATED_TOLERANCE,
              `${type} ${tokens} × ${columns} × ${neurons}: ${error}`,
            );
            // What follows reads whole strides.
            const all = new Float32Array(await gpu.read(rows.buffer, 0, tokens * rows.stride * 4));
            assert.ok(all.every((value, at) => at % rows.stride < neurons || value === 0));
          };
          const recorder = gpu.recorder();
          recordGatedMatMul(gpu, recorder, input, w, output, { bias });
          recorder.submit();
          await agrees(output, gates.map((g, i) => g / (1 + Math.exp(-g)) * ups[i]));
          recordGatedMatMul(gpu, recorder, input, w, output, { bias, up: factor });
          recorder.submit();
          await agrees(output, gates);
          await agrees(factor, ups);
        }
      }
    }
  });
}

Deno.test("gated matrices are read by turns from any row to any other", async () => {
  const matrix = (name: string, first: number) =>
    storedMatrix(name, "f32", 5, Float32Array.from({ length: 15 }, (_, i) => first + i));
  const [gate, up] = [matrix("gate", 100), matrix("up", 200)];
  const gated = gatedMatrix("gated", gate, up, 2);
  const row = (first: number) => [first, first + 1, first + 2];
  const zeros = [0, 0, 0];
  const expected = [
    ...[row(100), row(103), row(200), row(203), row(106), row(109)],
    ...[row(206), row(209), row(112), zeros, row(212), zeros],
  ];
  assert.equal(gated.rows, expected.length);
  for (let from = 0; from <= gated.rows; from++) {
    for (let to = from; to <= gated.rows; to++) {
      const bytes = await gated.read(from, to);
      assert.deepEqual([...new Float32Array(bytes.buffer)], expected.slice(from, to).flat());
    }
  }
  assert.throws(() => gatedMatrix("gated", gate, { ...up, rows: 4 }, 2), /different shapes/);
});

Deno.test("matmul texture: with and without subgroups, the same bits", async () => {
  const random = seededRandom(8);
  const operands = SHAPES.map(([tokens, columns, outs]) => ({
    x: randomValues(random, tokens * columns),
    w: storedMatrix("w", "bf16", outs, randomValues(random, outs * columns)),
  }));
  const products = [];
  for (const subgroups of [true, false]) {
    using gpu = await openTestGpu({ family: "texture", subgroups });
    if (!subgroups) assert.equal(gpu.subgroupLanes, undefined);
    const values = [];
    for (const { x, w } of operands) values.push((await multiply(gpu, x, w)).values);
    products.push(values);
  }
  assert.deepEqual(products[0], products[1]);
});

Deno.test("matmul: more rows than one texture holds are cut into shards", async () => {
  using gpu = await openTestGpu({ family: "texture" });
  const outs = SHARD_ROWS + 37;
  const random = seededRandom(4);
  const x = randomValues(random, 3 * 40);
  const w = storedMatrix("w", "bf16", outs, randomValues(random, outs * 40));
  const { values, shards } = await multiply(gpu, x, w);
  assert.equal(shards, 2);
  assert.ok(nmse(values, reference(x, w)) <= TOLERANCE);
});

Deno.test("matmul: rows wider than a texture go on in its next lines", async () => {
  using gpu = await openTestGpu({ family: "texture" });
  const random = seededRandom(7);
  const columns = gpu.limits.maxTextureDimension2D / PANEL * 4 + 100;
  const x = randomValues(random, 3 * columns);
  const w = storedMatrix("w", "f32", 21, randomValues(random, 21 * columns));
  const { values } = await multiply(gpu, x, w);
  assert.ok(nmse(values, reference(x, w)) <= TOLERANCE);
});

Deno.test("matmul: more tokens than one staging texture holds are multiplied in chunks", async () => {
  for (const family of FAMILIES) {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(5);
    const tokens = 20000;
    const x = randomValues(random, tokens * 8);
    const w = storedMatrix("w", "f32", 5, randomValues(random, 5 * 8));
    const { values } = await multiply(gpu, x, w);
    assert.ok(nmse(values, reference(x, w)) <= TOLERANCE);
  }
});

Deno.test("matmul: rows of a larger matrix in, rows of a larger matrix out", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(6);
  const x = randomValues(random, 50 * 24);
  const w = storedMatrix("w", "bf16", 20, randomValues(random, 20 * 24));
  using matrix = await uploadMatrix(gpu, w);
  using input = allocateRows(gpu, "x", 50, 24);
  using output = allocateRows(gpu, "y", 50, 20);
  writeRows(gpu, input, x);
  const recorder = gpu.recorder();
  recordMatMul(gpu, recorder, rowsBetween(input, 7, 41), matrix, rowsBetween(output, 7, 41));
  recorder.submit();
  const expected = reference(x, w, (sum, at) => (at >= 7 * 20 && at < 41 * 20 ? sum : 0));
  assert.ok(nmse(await readRows(gpu, output), expected) <= TOLERANCE);
});
