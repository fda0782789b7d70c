/** Drawing tokens against plain references: the order of logits, top-k, top-p, Philox4x32-10. */
import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { randomValues, seededRandom } from "../../tests/support/numbers.ts";
import type { Gpu } from "./device.ts";
import { allocateRows, strideOf, writeRows } from "./rows.ts";
import { Sampler, type Sampling } from "./sampler.ts";

const GREEDY: Sampling = { temperature: 0, topK: 50, topP: 1 };

/** Philox4x32-10 as Salmon et al. (2011) define it, with exact products. */
function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  const word = 0xffffffffn;
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & word, (p0 >> 32n) ^ c3 ^ k1, p0 & word];
    [k0, k1] = [(k0 + 0x9e3779b9n) & word, (k1 + 0xbb67ae85n) & word];
  }
  return [c0, c1, c2, c3].map(Number);
}

function uniform(seed: readonly [number, number], step: number): number {
  return (philox([step, 0, 0, 0], seed)[0] >>> 8) / 2 ** 24;
}

interface Choice {
  readonly id: number;
  /** How near the draw came to another token, as a share of the probability kept. */
  readonly margin: number;
}

/** The rules of transformers' warpers, in f64: sorted, cut at k, cut at p, drawn by the inverse of the sum. */
function reference(logits: Float32Array, { temperature, topK, topP }: Sampling, u: number): Choice {
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b);
  if (temperature === 0) return { id: order[0], margin: Infinity };
  const some = order.slice(0, topK);
  const weights = some.map((id) => Math.exp((logits[id] - logits[some[0]]) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [kept, sum] = [0, 0];
  let margin = Infinity;
  while (kept < some.length && (kept === 0 || sum < topP * total)) {
    sum += weights[kept++];
    if (kept < some.length) margin = Math.min(margin, Math.abs(sum / total - topP));
  }
  let below = 0;
  let chosen = -1;
  for (let i = 0; i < kept; i++) {
    below += weights[i];
    if (i < kept - 1) margin = Math.min(margin, Math.abs(below / sum - u));
    if (chosen < 0 && below > u * sum) chosen = i;
  }
  return { id: some[chosen], margin };
}

interface Draw {
  readonly rows: readonly Float32Array[];
  readonly sampling: Sampling;
  readonly seeds?: readonly (readonly [number, number])[];
  readonly step?: number;
  /** Widths of the blocks that the vocabulary comes in; one block if not given. */
  readonly blocks?: readonly number[];
  /** Rows of a block. */
  readonly piece?: number;
}

async function draw(
  gpu: Gpu,
  { rows, sampling, seeds = rows.map(() => [0, 0]), step = 0, blocks, piece }: Draw,
) {
  const widths = blocks ?? [rows[0].length];
  const height = piece ?? rows.length;
  using sampler = new Sampler(gpu, sampling, rows.length, strideOf(Math.max(...widths)));
  const recorder = gpu.recorder();
  let token = 0;
  for (const width of widths) {
    for (let from = 0; from < rows.length; from += height) {
      const some = rows.slice(from, from + height);
      using block = allocateRows(gpu, "logits", some.length, width);
      const values = new Float32Array(some.length * width);
      some.forEach((row, i) => values.set(row.subarray(token, token + width), i * width));
      writeRows(gpu, block, values);
      sampler.record(recorder, block, from, token);
      recorder.submit();
    }
    token += width;
  }
  using keys = gpu.bufferOf("seeds", Uint32Array.from(seeds.flat()));
  using ids = gpu.buffer("ids", rows.length * 4);
  const whole = { buffer: ids.resource, size: rows.length * 4 };
  sampler.recordDraw(recorder, rows.length, { buffer: keys.resource }, step, whole);
  recorder.submit();
  return new Uint32Array(await gpu.read(ids.resource, 0, rows.length * 4));
}

Deno.test("the reference of Philox4x32-10 gives the known answers of its authors", () => {
  const hex = (words: number[]) =>
    words.map((word) => word.toString(16).padStart(8, "0")).join(" ");
  assert.equal(hex(philox([0, 0, 0, 0], [0, 0])), "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  const ones = 0xffffffff;
  assert.equal(
    hex(philox([ones, ones, ones, ones], [ones, ones])),
    "408f276d 41c83b0e a20bc7c6 6d5451fd",
  );
  assert.equal(
    hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])),
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  );
});

