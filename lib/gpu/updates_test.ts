/** The kernels of optimizers against f64 references, on odd sizes. */
import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import { nmse, randomValues, seededRandom } from "../../tests/support/numbers.ts";
import { recordAdam } from "./adam.ts";
import { recordAddRounded, recordRound, recordScaleRounded } from "./bf16.ts";
import type { Gpu } from "./device.ts";
import { recordDecayedStep, recordNesterov } from "./muon.ts";
import { recordDivide, recordNorm, recordPolynomial } from "./newton_schulz.ts";
import type { Recorder } from "./recorder.ts";
import { allocateRows, type OwnedRows, readRows, writeRows } from "./rows.ts";
import { recordSignum, recordSignumAverage } from "./signum.ts";

/** A handful of f32 operations per value. */
const TOLERANCE = 1e-12;

/** Alone, around a workgroup and a stride, and more rows than a texture or a dimension of a grid takes. */
const SIZES: [rows: number, width: number][] = [[1, 1], [31, 33], [33, 257], [66_000, 5]];

function upload(gpu: Gpu, width: number, values: Float32Array): OwnedRows {
  const matrix = allocateRows(gpu, "values", values.length / width, width);
  writeRows(gpu, matrix, values);
  return matrix;
}

function run(gpu: Gpu, record: (recorder: Recorder) => void): void {
  const recorder = gpu.recorder();
  record(recorder);
  recorder.submit();
}

/** Asserts that a matrix is as expected, and its padding zero. */
async function assertRows(gpu: Gpu, rows: OwnedRows, expected: Float64Array): Promise<void> {
  const error = nmse(await readRows(gpu, rows), expected);
  assert.ok(error <= TOLERANCE, `normalised mean squared error ${error}`);
  const padded = new Float32Array(await gpu.read(rows.buffer, 0, rows.rows * rows.stride * 4));
  const first = padded.findIndex((value, i) => i % rows.stride >= rows.width && value !== 0);
  assert.equal(first, -1, "padding is not zero");
}

/** Values of f64 that come from each place of some matrices. */
function each(matrices: Float32Array[], f: (...values: number[]) => number): Float64Array {
  return Float64Array.from(matrices[0], (_, i) => f(...matrices.map((values) => values[i])));
}

/** The nearest number of 8 significant bits, of two the even one. */
function bf16(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 7);
  const units = Math.fround(value) / unit;
  const below = Math.floor(units);
  const up = units - below > 0.5 || (units - below === 0.5 && below % 2 !== 0);
  return unit * (below + Number(up));
}

