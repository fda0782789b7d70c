/** Latents whose decoder rows point along each other, or against each other. */
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

/** Bytes of decoder rows held at a time. */
const BLOCK_BYTES = 64 * 2 ** 20;

/**
 * Compares the decoder rows of some latents with all of their SAE, in f32 on the host: latents × width ×
 * asked products, about 10^9 of them a second. Rows of zeros are related to none.
 *
 * @param asked latents to compare
 * @param most related ones of each kind
 * @param progressed told the rows compared so far; may let other work go on
 */
export async function decoderRelations(
  { decoder, latents, inputSize }: Pick<Sae, "decoder" | "latents" | "inputSize">,
  asked: readonly number[],
  most: number,
  progressed: (rows: number) => Promise<void> | void = () => {},
): Promise<Relations[]> {
  if (!decoder) return asked.map(() => ({ nearest: [], opposing: [] }));
  const own = unitRows(await decoder.rows(asked), inputSize);
  const nearest = asked.map((): Relation[] => []);
  const opposing = asked.map((): Relation[] => []);
  const block = Math.max(1, Math.min(512, Math.floor(BLOCK_BYTES / (4 * inputSize))));
  for (let first = 0; first < latents; first += block) {
    const count = Math.min(block, latents - first);
    const indices = Uint32Array.from({ length: count }, (_, i) => first + i);
    const rows = unitRows(await decoder.rows(indices), inputSize);
    for (const [a, index] of asked.entries()) {
      const vector = own.subarray(a * inputSize, (a + 1) * inputSize);
      for (let i = 0; i < count; i++) {
        if (first + i === index) continue;
        const cosine = dot(vector, rows, i * inputSize);
        if (cosine > 0) place(nearest[a], most, [first + i, cosine], 1);
        else if (cosine < 0) place(opposing[a], most, [first + i, cosine], -1);
      }
    }
    await progressed(first + count);
  }
  return asked.map((_, a) => ({ nearest: nearest[a], opposing: opposing[a] }));
}

/** Puts a relation among the best, where `sign · cosine` is large. */
function place(best: Relation[], most: number, relation: Relation, sign: 1 | -1): void {
  const value = sign * relation[1];
  if (best.length === most && !(value > sign * best[most - 1][1])) return;
  let at = best.length;
  while (at > 0 && sign * best[at - 1][1] < value) at--;
  best.splice(at, 0, relation);
  if (best.length > most) best.pop();
}

/** The rows divided by their lengths; zeros stay. */
function unitRows(
  rows: Float32Array<ArrayBuffer>,
  width: number,
): Float32Array<ArrayBuffer> {
  const units = new Float32Array(rows.length);
  for (let from = 0; from < rows.length; from += width) {
    const norm = Math.sqrt(dot(rows.subarray(from, from + width), rows, from));
    if (norm === 0) continue;
    for (let i = from; i < from + width; i++) units[i] = rows[i] / norm;
  }
  return units;
}

/** Four sums side by side: one alone would wait for each of its additions. */
function dot(a: Float32Array, b: Float32Array, at: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i] * b[at + i];
    s1 += a[i + 1] * b[at + i + 1];
    s2 += a[i + 2] * b[at + i + 2];
    s3 += a[i + 3] * b[at + i + 3];
  }
  for (; i < a.length; i++) s0 += a[i] * b[at + i];
  return s0 + s1 + (s2 + s3);
}
