/** What an interrupted training needs to go on as if it had not been: the state of an optimizer. */
import { InputError } from "../../formats/input_error.ts";
import type { Gpu } from "../../gpu/device.ts";
import { readRows, type Rows, rowsBetween, writeRows } from "../../gpu/rows.ts";
import type { CoderTensors } from "../initial_tensors.ts";
import type { Parameter, ParameterName } from "../parameter.ts";

/** A tensor of the state, read when its turn comes: f32, row-major and unpadded. */
export interface StateTensor {
  readonly shape: readonly number[];
  /** The values as they are now: to be read before the next step. */
  read(): Promise<Float32Array<ArrayBuffer>>;
}

/** The state of an optimizer between two steps. */
export interface OptimizerState {
  /** By name, like `W_dec.z`; large ones need not be in memory together. */
  readonly tensors: ReadonlyMap<string, StateTensor>;
  /** Numbers that JSON keeps exactly. */
  readonly scalars: Readonly<Record<string, number>>;
}

/** Bytes that move between GPU and host at a time: bounds the staging memory. */
const PIECE_BYTES = 64 * 2 ** 20;

/** The shape that a parameter has in files: biases are vectors. */
function shapeOf({ name, values }: Parameter): number[] {
  return isMatrix(name) ? [values.rows, values.width] : [values.width];
}

/** Whether a tensor has two dimensions in files. */
export function isMatrix(name: ParameterName): boolean {
  return name !== "encoder.bias" && name !== "b_dec";
}

/** Consecutive rows of a matrix, as many at a time as move well. */
export function rowPieces({ rows, stride }: Rows): { from: number; to: number }[] {
  const step = Math.max(1, Math.floor(PIECE_BYTES / (stride * 4)));
  return Array.from({ length: Math.ceil(rows / step) }, (_, i) => ({
    from: i * step,
    to: Math.min(rows, (i + 1) * step),
  }));
}

/** A tensor on the GPU that belongs to a parameter, and is as large. */
export function stateTensor(gpu: Gpu, parameter: Parameter, rows: Rows): StateTensor {
  return { shape: shapeOf(parameter), read: () => readPieces(gpu, rows) };
}

/** Reads the values of parameters as they are now. */
export async function readValues(
  gpu: Gpu,
  parameters: readonly Parameter[],
): Promise<CoderTensors> {
  const tensors = new Map<ParameterName, Float32Array<ArrayBuffer>>();
  for (const { name, values } of parameters) tensors.set(name, await readPieces(gpu, values));
  return tensors;
}

async function readPieces(gpu: Gpu, rows: Rows): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(rows.rows * rows.width);
  for (const { from, to } of rowPieces(rows)) {
    values.set(await readRows(gpu, rowsBetween(rows, from, to)), from * rows.width);
  }
  return values;
}

/**
 * Writes a tensor of the state into a matrix on the GPU.
 *
 * @throws InputError when the state has no such tensor, or one of another shape
 */
export async function restoreTensor(
  gpu: Gpu,
  state: OptimizerState,
  name: string,
  parameter: Parameter,
  rows: Rows,
): Promise<void> {
  const expected = shapeOf(parameter);
  const tensor = state.tensors.get(name);
  if (!tensor) {
    throw new InputError(
      `the state of the optimizer has no tensor ${name}: it is another optimizer's or another coder's`,
    );
  }
  if (String(tensor.shape) !== String(expected)) {
    throw new InputError(
      `${name} in the state of the optimizer is [${tensor.shape}], but this coder's is [${expected}]: ` +
        "continue with the options the training began with",
    );
  }
  const values = await tensor.read();
  for (const { from, to } of rowPieces(rows)) {
    writeRows(
      gpu,
      rowsBetween(rows, from, to),
      values.subarray(from * rows.width, to * rows.width),
    );
    // Staging copies are only released by a submit that completes.
    gpu.device.queue.submit([]);
    await gpu.settle();
  }
}

/**
 * A number of the state that may not be negative.
 *
 * @throws InputError when it is missing or no such number
 */
export function restoredScalar({ scalars }: OptimizerState, name: string): number {
  const value = Object.hasOwn(scalars, name) ? scalars[name] : undefined;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw new InputError(
      `${name} in the state of the optimizer is ${value}, but must be a number from 0 on`,
    );
  }
  return value;
}
