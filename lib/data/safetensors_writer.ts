/** Safetensors files that are larger than what should be in memory at once. */
import { type Dtype, DTYPE_BYTES } from "../formats/dtype.ts";
import { encodeSafetensorsHeader } from "../formats/safetensors.ts";
import { writeAtomic } from "./files.ts";

/** A tensor that is read when its turn comes. */
export interface LazyTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Its elements, little endian and row major. */
  read(): Promise<ArrayBufferView<ArrayBuffer>> | ArrayBufferView<ArrayBuffer>;
}

/**
 * Writes a safetensors file atomically, a tensor at a time; the same tensors give the same bytes.
 *
 * @throws InputError when the path cannot be written
 * @throws RangeError when a tensor is not as long as its shape says
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, LazyTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeAtomic(path, pieces(tensors, metadata));
}

async function* pieces(
  tensors: Readonly<Record<string, LazyTensor>>,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  yield encodeSafetensorsHeader(tensors, metadata);
  for (const [name, { dtype, shape, read }] of Object.entries(tensors)) {
    const { buffer, byteOffset, byteLength } = await read();
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements * DTYPE_BYTES[dtype] !== byteLength) {
      throw new RangeError(`${name}: ${byteLength} bytes are not ${dtype} [${shape}]`);
    }
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}
