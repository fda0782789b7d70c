/** Tensors of a coder that has not been trained. */
import { seededRandom } from "../stats/random.ts";
import type { ParameterName } from "./parameter.ts";
import { type CoderShape, tensorSizes } from "./shape.ts";

/** Values of a coder's tensors, row-major and unpadded. */
export type CoderTensors = ReadonlyMap<ParameterName, Float32Array<ArrayBuffer>>;

/**
 * Draws a coder as sparsify does, though not the same numbers (its are those of a CUDA generator):
 * the encoder uniform within ±1/√inputSize, an autoencoder's decoder equal to it, all else 0. A
 * decoder of unit rows is normalised before its first use.
 *
 * @param seed coders of one seed and size start equal
 */
export function initialTensors(shape: CoderShape, seed: number): CoderTensors {
  const tensors = new Map(
    tensorSizes(shape).map(([name, rows, columns]) => [name, new Float32Array(rows * columns)]),
  );
  const random = seededRandom(seed);
  const bound = 1 / Math.sqrt(shape.inputSize);
  const encoder = Float32Array.from(
    { length: shape.latents * shape.inputSize },
    () => bound * (2 * random() - 1),
  );
  tensors.set("encoder.weight", encoder);
  if (!shape.transcode) tensors.set("W_dec", encoder.slice());
  return tensors;
}
