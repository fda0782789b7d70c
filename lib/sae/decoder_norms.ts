/** Lengths of decoder rows, by the layout of the weights; one pass over the file each. */
import type { MatrixSource } from "../gpu/matrix.ts";
import { floatsOf, rowBlocks } from "./stored_rows.ts";

/**
 * Least norm: that of a latent without a decoder row, which is then never divided by 0. The value is
 * SAELens' (`get_W_dec_norm`).
 */
const LEAST = 1e-8;

/** Norms of the rows of W_dec [latents, inputSize], summed in f64. */
export async function rowNorms(weights: MatrixSource): Promise<Float64Array<ArrayBuffer>> {
  const { rows, columns, type } = weights;
  const squares = new Float64Array(rows);
  for await (const block of rowBlocks(weights)) {
    const values = floatsOf(block.bytes, type);
    for (let row = 0; row < block.rows; row++) {
      let sum = 0;
      for (let at = row * columns; at < (row + 1) * columns; at++) sum += values[at] * values[at];
      squares[block.first + row] = sum;
    }
  }
  return squares.map(toNorm);
}

/** Norms of the columns of a decoder [inputSize, latents], summed in f64. */
export async function columnNorms(weights: MatrixSource): Promise<Float64Array<ArrayBuffer>> {
  const { columns, type } = weights;
  const squares = new Float64Array(columns);
  for await (const block of rowBlocks(weights)) {
    const values = floatsOf(block.bytes, type);
    for (let row = 0; row < block.rows; row++) {
      const at = row * columns;
      for (let i = 0; i < columns; i++) squares[i] += values[at + i] * values[at + i];
    }
  }
  return squares.map(toNorm);
}

function toNorm(squares: number): number {
  return Math.max(LEAST, Math.sqrt(squares));
}
