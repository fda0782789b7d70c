/** Fuzzing: are the marked tokens those on which the latent fires? (spec train-and-interpret B.7) */
import type { Example, LatentExamples } from "../example.ts";
import {
  type Marked,
  markedText,
  quotedMarkedText,
  strongOrEqual,
} from "../prompts/marked_text.ts";
import type { ClassifierTexts } from "../prompts/prompt_texts.ts";
import { classifier, type ClassifierOptions, type Sample } from "./classifier.ts";
import { markCounts, publishedMarkCount, publishedWrongMarks, wrongMarks } from "./fuzz_marks.ts";
import { latentRandom } from "./orders.ts";
import type { ChatScorer } from "./scorer.ts";

/** What the published code asks about instead of a window of which only one token can be marked. */
const PUBLISHED_STOPGAP =
  "<<NNsight>> is the best library for <<interpretability>> on huge models!";

/** How fuzzing asks. */
export interface FuzzOptions extends ClassifierOptions {
  /** "active": what is marked wrongly are windows in which the latent fires, on other tokens. */
  readonly fuzzType: "default" | "active";
}

/** Asks of texts with marked tokens, of which some are marked wrongly. */
export function fuzz(texts: ClassifierTexts, options: FuzzOptions): ChatScorer {
  const { compat, fuzzType, seed } = options;
  const samplesOf = fuzzType === "active"
    ? (latent: LatentExamples) => samples(latent, latent.test, seed)
    : compat === "paper"
    ? publishedSamples
    : (latent: LatentExamples) => samples(latent, latent.nonActivating, seed);
  return classifier("fuzz", texts, samplesOf, options);
}

/** @param wrong windows to mark wrongly; those in which no token can be are left out */
function samples(latent: LatentExamples, wrong: readonly Example[], seed: number): Sample[] {
  const random = latentRandom(seed, latent.latent);
  const counts = markCounts(random, latent.test, wrong.length);
  const negatives = wrong.flatMap((example, i) => {
    const marked = isFiring(example) && !example.activating
      ? strongOrEqual(example)
      : wrongMarks(random, example, counts[i]);
    if (!marked) return [];
    // a window in which the latent fires is at no distance as an example of where it does not
    const shown = example.activating ? { ...example, distance: -1 } : example;
    return [sample(shown, false, quotedMarkedText, marked)];
  });
  const positives = latent.test.map((example) =>
    sample(example, true, quotedMarkedText, strongOrEqual(example))
  );
  return [...negatives, ...positives];
}

function publishedSamples({ test, nonActivating }: LatentExamples): Sample[] {
  const count = publishedMarkCount(test);
  const negatives = nonActivating.map((example): Sample => {
    if (isFiring(example)) return sample(example, false, markedText, strongOrEqual(example));
    const { length } = example.tokens;
    if (length === 1) return { example, activating: false, text: PUBLISHED_STOPGAP };
    return sample(example, false, markedText, publishedWrongMarks(length, count));
  });
  const positives = test.map((example) =>
    sample(example, true, markedText, strongOrEqual(example))
  );
  return [...negatives, ...positives];
}

function sample(
  example: Example,
  activating: boolean,
  written: (tokens: readonly string[], marked: Marked) => string,
  marked: Marked,
): Sample {
  return { example, activating, text: written(example.tokens, marked) };
}

/** Windows of neighbours carry the activations of the neighbour. */
function isFiring({ activations }: Example): boolean {
  return activations.some((value) => value > 0);
}