for (const family of FAMILIES) {
  Deno.test(`a step of Signum against f64, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(1);
    const beta = 0.95;
    for (const [rows, width] of SIZES) {
      for (const c of rows > 100 ? [0.3] : [1, 0.6, 0.02]) {
        const [y, z, g] = [1, 1, 1e-3].map((scale) => randomValues(random, rows * width, scale));
        g[0] = 0;
        using live = upload(gpu, width, y);
        using led = upload(gpu, width, z);
        using gradient = upload(gpu, width, g);
        using average = allocateRows(gpu, "average", rows, width);
        run(gpu, (recorder) => {
          recordSignumAverage(gpu, recorder, live, led, average, beta);
          recordSignum(gpu, recorder, live, led, gradient, { beta, rate: 0.01, c });
        });
        const before = (y: number, z: number) => y + (1 - 1 / beta) * (z - y);
        await assertRows(gpu, average, each([y, z], before));
        const stepped = (z: number, g: number) => z - 0.01 * Math.sign(g);
        await assertRows(gpu, led, each([z, g], stepped));
        const trained = each([y, z, g], (y, z, g) => {
          const x = before(y, z) + c * (stepped(z, g) - before(y, z));
          return x + (1 - beta) * (stepped(z, g) - x);
        });
        await assertRows(gpu, live, trained);
      }
    }
  });

  Deno.test(`Signum's first average is exactly where its first step led, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const start = randomValues(seededRandom(2), 300);
    using y = upload(gpu, 300, start);
    using z = upload(gpu, 300, start);
    using g = upload(gpu, 300, randomValues(seededRandom(3), 300));
    run(gpu, (recorder) => {
      recordSignum(gpu, recorder, y, z, g, { beta: 0.95, rate: 0.3, c: 1 });
    });
    assert.deepEqual(await readRows(gpu, y), await readRows(gpu, z));
  });

  Deno.test(`a step of Adam against f64, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(4);
    const [beta1, beta2, rate] = [0.9, 0.999, 0.01];
    for (const [rows, width] of SIZES) {
      for (const t of rows > 100 ? [3] : [1, 7]) {
        const [w, m, g] = [1, 1e-3, 1e-3].map((scale) => randomValues(random, rows * width, scale));
        const v = randomValues(random, rows * width, 1e-3).map((value) => value ** 2);
        using weight = upload(gpu, width, w);
        using mean = upload(gpu, width, m);
        using square = upload(gpu, width, v);
        using gradient = upload(gpu, width, g);
        run(gpu, (recorder) => {
          const adam = { weight, mean, square, gradient };
          recordAdam(gpu, recorder, adam, { beta1, beta2, rate, t });
        });
        const newMean = (m: number, g: number) => beta1 * m + (1 - beta1) * g;
        const newSquare = (v: number, g: number) => beta2 * v + (1 - beta2) * g * g;
        await assertRows(gpu, mean, each([m, g], newMean));
        await assertRows(gpu, square, each([v, g], newSquare));
        const moved = each([w, m, v, g], (w, m, v, g) => {
          const direction = newMean(m, g) / (1 - beta1 ** t);
          return w - rate * direction / (Math.sqrt(newSquare(v, g) / (1 - beta2 ** t)) + 1e-8);
        });
        await assertRows(gpu, weight, moved);
      }
    }
  });

  Deno.test(`the elementwise parts of Muon against f64, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(5);
    const mu = 0.95;
    for (const [rows, width] of SIZES) {
      const [m, g, w] = [1, 1, 1].map((scale) => randomValues(random, rows * width, scale));
      using momentum = upload(gpu, width, m);
      using gradient = upload(gpu, width, g);
      using weight = upload(gpu, width, w);
      run(gpu, (recorder) => {
        recordDecayedStep(gpu, recorder, weight, momentum, { keep: 0.9, step: 0.2 });
        recordNesterov(gpu, recorder, momentum, gradient, mu);
      });
      const mean = (m: number, g: number) => m + (1 - mu) * (g - m);
      await assertRows(gpu, weight, each([w, m], (w, m) => 0.9 * w - 0.2 * m));
      await assertRows(gpu, momentum, each([m, g], mean));
      await assertRows(gpu, gradient, each([m, g], (m, g) => g + mu * (mean(m, g) - g)));
    }
  });

  Deno.test(`a matrix is divided by its norm, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(6);
    for (const [rows, width] of SIZES) {
      const values = randomValues(random, rows * width);
      const squares = randomValues(random, width).map((value) => value ** 2);
      using x = upload(gpu, width, values);
      using sums = upload(gpu, width, squares);
      using norm = allocateRows(gpu, "norm", 1, 1);
      run(gpu, (recorder) => {
        recordNorm(gpu, recorder, sums, norm);
        recordDivide(gpu, recorder, x, norm);
      });
      const length = Math.sqrt(squares.reduce((sum, value) => sum + value, 0)) + 1e-7;
      await assertRows(gpu, x, each([values], (value) => value / length));
    }
  });

  Deno.test(`a matrix of zeros divided by its norm is zero, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    using x = allocateRows(gpu, "x", 3, 5);
    using sums = allocateRows(gpu, "squares", 1, 5);
    using norm = allocateRows(gpu, "norm", 1, 1);
    run(gpu, (recorder) => {
      recordNorm(gpu, recorder, sums, norm);
      recordDivide(gpu, recorder, x, norm);
    });
    assert.deepEqual(await readRows(gpu, x), new Float32Array(15));
  });

  Deno.test(`Newton–Schulz's polynomial against f64, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(7);
    for (const size of [1, 31, 33, 65, 257]) {
      const [a, aa] = [1, 1].map((scale) => randomValues(random, size * size, scale));
      using first = upload(gpu, size, a);
      using second = upload(gpu, size, aa);
      using s = allocateRows(gpu, "s", size, size);
      run(gpu, (recorder) => recordPolynomial(gpu, recorder, first, second, s, [3, -5, 2]));
      const expected = Float64Array.from(a, (value, i) => {
        const diagonal = i % (size + 1) === 0 ? 3 : 0;
        return diagonal - 5 * value + 2 * aa[i];
      });
      await assertRows(gpu, s, expected);
    }
  });

  Deno.test(`values are rounded to bf16 as bits say, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    // Down, up, ties to even, and a carry into the exponent.
    const cases = [
      [0x3f800000, 0x3f800000],
      [0x3f807fff, 0x3f800000],
      [0x3f808000, 0x3f800000],
      [0x3f808001, 0x3f810000],
      [0x3f818000, 0x3f820000],
      [0xbf818000, 0xbf820000],
      [0x3fffffff, 0x40000000],
      [0, 0],
    ];
    const bits = Uint32Array.from(cases, ([from]) => from);
    using x = upload(gpu, cases.length, new Float32Array(bits.buffer));
    run(gpu, (recorder) => recordRound(gpu, recorder, x));
    const rounded = new Uint32Array((await readRows(gpu, x)).buffer);
    assert.deepEqual([...rounded], cases.map(([, to]) => to));
  });

  Deno.test(`arithmetic in bf16 rounds after every operation, ${family}`, async () => {
    using gpu = await openTestGpu({ family });
    const random = seededRandom(8);
    for (const [rows, width] of SIZES) {
      const [u, v] = [1, 1].map((scale) => randomValues(random, rows * width, scale));
      using x = upload(gpu, width, u);
      using added = upload(gpu, width, v);
      using scaled = allocateRows(gpu, "scaled", rows, width);
      run(gpu, (recorder) => {
        recordScaleRounded(gpu, recorder, scaled, 1.5, x);
        recordAddRounded(gpu, recorder, added, 1.5, x);
      });
      await assertRows(gpu, scaled, each([u], (u) => bf16(1.5 * u)));
      await assertRows(gpu, added, each([u, v], (u, v) => bf16(bf16(1.5 * u) + bf16(v))));
    }
  });
}
