/** Effects of interventions on scores that are written down. */
import assert from "node:assert/strict";
import {
  corpusRatio,
  diagonalDominance,
  type Impacted,
  type Intervention,
  interventionEffects,
  meanChange,
  type Scores,
} from "./effects.ts";
import type { TextScore } from "./perplexity.ts";

/** Texts of 1, 2, 3 … tokens, each worth so many nats. */
function scores(nats: readonly number[]): TextScore[] {
  return nats.map((value, i) => ({ tokens: i + 1, negativeLogLikelihood: value * (i + 1) }));
}

/** All texts of a language cost so many nats per token more. */
function shifted(impacted: readonly Impacted[], shifts: readonly number[]): Scores {
  return impacted.map(({ normal }, j) =>
    normal.map(({ tokens, negativeLogLikelihood }) => ({
      tokens,
      negativeLogLikelihood: negativeLogLikelihood + shifts[j] * tokens,
    }))
  );
}

const close = (value: number | undefined, expected: number) =>
  assert.ok(value !== undefined && Math.abs(value - expected) < 1e-12, `${value}, not ${expected}`);

const IMPACTED: Impacted[] = [
  { normal: scores([1, 2, 3, 4]), documents: [0, 0, 1, 2] },
  { normal: scores([2, 2, 1]), documents: [0, 1, 2] },
  { normal: scores([3, 1, 2]), documents: [0, 1, 2] },
];

Deno.test("the published change is a mean of perplexities, the ratio is of all tokens", () => {
  const normal = scores([Math.log(2), Math.log(4)]);
  const changed = scores([Math.log(3), Math.log(10)]);
  close(meanChange(normal, changed), (1 + 6) / 2);
  close(corpusRatio(normal, changed), (3 / 2 * (10 / 4) ** 2) ** (1 / 3));
});

Deno.test("own and others' changes, of an even change without any spread", () => {
  const intervention: Intervention = {
    own: 1,
    scores: shifted(IMPACTED, [0.1, 2, 0.3]),
    controls: [shifted(IMPACTED, [0, 0.5, 0]), shifted(IMPACTED, [0.4, 0.7, 0])],
  };
  const outsider = { own: undefined, scores: shifted(IMPACTED, [1, 2, 6]), controls: [] };
  const { each: [effect, other], mean } = interventionEffects(IMPACTED, [intervention, outsider]);
  const means = [effect.own, effect.others, effect.control_own, effect.control_others];
  [2, 0.2, 0.6, 0.1].forEach((expected, i) => {
    const { mean, low, high } = means[i] ?? assert.fail();
    [mean, low, high].forEach((value) => close(value ?? NaN, expected));
  });
  assert.equal(other.own, null);
  close(other.others?.mean, 3);
  assert.equal(other.control_others, null);
  close(mean.own?.mean, 2);
  close(mean.others?.mean, 1.6);
});

Deno.test("intervals resample documents, not texts, and are their seed's", () => {
  // language 0: 2 documents of 20 texts each, of changes 0 and 1: the mean is 0, 1/2 or 1
  const documents = Array.from({ length: 40 }, (_, i) => i < 20 ? 0 : 1);
  const normal = documents.map(() => ({ tokens: 5, negativeLogLikelihood: 10 }));
  const impacted = [{ normal, documents }];
  const changed = documents.map((document) => ({
    tokens: 5,
    negativeLogLikelihood: 10 + 5 * document,
  }));
  const interventions = [{ own: 0, scores: [changed], controls: [] }];
  const { each: [effect] } = interventionEffects(impacted, interventions, { seed: 4 });
  assert.deepEqual(effect, {
    own: { mean: 0.5, low: 0, high: 1 },
    ...{ others: null, control_own: null, control_others: null },
  });
  const many = documents.map((_, i) => i);
  const narrow = interventionEffects([{ normal, documents: many }], interventions, { seed: 4 });
  const { low, high } = narrow.each[0].own ?? assert.fail();
  // binomial: 1/2 ± 1.96 √(1/4 / 40)
  assert.ok(Math.abs((low ?? NaN) - 0.345) < 0.03 && Math.abs((high ?? NaN) - 0.655) < 0.03);
  assert.deepEqual(
    interventionEffects([{ normal, documents: many }], interventions, { seed: 4 }),
    narrow,
  );
});

Deno.test("one document has no interval", () => {
  const impacted = [{ normal: scores([1, 2]), documents: [7, 7] }, IMPACTED[0]];
  const interventions = [{ own: 0, scores: shifted(impacted, [1, 2]), controls: [] }];
  const { each: [{ own, others }] } = interventionEffects(impacted, interventions);
  assert.deepEqual([own?.low, own?.high], [null, null]);
  close(own?.mean, 1);
  close(others?.low ?? NaN, 2);
});

Deno.test("the own language is at an end when no other loses as much, or as little", () => {
  const by = (own: number | undefined, shifts: number[]) => ({
    own,
    scores: shifted(IMPACTED, shifts),
    controls: [],
  });
  const interventions = [
    by(0, [3, 1, 2]),
    by(1, [3, 1, 2]),
    by(2, [0, 0, 0]),
    by(undefined, [1, 2, 3]),
  ];
  assert.deepEqual(diagonalDominance(IMPACTED, interventions), { largest: 1, smallest: 1, of: 3 });
  assert.deepEqual(diagonalDominance(IMPACTED.slice(0, 1), [by(0, [1])]), {
    largest: 0,
    smallest: 0,
    of: 0,
  });
});
