import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { oracleCounts, oracleResults } from "../../tests/support/oracle_counts.ts";
import { type SmallCounts, smallCounts } from "../../tests/support/small_counts.ts";
import { mergeCounts } from "./counts.ts";
import type { Identification } from "./identification.ts";
import { identifySaeLape, type SaeLapeOptions } from "./identify_sae.ts";
import { pool, type PooledCounts } from "./pool.ts";

/** Pools counts that are written down in a test. */
function pooledCounts(languages: Record<string, SmallCounts>): PooledCounts {
  return pool(
    Object.entries(languages).map(([language, counts]) => ({
      language,
      counts: smallCounts(counts),
    })),
  );
}

/** [layer, index] of each feature, by language. */
function positionsOf({ languages, features }: Identification): Record<string, number[][]> {
  return Object.fromEntries(
    languages.map((name, g) => [name, features[g].map(({ layer, index }) => [layer, index])]),
  );
}

/** Latent indices of each feature, by language, for counts of one layer. */
function indicesOf({ languages, features }: Identification): Record<string, number[]> {
  return Object.fromEntries(
    languages.map((name, g) => [name, features[g].map(({ index }) => index)]),
  );
}

/** The oracle's names for the options. */
interface OracleOptions {
  example_rate?: number;
  ratio?: number;
  top?: number;
  by_freq?: boolean;
  per_layer?: boolean;
  thr?: number;
  specific?: boolean;
  shared?: number;
}

function optionsOf(named: OracleOptions): Partial<SaeLapeOptions> {
  return {
    exampleRate: named.example_rate,
    topkThresholdRatio: named.ratio,
    top: named.top,
    topByFrequency: named.by_freq,
    topPerLayer: named.per_layer,
    entropyThreshold: named.thr,
    langSpecific: named.specific,
    langShared: named.shared !== undefined,
    sharedCount: named.shared,
  };
}

for (const job of ["shared", "default"] as const) {
  const { options, results } = oracleResults(job);
  const counts = oracleCounts(job, "sae");

  for (const name of Object.keys(options)) {
    Deno.test(`oracle, ${job} texts, ${name}: the same candidates and features`, () => {
      const found = identifySaeLape(counts, optionsOf(options[name]));
      const expected = results[name];
      assert.equal(found.candidates.length, expected.candidates);
      assert.deepEqual(found.shareHistogram, expected.share_histogram);
      found.languages.forEach((language, g) => {
        const features = found.features[g].map((
          { layer, index, entropy, probability },
        ) => [layer, index, round6(entropy), round6(probability)]);
        assert.deepEqual(features, expected.features[language], language);
      });
    });
  }

  Deno.test(`oracle, ${job} texts: float32 finds the same features at the paper's settings`, () => {
    const found = identifySaeLape(counts, {
      compat: "paper",
      topkThresholdRatio: 0.5,
      langSpecific: true,
    });
    assert.deepEqual(positionsOf(found), positionsOf(identifySaeLape(counts)));
  });
}

function round6(value: number): number {
  return Number(value.toFixed(6));
}

Deno.test("the example rule takes the published thresholds", () => {
  // Spec 6.2: 1957 of 1997, 2937 of 2997, 977 of 997 examples.
  for (const [examples, fewest] of [[1997, 1957], [2997, 2937], [997, 977]]) {
    const { candidates } = identifySaeLape(pooledCounts({
      Thai: {
        examples,
        tokens: 10_000,
        firedTokens: [9000, 9000],
        firedExamples: [fewest - 1, fewest],
      },
    }));
    assert.deepEqual(candidates.map(({ index }) => index), [1]);
  }
});

Deno.test("the token rule is strict: more than a tenth, rounded down", () => {
  const { candidates } = identifySaeLape(pooledCounts({
    Thai: { examples: 5, tokens: 109, firedTokens: [9, 10, 11] },
  }));
  assert.deepEqual(candidates.map(({ index }) => index), [2]);
});

Deno.test("quirk 7: each activity rule may be met by a language of its own", () => {
  const pooled = pooledCounts({
    // In all examples, but on 5 % of tokens only.
    Bulgarian: { examples: 10, tokens: 1000, firedTokens: [50], firedExamples: [10] },
    // On 40 % of tokens, but in few examples.
    Thai: { examples: 10, tokens: 1000, firedTokens: [400], firedExamples: [4] },
  });
  const found = identifySaeLape(pooled);
  assert.deepEqual(indicesOf(found), { Bulgarian: [], Thai: [0] });
  assert.deepEqual(indicesOf(identifySaeLape(pooled, { compat: "paper" })), indicesOf(found));
});

