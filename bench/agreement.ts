/** Whether a peer made of the same input what we did: times of different work must not be compared. */
import { WrongResult } from "./workload.ts";

/** Greedy continuations, as peers/transformers_peer.py writes them. */
export interface GreedyAnswer {
  /** [texts][steps] */
  readonly ids: readonly (readonly number[])[];
  /** [texts][steps]: how far the largest logit is above the second. */
  readonly margins: readonly (readonly number[])[];
  /** Logits of the first text's first new token: [vocabulary]. */
  readonly first_logits: readonly number[];
}

/** Relative to the largest logit: two passes in f32 that add in different orders. */
const LOGIT_TOLERANCE = 1e-4;

/** Relative: sums over thousands of tokens. */
const SCORE_TOLERANCE = 1e-4;

/**
 * Compares greedy texts. Where two logits are as good as equal either may be chosen; what comes after
 * is another text.
 *
 * @param ids ours: [texts][steps]
 * @param firstLogits ours: [vocabulary]
 * @returns texts that part at such a tie
 * @throws WrongResult when logits differ, or ids without a tie
 */
export function checkGreedy(
  ids: readonly ArrayLike<number>[],
  firstLogits: ArrayLike<number>,
  peer: GreedyAnswer,
): number {
  const largest = peer.first_logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const tolerance = LOGIT_TOLERANCE * largest;
  const difference = peer.first_logits.reduce(
    (most, value, token) => Math.max(most, Math.abs(value - firstLogits[token])),
    0,
  );
  if (!(difference <= tolerance) || firstLogits.length !== peer.first_logits.length) {
    throw new WrongResult(`logits differ by ${difference}, where at most ${tolerance} is expected`);
  }
  let ties = 0;
  for (const [text, expected] of peer.ids.entries()) {
    const step = expected.findIndex((id, at) => ids[text][at] !== id);
    if (step < 0) continue;
    const margin = peer.margins[text][step];
    if (margin > 2 * tolerance) {
      throw new WrongResult(
        `token ${step} of text ${text} is ${ids[text][step]}, expected ${expected[step]}, whose ` +
          `logit is ${margin} above the next`,
      );
    }
    ties++;
  }
  return ties;
}

/**
 * Compares what texts score in all.
 *
 * @throws WrongResult when they differ
 */
export function checkScore(ours: number, theirs: number): void {
  if (Math.abs(ours / theirs - 1) <= SCORE_TOLERANCE) return;
  throw new WrongResult(`negative log-likelihood ${ours}, expected ${theirs}`);
}
