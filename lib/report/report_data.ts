/**
 * What report.html is made of: plain values that the identify step fills in. Arrays "per language"
 * follow the order of `languages`; the page itself sorts by what it shows.
 */

/** One language of the corpus. */
export interface ReportLanguage {
  /** Name to read, e.g. "Bulgarian". */
  readonly name: string;
  /** BCP 47 tag, e.g. "bg" or "zh-Hans"; chooses fonts and line breaking. Unique in the report. */
  readonly code: string;
  /** Writing direction of its texts. */
  readonly direction: "ltr" | "rtl";
  /** Number of examples (texts) counted. */
  readonly examples: number;
  /** Number of tokens counted, BOS included. */
  readonly tokens: number;
}

/** A latent (or neuron) that passed the rules, whichever languages it belongs to. */
export interface ReportCandidate {
  /** Absolute layer number. */
  readonly layer: number;
  /** Index within the layer. */
  readonly index: number;
  /** Entropy of its activation probabilities over languages, in nats: 0 to ln(languages). */
  readonly entropy: number;
  /** Number of languages it belongs to (s), 1 to languages. */
  readonly shares: number;
}

/**
 * A stretch of an example text that one token stands for, and how strongly the feature fired there.
 *
 * The pieces of an example join to its text. A token that ends inside a character has the text ""
 * and the token that completes the character carries it whole, which is what
 * `TextDecoder.decode(bytes, { stream: true })` gives token by token.
 */
export interface ReportPiece {
  readonly text: string;
  /** 0 where the feature did not fire. */
  readonly activation: number;
}

/** A text on which a feature fires; a long one is cut around its strongest token for display. */
export interface ReportExample {
  /** `code` of the text's language. */
  readonly language: string;
  /** Where the text comes from, e.g. "udhr bg row 12". */
  readonly label: string;
  readonly pieces: readonly ReportPiece[];
}

/** A feature as it belongs to one language. */
export interface ReportFeature {
  readonly layer: number;
  readonly index: number;
  /** In nats. */
  readonly entropy: number;
  /** Where 95 % of resampled texts put the entropy; absent where that is not known. */
  readonly entropyInterval?: { readonly low: number; readonly high: number };
  /** q-value of the permutation test; absent without one. */
  readonly qValue?: number;
  /** Activation probability per token in the language it is listed under. */
  readonly probability: number;
  /** Activation probability per token in every language, in the order of `languages`. */
  readonly probabilities: readonly number[];
  /** Largest activation over the whole corpus: the top of the highlight's scale. */
  readonly max: number;
  /** Tokens it fires on most, most frequent first. May be empty. */
  readonly topTokens: readonly { readonly text: string; readonly count: number }[];
  /** What a language model said it stands for; absent where none was asked. */
  readonly explanation?: string;
  /** Texts to show, best first. May be empty. */
  readonly examples: readonly ReportExample[];
}

/** The rules that made the features, for the page's explanation; spec sections 6.2 and 6.3. */
export type ReportMethod =
  | {
    readonly algorithm: "sae_lape";
    /** Share of a language's examples a candidate must fire in (0.98). */
    readonly exampleRate: number;
    /** Share of a language's tokens a candidate must fire on (0.1). */
    readonly tokenRate: number;
    /** Share of a latent's own highest probability that makes a language an owner (0.5). */
    readonly ratio: number;
  }
  | {
    readonly algorithm: "lape";
    /** Share of all neurons that is selected, lowest entropy first (0.01). */
    readonly topRate: number;
    /** Quantile of all probabilities that a neuron must exceed in some language (0.95). */
    readonly filterRate: number;
    /** Quantile of all probabilities above which a language is an owner (0.95). */
    readonly barRatio: number;
  };

/** Everything on the page. */
export interface ReportData {
  readonly title: string;
  readonly model: string;
  /** SAE name; for neurons, the hookpoints (e.g. "model.layers.{0..5}.mlp.act_fn"). */
  readonly sae: string;
  readonly corpus: string;
  readonly method: ReportMethod;
  /** All options of the run as [name, value], in the order to print them. */
  readonly options: readonly (readonly [name: string, value: string])[];
  /** The exact command line. */
  readonly command: string;
  /** Hashes, adapter, versions, timings, notes as [name, value]. */
  readonly provenance: readonly (readonly [name: string, value: string])[];
  readonly languages: readonly ReportLanguage[];
  /** Absolute layer numbers, ascending. */
  readonly layers: readonly number[];
  /** Latents (or neurons) per layer. */
  readonly width: number;
  readonly candidates: readonly ReportCandidate[];
  /** `shareHistogram[s - 1]`: candidates that belong to exactly `s` languages. */
  readonly shareHistogram: readonly number[];
  /**
   * `features[g]`: the features of `languages[g]`, in any order. Tokens and examples are shown for
   * the ones of lowest entropy, {@link CARDS_PER_LANGUAGE} per language; the others may leave them
   * empty.
   */
  readonly features: readonly (readonly ReportFeature[])[];
}

/** Features per language that are shown with tokens and examples. */
export const CARDS_PER_LANGUAGE = 8;