Deno.test("a language owns a latent from the ratio of its highest probability on", () => {
  const pooled = pooledCounts({
    Hindi: { examples: 4, tokens: 100, firedTokens: [80, 80, 80] },
    Thai: { examples: 4, tokens: 200, firedTokens: [80, 79, 160] },
  });
  const found = identifySaeLape(pooled, { langSpecific: false });
  assert.deepEqual(indicesOf(found), { Hindi: [0, 1, 2], Thai: [0, 2] });
  assert.deepEqual(found.shareHistogram, [1, 2]);
  assert.deepEqual(indicesOf(identifySaeLape(pooled)), { Hindi: [1], Thai: [] });
});

Deno.test("compat compares in float32: 9/20 reaches 0.6 x 15/20 in f64 only", () => {
  // As f64, 0.6 * 0.75 <= 0.45. As float32, 0.6 is 0.60000002384 and 0.6 * 0.75 rounds to
  // 0.45000001788, one step above 0.45, which is 0.44999998808.
  const pooled = pooledCounts({
    Hindi: { examples: 4, tokens: 20, firedTokens: [15] },
    Thai: { examples: 4, tokens: 20, firedTokens: [9] },
  });
  const options = { topkThresholdRatio: 0.6, langSpecific: false };
  assert.deepEqual(indicesOf(identifySaeLape(pooled, options)), { Hindi: [0], Thai: [0] });
  assert.deepEqual(
    indicesOf(identifySaeLape(pooled, { ...options, compat: "paper" })),
    { Hindi: [0], Thai: [] },
  );
});

Deno.test("shared features have exactly so many owners; language-specific wins over shared", () => {
  const pooled = pooledCounts({
    Hindi: { examples: 4, tokens: 100, firedTokens: [80, 80, 80] },
    Korean: { examples: 4, tokens: 100, firedTokens: [0, 80, 80] },
    Thai: { examples: 4, tokens: 100, firedTokens: [0, 0, 80] },
  });
  const shared = (sharedCount: number) =>
    indicesOf(identifySaeLape(pooled, { langShared: true, sharedCount }));
  assert.deepEqual(shared(1), { Hindi: [0], Korean: [], Thai: [] });
  assert.deepEqual(shared(2), { Hindi: [1], Korean: [1], Thai: [] });
  assert.deepEqual(shared(3), { Hindi: [2], Korean: [2], Thai: [2] });
  assert.deepEqual(
    indicesOf(identifySaeLape(pooled, { langSpecific: true, langShared: true })),
    { Hindi: [0], Korean: [], Thai: [] },
  );
});

Deno.test("compat brings the original's defaults back: ratio 0.8, every owner", () => {
  const pooled = pooledCounts({
    Hindi: { examples: 4, tokens: 100, firedTokens: [80, 80, 80] },
    Thai: { examples: 4, tokens: 100, firedTokens: [10, 60, 70] },
  });
  assert.deepEqual(indicesOf(identifySaeLape(pooled)), { Hindi: [0], Thai: [] });
  assert.deepEqual(
    indicesOf(identifySaeLape(pooled, { compat: "paper" })),
    { Hindi: [0, 1, 2], Thai: [2] },
  );
});

/**
 * Hindi's features in rank order: [2, 1] (p 0.2), [0, 0] (0.5), [0, 1] (0.9), [2, 0] (0.8): Thai's
 * part of each makes the entropy.
 */
const ranked = pooledCounts({
  Hindi: { layers: [0, 2], examples: 4, tokens: 100, firedTokens: [50, 90, 80, 20] },
  Thai: { layers: [0, 2], examples: 4, tokens: 1000, firedTokens: [20, 60, 80, 0] },
});

Deno.test("rank is the order of entropy, features come in the order of (layer, index)", () => {
  const { features: [hindi] } = identifySaeLape(ranked);
  assert.deepEqual(
    hindi.map(({ layer, index, rank }) => [layer, index, rank]),
    [[0, 0, 2], [0, 1, 3], [2, 0, 4], [2, 1, 1]],
  );
});

