import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { oracleCounts, oracleResults } from "../../tests/support/oracle_counts.ts";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { identifyLape, type LapeOptions } from "./identify_neurons.ts";
import { seededRandom } from "../stats/random.ts";
import { pool, type PooledCounts } from "./pool.ts";

/** Two languages of 100 tokens each; fired tokens per neuron of layer 0. */
function twoLanguages(hindi: readonly number[], thai: readonly number[]) {
  return pool([
    { language: "Hindi", counts: smallCounts({ examples: 4, tokens: 100, firedTokens: hindi }) },
    { language: "Thai", counts: smallCounts({ examples: 4, tokens: 100, firedTokens: thai }) },
  ]);
}

function indices(pooled: ReturnType<typeof pool>, options: Partial<LapeOptions>): number[][] {
  return identifyLape(pooled, options).features.map((list) => list.map(({ index }) => index));
}

for (const job of ["shared", "default"] as const) {
  Deno.test(`oracle, ${job} texts: the same neurons, bar and budget`, () => {
    const { neurons: expected } = oracleResults(job);
    const found = identifyLape(oracleCounts(job, "neurons"));
    assert.equal(found.activationBar, expected.bar);
    assert.equal(found.candidates.length, expected.selected);
    found.languages.forEach((language, g) => {
      const neurons = found.features[g].map((
        { layer, index, entropy, probability },
      ) => [layer, index, Number(entropy.toFixed(6)), Number(probability.toFixed(6))]);
      assert.deepEqual(neurons, expected.neurons[language], language);
    });
  });
}

/**
 * LAPE as section 3.2 of arXiv 2402.16438 and spec 6.3 say it, one neuron at a time: languages of the
 * selected neurons, as `layer/index` → positions of languages.
 */
function slowLape({ byLanguage, layers, width }: PooledCounts, topRate: number, rate: number) {
  const neurons = layers.flatMap((layer, row) =>
    Array.from({ length: width }, (_, index) => ({
      name: `${layer}/${index}`,
      p: byLanguage.map(({ firedTokens, tokens }) => firedTokens[row * width + index] / tokens),
    }))
  );
  const all = neurons.flatMap(({ p }) => p).sort((a, b) => a - b);
  // no test below has a half to round
  const bar = all[Math.round(all.length * rate) - 1];
  const entropyOf = (p: readonly number[]) => {
    const total = p.reduce((a, b) => a + b, 0);
    return p.reduce(
      (sum, value) => value === 0 ? sum : sum - value / total * Math.log(value / total),
      0,
    );
  };
  const selected = neurons
    .filter(({ p }) => Math.max(...p) > bar)
    .map((neuron) => ({ ...neuron, entropy: entropyOf(neuron.p) }))
    .sort((a, b) => a.entropy - b.entropy)
    .slice(0, Math.round(neurons.length * topRate));
  return new Map(
    selected.map(({ name, p }) => [name, [...p.keys()].filter((g) => p[g] > bar)]),
  );
}

function ownersByName(found: ReturnType<typeof identifyLape>): Map<string, number[]> {
  const owners = new Map<string, number[]>(
    found.candidates.map(({ layer, index }) => [`${layer}/${index}`, []]),
  );
  found.features.forEach((list, g) =>
    list.forEach(({ layer, index }) => owners.get(`${layer}/${index}`)!.push(g))
  );
  return owners;
}

for (const job of ["shared", "default"] as const) {
  Deno.test(`the formula, neuron by neuron, selects the same from ${job} texts`, () => {
    const pooled = oracleCounts(job, "neurons");
    const expected = slowLape(pooled, 0.01, 0.95);
    assert.ok(expected.size > 20);
    assert.deepEqual(sorted(ownersByName(identifyLape(pooled))), sorted(expected));
  });
}

Deno.test("the formula, neuron by neuron, selects the same at other rates from random counts", () => {
  const random = seededRandom(11);
  const counts = (tokens: number) =>
    smallCounts({
      layers: [2, 3, 9],
      examples: 1,
      tokens,
      firedTokens: Array.from({ length: 3 * 37 }, () => Math.floor(tokens * random() ** 3)),
    });
  const pooled = pool(
    ["Hindi", "Korean", "Thai", "Turkish"]
      .map((language, g) => ({ language, counts: counts(1009 + 300 * g) })),
  );
  for (const [topRate, rate] of [[0.3, 0.8], [0.07, 0.93], [1, 0.33]]) {
    const found = identifyLape(pooled, { topRate, filterRate: rate, activationBarRatio: rate });
    assert.deepEqual(sorted(ownersByName(found)), sorted(slowLape(pooled, topRate, rate)));
  }
});

