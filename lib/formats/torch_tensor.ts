/**
 * Tensors of a file of torch.save: views of storages, described by an offset, sizes and strides, as
 * torch._utils._rebuild_tensor_v2 takes them. No byte is read before a tensor is asked for its own.
 */

import type { ByteSource } from "./byte_source.ts";
import { type Dtype, DTYPE_BYTES } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { Ingredient } from "./pickle.ts";

/** Most dimensions of a tensor, as in PyTorch. */
const MAX_DIMENSIONS = 64;
/** Most elements of a tensor whose storage has fewer (torch.Tensor.expand). */
const MAX_REPEATED = 2 ** 20;
/** Most bytes that one read gives or, where strides leave gaps, passes over. */
const MAX_READ_BYTES = 2 ** 32;

/** Elements of one type in an entry of the file; several tensors may be views of it. */
export class TorchStorage extends Ingredient {
  readonly description = "a storage";
  #source?: Promise<ByteSource>;

  /**
   * @param length number of elements
   * @param open opens the entry that holds them
   */
  constructor(
    readonly dtype: Dtype,
    readonly length: number,
    readonly open: () => Promise<ByteSource>,
  ) {
    super();
  }

  /** Bytes of elements `begin` to `end`, half open. */
  async read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const width = DTYPE_BYTES[this.dtype];
    const source = await (this.#source ??= this.open());
    return await source.read(begin * width, end * width);
  }
}

/** A dense tensor. */
export class TorchTensor {
  /**
   * @param shape sizes from the outermost (rows) to the innermost dimension; `[]` is a scalar
   * @param strides elements of the storage from one index to the next, per dimension
   * @param offset element of the storage at which it begins
   * @throws InputError when it reaches beyond its storage, or has more elements than a larger one
   *   of its storage and a million
   */
  constructor(
    readonly storage: TorchStorage,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    readonly offset: number,
    readonly where: string,
  ) {
    const elements = shape.reduce((product, size) => product * size, 1);
    const end = offset + span(shape, strides);
    const inside = shape.length === strides.length && shape.length <= MAX_DIMENSIONS &&
      end <= storage.length && elements <= Math.max(storage.length, MAX_REPEATED);
    if (!inside) {
      throw new InputError(
        `${where} has a tensor of shape [${shape.slice(0, MAX_DIMENSIONS)}] that reaches beyond ` +
          `the ${storage.length} elements of its storage; fetch it again.`,
      );
    }
  }

  get dtype(): Dtype {
    return this.storage.dtype;
  }

  /**
   * A copy of rows `rowStart` (0) to `rowEnd` (all), half open, of the outermost dimension: little
   * endian, row major, whatever the strides. A scalar has one row.
   *
   * @throws RangeError when the tensor has no such rows
   * @throws InputError when the file is damaged, or the rows take more than 4 GiB
   */
  async read(rowStart = 0, rowEnd?: number): Promise<Uint8Array<ArrayBuffer>> {
    const rows = this.shape[0] ?? 1;
    const last = rowEnd ?? rows;
    const valid = Number.isInteger(rowStart) && Number.isInteger(last) &&
      0 <= rowStart && rowStart <= last && last <= rows;
    if (!valid) throw new RangeError(`a tensor of ${rows} rows has not rows ${rowStart}:${last}`);
    const [stride = 1, ...innerStrides] = this.strides;
    const shape = [last - rowStart, ...this.shape.slice(1)];
    return await this.#gather(shape, [stride, ...innerStrides], this.offset + rowStart * stride);
  }

  /** A copy of a view of the storage. */
  async #gather(
    shape: readonly number[],
    strides: readonly number[],
    offset: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const length = span(shape, strides);
    if (length === 0) return new Uint8Array();
    if (length * DTYPE_BYTES[this.dtype] > MAX_READ_BYTES) {
      throw new InputError(
        `${this.where} has a tensor of shape [${this.shape}] whose bytes span more than 4 GiB; ` +
          `save .contiguous() of it, or its parts.`,
      );
    }
    const bytes = await this.storage.read(offset, offset + length);
    if (isRowMajor(shape, strides)) return bytes;
    return rowMajor(bytes, DTYPE_BYTES[this.dtype], shape, strides);
  }
}

/**
 * A sparse tensor in coordinate form: entry `i` is `values[i]` at `indices[:, i]`. Whether indices lie
 * inside the shape is for its reader to check.
 */
export class SparseTensor {
  /**
   * @param shape sizes from the outermost to the innermost dimension
   * @param indices I64 [sparse dimensions, entries]
   * @param values [entries, ...dense dimensions]
   * @throws InputError when the three do not fit together
   */
  constructor(
    readonly shape: readonly number[],
    readonly indices: TorchTensor,
    readonly values: TorchTensor,
    where: string,
  ) {
    const [dimensions, entries] = indices.shape;
    const dense = values.shape.slice(1);
    const fits = indices.dtype === "I64" && indices.shape.length === 2 &&
      values.shape[0] === entries && dimensions + dense.length === shape.length &&
      dense.every((size, i) => size === shape[dimensions + i]);
    if (!fits) {
      throw new InputError(
        `${where} has a sparse tensor of shape [${shape}] whose indices [${indices.shape}] and ` +
          `values [${values.shape}] do not fit together; fetch it again.`,
      );
    }
  }
}

/** Elements of the storage from the first of a view to one past its last. */
function span(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return 1 + shape.reduce((last, size, i) => last + (size - 1) * strides[i], 0);
}

/** Whether a view's elements lie one after the other; strides of single rows do not matter. */
function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] > 1 && strides[i] !== expected) return false;
    expected *= shape[i];
  }
  return true;
}

/** Elements of `width` bytes at the places that strides say, row major. */
function rowMajor(
  { buffer }: Uint8Array<ArrayBuffer>,
  width: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  const to = new ArrayBuffer(count * width);
  switch (width) {
    case 1:
      copyView(new Uint8Array(buffer), new Uint8Array(to), shape, strides);
      break;
    case 2:
      copyView(new Uint16Array(buffer), new Uint16Array(to), shape, strides);
      break;
    case 4:
      copyView(new Uint32Array(buffer), new Uint32Array(to), shape, strides);
      break;
    default: // 8 bytes as pairs of 4: float64 would not keep every NaN, and bigint is slow
      copyView(new Uint32Array(buffer), new Uint32Array(to), [...shape, 2], [
        ...strides.map((stride) => stride * 2),
        1,
      ]);
  }
  return new Uint8Array(to);
}

function copyView<A extends Uint8Array | Uint16Array | Uint32Array>(
  from: A,
  to: A,
  shape: readonly number[],
  strides: readonly number[],
): void {
  const place = new Array<number>(shape.length).fill(0);
  for (let i = 0, at = 0; i < to.length; i++) {
    to[i] = from[at];
    // the next place, last dimension first, as an odometer turns
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d];
      if (++place[d] < shape[d]) break;
      at -= place[d] * strides[d];
      place[d] = 0;
    }
  }
}
