import assert from "node:assert/strict";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { featureColumns, lapeColumns } from "./features_table.ts";
import { identifySaeLape } from "./identify_sae.ts";
import { pool } from "./pool.ts";

const identified = identifySaeLape(
  pool([
    {
      language: "Thai",
      counts: smallCounts({
        examples: 4,
        tokens: 100,
        firedTokens: [0, 75, 50],
        sum: [0, 150, 25],
        max: [0, 4, 1],
        min: [Infinity, 1, 0.25],
      }),
    },
    {
      language: "Hindi",
      counts: smallCounts({
        examples: 5,
        tokens: 200,
        firedTokens: [150, 0, 100],
        sum: [75, 0, 200],
        max: [2, 0, 3],
        min: [0.5, Infinity, 0.125],
      }),
    },
  ]),
  { langSpecific: false },
);

const NONE = [null, null, null, null];

Deno.test("one row per language and feature, in the order language, layer, index", () => {
  assert.deepEqual(featureColumns(identified), {
    language: ["Hindi", "Hindi", "Thai", "Thai"],
    layer: [0, 0, 0, 0],
    index: [0, 2, 1, 2],
    entropy: [0, Math.LN2, 0, Math.LN2],
    probability: [0.75, 0.5, 0.75, 0.5],
    rank: [1, 3, 2, 3],
    shares: [1, 2, 1, 2],
    fired_tokens: [150, 100, 75, 50],
    fired_examples: [5, 5, 4, 4],
    max: [2, 3, 4, 1],
    min: [0.5, 0.125, 1, 0.25],
    avg: [0.5, 2, 2, 0.5],
    global_max: [2, 3, 4, 3],
    global_min: [0.5, 0.125, 1, 0.125],
    global_avg: [0.5, 1.5, 2, 1.5],
    monolinguality: [0.375, 0.75, 1.5, -0.75],
    entropy_low: NONE,
    entropy_high: NONE,
    entropy_bias: NONE,
    probability_low: NONE,
    probability_high: NONE,
    p_value: NONE,
    q_value: NONE,
  });
});

Deno.test("certainty stands in the row of its feature; what cannot be told is null", () => {
  const sure = { entropyLow: 0.1, entropyHigh: 0.2, entropyBias: -0.01 };
  const columns = featureColumns(identified, undefined, {
    groups: 4,
    features: [
      [{ ...sure, probabilityLow: 0.5, probabilityHigh: 0.75 }, { pValue: 0.25, qValue: 0.5 }],
      [{ ...sure, entropyLow: NaN }, {}],
    ],
  });
  assert.deepEqual(columns.entropy_low, [0.1, null, null, null]);
  assert.deepEqual(columns.entropy_high, [0.2, null, 0.2, null]);
  assert.deepEqual(columns.entropy_bias, [-0.01, null, -0.01, null]);
  assert.deepEqual(columns.probability_low, [0.5, null, null, null]);
  assert.deepEqual(columns.probability_high, [0.75, null, null, null]);
  assert.deepEqual(columns.p_value, [null, 0.25, null, null]);
  assert.deepEqual(columns.q_value, [null, 0.5, null, null]);
});

Deno.test("codes add the column lang next to the language", () => {
  const columns = featureColumns(identified, new Map([["Hindi", "hi"]]));
  assert.deepEqual(Object.keys(columns).slice(0, 3), ["language", "lang", "layer"]);
  assert.deepEqual(columns.lang, ["hi", "hi", "", ""]);
});

Deno.test("no features give columns without rows", () => {
  const none = { ...identified, features: [[], []] };
  assert.ok(Object.values(featureColumns(none)).every((column) => column.length === 0));
});

Deno.test("a result that was read has the columns that its file keeps", () => {
  const result = { ...identified, examples: [5, 4], tokens: [200, 100], layers: 1 };
  const whole = featureColumns(identified, new Map([["Thai", "th"]]));
  const names = "language lang layer index entropy probability global_max global_min global_avg";
  assert.deepEqual(
    lapeColumns(result, new Map([["Thai", "th"]])),
    Object.fromEntries(names.split(" ").map((name) => [name, whole[name]])),
  );
});
