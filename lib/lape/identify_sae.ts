/**
 * SAE-LAPE (arXiv 2507.11230; spec 6.2): which SAE latents belong to which language.
 *
 * A latent is a candidate if it fires in nearly all examples of some language and on more than a
 * tenth of the tokens of some language. Candidates are ranked by the entropy of their activation
 * probabilities; each belongs to every language that reaches a share of its highest probability.
 */
import { InputError } from "../formats/input_error.ts";
import { type Arithmetic, float32, float64 } from "./entropy.ts";
import {
  type Candidate,
  featuresOf,
  type Identification,
  rankCandidates,
  shareHistogram,
} from "./identification.ts";
import type { PooledCounts } from "./pool.ts";

/** Fixed by the original: a latent must fire on more than this share of some language's tokens. */
export const HIGH_FREQUENCY_RATE = 0.1;

/** Options of `identify`, named as on the command line. */
export interface SaeLapeOptions {
  /** Share of a language's examples in which a candidate must fire; 0 switches the rule off. */
  readonly exampleRate: number;
  /** A language owns a candidate from this share of the candidate's highest probability on. */
  readonly topkThresholdRatio: number;
  /** Keep this many features per language (or per layer); null or 0 keeps all. */
  readonly top: number | null;
  /** `top` counts per layer instead of per language. */
  readonly topPerLayer: boolean;
  /** `top` keeps the most probable instead of the lowest in entropy; no effect without `top`. */
  readonly topByFrequency: boolean;
  /** Keep only features whose entropy in nats is at most this; null keeps all. */
  readonly entropyThreshold: number | null;
  /** Keep only features of exactly one language; wins over `langShared`. */
  readonly langSpecific: boolean;
  /** Keep only features of exactly `sharedCount` languages. */
  readonly langShared: boolean;
  readonly sharedCount: number;
  /**
   * "paper": the original's defaults (ratio 0.8, not language-specific), its float32 arithmetic and
   * its binary search for the entropy threshold, which is wrong on lists that are not in entropy
   * order (quirk 8). Quirks 9 and 10 are of the file: see `toLapeJson`.
   */
  readonly compat?: "paper";
}

/**
 * Finds the language-specific (or shared) latents.
 *
 * The two activity rules may be met by different languages, neither of which needs to own the
 * latent (quirk 7, kept: it is the published method). In particular a latent that fires on BOS meets
 * the example rule in every language.
 *
 * @throws {InputError} an option outside its range
 */
export function identifySaeLape(
  pooled: PooledCounts,
  given: Partial<SaeLapeOptions> = {},
): Identification {
  const { languages } = pooled;
  const options = resolveSaeLapeOptions(given, languages.length);
  const arithmetic = options.compat === "paper" ? float32 : float64;
  const candidates = rankCandidates(pooled, activePositions(pooled, options.exampleRate), {
    arithmetic,
    ownersOf: ownersByRatio(options.topkThresholdRatio, arithmetic),
  });
  const kept = candidates.filter(shareRule(options));
  return {
    languages,
    candidates,
    shareHistogram: shareHistogram(candidates, languages.length),
    features: languages.map((_, language) =>
      featuresOf(pooled, language, selectFor(language, kept, options))
    ),
  };
}

/**
 * The options in full: what was given, defaults for the rest. `langShared` alone switches the
 * default `langSpecific` off.
 *
 * @param languages number of languages, the upper bound of `sharedCount`
 * @throws {InputError} an option outside its range
 */
export function resolveSaeLapeOptions(
  given: Partial<SaeLapeOptions>,
  languages: number,
): SaeLapeOptions {
  const paper = given.compat === "paper";
  const langShared = given.langShared ?? false;
  const options: SaeLapeOptions = {
    exampleRate: given.exampleRate ?? 0.98,
    topkThresholdRatio: given.topkThresholdRatio ?? (paper ? 0.8 : 0.5),
    top: given.top || null,
    topPerLayer: given.topPerLayer ?? false,
    topByFrequency: given.topByFrequency ?? false,
    entropyThreshold: given.entropyThreshold ?? null,
    langSpecific: given.langSpecific ?? (!paper && !langShared),
    langShared,
    sharedCount: given.sharedCount ?? 2,
    compat: given.compat,
  };
  checkOptions(options, languages);
  return options;
}

