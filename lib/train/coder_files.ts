/** The files of a coder: an SAE that sparsify opens, and what training it needs to go on. */
import { type LazyTensor, writeSafetensors } from "../data/safetensors_writer.ts";
import { openSafetensorsFile } from "../data/safetensors_files.ts";
import { toFloat32 } from "../formats/dtype.ts";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import type { CoderState } from "./coder_training.ts";
import type { CoderTensors } from "./initial_tensors.ts";
import { isMatrix, type OptimizerState, type StateTensor } from "./optimizers/state.ts";
import type { ParameterName } from "./parameter.ts";
import { type CoderShape, tensorSizes } from "./shape.ts";

/** Tensor of a training file that is not the optimizer's. */
const TOKENS_SINCE_FIRED = "tokens_since_fired";

/** How wide a coder is, as options say it: `num_latents` if it is not 0. */
export interface WidthOptions {
  readonly expansionFactor: number;
  readonly numLatents: number;
}

/** The text of `cfg.json` (spec train-and-interpret A.2); k is that of the moment. */
export function coderConfig(
  shape: CoderShape,
  { expansionFactor, numLatents }: WidthOptions,
  k: number,
): string {
  return JSON.stringify({
    activation: shape.activation,
    expansion_factor: expansionFactor,
    normalize_decoder: shape.normalizeDecoder,
    num_latents: numLatents,
    k,
    multi_topk: shape.multiTopk,
    skip_connection: shape.skipConnection,
    transcode: shape.transcode,
    d_in: shape.inputSize,
  });
}

/** Writes `sae.safetensors`. */
export async function writeCoder(
  path: string,
  shape: CoderShape,
  tensors: CoderTensors,
): Promise<void> {
  const entries = fileShapes(shape).map(([name, shape]): [string, LazyTensor] => {
    const values = tensors.get(name) ?? new Float32Array(0);
    return [name, { dtype: "F32", shape, read: () => values }];
  });
  await writeSafetensors(path, Object.fromEntries(entries), { format: "pt" });
}

/**
 * Reads the tensors of a coder, of any floating-point type.
 *
 * @throws InputError when the file cannot be read or is of another shape
 */
export async function readCoder(path: string, shape: CoderShape): Promise<CoderTensors> {
  using file = await openSafetensorsFile(path);
  const tensors = new Map<ParameterName, Float32Array<ArrayBuffer>>();
  for (const [name, expected] of fileShapes(shape)) {
    const { dtype, shape } = file.info(name);
    if (String(shape) !== String(expected)) {
      throw new InputError(
        `${path}: ${name} is [${shape}], but the coder to train has [${expected}]; name the options ` +
          `that it was trained with.`,
      );
    }
    tensors.set(name, toFloat32(await file.read(name), dtype, name));
  }
  return tensors;
}

/** Writes what of a coder's state are tensors. */
export async function writeCoderState(
  path: string,
  { optimizer, tokensSinceFired }: CoderState,
): Promise<void> {
  const ofOptimizer = [...optimizer.tensors].map((
    [name, { shape, read }],
  ): [string, LazyTensor] => [
    name,
    { dtype: "F32", shape, read },
  ]);
  await writeSafetensors(path, {
    ...Object.fromEntries(ofOptimizer),
    [TOKENS_SINCE_FIRED]: {
      dtype: "U32",
      shape: [tokensSinceFired.length],
      read: () => tokensSinceFired,
    },
  });
}

/**
 * Hands the state of a coder over, read from its file as it is used.
 *
 * @param scalars of the optimizer
 * @throws InputError when the file cannot be read, or is another coder's
 */
export async function withCoderState(
  path: string,
  { latents }: CoderShape,
  scalars: OptimizerState["scalars"],
  use: (state: CoderState) => Promise<void>,
): Promise<void> {
  using file = await openSafetensorsFile(path);
  const { dtype, shape } = file.info(TOKENS_SINCE_FIRED);
  if (dtype !== "U32" || String(shape) !== String([latents])) {
    throw new InputError(`${path} is not of a coder of ${latents} latents; train it anew.`);
  }
  const since = new Uint32Array((await file.read(TOKENS_SINCE_FIRED)).slice().buffer);
  const names = file.names().filter((name) => name !== TOKENS_SINCE_FIRED);
  const tensors = new Map(names.map((name) => [name, storedTensor(file, name)]));
  await use({ optimizer: { tensors, scalars }, tokensSinceFired: since });
}

function storedTensor(file: TensorSource, name: string): StateTensor {
  const { dtype, shape } = file.info(name);
  return { shape, read: async () => toFloat32(await file.read(name), dtype, name) };
}

function fileShapes(shape: CoderShape): [ParameterName, number[]][] {
  return tensorSizes(shape).map((
    [name, rows, columns],
  ) => [name, isMatrix(name) ? [rows, columns] : [columns]]);
}
