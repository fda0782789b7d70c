import assert from "node:assert/strict";
import { seededRandom } from "../lib/stats/random.ts";
import {
  asIs,
  bf16,
  candidates,
  F16,
  f16,
  F32,
  gamma,
  int8,
  int8Blocks,
  int8Pair,
  largestColumns,
  nothing,
  principalDirections,
  type Product,
  rowOf,
  type Screen,
  screenTokens,
  type Vectors,
} from "./screen_bounds.ts";

/** Products in f64, rounded once. */
const product: Product = (x, w) => {
  const y = new Float32Array(x.rows * w.rows);
  for (let i = 0; i < y.length; i++) {
    y[i] = dot(rowOf(x, Math.floor(i / w.rows)), rowOf(w, i % w.rows));
  }
  return Promise.resolve(y);
};

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

/** Vectors as models have them: some columns and some rows far larger than the others. */
function uneven(rows: number, columns: number, seed: number): Vectors {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: rows * columns }, (_, i) => {
    const size = (i % columns % 17 === 3 ? 20 : 1) * (Math.floor(i / columns) % 5 === 1 ? 1e-3 : 1);
    return size * (random() + random() + random() - 1.5);
  });
  return { rows, columns, values };
}

const SCREENS: readonly Screen[] = [
  { name: "int8", x: int8, w: int8, arithmetic: 0 },
  { name: "blocks", x: int8Blocks, w: int8Blocks, arithmetic: 0 },
  { name: "pair", x: int8Pair, w: int8, arithmetic: 0 },
  { name: "bf16", x: bf16, w: bf16, arithmetic: gamma(200, F32) },
  { name: "f16", x: f16, w: f16, arithmetic: gamma(4, F16) },
  { name: "nothing", x: nothing, w: asIs, arithmetic: 0 },
];

Deno.test("screens: every score is within each bound, and the k largest are candidates", async () => {
  for (const columns of [1, 31, 64, 65, 200]) {
    const [x, w] = [uneven(7, columns, 1), uneven(101, columns, 2)];
    const bias = rowOf(uneven(1, 101, 3), 0);
    const others = uneven(40, columns, 4);
    const few = Math.ceil(columns / 16);
    const choices = [undefined, largestColumns(others, few), principalDirections(others, few)];
    for (
      const screen of SCREENS.flatMap((screen) => choices.map((exact) => ({ ...screen, exact })))
    ) {
      const found = await screenTokens(screen, x, w, bias, product);
      for (let token = 0; token < x.rows; token++) {
        const y = Array.from(bias, (b, latent) => dot(rowOf(x, token), rowOf(w, latent)) + b);
        const order = [...y.keys()].sort((a, b) => y[b] - y[a]).filter((latent) => y[latent] > 0);
        const of = (values: Float32Array) => values.subarray(token * 101, (token + 1) * 101);
        for (const bounds of [of(found.cauchy), of(found.holder), of(found.blocks)]) {
          y.forEach((value, latent) => {
            const error = Math.abs(value - of(found.scores)[latent]);
            assert.ok(
              error <= bounds[latent],
              `${screen.name}, ${columns}: ${error} of ${bounds[latent]}`,
            );
          });
          const kept = new Set(candidates(of(found.scores), bounds, 8));
          for (const latent of order.slice(0, 8)) assert.ok(kept.has(latent), screen.name);
        }
      }
    }
  }
});

Deno.test("screens: blocks and Hölder never bound worse than Cauchy–Schwarz, and sometimes far better", async () => {
  // All of x in one block, all of what int8 leaves out of w in the other.
  const x = { rows: 1, columns: 128, values: new Float32Array(128) };
  const w = { rows: 1, columns: 128, values: new Float32Array(128) };
  x.values.fill(1, 0, 64);
  w.values.fill(127, 0, 64);
  w.values.fill(0.4, 64);
  const exactX: Screen = { ...SCREENS[0], x: asIs };
  const apart = await screenTokens(exactX, x, w, undefined, product);
  assert.ok(apart.cauchy[0] > 25 && apart.blocks[0] < 0.2);
  // One column carries x; what is left out of w is spread evenly.
  x.values.fill(0).fill(100, 64, 65);
  const spread = await screenTokens(exactX, x, w, undefined, product);
  assert.ok(Math.abs(spread.holder[0] - 40) < 2, `${spread.holder[0]}`);
  assert.ok(Math.abs(spread.cauchy[0] - 320) < 5, `${spread.cauchy[0]}`);
});

