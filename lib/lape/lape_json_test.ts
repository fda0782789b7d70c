import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { oracleCounts } from "../../tests/support/oracle_counts.ts";
import { type SmallCounts, smallCounts } from "../../tests/support/small_counts.ts";
import { identifyLape } from "./identify_neurons.ts";
import { identifySaeLape } from "./identify_sae.ts";
import { fromLapeJson, type LapeFeature, lapeResultJson, toLapeJson } from "./lape_json.ts";
import { pool } from "./pool.ts";

function counts(of: Partial<SmallCounts>) {
  return smallCounts({ layers: [0, 2], examples: 4, tokens: 100, firedTokens: [], ...of });
}

/**
 * Hindi owns [0, 0], [0, 1], [2, 0]: p 0.50, 0.90, 0.80, of entropy rank 3, 1, 2. Korean owns
 * nothing. Thai owns [2, 1].
 */
const pooled = pool([
  {
    language: "Hindi",
    counts: counts({
      firedTokens: [50, 90, 80, 0],
      sum: [25, 90, 20, 0],
      max: [2, 3, 1, 0],
      min: [0.25, 0.5, 0.125, Infinity],
    }),
  },
  { language: "Korean", counts: counts({ tokens: 200, firedTokens: [0, 0, 0, 0] }) },
  {
    language: "Thai",
    counts: counts({
      firedTokens: [10, 0, 10, 75],
      sum: [5, 0, 70, 150],
      max: [1, 0, 9, 4],
      min: [0.5, Infinity, 0.5, 1],
    }),
  },
]);
const identified = identifySaeLape(pooled);

/** What the file keeps, straight from the identification. */
const kept: LapeFeature[][] = identified.features.map((list) =>
  list.map(({ layer, index, entropy, probability, globalMax, globalMin, globalAvg }) => ({
    layer,
    index,
    entropy,
    probability,
    globalMax,
    globalMin,
    globalAvg,
  }))
);

Deno.test("the file has the original's keys, one list per language and absolute layer", () => {
  const json = toLapeJson(identified, pooled);
  assert.deepEqual(json.sorted_lang, ["Hindi", "Korean", "Thai"]);
  assert.deepEqual(json.num_examples, [4, 4, 4]);
  assert.deepEqual(json.num_tokens, [100, 200, 100]);
  assert.deepEqual(json.final_indice, [[[0, 1], [], [0]], [[], [], []], [[], [], [1]]]);
  assert.deepEqual(json.final_indice_global_max_active, [
    [[2, 3], [], [9]],
    [[], [], []],
    [[], [], [4]],
  ]);
  assert.deepEqual(json.final_indice_global_min_active, [
    [[0.25, 0.5], [], [0.125]],
    [[], [], []],
    [[], [], [1]],
  ]);
  assert.deepEqual(json.final_indice_global_avg_active, [
    [[0.5, 1], [], [1]],
    [[], [], []],
    [[], [], [2]],
  ]);
  assert.deepEqual(Object.keys(json.features_info), ["Hindi", "Korean", "Thai"]);
  assert.deepEqual(json.features_info.Hindi.indicies, [[0, 0], [0, 1], [2, 0]]);
  assert.deepEqual(json.features_info.Korean, { indicies: [], entropies: [], selected_probs: [] });
  assert.ok(!("compat" in json));
});

Deno.test("by default selected_probs has the order of indicies", () => {
  const { Hindi, Thai } = toLapeJson(identified, pooled).features_info;
  assert.deepEqual(Hindi.selected_probs, [0.5, 0.9, 0.8]);
  assert.deepEqual(Thai.selected_probs, [0.75]);
});

Deno.test("quirk 9: compat leaves languages without features out, but not of sorted_lang", () => {
  const json = toLapeJson(identified, pooled, { compat: "paper" });
  assert.deepEqual(json.sorted_lang, ["Hindi", "Korean", "Thai"]);
  assert.deepEqual(json.final_indice, [[[0, 1], [], [0]], [[], [], [1]]]);
  assert.deepEqual(Object.keys(json.features_info), ["Hindi", "Thai"]);
  assert.equal(json.num_tokens.length, 3);
});

Deno.test("quirk 10: compat writes selected_probs in entropy order, a single one bare", () => {
  const { Hindi, Thai } = toLapeJson(identified, pooled, { compat: "paper" }).features_info;
  assert.deepEqual(Hindi.indicies, [[0, 0], [0, 1], [2, 0]]);
  assert.deepEqual(Hindi.selected_probs, [0.9, 0.8, 0.5]);
  assert.equal(Thai.selected_probs, 0.75);
});

