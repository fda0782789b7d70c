import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../../tests/support/numbers.ts";
import type { Gpu } from "../../gpu/device.ts";
import { GpuError } from "../../gpu/memory.ts";
import { allocateRows, readRows, writeRows } from "../../gpu/rows.ts";
import { Orthogonaliser } from "./orthogonaliser.ts";
import { PaperOrthogonaliser } from "./paper_orthogonaliser.ts";

/** Rounding of f32, which grows up to 3.4445 times in each iteration where singular values are small. */
const TOLERANCE = 1e-9;

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

/** The iteration as spec train-and-interpret A.4 has it, in f64: on the rows' side where there are fewer. */
function reference({ rows, columns, values }: Matrix): Float64Array {
  if (rows > columns) {
    return transposed(reference(transposedMatrix({ rows, columns, values })), columns, rows);
  }
  const norm = Math.hypot(...Array.from(values)) + 1e-7;
  let x = Float64Array.from(values, (value) => value / norm);
  for (let i = 0; i < 5; i++) {
    const a = product(x, transposed(x, rows, columns), rows, columns, rows);
    const aa = product(a, a, rows, rows, rows);
    const b = a.map((value, at) => -4.775 * value + 2.0315 * aa[at]);
    const bx = product(b, x, rows, rows, columns);
    x = x.map((value, at) => 3.4445 * value + bx[at]);
  }
  return x;
}

function transposedMatrix({ rows, columns, values }: Matrix): Matrix {
  return { rows: columns, columns: rows, values: transposed(values, rows, columns) };
}

function transposed(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
  return Float64Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]);
}

/** [n, k] times [k, m] */
function product(x: ArrayLike<number>, y: ArrayLike<number>, n: number, k: number, m: number) {
  const z = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let l = 0; l < k; l++) {
      for (let j = 0; j < m; j++) z[i * m + j] += x[i * k + l] * y[l * m + j];
    }
  }
  return z;
}

async function orthogonalised(gpu: Gpu, { rows, columns, values }: Matrix, compat?: "paper") {
  // Longer than this matrix: a coder's matrices share one.
  const kind = compat === "paper" ? PaperOrthogonaliser : Orthogonaliser;
  using orthogonaliser = new kind(gpu, rows + 7, columns);
  using x = allocateRows(gpu, "x", rows, columns);
  writeRows(gpu, x, Float32Array.from(values));
  const recorder = gpu.recorder();
  orthogonaliser.record(recorder, x);
  recorder.submit();
  return await readRows(gpu, x);
}

function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  return { rows, columns, values: randomValues(seededRandom(seed), rows * columns, 1e-3) };
}

/** Columns that fall by five orders of magnitude, mixed so that no axis is a singular vector. */
function wideMatrix(rows: number, columns: number, seed: number): Matrix {
  const random = seededRandom(seed);
  const values = randomValues(random, rows * columns);
  const fallen = values.map((value, i) => value * 10 ** (-5 * (i % columns) / columns));
  const mixing = randomValues(random, columns * columns);
  return {
    rows,
    columns,
    values: Float32Array.from(product(fallen, mixing, rows, columns, columns)),
  };
}

/** Alone, tall, square, wide, and of more rows than are multiplied at a time. */
const SIZES = [[1, 1], [1, 5], [70, 33], [33, 33], [31, 65], [2100, 17]];

for (const family of FAMILIES) {
  Deno.test(`matrices are made orthogonal as by iterations in f64, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    for (const [rows, columns] of SIZES) {
      const matrix = randomMatrix(rows, columns, rows);
      const error = nmse(await orthogonalised(gpu, matrix), reference(matrix));
      assert.ok(error <= TOLERANCE, `${rows} × ${columns}: ${error}`);
    }
  });

  Deno.test(`singular values far apart cost no more accuracy, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const matrix = wideMatrix(150, 65, 8);
    const error = nmse(await orthogonalised(gpu, matrix), reference(matrix));
    assert.ok(error <= TOLERANCE, `${error}`);
  });

  Deno.test(`in bf16 matrices are as near as bf16 is, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const matrix = randomMatrix(70, 33, 9);
    const rounded = await orthogonalised(gpu, matrix, "paper");
    const error = nmse(rounded, reference(matrix));
    assert.ok(error > 1e-7 && error < 5e-3, `${error}`);
    const bits = new Uint32Array(rounded.buffer);
    assert.ok(bits.every((word) => (word & 0xffff) === 0));
  });
}

Deno.test("a gradient of zeros stays one", async () => {
  using gpu = await openTestGpu();
  const zeros = { rows: 9, columns: 5, values: new Float32Array(45) };
  assert.deepEqual(await orthogonalised(gpu, zeros), new Float32Array(45));
});

Deno.test("more columns than squares of them can be bound are refused", async () => {
  using gpu = await openTestGpu();
  const most = Math.ceil(Math.sqrt(gpu.limits.maxStorageBufferBindingSize / 4) / 64) * 64;
  const live = gpu.memory.live;
  assert.throws(() => new Orthogonaliser(gpu, 1, most + 64), GpuError);
  assert.equal(gpu.memory.live, live);
});
