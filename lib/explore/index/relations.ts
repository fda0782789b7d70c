/** Latents whose decoder rows point along each other, or against each other. */
import type { Gpu } from "../../gpu/device.ts";
import { prepareMatMul, recordMatMul } from "../../gpu/matmul.ts";
import { type Matrix, type MatrixSource, uploadMatrix } from "../../gpu/matrix.ts";
import { allocateRows, readRows, writeRows } from "../../gpu/rows.ts";
import type { Sae } from "../../sae/sae.ts";

/** Another latent of the same SAE and the cosine of the two decoder rows. */
export type Relation = readonly [index: number, cosine: number];

/** The most related latents of one. */
export interface Relations {
  /** Largest cosine first, ties by lower index. */
  readonly nearest: readonly Relation[];
  /** Smallest cosine first; below 0. */
  readonly opposing: readonly Relation[];
}

/** Decoder rows on the GPU at a time, and latents compared with them at a time. */
const BLOCK = { rows: 4096, asked: 256 };

/**
 * Compares the decoder rows of some latents with all of their SAE: latents × width × asked products in
 * f32 on the GPU. Rows of zeros are related to none.
 *
 * @param asked latents to compare
 * @param most related ones of each kind
 * @param progressed told the rows compared so far
 */
export async function decoderRelations(
  gpu: Gpu,
  { decoder, latents }: Pick<Sae, "decoder" | "latents">,
  asked: readonly number[],
  most: number,
  progressed: (rows: number) => void = () => {},
): Promise<Relations[]> {
  const nearest = asked.map((): Relation[] => []);
  const opposing = asked.map((): Relation[] => []);
  for (let first = 0; decoder && first < latents; first += BLOCK.rows) {
    const count = Math.min(BLOCK.rows, latents - first);
    const indices = Uint32Array.from({ length: count }, (_, i) => first + i);
    const width = decoder.bias.length;
    const rows = unitRows(await decoder.rows(indices), width);
    using matrix = await uploadMatrix(gpu, inMemory(rows, width));
    for (let from = 0; from < asked.length; from += BLOCK.asked) {
      const some = asked.slice(from, from + BLOCK.asked);
      const cosines = await products(gpu, unitRows(await decoder.rows(some), width), matrix);
      some.forEach((index, a) => {
        for (let i = 0; i < count; i++) {
          const cosine = cosines[a * count + i];
          if (cosine === 0 || first + i === index) continue;
          if (cosine > 0) place(nearest[from + a], most, first + i, cosine, 1);
          else place(opposing[from + a], most, first + i, cosine, -1);
        }
      });
    }
    progressed(first + count);
  }
  return asked.map((_, a) => ({ nearest: nearest[a], opposing: opposing[a] }));
}

/** [vectors, rows of the matrix] */
async function products(
  gpu: Gpu,
  vectors: Float32Array<ArrayBuffer>,
  matrix: Matrix,
): Promise<Float32Array> {
  const count = vectors.length / matrix.columns;
  prepareMatMul(gpu, count, matrix.columns);
  using x = allocateRows(gpu, "decoder rows", count, matrix.columns);
  using y = allocateRows(gpu, "cosines", count, matrix.rows);
  writeRows(gpu, x, vectors);
  const recorder = gpu.recorder();
  recordMatMul(gpu, recorder, x, matrix, y);
  recorder.submit();
  return await readRows(gpu, y);
}

/** Puts a latent among the best, where `sign · cosine` is large. */
function place(best: Relation[], most: number, index: number, cosine: number, sign: 1 | -1): void {
  const value = sign * cosine;
  if (best.length === most && !(value > sign * best[most - 1][1])) return;
  let at = best.length;
  while (at > 0 && sign * best[at - 1][1] < value) at--;
  best.splice(at, 0, [index, cosine]);
  if (best.length > most) best.pop();
}

function inMemory(rows: Float32Array<ArrayBuffer>, columns: number): MatrixSource {
  return {
    name: "decoder rows",
    rows: rows.length / columns,
    columns,
    type: "f32",
    read: (from, to) =>
      Promise.resolve(new Uint8Array(rows.slice(from * columns, to * columns).buffer)),
  };
}

/** The rows divided by their lengths; zeros stay. */
function unitRows(rows: Float32Array<ArrayBuffer>, width: number): Float32Array<ArrayBuffer> {
  const units = new Float32Array(rows.length);
  for (let from = 0; from < rows.length; from += width) {
    let square = 0;
    for (let i = from; i < from + width; i++) square += rows[i] ** 2;
    if (square === 0) continue;
    const norm = Math.sqrt(square);
    for (let i = from; i < from + width; i++) units[i] = rows[i] / norm;
  }
  return units;
}