Deno.test("greedy: the largest logit, of equal ones the first, whatever their signs", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(1);
  const rows = [
    randomValues(random, 257, 5),
    randomValues(random, 257).map((value) => value - 100),
    new Float32Array(257).fill(-3),
    Float32Array.from({ length: 257 }, (_, i) => i === 200 ? 0 : i === 100 ? -0 : -1e-6),
    Float32Array.from({ length: 257 }, (_, i) => i === 77 ? -1e-7 : -1e-6),
    Float32Array.from({ length: 257 }, (_, i) => i === 5 ? 1e18 : i === 256 ? 1.0000001e18 : -1e18),
    // one unit in the last place apart
    Float32Array.from(
      { length: 257 },
      (_, i) => i === 31 ? -1.0000001 : i === 99 ? -1 : -1.0000002,
    ),
  ];
  const ids = await draw(gpu, { rows, sampling: GREEDY });
  assert.deepEqual([...ids], rows.map((row) => reference(row, GREEDY, 0).id));
  assert.deepEqual([...ids.slice(2)], [0, 100, 77, 256, 99]);
});

const SAMPLINGS: Sampling[] = [
  { temperature: 0.6, topK: 50, topP: 0.9 },
  { temperature: 1, topK: 1, topP: 1 },
  { temperature: 2.5, topK: 512, topP: 1 },
  { temperature: 1, topK: 50, topP: 0 },
  { temperature: 0.8, topK: 7, topP: 0.5 },
];

for (const width of [1, 31, 257, 2500]) {
  Deno.test(`draws of ${width} logits are those of the f64 reference`, async () => {
    using gpu = await openTestGpu();
    const random = seededRandom(width);
    const rows = Array.from({ length: 130 }, () => randomValues(random, width, 3));
    const seeds = rows.map((_, i) => [i * 2654435761 % 2 ** 32, i % 3] as const);
    for (const [step, asked] of SAMPLINGS.entries()) {
      const sampling = { ...asked, topK: Math.min(asked.topK, width) };
      const ids = await draw(gpu, { rows, sampling, seeds, step });
      let near = 0;
      for (const [i, row] of rows.entries()) {
        const { id, margin } = reference(row, sampling, uniform([...seeds[i]], step));
        // sums of up to 512 f32 values: 1e-5 of their total is far above the error
        if (margin < 1e-5) near++;
        else assert.equal(ids[i], id, `row ${i} of sampling ${step}`);
      }
      assert.ok(near <= 3, `${near} draws too near to tell`);
    }
  });
}

Deno.test("a vocabulary in blocks, rows in pieces: the same draws", async () => {
  using gpu = await openTestGpu();
  const random = seededRandom(3);
  const rows = Array.from({ length: 70 }, () => randomValues(random, 300, 2));
  rows[3].fill(1.5);
  const seeds = rows.map((_, i) => [i, 7] as const);
  for (const sampling of [GREEDY, { temperature: 1, topK: 40, topP: 0.95 }]) {
    const whole = await draw(gpu, { rows, sampling, seeds, step: 9 });
    const parts = await draw(gpu, {
      rows,
      sampling,
      seeds,
      step: 9,
      blocks: [129, 100, 71],
      piece: 64,
    });
    assert.deepEqual(parts, whole);
  }
});

Deno.test("draws follow the probabilities (chi-square), in every bit of the seed's use", async () => {
  using gpu = await openTestGpu();
  const logits = Float32Array.from([1, -0.5, 0, 2, 0.3, -1]);
  const sampling = { temperature: 1.3, topK: 6, topP: 1 };
  const weights = Array.from(logits, (logit) => Math.exp(logit / sampling.temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const count = 6000;
  const rows = Array<Float32Array>(count).fill(logits);
  const seedings = {
    "consecutive seeds": { seeds: rows.map((_, i) => [i, 0] as const), step: 4 },
    "upper words": { seeds: rows.map((_, i) => [5, i] as const), step: 0 },
  };
  for (const [name, seeding] of Object.entries(seedings)) {
    const found = new Float64Array(6);
    for (const id of await draw(gpu, { rows, sampling, ...seeding })) found[id]++;
    const chiSquare = weights.reduce((sum, weight, i) => {
      const expected = count * weight / total;
      return sum + (found[i] - expected) ** 2 / expected;
    }, 0);
    // 5 degrees of freedom: above 20.5 in one of a thousand
    assert.ok(chiSquare < 20.5, `${name}: ${chiSquare}`);
  }
});
