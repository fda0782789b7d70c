/** Rows that are kept out of a training, to measure on what it has not seen. */
import type { TokenRows } from "../data/token_rows.ts";
import { type BatchOptions, type TrainingBatches, trainingBatches } from "./batches.ts";

/** Most tokens that are held out where a share is: more are no more certain, only slower. */
const MOST_TOKENS = 2 ** 17;

/** Rows to train on, and rows to measure on. */
export interface SplitRows {
  readonly training: TrainingBatches;
  /** Undefined where none are held out. */
  readonly heldOut: TrainingBatches | undefined;
}

/**
 * Holds out the last rows of the shuffled order: at least one where there are two, and no more than
 * 131,072 tokens of them. The others are trained on in the order that they would have without.
 *
 * @param share of the rows, from 0 (none) to below 1
 * @throws InputError for shares of languages that cannot be kept
 */
export function splitRows(tokens: TokenRows, options: BatchOptions, share: number): SplitRows {
  const { maxExamples = Infinity } = options;
  const all = trainingBatches(tokens, { ...options, maxExamples: undefined });
  const most = Math.max(1, Math.floor(MOST_TOKENS / all.contextLength));
  const held = Math.min(Math.ceil(all.rows * share), most, all.rows - 1);
  const kept = Math.min(maxExamples, all.rows - held);
  return {
    training: trainingBatches(tokens, { ...options, maxExamples: kept }),
    heldOut: held > 0
      ? trainingBatches(tokens, {
        ...options,
        firstExample: all.rows - held,
        maxExamples: held,
      })
      : undefined,
  };
}

/** All rows of other data, to measure on; as many tokens at most. */
export function measuredRows(tokens: TokenRows, options: BatchOptions): TrainingBatches {
  const most = Math.max(1, Math.floor(MOST_TOKENS / tokens.contextLength));
  return trainingBatches(tokens, { ...options, maxExamples: most });
}
