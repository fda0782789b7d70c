/** Neighbours as counting all pairs finds them. */
import assert from "node:assert/strict";
import { seededRandom } from "../../stats/random.ts";
import type { Decoder } from "../../sae/sae.ts";
import {
  coOccurrence,
  decoderSimilarity,
  encoderSimilarity,
  type Neighbour,
  type NeighbourLists,
} from "./neighbours.ts";

const LATENTS = 300;
const TOKENS = 500;

/** The likest of all others that `similarity` gives something for. */
function allPairs(
  latent: number,
  similarity: (other: number) => number | undefined,
): Neighbour[] {
  const all: Neighbour[] = [];
  for (let other = 0; other < LATENTS; other++) {
    const value = other === latent ? undefined : similarity(other);
    if (value !== undefined) all.push([value, other]);
  }
  return all.sort(([a, i], [b, j]) => b - a || i - j).slice(0, 250);
}

Deno.test("co-occurrence is Jaccard's index of tokens, of the pairs that fire together", async () => {
  const random = seededRandom(5);
  const sets = Array.from({ length: LATENTS }, (_, latent) => {
    const share = latent % 7 === 0 ? 0.2 : 0.004;
    return new Set(Array.from({ length: TOKENS }, (_, i) => i).filter(() => random() < share));
  });
  const pairs = sets.flatMap((set, latent) => [...set].map((token) => [token, latent] as const));
  // in two blocks, as two files would have them
  const blocks = [0, 1].map((half) => pairs.filter(([, latent]) => latent % 2 === half)).map((
    some,
  ) => ({ tokens: some.map(([token]) => token), latents: some.map(([, latent]) => latent) }));
  const entries = () => ReadableStream.from(blocks);
  const found = await coOccurrence([7, 8, 14, 299], entries);
  assert.deepEqual([...found.keys()], [7, 8, 14, 299]);
  for (const [latent, neighbours] of found) {
    const expected = allPairs(latent, (other) => {
      const both = sets[latent].intersection(sets[other]).size;
      return both > 0 ? both / sets[latent].union(sets[other]).size : undefined;
    });
    assert.deepEqual(neighbours, expected);
  }
  assert.ok(found.get(7)!.length > 100);
});

const WIDTH = 11;
const ROWS = Float32Array.from(
  { length: LATENTS * WIDTH },
  ((random) => () => random() - 0.5)(
    seededRandom(6),
  ),
);
// a latent without a row is like none
ROWS.fill(0, 20 * WIDTH, 21 * WIDTH);
const rowOf = (latent: number) => ROWS.slice(latent * WIDTH, (latent + 1) * WIDTH);

function checkCosines(found: NeighbourLists): void {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  for (const [latent, neighbours] of found) {
    const own = rowOf(latent);
    const expected = allPairs(latent, (other) => {
      const norms = Math.sqrt(dot(own, own) * dot(rowOf(other), rowOf(other)));
      return norms > 0 ? dot(own, rowOf(other)) / norms : 0;
    });
    assert.equal(neighbours.length, 250);
    assert.deepEqual(neighbours.map(([, other]) => other), expected.map(([, other]) => other));
    for (const [i, [cosine]] of neighbours.entries()) {
      assert.ok(Math.abs(cosine - expected[i][0]) < 1e-12);
    }
  }
}

Deno.test("similarity is the cosine of encoder rows", async () => {
  const encoder = {
    name: "encoder",
    rows: LATENTS,
    columns: WIDTH,
    type: "f32" as const,
    read: (from: number, to: number) =>
      Promise.resolve(new Uint8Array(ROWS.slice(from * WIDTH, to * WIDTH).buffer)),
  };
  checkCosines(await encoderSimilarity([0, 19, 20, 299], encoder));
});

Deno.test("similarity is the cosine of decoder rows", async () => {
  const decoder: Decoder = {
    bias: new Float32Array(WIDTH),
    rows: (latents) =>
      Promise.resolve(
        Float32Array.from(Array.from(latents, (latent) => [...rowOf(latent)]).flat()),
      ),
  };
  checkCosines(await decoderSimilarity([1, 20, 150], decoder, LATENTS));
});
