/**
 * What an SAE is, whatever file it came from: every family of files (one module each) is brought to
 * this form, and everything else works on it alone.
 *
 *   x' = normalised x (see `normalisation`)
 *   a  = latentScale * (W_enc (x' - inputBias) + b_enc)
 *   f  = activation(a)
 *   y' = sum_i f_i W_dec[i] + b_dec,   y = y' with the normalisation undone (+ x W_skipᵀ)
 */
import type { MatrixSource } from "../gpu/matrix.ts";

/** Which latents are active, and with what value. */
export type Activation =
  /**
   * The k largest of ReLU(a); slots whose value is 0 are filled in index order. If `grouped`, the largest
   * of each of k equal groups of consecutive latents, in the order of groups (sparsify's groupmax).
   */
  | { readonly kind: "topk"; readonly k: number; readonly grouped?: true }
  /** a where a > max(0, threshold), else 0: JumpReLU; ReLU is a threshold of 0. [latents] */
  | { readonly kind: "threshold"; readonly thresholds: Float32Array<ArrayBuffer> };

/**
 * What is done to each activation vector before it is encoded, and undone after decoding:
 * - `constant_norm_rescale`: x' = x sqrt(d) / |x|
 * - `layer_norm`: x' = (x - mean) / (s + 1e-5), s the unbiased standard deviation
 */
export type Normalisation = "none" | "constant_norm_rescale" | "layer_norm";

/** The way back from latents to activations. */
export interface Decoder {
  /** b_dec [inputSize] */
  readonly bias: Float32Array<ArrayBuffer>;
  /**
   * Rows of W_dec, [latents.length, inputSize] row-major f32, scaled to fit f; reads no more of the
   * file than its layout needs.
   *
   * @param latents any order, repeats allowed
   */
  rows(latents: ArrayLike<number>): Promise<Float32Array<ArrayBuffer>>;
}

/** An SAE or transcoder whose weights lie in files. */
export interface Sae {
  /** Names it in messages. */
  readonly where: string;
  /** Width d of the activations it reads. */
  readonly inputSize: number;
  readonly latents: number;
  readonly normalisation: Normalisation;
  /** Subtracted from x' before encoding; [inputSize] zero-padded to a whole stride. */
  readonly inputBias: Float32Array<ArrayBuffer>;
  /** W_enc [latents, inputSize] */
  readonly encoder: MatrixSource;
  /** b_enc [latents], zero-padded to a whole stride */
  readonly encoderBias: Float32Array<ArrayBuffer>;
  /** Multiplies pre-activations, [latents] > 0; absent: 1. */
  readonly latentScale?: Float32Array<ArrayBuffer>;
  readonly activation: Activation;
  /** A transcoder: it reads what the hookpoint's module reads, and y stands for what that writes. */
  readonly transcoder?: true;
  /** W_skip [inputSize, inputSize]: y has x W_skipᵀ added, x as it was read. */
  readonly skip?: MatrixSource;
  /** Absent from files that hold an encoder alone. */
  readonly decoder?: Decoder;
}

/**
 * Latents that a TopK SAE keeps per token.
 *
 * @throws RangeError for SAEs of other activations, which keep as many as there are
 */
export function keptPerToken({ where, activation }: Sae): number {
  if (activation.kind === "topk") return activation.k;
  throw new RangeError(`${where} has a threshold, not a number of latents per token`);
}