for (const compat of [undefined, "paper"] as const) {
  Deno.test(`a file comes back as it was written, compat ${compat}`, () => {
    const text = JSON.stringify(toLapeJson(identified, pooled, { compat }));
    assert.deepEqual(fromLapeJson(JSON.parse(text), "lape.json"), {
      languages: ["Hindi", "Korean", "Thai"],
      examples: [4, 4, 4],
      tokens: [100, 200, 100],
      layers: 3,
      features: kept,
    });
  });

  Deno.test(`the oracle's features come back as they were written, compat ${compat}`, () => {
    const sae = oracleCounts("shared", "sae");
    const neurons = oracleCounts("shared", "neurons");
    const cases = [
      [identifySaeLape(sae, { exampleRate: 0.3, langSpecific: false }), sae],
      [identifyLape(neurons), neurons],
    ] as const;
    for (const [found, pooled] of cases) {
      const text = JSON.stringify(toLapeJson(found, pooled, { compat }));
      const { features } = fromLapeJson(JSON.parse(text), "lape.json");
      features.forEach((list, g) =>
        list.forEach((feature, i) => {
          for (const key of Object.keys(feature) as (keyof LapeFeature)[]) {
            assert.equal(feature[key], found.features[g][i][key]);
          }
        })
      );
      assert.deepEqual(features.map((list) => list.length), found.features.map((l) => l.length));
    }
  });
}

Deno.test("NaN is written as null and read back as NaN", () => {
  const [[feature]] = identified.features;
  const unknown = { ...identified, features: [[{ ...feature, globalAvg: NaN }], [], []] };
  const json = toLapeJson(unknown, pooled);
  assert.deepEqual(json.final_indice_global_avg_active[0], [[null], [], []]);
  const { features: [[back]] } = fromLapeJson(JSON.parse(JSON.stringify(json)), "lape.json");
  assert.ok(Number.isNaN(back.globalAvg));
});

Deno.test("a result that was read is written in the default form, whatever it was read from", () => {
  const ours = toLapeJson(identified, pooled);
  for (const json of [ours, toLapeJson(identified, pooled, { compat: "paper" })]) {
    assert.deepEqual(lapeResultJson(fromLapeJson(json, "lape.json")), ours);
  }
});

Deno.test("a file that is not as expected is refused in one sentence with its name", () => {
  // deno-lint-ignore no-explicit-any
  const broken: [(json: any) => unknown, RegExp][] = [
    [() => null, /the file is not as expected/],
    [(json) => delete json.final_indice, /final_indice/],
    [(json) => json.final_indice[0][0][0] = -1, /final_indice\.0\.0\.0/],
    [(json) => json.sorted_lang.pop(), /sorted_lang does not/],
    [(json) => delete json.features_info.Korean, /features_info does not/],
    [(json) => json.num_tokens.pop(), /num_tokens must have 3 entries, has 2/],
    [(json) => json.final_indice.pop(), /final_indice must have 3 entries, has 2/],
    [(json) => json.final_indice[0][0].pop(), /lists of Hindi/],
    [(json) => json.final_indice[2][2][0] = 0, /lists of Thai/],
    [(json) => json.final_indice_global_min_active[0][2].push(1), /lists of Hindi/],
    [(json) => json.features_info.Hindi.entropies.pop(), /lists of Hindi/],
    [(json) => json.features_info.Hindi.selected_probs.pop(), /lists of Hindi/],
  ];
  for (const [edit, message] of broken) {
    const json = structuredClone(toLapeJson(identified, pooled));
    const result = edit(json);
    assert.throws(() => fromLapeJson(result === null ? null : json, "runs/lape.json"), (error) => {
      assert.ok(error instanceof InputError, `${error}`);
      assert.match(error.message, /^runs\/lape\.json: /);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("a file of very many languages takes no longer for each than one of few", () => {
  const languages = Array.from({ length: 150_000 }, (_, i) => `language ${i}`);
  const none = languages.map(() => []);
  const json = {
    final_indice: none,
    final_indice_global_max_active: none,
    final_indice_global_min_active: none,
    final_indice_global_avg_active: none,
    sorted_lang: languages,
    num_examples: languages.map(() => 1),
    num_tokens: languages.map(() => 1),
    features_info: Object.fromEntries(
      languages.map((name) => [name, { indicies: [], entropies: [], selected_probs: [] }]),
    ),
  };
  const start = performance.now();
  assert.equal(fromLapeJson(json, "lape.json").features.length, languages.length);
  assert.ok(performance.now() - start < 10_000);
});
