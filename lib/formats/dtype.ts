/** Element types of safetensors files and how their bytes become float32. */

import { InputError } from "./input_error.ts";

/** Bytes per element of every element type that is read. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

/** Name of an element type as safetensors writes it. */
export type Dtype = keyof typeof DTYPE_BYTES;

/** True when `name` is an element type that is read. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(DTYPE_BYTES, name);
}

/**
 * Little-endian F32, F16 or BF16 elements as float32, all of them exactly. `bytes` may start at any
 * offset of its buffer; the result never shares memory with it.
 *
 * @param where names the tensor in the message
 * @throws InputError for any other element type
 */
export function toFloat32(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: Dtype,
  where = "a tensor",
): Float32Array<ArrayBuffer> {
  switch (dtype) {
    case "F32":
      return new Float32Array(bytes.slice().buffer);
    case "F16":
      return new Float32Array(new Float16Array(aligned(bytes)));
    case "BF16":
      return bf16ToFloat32(new Uint16Array(aligned(bytes)));
    default:
      throw new InputError(
        `${where} has element type ${dtype}, expected floating-point weights in F32, F16 or BF16; ` +
          `convert the file to one of these.`,
      );
  }
}

/** bfloat16 bits of each value, rounded to nearest, ties to even; a NaN stays a (quiet) NaN. */
export function floatToBf16Bits(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(new Float32Array(values).buffer);
  const rounded = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    const isNaN = (b & 0x7fffffff) > 0x7f800000;
    rounded[i] = isNaN ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return rounded;
}

function bf16ToFloat32(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}

/** A buffer that starts with `bytes`: typed arrays of wider elements need an aligned start. */
function aligned(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return whole ? bytes.buffer : bytes.slice().buffer;
}
