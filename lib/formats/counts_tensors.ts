/** Tensors of a file of counts, checked for type and shape before they are read. */

import type { Dtype } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import type { SafetensorsHeader } from "./safetensors.ts";
import { tensorInfo } from "./tensor_source.ts";

/** A safetensors file that is to hold counts. */
export interface CountsFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly header: SafetensorsHeader;
  /** `[layers, width]`: the shape of what is counted per unit. */
  readonly shape: readonly number[];
  /** Names the file in messages. */
  readonly where: string;
}

/**
 * A copy of a tensor's bytes.
 *
 * @throws InputError when it is missing or of another shape or element type
 */
export function tensorData(
  { bytes, header, where }: CountsFile,
  name: string,
  shape: readonly number[],
  ...dtypes: Dtype[]
): ArrayBuffer {
  const info = tensorInfo(header.tensors, name, where);
  if (String(info.shape) !== String(shape)) {
    throw bad(where, `${name} has shape [${info.shape}], expected [${shape}]`);
  }
  if (!dtypes.includes(info.dtype)) {
    throw bad(where, `${name} has element type ${info.dtype}, expected ${dtypes.join(" or ")}`);
  }
  return bytes.slice(header.dataStart + info.begin, header.dataStart + info.end).buffer;
}

/** @throws InputError as {@linkcode tensorData} */
export function readI64(
  file: CountsFile,
  name: string,
  shape: readonly number[],
): BigInt64Array<ArrayBuffer> {
  return new BigInt64Array(tensorData(file, name, shape, "I64"));
}

/** @throws InputError as {@linkcode tensorData} */
export function readU32(
  file: CountsFile,
  name: string,
  shape: readonly number[],
): Uint32Array<ArrayBuffer> {
  return new Uint32Array(tensorData(file, name, shape, "U32"));
}

/** What is wrong with a file of counts, in one sentence. */
export function bad(where: string, what: string): InputError {
  return new InputError(`${where} holds no usable counts: ${what}; count again.`);
}