Deno.test("top keeps the lowest in entropy, or the most probable, overall or per layer", () => {
  const top = (options: Partial<SaeLapeOptions>) =>
    positionsOf(identifySaeLape(ranked, options)).Hindi;
  assert.deepEqual(top({ top: 2 }), [[0, 0], [2, 1]]);
  assert.deepEqual(top({ top: 2, topByFrequency: true }), [[0, 1], [2, 0]]);
  assert.deepEqual(top({ top: 1, topPerLayer: true }), [[0, 0], [2, 1]]);
  assert.deepEqual(top({ top: 1, topPerLayer: true, topByFrequency: true }), [[0, 1], [2, 0]]);
  const all = [[0, 0], [0, 1], [2, 0], [2, 1]];
  assert.deepEqual(top({ top: 9 }), all);
  assert.deepEqual(top({ top: 0 }), all);
  assert.deepEqual(top({ top: null, topByFrequency: true }), all);
});

Deno.test("equal entropies rank by (layer, index); equal probabilities keep entropy order", () => {
  const pooled = pooledCounts({
    Hindi: { layers: [1, 3], examples: 4, tokens: 10, firedTokens: [4, 4, 4, 4] },
    Thai: { layers: [1, 3], examples: 4, tokens: 100, firedTokens: [4, 0, 0, 0] },
  });
  const positions = (options: Partial<SaeLapeOptions>) =>
    positionsOf(identifySaeLape(pooled, options)).Hindi;
  assert.deepEqual(positions({ top: 1 }), [[1, 1]]);
  assert.deepEqual(positions({ top: 3 }), [[1, 1], [3, 0], [3, 1]]);
  assert.deepEqual(positions({ top: 2, topByFrequency: true }), [[1, 1], [3, 0]]);
});

Deno.test("quirk 8: the entropy threshold on a list by frequency", () => {
  // Entropies in the order of frequency, [0, 1] [2, 0] [0, 0] [2, 1]: 0.2338, 0.3046, 0.1630, 0
  // (q = 1/16, 1/11 and 1/26 for Thai). Two are <= 0.2, but the binary search starts at 0.1630
  // (position 2), goes right, and keeps all four.
  const options = { top: 4, topByFrequency: true, entropyThreshold: 0.2 };
  assert.deepEqual(positionsOf(identifySaeLape(ranked, options)).Hindi, [[0, 0], [2, 1]]);
  assert.deepEqual(
    positionsOf(identifySaeLape(ranked, {
      ...options,
      compat: "paper",
      topkThresholdRatio: 0.5,
      langSpecific: true,
    })).Hindi,
    [[0, 0], [0, 1], [2, 0], [2, 1]],
  );
});

Deno.test("the entropy threshold includes its end and may leave nothing, under compat too", () => {
  for (const compat of [undefined, "paper"] as const) {
    const count = (entropyThreshold: number) =>
      identifySaeLape(ranked, { compat, entropyThreshold }).features[0].length;
    assert.equal(count(0), 1);
    assert.equal(count(3), 4);
  }
  const shared = pooledCounts({
    Hindi: { examples: 4, tokens: 100, firedTokens: [80] },
    Thai: { examples: 4, tokens: 100, firedTokens: [80] },
  });
  for (const compat of [undefined, "paper"] as const) {
    const { features } = identifySaeLape(shared, {
      compat,
      langSpecific: false,
      entropyThreshold: 0.1,
    });
    assert.deepEqual(features, [[], []]);
  }
});

Deno.test("a language without features keeps its empty list", () => {
  const { languages, features } = identifySaeLape(pooledCounts({
    Bulgarian: { examples: 4, tokens: 100, firedTokens: [0] },
    Thai: { examples: 4, tokens: 100, firedTokens: [80] },
  }));
  assert.deepEqual(languages, ["Bulgarian", "Thai"]);
  assert.deepEqual(features.map(({ length }) => length), [0, 1]);
});

Deno.test("a language without texts owns nothing and lets no latent pass", () => {
  const pooled = pooledCounts({
    Bulgarian: { examples: 0, tokens: 0, firedTokens: [0, 0] },
    Thai: { examples: 10, tokens: 100, firedTokens: [80, 80], firedExamples: [10, 2] },
  });
  assert.deepEqual(indicesOf(identifySaeLape(pooled)), { Bulgarian: [], Thai: [0] });
});