function sorted(map: ReadonlyMap<string, number[]>): [string, number[]][] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}

// 10 values 0.05 0.06 0.07 0.08 0.09 0.10 0.20 0.30 0.60 0.80: the 0.7 quantile is the 7th, 0.20.
const five = twoLanguages([80, 5, 10, 7, 20], [60, 30, 6, 8, 9]);

Deno.test("the bar is the k-th smallest probability and must be passed, not reached", () => {
  const { activationBar } = identifyLape(five, { activationBarRatio: 0.7 });
  assert.equal(activationBar, 0.2);
  const options = { topRate: 1, filterRate: 0.7, activationBarRatio: 0.7 };
  assert.deepEqual(indices(five, options), [[0], [0, 1]]);
});

Deno.test("the budget takes the lowest entropies among those that pass the filter", () => {
  // Neurons 0, 1 and 4 pass 0.1 somewhere; Thai's or Hindi's part of the whole is 3/7, 1/7, 9/29.
  const options = { filterRate: 0.6, activationBarRatio: 0.1 };
  const taken = (topRate: number) =>
    identifyLape(five, { ...options, topRate }).candidates.map(({ index }) => index);
  assert.deepEqual(taken(0.2), [1]);
  assert.deepEqual(taken(0.4), [1, 4]);
  assert.deepEqual(taken(1), [1, 4, 0]);
});

Deno.test("k and the budget round halves to even", () => {
  const taken = (size: number) => {
    const fired = Array.from({ length: size }, (_, i) => i % 101);
    return identifyLape(twoLanguages(fired, fired), { filterRate: 0.1 }).candidates.length;
  };
  // Budgets of 0.5, 1.5 and 2.5 neurons.
  assert.deepEqual([50, 150, 250].map(taken), [0, 2, 2]);
  // 4 values 0.1 0.2 0.3 0.4: k = round(0.625 * 4) = round(2.5) = 2.
  const bar = identifyLape(twoLanguages([10, 20], [30, 40]), { activationBarRatio: 0.625 });
  assert.equal(bar.activationBar, 0.2);
});

Deno.test("a language may own no neuron, and one without texts owns none", () => {
  const options = { topRate: 1, filterRate: 0.5, activationBarRatio: 0.5 };
  assert.deepEqual(indices(twoLanguages([80, 70], [10, 20]), options), [[0, 1], []]);
  const empty = smallCounts({ examples: 0, tokens: 0, firedTokens: [0, 0] });
  const one = smallCounts({ examples: 1, tokens: 10, firedTokens: [5, 6] });
  const pooled = pool([{ language: "Hindi", counts: one }, { language: "Thai", counts: empty }]);
  assert.deepEqual(indices(pooled, options), [[0, 1], []]);
});

Deno.test("equal entropies are taken in the order of (layer, index)", () => {
  const pooled = twoLanguages([50, 60, 70, 0], [0, 0, 0, 10]);
  const options = { topRate: 0.5, filterRate: 0.5, activationBarRatio: 0.5 };
  const { candidates } = identifyLape(pooled, options);
  assert.deepEqual(candidates.map(({ index }) => index), [0, 1]);
});

Deno.test("a neuron that never fires is never taken, however low the filter", () => {
  const pooled = twoLanguages([0, 60], [0, 10]);
  const { candidates } = identifyLape(pooled, { topRate: 1, filterRate: 0.01 });
  assert.deepEqual(candidates.map(({ index }) => index), [1]);
});

Deno.test("compat works in float32", () => {
  const { activationBar } = identifyLape(twoLanguages([10, 20], [30, 70]), { compat: "paper" });
  assert.equal(activationBar, Math.fround(0.7));
});

Deno.test("rates outside (0, 1] are refused by name", () => {
  for (const name of ["topRate", "filterRate", "activationBarRatio"]) {
    for (const rate of [0, -1, 1.01, NaN]) {
      assert.throws(() => identifyLape(five, { [name]: rate }), (error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, new RegExp(name));
        return true;
      });
    }
  }
});
