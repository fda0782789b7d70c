import assert from "node:assert/strict";
import { addCounts, addFirings, type LatentPair, noFiring, pairsByUnit } from "./joint_firing.ts";

/** Units of each token, with values of 1. */
function fired(tokens: readonly (readonly number[])[]) {
  const offsets = Uint32Array.from([
    0,
    ...tokens.map((_, i) => tokens.slice(0, i + 1).flat().length),
  ]);
  const units = Uint32Array.from(tokens.flat());
  return { offsets, units, values: new Float32Array(units.length).fill(1) };
}

// 4 is in two pairs, and one pair is a latent and itself
const PAIRS: LatentPair[] = [
  { target: 0, feature: 4, opposing: 9 },
  { target: 0, feature: 1, opposing: 4 },
  { target: 1, feature: 9, opposing: 2 },
  { target: 1, feature: 5, opposing: 5 },
];

Deno.test("tokens are counted for either latent and for both, per hookpoint", () => {
  const counts = noFiring(PAIRS);
  const ids = Uint32Array.of(7, 8, 7);
  const first = fired([[9, 4], [4, 1], [4, 9, 1]]);
  const second = fired([[9], [2, 5], []]);
  addFirings(counts, PAIRS, pairsByUnit(PAIRS, 2), ids, [first, second]);
  assert.deepEqual(counts.feature, [3, 2, 1, 1]);
  assert.deepEqual(counts.opposing, [2, 3, 1, 1]);
  assert.deepEqual(counts.both.map((tokens) => [...tokens]), [
    [[7, 2]],
    [[8, 1], [7, 1]],
    [],
    [[8, 1]],
  ]);

  const twice = noFiring(PAIRS);
  addCounts(twice, counts);
  addCounts(twice, counts);
  assert.deepEqual(twice.feature, [6, 4, 2, 2]);
  assert.deepEqual(twice.opposing, [4, 6, 2, 2]);
  assert.deepEqual([...twice.both[1]], [[8, 2], [7, 2]]);
});
