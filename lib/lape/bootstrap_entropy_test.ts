import assert from "node:assert/strict";
import { entropyBootstrap } from "./bootstrap_entropy.ts";
import type { DocumentGroup } from "./document_groups.ts";
import { entropy } from "./entropy.ts";

/** A group in which unit 3 fires, and nothing else. */
function group(language: number, tokens: number, fired: number): DocumentGroup {
  const there = fired > 0 ? 1 : 0;
  return {
    language,
    tokens,
    units: Uint32Array.of(3).subarray(0, there),
    firedTokens: Uint32Array.of(fired).subarray(0, there),
  };
}

function assertClose(actual: number, expected: number, tolerance = 1e-12): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);
}

// Two groups a language: a resample has the first twice, each once, or the second twice
// (probabilities 1/4, 1/2, 1/4), so that every end of an interval is the end of all there is.
const GROUPS = [group(0, 10, 4), group(0, 30, 3), group(1, 8, 1), group(1, 16, 0)];
const HINDI = [8 / 20, 7 / 40, 6 / 60];
const THAI = [2 / 16, 1 / 24, 0];
const WEIGHTS = [1 / 4, 1 / 2, 1 / 4];

Deno.test("intervals span what resampled documents give", () => {
  const found = entropyBootstrap(GROUPS, 2)(3, [1, 0]);
  const all = HINDI.flatMap((hindi) => THAI.map((thai) => entropy([hindi, thai])));
  assertClose(found.entropy.low, Math.min(...all));
  assertClose(found.entropy.high, Math.max(...all));
  assert.deepEqual(found.probabilities, [
    { low: THAI[2], high: THAI[0] },
    { low: HINDI[2], high: HINDI[0] },
  ]);
});

Deno.test("the bias is what resampling adds on average", () => {
  const { bias } = entropyBootstrap(GROUPS, 2, { replicates: 20_000 })(3, []);
  let expected = -entropy([HINDI[1], THAI[1]]);
  HINDI.forEach((hindi, i) =>
    THAI.forEach((thai, j) => expected += WEIGHTS[i] * WEIGHTS[j] * entropy([hindi, thai]))
  );
  assert.ok(expected < -0.05, "resampling makes it narrower");
  assertClose(bias, expected, 0.01);
});

Deno.test("documents are drawn whole: clustering widens the interval", () => {
  // 20 documents of 100 tokens; half fire on all tokens, half on none: as tokens, the standard
  // error would be sqrt(.25 / 2000) = 0.011; as documents it is sqrt(.25 / 20) = 0.112
  const language = (g: number) =>
    Array.from({ length: 20 }, (_, i) => group(g, 100, i % 2 === 0 ? 100 : 0));
  const { probabilities: [{ low, high }] } = entropyBootstrap(
    [...language(0), ...language(1)],
    2,
  )(3, [0]);
  assertClose(high - low, 2 * 1.96 * 0.112, 0.06);
});

Deno.test("one document tells nothing of the spread among documents", () => {
  const { entropy, bias, probabilities } = entropyBootstrap(
    [group(0, 10, 4), group(1, 9, 2), group(1, 5, 1)],
    2,
  )(3, [0, 1]);
  assert.ok([entropy.low, entropy.high, bias, probabilities[0].low].every(Number.isNaN));
  assert.equal(probabilities[1].low, 1 / 5);
});

Deno.test("a language without texts stays out of the way, an inactive unit has no entropy", () => {
  const intervalOf = entropyBootstrap(GROUPS, 3);
  assert.deepEqual(intervalOf(3, [2]).probabilities, [{ low: 0, high: 0 }]);
  assertClose(intervalOf(3, []).entropy.low, entropyBootstrap(GROUPS, 2)(3, []).entropy.low);
  const { entropy, probabilities } = intervalOf(4, [0]);
  assert.ok(Number.isNaN(entropy.low));
  assert.deepEqual(probabilities, [{ low: 0, high: 0 }]);
});

Deno.test("one seed gives one interval, whatever was asked before", () => {
  const groups = Array.from({ length: 12 }, (_, i) => group(i % 2, 10 + i, (i * 5) % 9));
  const intervalOf = entropyBootstrap(groups, 2, { seed: 3, replicates: 50 });
  intervalOf(4, [0]);
  assert.deepEqual(
    intervalOf(3, [0, 1]),
    entropyBootstrap(groups, 2, { seed: 3, replicates: 50 })(3, [0, 1]),
  );
  assert.notDeepEqual(
    intervalOf(3, [0, 1]),
    entropyBootstrap(groups, 2, { seed: 4, replicates: 50 })(3, [0, 1]),
  );
});
