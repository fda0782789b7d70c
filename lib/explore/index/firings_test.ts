import assert from "node:assert/strict";
import { seededRandom } from "../../stats/random.ts";
import {
  binOf,
  decodeFirings,
  decodeHistogram,
  encodeFirings,
  encodeHistogram,
  FiringCollector,
  type Firings,
  noFirings,
  textRuns,
} from "./firings.ts";
import { BINS } from "./schema.ts";

interface Firing {
  readonly slot: number;
  readonly text: number;
  readonly token: number;
  readonly value: number;
}

/** Texts in order, tokens in order, slots in any. */
function randomFirings(seed: number, slots: number, texts: number): Firing[] {
  const random = seededRandom(seed);
  const firings: Firing[] = [];
  for (let text = 0; text < texts; text++) {
    for (let token = 0; token < 20; token++) {
      for (let slot = 0; slot < slots; slot++) {
        if (random() < 0.9) continue;
        firings.push({ slot, text, token, value: Math.fround(0.01 + 5 * random()) });
      }
    }
  }
  return firings;
}

/** The definition: texts by their largest value, the first of equal ones. */
function reference(
  firings: readonly Firing[],
  slot: number,
  most: number,
  always: (text: number) => boolean,
): Firing[] {
  const texts = Map.groupBy(firings.filter((firing) => firing.slot === slot), ({ text }) => text);
  return [...texts].map(([text, own]) => ({ text, own, max: Math.max(...own.map((f) => f.value)) }))
    .sort((a, b) => b.max - a.max || a.text - b.text)
    .filter(({ text }, rank) => rank < most || always(text))
    .flatMap(({ own }) => own);
}

function listed(slot: number, { texts, tokens, values }: Firings): Firing[] {
  return Array.from(
    texts,
    (text, i) => ({ slot, text, token: tokens[i], value: values[i] }),
  );
}

for (const [most, held] of [[Infinity, 50], [3, 2 ** 20], [3, 40], [1, 10]]) {
  Deno.test(`the ${most} strongest texts are kept when ${held} firings are held`, () => {
    const slots = 7;
    const firings = randomFirings(5, slots, 60);
    const always = (text: number) => text % 17 === 0;
    const collector = new FiringCollector(slots, { texts: most, always }, held);
    let last = 0;
    for (const { slot, text, token, value } of firings) {
      if (text !== last) collector.relieve();
      last = text;
      collector.add(slot, text, token, value);
    }
    const found = new Map(collector.strongest());
    for (let slot = 0; slot < slots; slot++) {
      const expected = reference(firings, slot, most, always);
      assert.ok(expected.length > 0);
      assert.deepEqual(listed(slot, found.get(slot) ?? noFirings()), expected);
    }
  });
}

Deno.test("latents that never fire are left out", () => {
  const collector = new FiringCollector(5, { texts: 2, always: () => false });
  collector.add(3, 0, 1, 2);
  assert.deepEqual([...collector.strongest()].map(([slot]) => slot), [3]);
});

Deno.test("firings are decoded as they were, from fewer bytes", () => {
  const firings: Firings = {
    texts: Uint32Array.of(900, 900, 900, 2, 70_000, 70_000),
    tokens: Uint32Array.of(0, 1, 130, 7, 5, 66_000),
    values: Float32Array.of(1, 0.1, 3, 1e-8, 2, 1),
  };
  const bytes = encodeFirings(firings);
  assert.deepEqual(decodeFirings(bytes), firings);
  assert.ok(bytes.length < 6 * 12 * 0.75, `${bytes.length} bytes`);
  assert.deepEqual(textRuns(firings).map(({ text, from, end }) => [text, from, end]), [
    [900, 0, 3],
    [2, 3, 4],
    [70_000, 4, 6],
  ]);
  assert.deepEqual(decodeFirings(encodeFirings(noFirings())), noFirings());
});

Deno.test("bytes that lie at odd places are decoded", () => {
  const bytes = encodeFirings({
    texts: Uint32Array.of(1),
    tokens: Uint32Array.of(2),
    values: Float32Array.of(3.5),
  });
  const moved = new Uint8Array(bytes.length + 1);
  moved.set(bytes, 1);
  assert.deepEqual([...decodeFirings(moved.subarray(1)).values], [3.5]);
});

Deno.test("every activation has its interval, the largest the last", () => {
  assert.deepEqual([0, 0.1, 4.99, 5, 10].map((value) => binOf(value, 10)), [
    0,
    0,
    Math.floor(BINS * 0.499),
    BINS / 2,
    BINS - 1,
  ]);
  const counts = Uint32Array.from({ length: BINS }, (_, i) => i * i * 100);
  assert.deepEqual(decodeHistogram(encodeHistogram(counts)), [...counts]);
});
