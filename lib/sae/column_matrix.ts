/** Matrices stored with one latent per column, where the program wants one per row. */
import type { TensorSource } from "../formats/safetensors.ts";
import type { MatrixSource, WeightType } from "../gpu/matrix.ts";
import { matrixOf } from "../nn/weights.ts";
import { rowBlocks } from "./stored_rows.ts";

/** A matrix [rows, latents] whose columns can be read too. */
export interface ColumnMatrix extends MatrixSource {
  /** Bytes of columns `from` (inclusive) to `to` (exclusive): [rows, to - from], row-major. */
  readColumns(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Tiles of a transposition: two of them stay in a processor's first cache. */
const TILE = 32;

/**
 * Each read of a piece of a row costs about as much as reading on through this many bytes, from a
 * local disk.
 */
const BYTES_PER_READ = 32 * 2 ** 10;

/**
 * A matrix of a checkpoint with one latent per column.
 *
 * @param where names the checkpoint in messages
 * @throws InputError when it is missing, has another shape or a type that is not supported
 */
export function columnMatrixOf(
  tensors: TensorSource,
  name: string,
  rows: number,
  latents: number,
  where: string,
): ColumnMatrix {
  return {
    ...matrixOf(tensors, name, rows, latents, where),
    readColumns: (from, to) => tensors.readColumns(name, from, to),
  };
}

/** The same matrix as [latents, rows]: each read takes its columns alone from the file. */
export function transposed(matrix: ColumnMatrix): MatrixSource {
  const { name, rows, columns, type } = matrix;
  return {
    name,
    rows: columns,
    columns: rows,
    type,
    async read(from, to) {
      const stored = wordsOf(await matrix.readColumns(from, to), type);
      return bytesOf(transpose(stored, rows, to - from));
    },
  };
}

/**
 * Some columns of a matrix as they are stored, [latents.length, rows]. Few of them are read alone;
 * for many the matrix is read once from end to end, in pieces.
 *
 * @param latents any order, repeats allowed
 * @throws RangeError for a column that is not there
 */
export async function pickColumns(
  matrix: ColumnMatrix,
  latents: ArrayLike<number>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { name, rows, columns, type } = matrix;
  for (let i = 0; i < latents.length; i++) {
    const there = Number.isInteger(latents[i]) && 0 <= latents[i] && latents[i] < columns;
    if (!there) throw new RangeError(`${name} has ${columns} columns, none numbered ${latents[i]}`);
  }
  const picked = emptyWords(latents.length * rows, type);
  if (latents.length * BYTES_PER_READ < columns * picked.BYTES_PER_ELEMENT) {
    for (let i = 0; i < latents.length; i++) {
      const column = await matrix.readColumns(latents[i], latents[i] + 1);
      picked.set(wordsOf(column, type), i * rows);
    }
    return bytesOf(picked);
  }
  for await (const block of rowBlocks(matrix)) {
    const words = wordsOf(block.bytes, type);
    for (let i = 0; i < latents.length; i++) {
      const to = i * rows + block.first;
      for (let row = 0; row < block.rows; row++) {
        picked[to + row] = words[row * columns + latents[i]];
      }
    }
  }
  return bytesOf(picked);
}

/** Values of a width, whatever they mean. */
type Words = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

function emptyWords(length: number, type: WeightType): Words {
  return type === "f32" ? new Uint32Array(length) : new Uint16Array(length);
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>, type: WeightType): Words {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return type === "f32"
    ? new Uint32Array(buffer, byteOffset, byteLength / 4)
    : new Uint16Array(buffer, byteOffset, byteLength / 2);
}

function bytesOf({ buffer, byteOffset, byteLength }: Words): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** [rows, columns] as [columns, rows], tile by tile: both sides are read and written along lines. */
function transpose(from: Words, rows: number, columns: number): Words {
  const to = from instanceof Uint32Array
    ? new Uint32Array(from.length)
    : new Uint16Array(from.length);
  for (let top = 0; top < rows; top += TILE) {
    const bottom = Math.min(rows, top + TILE);
    for (let left = 0; left < columns; left += TILE) {
      const right = Math.min(columns, left + TILE);
      for (let column = left; column < right; column++) {
        for (let row = top; row < bottom; row++) {
          to[column * rows + row] = from[row * columns + column];
        }
      }
    }
  }
  return to;
}
