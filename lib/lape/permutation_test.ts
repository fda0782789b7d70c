import assert from "node:assert/strict";
import { seededRandom } from "../stats/random.ts";
import type { DocumentGroup } from "./document_groups.ts";
import { entropy } from "./entropy.ts";
import { permutationTest } from "./permutation.ts";

/** A group of a language; `fired` of each unit. */
function group(language: number, tokens: number, fired: readonly number[]): DocumentGroup {
  const entries = [...fired.entries()].filter(([, count]) => count > 0);
  return {
    language,
    tokens,
    units: Uint32Array.from(entries, ([unit]) => unit),
    firedTokens: Uint32Array.from(entries, ([, count]) => count),
  };
}

/** Entropy of a unit when group i is of language `labels[i]`, straight from the formula. */
function entropyUnder(groups: readonly DocumentGroup[], labels: readonly number[], unit: number) {
  const languages = [...new Set(labels)].sort();
  return entropy(languages.map((language) => {
    const own = groups.filter((_, i) => labels[i] === language);
    const fired = own.map(({ units, firedTokens }) => firedTokens[units.indexOf(unit)] ?? 0);
    return fired.reduce((a, b) => a + b, 0) / own.reduce((sum, { tokens }) => sum + tokens, 0);
  }));
}

/** All orders of a list. */
function orders(list: readonly number[]): number[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((first, i) => orders(list.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}

/** Share of all assignments with an entropy as low as the one that was seen. */
function exactShare(groups: readonly DocumentGroup[], unit: number): number {
  const labels = groups.map(({ language }) => language);
  const bar = entropyUnder(groups, labels, unit) + 1e-10;
  const all = orders(labels);
  return all.filter((drawn) => entropyUnder(groups, drawn, unit) <= bar).length / all.length;
}

Deno.test("p-values are the shares over all assignments, as far as those drawn tell", async () => {
  const groups = [
    group(0, 10, [4, 0, 3, 0, 0, 2, 0]),
    group(0, 13, [5, 0, 0, 0, 0, 9, 0]),
    group(0, 7, [2, 0, 1, 0, 0, 1, 0]),
    group(1, 20, [0, 6, 0, 0, 0, 3, 0]),
    group(1, 11, [0, 0, 2, 0, 7, 2, 0]),
    group(2, 9, [0, 0, 9, 1, 0, 5, 0]),
    group(2, 30, [0, 0, 1, 8, 0, 6, 0]),
  ];
  const permutations = 20_000;
  const { pValues, tests } = await permutationTest(groups, 3, 7, { permutations });
  assert.equal(tests, 6);
  assert.ok(Number.isNaN(pValues[6]), "what never fired is not tested");
  for (let unit = 0; unit < 6; unit++) {
    const exact = exactShare(groups, unit);
    // five standard errors
    const tolerance = 5 * Math.sqrt(exact * (1 - exact) / permutations) + 1 / permutations;
    assert.ok(Math.abs(pValues[unit] - exact) <= tolerance, `${unit}: ${pValues[unit]}, ${exact}`);
  }
  // hand-counted: the groups of the first language in which unit 0 fires are 3 of 7; there is
  // one choice of 3 that is theirs, and no other language has room for them
  assert.equal(exactShare(groups, 0), 1 / 35);
  assert.equal(pValues[1], 1, "in one group: in one language, whichever it is");
});

Deno.test("activity without regard to language gives p-values as even as chance", async () => {
  const random = seededRandom(9);
  const units = 1500;
  const groups = Array.from(
    { length: 24 },
    (_, i) =>
      group(
        i % 3,
        50 + i,
        Array.from({ length: units }, () => random() < 0.6 ? 1 + Math.floor(random() * 40) : 0),
      ),
  );
  const { pValues, qValues } = await permutationTest(groups, 3, units, { permutations: 199 });
  for (const share of [0.05, 0.25, 0.5, 0.75]) {
    const below = pValues.filter((p) => p <= share).length / units;
    // five standard errors of a share of 1500, and a little for ties
    assert.ok(Math.abs(below - share) < 5 * Math.sqrt(share * (1 - share) / units), `${below}`);
  }
  assert.ok(qValues.every((q) => q > 0.05), "nothing is found where there is nothing");
});

Deno.test("one seed, one result, wherever a unit stands", async () => {
  const fired = [[3, 0, 1], [2, 1, 1], [0, 4, 1], [1, 3, 1]];
  const wide = (row: readonly number[]) => Array.from({ length: 2500 }, (_, u) => row[u % 3]);
  const groups = fired.map((row, i) => group(i >> 1, 10 + i, wide(row)));
  const told: number[] = [];
  const options = {
    permutations: 99,
    seed: 4,
    progressed: (units: number) => void told.push(units),
  };
  const { pValues } = await permutationTest(groups, 2, 2500, options);
  pValues.forEach((p, unit) => assert.equal(p, pValues[unit % 3], `${unit}`));
  assert.deepEqual((await permutationTest(groups, 2, 2500, options)).pValues, pValues);
  assert.equal(told.at(-1), 2500);
  assert.ok(pValues.every((p) => p >= 1 / 100), "never 0");
});
