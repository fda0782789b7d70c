import assert from "node:assert/strict";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { InputError } from "../formats/input_error.ts";
import { entropy } from "./entropy.ts";
import { identifySaeLape } from "./identify_sae.ts";
import { pool } from "./pool.ts";
import { type IdentifiedCounts, replicate } from "./replication.ts";

/** Texts of 100 tokens a language; fired tokens by language. */
function identified(fired: Readonly<Record<string, readonly number[]>>): IdentifiedCounts {
  const pooled = pool(
    Object.entries(fired).map(([language, firedTokens]) => ({
      language,
      counts: smallCounts({ examples: 3, tokens: 100, firedTokens }),
    })),
  );
  return { pooled, identification: identifySaeLape(pooled) };
}

// Features of Hindi: 0, 1, 2 and then 0, 1, 4; of Thai: 3, 5 and then 2, 3; 6 never fires.
const FIRST = identified({
  Hindi: [90, 80, 70, 10, 5, 0, 0],
  Thai: [5, 20, 30, 90, 4, 50, 0],
});
const SECOND = identified({
  Hindi: [80, 90, 20, 5, 60, 9, 0],
  Thai: [20, 5, 70, 60, 0, 5, 0],
});

Deno.test("what is found again, by language and over all", () => {
  const { languages, all, top } = replicate(FIRST, SECOND, 2);
  assert.equal(top, 2);
  const [hindi, thai] = languages;
  const { correlation, ...agreement } = hindi;
  assert.deepEqual(agreement, {
    language: "Hindi",
    first: 3,
    second: 3,
    both: 2,
    jaccard: 2 / 4,
    // lowest entropies: 0, 1 and then 4, 1
    jaccardTop: 1 / 3,
    sameOwner: 2 / 3,
  });
  // entropies of 0, 1, 2, 4 rank 1, 2, 3, 4 and 3, 2, 4, 1
  assert.ok(Math.abs(correlation - (1 - 6 * (4 + 0 + 1 + 9) / (4 * 15))) < 1e-12);
  assert.deepEqual([thai.first, thai.second, thai.both, thai.jaccard], [2, 2, 1, 1 / 3]);
  // 3 stays, 5 goes over to Hindi, where it is no candidate
  assert.equal(thai.sameOwner, 1 / 2);
  assert.deepEqual([all.first, all.second, all.both], [5, 5, 3]);
  assert.equal(all.jaccard, 3 / 7);
  assert.equal(all.jaccardTop, 2 / 6);
  assert.equal(all.sameOwner, 3 / 5);
});

Deno.test("the entropies of the premise rank as the test says", () => {
  const ranksOf = ({ pooled: { byLanguage } }: IdentifiedCounts) => {
    const entropies = [0, 1, 2, 4].map((at) => entropy(byLanguage.map((c) => c.firedTokens[at])));
    return entropies.map((h) => 1 + entropies.filter((other) => other < h).length);
  };
  assert.deepEqual([ranksOf(FIRST), ranksOf(SECOND)], [[1, 2, 3, 4], [3, 2, 4, 1]]);
});

Deno.test("the same texts agree with themselves", () => {
  const { languages, all } = replicate(FIRST, FIRST);
  for (const { jaccard, jaccardTop, sameOwner } of [...languages, all]) {
    assert.deepEqual([jaccard, jaccardTop, sameOwner], [1, 1, 1]);
  }
  assert.ok(Math.abs(all.correlation - 1) < 1e-12);
});

Deno.test("where there is nothing to compare there is no number", () => {
  const { languages } = replicate(
    identified({ Hindi: [90], Thai: [2] }),
    identified({ Hindi: [90], Thai: [2] }),
  );
  const [, { jaccard, jaccardTop, correlation, sameOwner }] = languages;
  assert.ok([jaccard, jaccardTop, correlation, sameOwner].every(Number.isNaN));
});

Deno.test("texts of other languages are refused by name", () => {
  const other = identified({ Hindi: [90], Turkish: [2] });
  assert.throws(() => replicate(identified({ Hindi: [90], Thai: [2] }), other), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /lacks Thai and has Turkish besides/);
    return true;
  });
});