Deno.test("screens: the bound is reached when what is left out points along x", async () => {
  const signs = Float32Array.from({ length: 64 }, (_, i) => i % 2 === 0 ? 1 : -1);
  const x = { rows: 1, columns: 64, values: signs };
  // 127 sets the scale to 1; the others lie 0.49 above or below integers, along x.
  const values = signs.map((sign, i) => i === 0 ? 127 : 3 + 0.49 * sign);
  const { scores, cauchy } = await screenTokens(
    SCREENS[0],
    x,
    { rows: 1, columns: 64, values },
    undefined,
    product,
  );
  const error = Math.abs(dot(signs, values) - scores[0]);
  assert.ok(error <= cauchy[0] && error > 0.98 * cauchy[0], `${error} of ${cauchy[0]}`);
});

Deno.test("screens: roundings by hand", () => {
  assert.deepEqual([...int8(new Float32Array([127, -1.4, 0.6]))], [127, -1, 1]);
  // A scale of its own for the second block.
  const blocks = new Float32Array(66).fill(127, 0, 64).fill(0.5, 64);
  blocks[1] = 0.4;
  assert.deepEqual([...int8Blocks(blocks).subarray(0, 2)], [127, 0]);
  assert.ok(Math.abs(int8Blocks(blocks)[65] - 0.5) < 0.004);
  assert.deepEqual([...int8Pair(new Float32Array([127, 0.25, 1 / 512 - 1e-6]))], [127, 0.25, 0]);
  assert.deepEqual([...f16(new Float32Array([1, 1 + 2 ** -12, 1 + 3 * 2 ** -11]))], [
    1,
    1,
    1 + 2 ** -9,
  ]);
  assert.deepEqual([...bf16(new Float32Array([1, 1 + 2 ** -9, 1 + 3 * 2 ** -9]))], [
    1,
    1,
    1 + 2 ** -7,
  ]);
  for (const rounding of [int8, int8Blocks, int8Pair, f16, bf16]) {
    assert.deepEqual([...rounding(new Float32Array(3))], [0, 0, 0]);
  }
});

Deno.test("candidates: ties stay, what cannot be positive goes", () => {
  const scores = new Float32Array([5, 4, 3.5, 3, -1, -1]);
  const bounds = new Float32Array([0.25, 0.5, 0, 0.5, 0.5, 2]);
  // Lower bounds 4.75, 3.5, 3.5, 2.5, -1.5, -3; the second largest is 3.5, which index 3 just reaches.
  assert.deepEqual(candidates(scores, bounds, 2), [0, 1, 2, 3]);
  assert.deepEqual(candidates(scores, bounds, 1), [0]);
  // Six are wanted: the sixth lower bound is negative, and latent 4 cannot be positive.
  assert.deepEqual(candidates(scores, bounds, 6), [0, 1, 2, 3, 5]);
  assert.deepEqual(candidates(scores, bounds, 9), [0, 1, 2, 3, 5]);
});

Deno.test("principal directions: orthonormal, and those that the vectors lie along", () => {
  const random = seededRandom(5);
  const values = new Float32Array(50 * 40);
  for (let row = 0; row < 50; row++) {
    const [a, b] = [10 * (random() - 0.5), 4 * (random() - 0.5)];
    for (let i = 0; i < 40; i++) {
      values[row * 40 + i] = a * Math.sin(i) + b * Math.cos(2 * i) + 0.01 * random();
    }
  }
  const { values: basis } = principalDirections({ rows: 50, columns: 40, values }, 3);
  const direction = (i: number) => basis.subarray(i * 40, (i + 1) * 40);
  for (const [i, j] of [[0, 0], [0, 1], [1, 1], [1, 2], [2, 2]]) {
    assert.ok(Math.abs(dot(direction(i), direction(j)) - Number(i === j)) < 1e-6);
  }
  const wave = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
  const along = dot(wave, direction(0)) ** 2 + dot(wave, direction(1)) ** 2;
  assert.ok(along > 0.999 * dot(wave, wave), `${along}`);
});
