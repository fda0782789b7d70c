import assert from "node:assert/strict";
import { figuresOf, type Sums, total } from "./figures.ts";

const PART: Sums = {
  tokens: 10,
  error: 3,
  variation: 20,
  offset: 5,
  active: 40,
  predicted: 8,
  loss: 16,
  losses: { sae: 20, zero: 32, mean: 28 },
  divergences: { sae: 2, zero: 8, mean: 4 },
};

Deno.test("figures of a language are around its own mean, of all around theirs", () => {
  const own = figuresOf(PART, 50, 5, false);
  assert.equal(own.fvu, 3 / 15);
  assert.equal(figuresOf(PART, 50, 5, true).fvu, 3 / 20);
  assert.equal(own.l0, 4);
  assert.equal(own.dead_share, 0.1);
  assert.deepEqual([own.ce_original, own.ce_sae, own.ce_zero, own.ce_mean], [2, 2.5, 4, 3.5]);
  assert.deepEqual([own.ce_recovered_zero, own.ce_recovered_mean], [0.75, 1 / 1.5]);
  assert.deepEqual([own.kl_recovered_zero, own.kl_recovered_mean], [0.75, 0.5]);
});

Deno.test("languages add up; what was not measured is null", () => {
  const both = total([PART, { ...PART, error: 1, losses: { sae: 0, zero: 0, mean: 0 } }]);
  assert.deepEqual([both.tokens, both.error, both.loss], [20, 4, 32]);
  assert.deepEqual(both.losses, PART.losses);
  assert.deepEqual(both.divergences, { sae: 4, zero: 16, mean: 8 });

  const unspliced = total([PART, { ...PART, loss: null, losses: null, divergences: null }]);
  const figures = figuresOf(unspliced, 50, 0, true);
  assert.deepEqual([figures.ce_sae, figures.kl_recovered_zero, figures.fvu], [null, null, 0.15]);

  const nothing = figuresOf(total([]), 50, 50, true);
  assert.deepEqual([nothing.fvu, nothing.l0, nothing.ce_original], [null, null, null]);
});
