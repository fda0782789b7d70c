/** What kind of coder is trained (spec train-and-interpret A.1). */
import { InputError } from "../formats/input_error.ts";
import type { ParameterName } from "./parameter.ts";

/** The sizes and kind of a coder, by the words of sparsify's `cfg.json`. */
export interface CoderShape {
  /** Width of what it reads and of what it writes (d_in). */
  readonly inputSize: number;
  /** Number of latents. */
  readonly latents: number;
  /** Active latents per token. */
  readonly k: number;
  /** The k largest of all latents, or the largest of each of k groups of consecutive ones. */
  readonly activation: "topk" | "groupmax";
  /** A transcoder reads a module's input uncentred and writes its output. */
  readonly transcode: boolean;
  /** Adds x W_skipᵀ to the output. */
  readonly skipConnection: boolean;
  /** Keeps the rows of W_dec at length 1; transcoders never do. */
  readonly normalizeDecoder: boolean;
  /** Trains on the 4 k largest latents as well. */
  readonly multiTopk: boolean;
  /** Weight of the loss that revives dead latents; 0 does without. */
  readonly auxkAlpha: number;
}

/**
 * Refuses shapes that cannot be trained.
 *
 * @throws InputError
 */
export function checkShape({ inputSize, latents, k, activation }: CoderShape): void {
  for (const [name, size] of Object.entries({ inputSize, latents, k })) {
    if (!Number.isInteger(size) || size < 1) {
      throw new InputError(`a coder's ${name} is ${size}, but must be a whole number from 1 on`);
    }
  }
  if (k > latents) {
    throw new InputError(
      `k is ${k}, but the coder has only ${latents} latents: choose a smaller k or more latents`,
    );
  }
  if (activation === "groupmax" && latents % k !== 0) {
    throw new InputError(
      `groupmax needs k equal groups, but k = ${k} does not divide ${latents} latents: choose a k that does`,
    );
  }
}

/** Dead latents that AuxK selects per token at most: half the input size. */
export function mostAuxK({ inputSize, latents }: CoderShape): number {
  return Math.min(Math.floor(inputSize / 2), latents);
}

/** Latents per token that Multi-TopK selects. */
export function multiK({ latents }: CoderShape, k: number): number {
  return Math.min(4 * k, latents);
}

/** Rows and columns of each tensor of a coder; vectors are one row. */
export function tensorSizes(shape: CoderShape): [ParameterName, rows: number, columns: number][] {
  const { inputSize, latents, skipConnection } = shape;
  return [
    ["encoder.weight", latents, inputSize],
    ["encoder.bias", 1, latents],
    ["W_dec", latents, inputSize],
    ["b_dec", 1, inputSize],
    ...(skipConnection
      ? [["W_skip", inputSize, inputSize] as [ParameterName, number, number]]
      : []),
  ];
}

/** The shape of least width: what k decays from suits it, and all others. */
export function narrowest(shapes: readonly CoderShape[]): CoderShape {
  return shapes.reduce((least, shape) => shape.inputSize < least.inputSize ? shape : least);
}
