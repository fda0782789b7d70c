/** From scores to a language. */

/** Which language a text's scores name. */
export interface Prediction {
  /** Position of the largest score; the first of several. */
  readonly language: number;
  /** How many languages have it. */
  readonly sharedBy: number;
  /** Whether every score is 0: nothing speaks for any language, and the first is named. */
  readonly empty: boolean;
}

/**
 * The language with the largest score. Ties go to the first language, as published: alphabetically,
 * for languages are in that order.
 *
 * @param scores one per language, at least one
 */
export function predict(scores: readonly number[]): Prediction {
  const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  return {
    language: scores.indexOf(largest),
    sharedBy: scores.filter((score) => score === largest).length,
    empty: scores.every((score) => score === 0),
  };
}
