/**
 * Example embedding: are texts in which a latent fires nearer to others in which it fires than texts in
 * which it does not? It judges the latent, not an explanation (spec train-and-interpret B.9).
 */
import type { Example, LatentExamples } from "../example.ts";
import { areaUnderCurveEstimate } from "../metrics/area_under_curve.ts";
import { cosine } from "./embedding.ts";
import { latentRandom, shuffled } from "./orders.ts";
import type { EmbeddingScorer } from "./scorer.ts";

/**
 * A row of a score file: how much nearer a window in which the latent fires (`plus`), or does not
 * (`minus`), is to references in which it fires than to references in which it does not.
 */
export interface ComparedExamples {
  readonly batch: number;
  readonly delta_plus: number;
  readonly delta_minus: number;
}

const BATCHES = 20;
/** Most references of a kind. */
const REFERENCES = 10;

/** Compares windows with references, drawn anew for each of 20 batches. */
export function exampleEmbedding(seed: number): EmbeddingScorer<ComparedExamples> {
  return {
    asks: "embedder",
    name: "example_embedding",
    usesExplanation: false,
    async rows(latent, _explanation, embedder) {
      const { test, nonActivating } = latent;
      if (test.length < 2 || nonActivating.length < 2) return [];
      const examples = [...test, ...nonActivating];
      const vectors = await embedder.embed(examples.map(({ tokens }) => tokens.join("")));
      const vectorOf = new Map(examples.map((example, i) => [example, vectors[i]]));
      return comparisons(latent, vectorOf, seed);
    },
    file: (rows) => rows,
    score: (rows) => ({
      scored: rows.length,
      failed: 0,
      metrics: {
        auc: areaUnderCurveEstimate(
          rows.map(({ delta_plus }) => delta_plus),
          rows.map(({ delta_minus }) => delta_minus),
        ),
      },
      main: "auc",
    }),
  };
}

function comparisons(
  { latent, test, nonActivating }: LatentExamples,
  vectorOf: ReadonlyMap<Example, Float32Array>,
  seed: number,
): ComparedExamples[] {
  const random = latentRandom(seed, latent);
  const vectors = (examples: readonly Example[]) => examples.flatMap((e) => vectorOf.get(e) ?? []);
  return Array.from({ length: BATCHES }, (_, batch) => {
    const [plus, ...positive] = vectors(shuffled(random, test).slice(0, REFERENCES + 1));
    const [minus, ...negative] = vectors(shuffled(random, nonActivating).slice(0, REFERENCES + 1));
    const nearer = (query: Float32Array) => nearness(query, positive) - nearness(query, negative);
    return { batch, delta_plus: nearer(plus), delta_minus: nearer(minus) };
  });
}

function nearness(query: Float32Array, references: readonly Float32Array[]): number {
  const sum = references.reduce((total, reference) => total + cosine(query, reference), 0);
  return sum / references.length;
}
