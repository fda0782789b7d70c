/**
 * Embedding: are texts in which the latent fires nearer to its explanation than others, going by vectors
 * of their meaning? (spec train-and-interpret B.9)
 */
import type { Embedder } from "../../llm/chat.ts";
import { areaUnderCurveEstimate } from "../metrics/area_under_curve.ts";
import type { EmbeddingScorer } from "./scorer.ts";

/** A row of a score file, and whether the latent fires there. */
export interface EmbeddedExample {
  readonly text: string;
  readonly distance: number;
  /** Cosine of the text and the explanation. */
  readonly similarity: number;
  readonly activating: boolean;
}

/** The explanation as models for retrieval expect a query. */
export function embeddingQuery(explanation: string): string {
  return "Instruct: Retrieve sentences that could be related to the explanation.\n" +
    `Query:${explanation}`;
}

/** Compares the explanation with every window. */
export function embedding(): EmbeddingScorer<EmbeddedExample> {
  return {
    asks: "embedder",
    name: "embedding",
    usesExplanation: true,
    async rows({ test, nonActivating }, explanation, embedder: Embedder) {
      const examples = [...nonActivating, ...test];
      const texts = examples.map(({ tokens }) => tokens.join(""));
      const [query, ...vectors] = await embedder.embed([embeddingQuery(explanation), ...texts]);
      return examples.map(({ distance, activating }, i) => ({
        text: texts[i],
        distance,
        similarity: cosine(query, vectors[i]),
        activating,
      }));
    },
    file: (rows) => rows.map(({ text, distance, similarity }) => ({ text, distance, similarity })),
    score(rows) {
      const similarities = (activating: boolean) =>
        rows.filter((row) => row.activating === activating).map(({ similarity }) => similarity);
      return {
        scored: rows.length,
        failed: 0,
        metrics: { auc: areaUnderCurveEstimate(similarities(true), similarities(false)) },
        main: "auc",
      };
    },
  };
}

/** Cosine of vectors of unit length. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
