/**
 * Where examples of latents come from: what a step asks for, and what it gets (spec
 * train-and-interpret B.3 to B.5). `openLatentExamples` (open_examples.ts) makes one from a folder
 * that `cacheLatents` (../latent_cache/cache_latents.ts) wrote, or that delphi wrote.
 */
import type { LatentExamples, LatentName } from "../example.ts";

/** How windows become examples; names and defaults are the published programs' (B.14). */
export interface ExampleOptions {
  /** Tokens c of a window; divides the cache's rows (32). */
  readonly exampleCtxLen: number;
  /** Windows in which a latent has to fire (200). */
  readonly minExamples: number;
  /** Non-activating examples (50). */
  readonly nNonActivating: number;
  /**
   * "grid": windows side by side from the start of each row, what `--center-examples true` means as
   * published. "centred": around the tokens on which the latent fires most, those at 3c/4.
   */
  readonly windows: "grid" | "centred";
  readonly nonActivatingSource: "random" | "neighbours" | "FAISS";
  readonly neighboursType: NeighboursType;
  /** Examples to explain from (40), and how they are chosen. */
  readonly nExamplesTrain: number;
  readonly trainType: "top" | "random" | "quantiles" | "mix";
  /** Examples to score on (50). */
  readonly nExamplesTest: number;
  readonly testType: "quantiles" | "top";
  /** Slices by strength (10). */
  readonly nQuantiles: number;
  /** Share of "mix" that are the strongest (0.2). */
  readonly ratioTop: number;
  /** Random choices depend on this and the latent alone. As published they do not depend on it. */
  readonly seed: number;
  /**
   * "paper": train and test overlap, random choices are CPython's and torch's with constant seeds,
   * every token is decoded alone, activations are rounded down.
   */
  readonly compat?: "paper";
}

/** What makes a latent a neighbour of another (B.4). */
export type NeighboursType = "co-occurrence" | "decoder_similarity" | "encoder_similarity";

/** A latent that fires in too few windows to be explained. */
export interface TooFewWindows {
  readonly latent: LatentName;
  readonly skipped: "too few windows";
  /** Windows in which it fires, fewer than {@linkcode ExampleOptions.minExamples}. */
  readonly activeWindows: number;
}

/** Examples of the latents of a cache. */
export interface ExampleSource extends Disposable {
  /**
   * The latents asked for that fire, in the order of the published program (B.3): hookpoints as they
   * were given, then by index.
   */
  readonly latents: readonly LatentName[];
  /** Those that never fire in the cache. */
  readonly silent: readonly LatentName[];
  /** Windows of the whole cache. */
  readonly windows: number;
  /** Tokens of the whole cache. */
  readonly tokens: number;
  /**
   * A latent's examples: the same in whatever order latents are asked for. Fastest in the order of
   * {@linkcode latents}, since one file of the cache is held at a time.
   *
   * @throws RangeError for a latent that was not asked for
   */
  load(latent: LatentName): Promise<LatentExamples | TooFewWindows>;
}

/** True for a latent that has examples. */
export function hasExamples(loaded: LatentExamples | TooFewWindows): loaded is LatentExamples {
  return !("skipped" in loaded);
}