function checkOptions(options: SaeLapeOptions, languages: number): void {
  const { exampleRate, topkThresholdRatio, top, entropyThreshold, sharedCount } = options;
  const isShare = (x: number) => x >= 0 && x <= 1;
  const isCount = (x: number) => Number.isInteger(x) && x >= 1;
  const check = (valid: boolean, option: string, value: unknown, expected: string) => {
    if (!valid) throw new InputError(`--${option} is ${value}, expected ${expected}.`);
  };
  check(isShare(exampleRate), "example-rate", exampleRate, "a share from 0 to 1");
  check(
    isShare(topkThresholdRatio),
    "topk-threshold-ratio",
    topkThresholdRatio,
    "a share from 0 to 1",
  );
  check(top === null || isCount(top), "top", top, "a whole number, or 0 to keep all");
  check(
    entropyThreshold === null || entropyThreshold >= 0,
    "entropy-threshold",
    entropyThreshold,
    "an entropy in nats, 0 or more",
  );
  check(
    !options.langShared || (isCount(sharedCount) && sharedCount <= languages),
    "shared-count",
    sharedCount,
    `a whole number from 1 to the number of languages, ${languages}`,
  );
}

/** Positions of the latents that meet both activity rules (steps 2 to 4), ascending. */
function activePositions(pooled: PooledCounts, exampleRate: number): number[] {
  const size = pooled.layers.length * pooled.width;
  const inExamples = new Uint8Array(size);
  const onTokens = new Uint8Array(size);
  for (const { examples, tokens, firedExamples, firedTokens } of pooled.byLanguage) {
    // No evidence, no vote: 0 of 0 examples would let every latent pass.
    if (examples === 0) continue;
    const fewestExamples = Math.trunc(examples * exampleRate);
    const mostTokens = Math.trunc(tokens * HIGH_FREQUENCY_RATE);
    for (let at = 0; at < size; at++) {
      if (firedExamples[at] >= fewestExamples) inExamples[at] = 1;
      if (firedTokens[at] > mostTokens) onTokens[at] = 1;
    }
  }
  const positions: number[] = [];
  for (let at = 0; at < size; at++) if (inExamples[at] && onTokens[at]) positions.push(at);
  return positions;
}

/** Step 6: languages at or above the ratio of the highest probability. */
function ownersByRatio(ratio: number, arithmetic: Arithmetic) {
  return (probabilities: Float64Array): number[] => {
    const bar = arithmetic(arithmetic(ratio) * Math.max(...probabilities));
    return [...probabilities.keys()].filter((language) => probabilities[language] >= bar);
  };
}

/** Step 7: which candidates survive by the number of languages they belong to. */
function shareRule(options: SaeLapeOptions): (candidate: Candidate) => boolean {
  if (options.langSpecific) return ({ owners }) => owners.length === 1;
  if (options.langShared) return ({ owners }) => owners.length === options.sharedCount;
  return () => true;
}

/** Step 8: the candidates of one language, out of all in rank order. */
function selectFor(
  language: number,
  ranked: readonly Candidate[],
  { top, topPerLayer, topByFrequency, entropyThreshold, compat }: SaeLapeOptions,
): readonly Candidate[] {
  let kept = ranked.filter(({ owners }) => owners.includes(language));
  if (top !== null) {
    if (topByFrequency) {
      kept.sort((a, b) => b.probabilities[language] - a.probabilities[language]);
    }
    kept = topPerLayer ? firstPerLayer(kept, top) : kept.slice(0, top);
  }
  if (entropyThreshold === null) return kept;
  return compat === "paper"
    ? kept.slice(0, bisectRight(kept, entropyThreshold))
    : kept.filter(({ entropy }) => entropy <= entropyThreshold);
}

function firstPerLayer(candidates: readonly Candidate[], top: number): Candidate[] {
  const taken = new Map<number, number>();
  return candidates.filter(({ layer }) => {
    const before = taken.get(layer) ?? 0;
    taken.set(layer, before + 1);
    return before < top;
  });
}

/** Binary search for the end of the prefix with entropy <= threshold; needs ascending entropies. */
function bisectRight(candidates: readonly Candidate[], threshold: number): number {
  let [low, high] = [0, candidates.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (candidates[middle].entropy <= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}
