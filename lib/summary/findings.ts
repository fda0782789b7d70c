/** What the steps of the paper found, in the terms of its claims. */
import type { Interval } from "../stats/bootstrap.ts";

/** A number, and how sure it is: a 95 % interval. */
export interface Estimate extends Interval {
  readonly value: number;
}

/** The features and neurons of one language. */
export interface LanguageFeatures {
  readonly language: string;
  readonly features: number;
  /** Of them, those with q < 0.05 in the permutation test. */
  readonly significant?: number;
  readonly neurons?: number;
}

/** The permutation test of all units that fire. */
export interface TestedUnits {
  readonly tests: number;
  /** Of them, those with q < 0.05. */
  readonly significant: number;
}

/** Features found again on other texts, over all languages. */
export interface FoundAgain {
  readonly features: number;
  readonly foundAgain: number;
  /** Spearman's correlation of the entropies. */
  readonly rankCorrelation: number;
}

/** One classifier on held-out texts. */
export interface ClassifierScore {
  /** E.g. `sae-count`, `neuron-count-normalized`. */
  readonly type: string;
  readonly texts: number;
  readonly accuracy: Estimate;
  readonly f1: Estimate;
}

/** The change matrix: rows are the languages whose features are changed, columns those of the texts. */
export interface ChangeMatrix {
  readonly intervened: readonly string[];
  readonly impacted: readonly string[];
  /** Change of the mean log-perplexity over all tokens, in nats per token. */
  readonly changes: readonly (readonly number[])[];
}

/** What an intervention does to the mean log-perplexity, in nats per token, over the languages. */
export interface InterventionEffect {
  /** E.g. `sae-features_max_-0.2`. */
  readonly name: string;
  readonly languages: number;
  /** On the language whose features are used. */
  readonly own: Estimate;
  /** On all the others. */
  readonly others: Estimate;
  /** The same of random features, as many, with the same coefficients. */
  readonly controlOwn?: Estimate;
  readonly controlOthers?: Estimate;
  /** Languages whose own change is the largest of all languages'. */
  readonly dominated: number;
  readonly matrix: ChangeMatrix;
}

/** Texts written under steering, judged by a language identifier. */
export interface SteeredTexts {
  readonly language: string;
  readonly multiplier: number;
  /** Texts in the language. */
  readonly hits: number;
  readonly texts: number;
  /** The same under random features; none without a control. */
  readonly controlHits: number;
  readonly controlTexts: number;
  /** The same without steering. */
  readonly plainHits: number;
  readonly plainTexts: number;
  /** One of the texts. */
  readonly sample: string;
}

/** All of it; what a step has not written is missing. */
export interface Findings {
  readonly model: string;
  readonly saes: string;
  readonly foundOn: string;
  readonly features: readonly LanguageFeatures[];
  readonly tested?: TestedUnits;
  readonly foundAgain?: FoundAgain;
  readonly classifiers: readonly ClassifierScore[];
  readonly interventions: readonly InterventionEffect[];
  readonly steered: readonly SteeredTexts[];
  /** The identifier that judged them. */
  readonly judge: string;
}
