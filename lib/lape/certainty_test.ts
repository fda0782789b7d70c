import assert from "node:assert/strict";
import { groupedCounts } from "../../tests/support/grouped_counts.ts";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { entropyBootstrap } from "./bootstrap_entropy.ts";
import { certaintyOf, findingsBelow } from "./certainty.ts";
import { documentGroups } from "./document_groups.ts";
import { identifySaeLape } from "./identify_sae.ts";
import { permutationTest } from "./permutation.ts";
import { pool } from "./pool.ts";

/** Unit 0 is Hindi's, 1 is Thai's, 2 is of both, 3 never fires. */
const POOLED = pool([
  {
    language: "Hindi",
    counts: groupedCounts(
      [0, 1, 2, 3, 4].map((i) => ({ tokens: 10 + i, fired: [5 + i, 0, 4 + (i & 1), 0] })),
    ),
  },
  {
    language: "Thai",
    counts: groupedCounts(
      [0, 1, 2, 3, 4].map((i) => ({ tokens: 12 - i, fired: [i >> 2, 6, 5 - (i & 1), 0] })),
    ),
  },
]);
const IDENTIFIED = identifySaeLape(POOLED, { langSpecific: false });
const OPTIONS = { bootstrap: 60, permutations: 199, seed: 2 };

Deno.test("every feature has its own interval, p and q", async () => {
  const certainty = await certaintyOf(POOLED, IDENTIFIED, OPTIONS);
  assert.deepEqual(IDENTIFIED.features.map((list) => list.map(({ index }) => index)), [
    [0, 2],
    [1, 2],
  ]);
  const groups = documentGroups(POOLED)!;
  const intervalOf = entropyBootstrap(groups, 2, { replicates: 60, seed: 2 });
  const test = await permutationTest(groups, 2, 4, OPTIONS);
  const expected = IDENTIFIED.features.map((list, g) =>
    list.map(({ index }) => {
      const { entropy, bias, probabilities: [p] } = intervalOf(index, [g]);
      return {
        entropyLow: entropy.low,
        entropyHigh: entropy.high,
        entropyBias: bias,
        probabilityLow: p.low,
        probabilityHigh: p.high,
        pValue: test.pValues[index],
        qValue: test.qValues[index],
      };
    })
  );
  assert.deepEqual(certainty, { groups: 10, test, features: expected });
  assert.equal(test.tests, 3);
});

Deno.test("what is more than chance is counted, each feature once", async () => {
  const { features, test } = (await certaintyOf(POOLED, IDENTIFIED, OPTIONS))!;
  const below = (bar: number) => findingsBelow(bar, IDENTIFIED, features, test!);
  assert.deepEqual(below(0.05), { features: 2, units: 2 });
  assert.deepEqual(below(1.1), { features: 3, units: 3 });
  const onlyThai = { ...IDENTIFIED, features: [[], IDENTIFIED.features[1].slice(0, 1)] };
  const thai = findingsBelow(0.05, onlyThai, [[], features[1]], test!);
  assert.deepEqual(thai, { features: 1, units: 2 });
});

Deno.test("parts that are not asked for are left out", async () => {
  const parts: string[] = [];
  const progressed = (part: string) => void parts.push(part);
  const none = { ...OPTIONS, bootstrap: 0, progressed };
  const tested = (await certaintyOf(POOLED, IDENTIFIED, none))!;
  assert.deepEqual(Object.keys(tested.features[0][0]), ["pValue", "qValue"]);
  assert.deepEqual([...new Set(parts)], ["permutations"]);
  const sized = (await certaintyOf(POOLED, IDENTIFIED, { ...OPTIONS, permutations: 0 }))!;
  assert.equal(sized.test, undefined);
  assert.equal(sized.features[0][0].qValue, undefined);
});

Deno.test("counts that do not tell documents apart give nothing", async () => {
  const pooled = pool(POOLED.byLanguage.map(({ tokens, examples, firedTokens }, g) => ({
    language: POOLED.languages[g],
    counts: smallCounts({ tokens, examples, firedTokens: [...firedTokens] }),
  })));
  assert.equal(await certaintyOf(pooled, identifySaeLape(pooled), OPTIONS), undefined);
});
