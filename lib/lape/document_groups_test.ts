import assert from "node:assert/strict";
import { groupedCounts } from "../../tests/support/grouped_counts.ts";
import { smallCounts } from "../../tests/support/small_counts.ts";
import { documentGroups, firedIn, unitBlocks } from "./document_groups.ts";
import { pool } from "./pool.ts";

const THAI = [{ tokens: 5, fired: [0, 2, 0, 1, 5] }];
const HINDI = [{ tokens: 7, fired: [3, 0, 0, 0, 7] }, { tokens: 9, fired: [0, 0, 0, 4, 9] }];

function groupsOf(...languages: Parameters<typeof pool>[0][]) {
  return documentGroups(pool(languages.flatMap((entries) => [...entries])));
}

Deno.test("groups of all languages, with what fired in each", () => {
  const groups = groupsOf([
    { language: "Thai", counts: groupedCounts(THAI) },
    { language: "Hindi", counts: groupedCounts(HINDI) },
  ])!;
  assert.deepEqual(groups.map(({ language, tokens }) => [language, tokens]), [
    [0, 7],
    [0, 9],
    [1, 5],
  ]);
  const fired = groups.map((group) => [0, 1, 2, 3, 4, 5].map((unit) => firedIn(group, unit)));
  assert.deepEqual(fired, [[3, 0, 0, 0, 7, 0], [0, 0, 0, 4, 9, 0], [0, 2, 0, 1, 5, 0]]);
});

Deno.test("texts without documents give no groups; no texts need none", () => {
  const thai = { language: "Thai", counts: groupedCounts(THAI) };
  const apart = { examples: 1, tokens: 4, firedTokens: [1, 1, 1, 1, 1] };
  const none = { examples: 0, tokens: 0, firedTokens: [0, 0, 0, 0, 0] };
  assert.equal(groupsOf([thai, { language: "Hindi", counts: smallCounts(apart) }]), undefined);
  const groups = groupsOf([thai, { language: "Hindi", counts: smallCounts(none) }])!;
  assert.deepEqual(groups.map(({ language }) => language), [1]);
});

Deno.test("blocks of units are the groups transposed, whatever their size", () => {
  const groups = groupsOf([
    { language: "Thai", counts: groupedCounts(THAI) },
    { language: "Hindi", counts: groupedCounts(HINDI) },
  ])!;
  for (const most of [1, 2, 3, 5, 8]) {
    const seen: number[][] = [];
    for (const { first, offsets, group, firedTokens } of unitBlocks(groups, 5, most)) {
      for (let i = 0; i + 1 < offsets.length; i++) {
        for (let entry = offsets[i]; entry < offsets[i + 1]; entry++) {
          seen.push([first + i, group[entry], firedTokens[entry]]);
        }
      }
    }
    const expected = [0, 1, 2, 3, 4].flatMap((unit) =>
      groups.map((group, g) => [unit, g, firedIn(group, unit)]).filter(([, , fired]) => fired > 0)
    );
    assert.deepEqual(seen, expected, `${most} at a time`);
  }
});