Deno.test("with a single language every candidate is its own, at entropy 0", () => {
  const found = identifySaeLape(pooledCounts({
    Thai: { examples: 4, tokens: 100, firedTokens: [80, 20, 10] },
  }));
  assert.deepEqual(indicesOf(found), { Thai: [0, 1] });
  assert.deepEqual(found.shareHistogram, [2]);
  assert.deepEqual(found.candidates.map(({ entropy }) => entropy), [0, 0]);
});

Deno.test("a feature carries the activations of its language and of all languages", () => {
  const { features: [, [feature]] } = identifySaeLape(pooledCounts({
    Korean: {
      examples: 4,
      tokens: 100,
      firedTokens: [0, 10],
      sum: [0, 60],
      max: [0, 9],
      min: [Infinity, 0.25],
    },
    Thai: {
      examples: 4,
      tokens: 100,
      firedTokens: [0, 30],
      firedExamples: [0, 4],
      sum: [0, 20],
      max: [0, 3],
      min: [Infinity, 0.5],
    },
  }));
  const { probabilities, ...rest } = feature;
  assert.deepEqual([...probabilities], [0.1, 0.3]);
  assert.ok(Math.abs(rest.entropy - (-0.25 * Math.log(0.25) - 0.75 * Math.log(0.75))) < 1e-12);
  assert.deepEqual({ ...rest, entropy: undefined }, {
    layer: 0,
    index: 1,
    entropy: undefined,
    rank: 1,
    owners: [1],
    probability: 0.3,
    firedTokens: 30,
    firedExamples: 4,
    max: 3,
    min: 0.5,
    avg: 20 / 30,
    globalMax: 9,
    globalMin: 0.25,
    globalAvg: 2,
    monolinguality: 20 / 100 - 60 / 100,
  });
});

Deno.test("renaming languages moves their features along", () => {
  // Turns the alphabetical order around, and with it every tie between languages.
  const counts = oracleCounts("shared", "sae");
  const turned = pool(
    counts.byLanguage.map((counts, g) => ({ language: `Language ${99 - g}`, counts })),
  );
  const before = identifySaeLape(counts, { exampleRate: 0.3, langSpecific: false });
  const after = identifySaeLape(turned, { exampleRate: 0.3, langSpecific: false });
  assert.deepEqual(after.shareHistogram, before.shareHistogram);
  assert.deepEqual(
    Object.values(positionsOf(after)).toReversed(),
    Object.values(positionsOf(before)),
  );
});

Deno.test("counting every text twice changes nothing", () => {
  // With even numbers of examples and a rate of 0.5 the rounded thresholds double too.
  const once = oracleCounts("shared", "sae");
  const { languages, byLanguage } = once;
  const twice = pool(
    byLanguage.map((counts, g) => ({
      language: languages[g],
      counts: mergeCounts(counts, counts),
    })),
  );
  assert.ok(byLanguage.every(({ examples }) => examples % 2 === 0));
  const before = identifySaeLape(once, { exampleRate: 0.5 });
  const after = identifySaeLape(twice, { exampleRate: 0.5 });
  assert.deepEqual(after.candidates, before.candidates);
  assert.deepEqual(positionsOf(after), positionsOf(before));
});

Deno.test("options outside their range are refused by name", () => {
  const refused: [Partial<SaeLapeOptions>, RegExp][] = [
    [{ exampleRate: 1.5 }, /--example-rate is 1.5, expected a share from 0 to 1/],
    [{ exampleRate: NaN }, /--example-rate/],
    [{ topkThresholdRatio: -0.1 }, /--topk-threshold-ratio/],
    [{ top: -1 }, /--top is -1/],
    [{ top: 2.5 }, /--top is 2.5/],
    [{ entropyThreshold: -1 }, /--entropy-threshold/],
    [{ entropyThreshold: NaN }, /--entropy-threshold/],
    [{ langShared: true, sharedCount: 3 }, /--shared-count is 3, .* number of languages, 2/],
    [{ langShared: true, sharedCount: 0 }, /--shared-count/],
  ];
  for (const [options, message] of refused) {
    assert.throws(() => identifySaeLape(ranked, options), (error) => {
      assert.ok(error instanceof InputError, `${error}`);
      assert.match(error.message, message);
      return true;
    });
  }
});
