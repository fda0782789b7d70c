/** Contexts in which a latent fires, or does not: what explainers are shown and scorers ask about. */

/** A latent of a model. */
export interface LatentName {
  /** As files name it, e.g. `layers.3.mlp` (spec train-and-interpret B.1). */
  readonly hookpoint: string;
  readonly layer: number;
  readonly index: number;
}

/** A window of c tokens (`example_ctx_len`) of the corpus and what the latent does on it. */
export interface Example {
  /** Row of the token matrix and position in it of the window's first token. */
  readonly row: number;
  readonly start: number;
  /** [c] */
  readonly ids: Uint32Array<ArrayBuffer>;
  /**
   * [c] Text of each token; they join to the window's text. Under `--compat paper` every id is decoded by
   * itself, so that a character split over tokens is U+FFFD in each of them (B.5).
   */
  readonly tokens: readonly string[];
  /**
   * [c] 0 where the latent does not fire. Where tokens share a character, the largest of theirs stands with the
   * one that has its text (under `--compat paper`: each with its own).
   */
  readonly activations: Float32Array<ArrayBuffer>;
  /** [c] activations as integers 0 to 10 of the latent's largest (B.5); all 0 where it never fires. */
  readonly normalised: Uint8Array<ArrayBuffer>;
  /** Language of the text, by its name; undefined where rows mix languages. */
  readonly language: string | undefined;
  readonly activating: boolean;
  /**
   * Of an activating one its quantile, 0 the strongest; of another -1, or minus the similarity of the
   * neighbour that fires there (B.4).
   */
  readonly distance: number;
}

/** What one latent is explained from and scored on. */
export interface LatentExamples {
  readonly latent: LatentName;
  /** Largest activation over all windows. */
  readonly max: number;
  /** Windows in which it fires, of all. */
  readonly activeWindows: number;
  readonly windows: number;
  /** Tokens on which it fires, of all: weights of frequency-weighted metrics. */
  readonly firedTokens: number;
  readonly tokens: number;
  /** What the explainer sees. */
  readonly train: readonly Example[];
  /** Activating windows that scorers ask about; none of them is in `train`, but under `--compat paper`. */
  readonly test: readonly Example[];
  /** Windows in which it does not fire (or, of neighbours, a similar latent does). */
  readonly nonActivating: readonly Example[];
}
