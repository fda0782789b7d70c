/** Matrices stored with one latent per column, where the program wants one per row. */
import type { TensorSource } from "../formats/tensor_source.ts";
import type { MatrixSource, WeightType } from "../gpu/matrix.ts";
import { matrixOf } from "../nn/weights.ts";
import { rowBlocks } from "./stored_rows.ts";

/** Tiles of a transposition: two of them stay in a processor's first cache. */
const TILE = 32;

/**
 * A matrix of a checkpoint, [width, latents] there, as [latents, width]: each read takes its columns
 * alone from the file.
 *
 * @param where names the checkpoint in messages
 * @throws InputError when it is missing, has another shape or a type that is not supported
 */
export function transposedOf(
  tensors: TensorSource,
  name: string,
  width: number,
  latents: number,
  where: string,
): MatrixSource {
  const { type } = matrixOf(tensors, name, width, latents, where);
  return {
    name,
    rows: latents,
    columns: width,
    type,
    async read(from, to) {
      const stored = wordsOf(await tensors.readColumns(name, from, to), type);
      return bytesOf(transpose(stored, width, to - from));
    },
  };
}

/**
 * Some columns of a matrix as they are stored, [latents.length, rows]. The matrix is read once from
 * end to end, in pieces: even one column takes a read per row, which costs more than reading on.
 *
 * @param latents any order, repeats allowed
 * @throws RangeError for a column that is not there
 */
export async function pickColumns(
  matrix: MatrixSource,
  latents: ArrayLike<number>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { name, rows, columns, type } = matrix;
  for (let i = 0; i < latents.length; i++) {
    const there = Number.isInteger(latents[i]) && 0 <= latents[i] && latents[i] < columns;
    if (!there) throw new RangeError(`${name} has ${columns} columns, none numbered ${latents[i]}`);
  }
  const picked = emptyWords(latents.length * rows, type);
  if (latents.length === 0) return bytesOf(picked);
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
