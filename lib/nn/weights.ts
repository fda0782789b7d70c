/** A checkpoint's tensors as the matrices and vectors of a Llama, checked against its config. */
import { toFloat32 } from "../formats/dtype.ts";
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import type { MatrixSource, WeightType } from "../gpu/matrix.ts";
import { strideOf } from "../gpu/rows.ts";

const WEIGHT_TYPES: Readonly<Record<string, WeightType>> = { F32: "f32", F16: "f16", BF16: "bf16" };

/**
 * A matrix of a checkpoint.
 *
 * @param where names the checkpoint in messages
 * @throws InputError when it is missing, has another shape or a type that is not supported
 */
export function matrixOf(
  tensors: TensorSource,
  name: string,
  rows: number,
  columns: number,
  where: string,
): MatrixSource {
  const type = checkedType(tensors, name, [rows, columns], where);
  return { name, rows, columns, type, read: (from, to) => tensors.read(name, from, to) };
}

/** Matrices in one type: their own, or f32, which holds all values of the others. */
export function inOneType(parts: readonly MatrixSource[]): readonly MatrixSource[] {
  return parts.every(({ type }) => type === parts[0].type) ? parts : parts.map(inF32);
}

const DTYPES = { f32: "F32", f16: "F16", bf16: "BF16" } as const;

function inF32(source: MatrixSource): MatrixSource {
  return {
    ...source,
    type: "f32",
    async read(from, to) {
      const values = toFloat32(await source.read(from, to), DTYPES[source.type]);
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    },
  };
}

/** Matrices with the same input and type, stacked: their outputs come from one product. */
export function stacked(name: string, parts: readonly MatrixSource[]): MatrixSource {
  if (parts.length === 1) return { ...parts[0], name };
  const [{ columns, type }] = parts;
  return {
    name,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    columns,
    type,
    async read(from, to) {
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      let first = 0;
      for (const part of parts) {
        const [start, end] = [Math.max(from - first, 0), Math.min(to - first, part.rows)];
        if (start < end) pieces.push(await part.read(start, end));
        first += part.rows;
      }
      return pieces.length === 1 ? pieces[0] : concatenate(pieces);
    },
  };
}

function concatenate(pieces: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * A vector of a checkpoint in f32, followed by zeros up to a whole stride.
 *
 * @throws InputError when it is missing, has another length or a type that is not supported
 */
export async function vectorOf(
  tensors: TensorSource,
  name: string,
  length: number,
  where: string,
): Promise<Float32Array<ArrayBuffer>> {
  checkedType(tensors, name, [length], where);
  const padded = new Float32Array(strideOf(length));
  padded.set(toFloat32(await tensors.read(name), tensors.info(name).dtype));
  return padded;
}

function checkedType(
  tensors: TensorSource,
  name: string,
  expected: readonly number[],
  where: string,
): WeightType {
  const { dtype, shape } = tensors.info(name);
  if (shape.length !== expected.length || shape.some((size, i) => size !== expected[i])) {
    throw new InputError(
      `${where}: "${name}" has shape [${shape}], but [${expected}] is expected after its config.`,
    );
  }
  const type = WEIGHT_TYPES[dtype];
  if (!type) {
    throw new InputError(
      `${where}: "${name}" is ${dtype}, but only F32, F16 and BF16 are supported.`,
    );
  }
  return type;
}
