/**
 * What the explorer's pages ask for. The same pages run over a server (`deno task explore`) and over
 * files with the model in the visitor's browser (`deno task build-site`): each answers these questions.
 * All values are JSON. Text is text: whoever shows it escapes it.
 */

/** A language of the results. */
export interface LanguageInfo {
  readonly name: string;
  /** BCP 47 tag: chooses fonts and line breaking. */
  readonly code: string;
  readonly direction: "ltr" | "rtl";
  readonly tokens: number;
  readonly texts: number;
  /** Language-specific features of it. */
  readonly features: number;
  /** The same per layer, in the overview's order. */
  readonly featuresPerLayer: readonly number[];
}

/** What the results are about. */
export interface Overview {
  readonly model: string;
  readonly sae: string;
  readonly corpus: string;
  readonly languages: readonly LanguageInfo[];
  readonly layers: readonly {
    readonly layer: number;
    readonly hookpoint: string;
    readonly latents: number;
  }[];
  /** Articles that are there in several languages, side by side; empty where texts are not parallel. */
  readonly articles: readonly { readonly id: string; readonly title: string }[];
  /** Whether texts can be tried and steered here; else why not, in a sentence. */
  readonly live: true | string;
  readonly provenance: readonly (readonly [name: string, value: string])[];
}

/** A latent in a list. */
export interface FeatureSummary {
  readonly layer: number;
  readonly index: number;
  /** Languages it belongs to, as identified; empty for any other latent. */
  readonly languages: readonly string[];
  /** In nats; null where it never fires. */
  readonly entropy: number | null;
  /** Activation probability per token in the language where that is highest. */
  readonly probability: number;
  readonly explanation: string | null;
  /** Tokens it fires on most. */
  readonly topTokens: readonly string[];
}

/** Which latents, and which part of the list. */
export interface FeatureQuery {
  /** Any words: found in explanations, top tokens, output tokens and contexts. */
  readonly text?: string;
  readonly language?: string;
  readonly layer?: number;
  /** Only language-specific ones. */
  readonly identified?: boolean;
  readonly order?: "entropy" | "probability" | "index";
  readonly offset: number;
  /** At most 200. */
  readonly limit: number;
}

export interface FeatureList {
  readonly total: number;
  readonly features: readonly FeatureSummary[];
}

/** A stretch of text that one token stands for, and how strongly the latent fires there. */
export interface Piece {
  readonly text: string;
  readonly activation: number;
}

/** A text, or the part of one around the token on which a latent fires most. */
export interface Context {
  readonly language: string;
  /** Where it comes from, e.g. `udhr:bg row 12`. */
  readonly label: string;
  readonly pieces: readonly Piece[];
  readonly max: number;
}

/** One score of an explanation. */
export interface ExplanationScore {
  readonly scorer: string;
  readonly accuracy: number;
  readonly interval: readonly [low: number, high: number] | null;
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
}

/** Another latent and how it relates to this one. */
export interface Related {
  readonly layer: number;
  readonly index: number;
  /** Cosine of the two decoder rows. */
  readonly cosine: number;
  readonly languages: readonly string[];
}

/** A latent's page, without its contexts. */
export interface FeatureDetail extends FeatureSummary {
  readonly entropyInterval: readonly [low: number, high: number] | null;
  readonly qValue: number | null;
  readonly max: number;
  /** Per language, in the overview's order. */
  readonly perLanguage: readonly {
    readonly language: string;
    readonly probability: number;
    readonly interval: readonly [low: number, high: number] | null;
    readonly mean: number;
    readonly max: number;
  }[];
  /** Equal intervals of activation from 0 to `max`, and tokens per language in each. */
  readonly histogram: {
    readonly edges: readonly number[];
    readonly counts: readonly { readonly language: string; readonly tokens: readonly number[] }[];
  };
  /** Output tokens that its decoder row raises most, and by how much. */
  readonly outputTokens: readonly { readonly text: string; readonly logit: number }[];
  readonly nearest: readonly Related[];
  readonly opposing: readonly Related[];
  readonly scores: readonly ExplanationScore[];
}

/** Which latents fire on a text the visitor typed. */
export interface Tried {
  readonly tokens: readonly string[];
  /** Language-specific features that fire, those of most activation first. */
  readonly fired: readonly {
    readonly layer: number;
    readonly index: number;
    readonly languages: readonly string[];
    /** [tokens] */
    readonly activations: readonly number[];
  }[];
  /** Share of the fired features' normalised activation per language: the classifier's view. */
  readonly languages: readonly { readonly language: string; readonly score: number }[];
}

/** A text to be written with features changed. */
export interface SteerRequest {
  readonly prompt: string;
  readonly features: readonly {
    readonly layer: number;
    readonly index: number;
    /** Added activation as a share of the feature's largest, e.g. 0.4; negative takes it away. */
    readonly strength: number;
  }[];
  /** At most 200. */
  readonly maxNewTokens: number;
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  readonly seed: number;
}

/** The text as it would have been, and as it becomes. */
export interface Steered {
  readonly plain: string;
  readonly steered: string;
}

/** Whoever answers the pages. Every method rejects with an Error whose message is for the visitor. */
export interface Backend {
  overview(): Promise<Overview>;
  features(query: FeatureQuery): Promise<FeatureList>;
  feature(layer: number, index: number): Promise<FeatureDetail>;
  /** The latent's strongest contexts in one language, strongest first. */
  contexts(
    layer: number,
    index: number,
    language: string,
    part: { readonly offset: number; readonly limit: number },
  ): Promise<{ readonly total: number; readonly contexts: readonly Context[] }>;
  /** One article in all languages, with the latent's activations on it. */
  article(layer: number, index: number, article: string): Promise<readonly Context[]>;
  /**
   * @param signal of a visitor who is gone
   * @param waiting told how many runs come first, where there is a queue
   */
  tryText(
    text: string,
    signal?: AbortSignal,
    waiting?: (ahead: number) => void,
  ): Promise<Tried>;
  /** @param progress told how many tokens are written so far */
  steer(
    request: SteerRequest,
    progress: (tokens: number) => void,
    signal?: AbortSignal,
    waiting?: (ahead: number) => void,
  ): Promise<Steered>;
}
