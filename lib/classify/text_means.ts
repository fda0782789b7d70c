/** The mean activation of each text at hookpoints. */
import type { Gpu } from "../gpu/device.ts";
import { readRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import type { Reader } from "../interpret/activations.ts";
import { groupTexts, pack } from "../nn/batch.ts";
import type { Hookpoint } from "../nn/hookpoints.ts";
import type { Hook } from "../nn/llama.ts";

/** Most bytes of one readback; a single row may take more. */
const READ_BYTES = 4 * 2 ** 20;

/**
 * Runs texts through a model and yields the mean activation over each one's tokens (BOS is one, unless
 * excluded), summed in f64 in the order of the tokens; 0 of a text that has no other.
 *
 * @param texts tokenised
 * @param excluded BOS, where texts that begin with it are taken without it
 * @yields per text, in order: one vector [width] per hookpoint
 */
export async function* textMeans(
  { gpu, llama, limits }: Pick<Reader, "gpu" | "llama" | "limits">,
  hookpoints: readonly Hookpoint[],
  texts: readonly { readonly ids: Uint32Array }[],
  excluded?: number,
): AsyncGenerator<Float64Array[]> {
  llama.prepare(limits.tokens);
  for (const group of groupTexts(texts, limits)) {
    const batch = pack(group.map(({ ids }) => ids));
    const sums = group.map((): Float64Array[] => []);
    const hooks = hookpoints.map((hookpoint, h): Hook => ({
      hookpoint,
      async run(recorder, activations, first) {
        recorder.submit();
        for (const text of sums) text[h] ??= new Float64Array(activations.width);
        for await (const { row, values } of rowsOf(gpu, activations)) {
          const token = first + row;
          if (batch.positions[token] === 0 && batch.ids[token] === excluded) continue;
          const sum = sums[batch.examples[token]][h];
          for (let i = 0; i < values.length; i++) sum[i] += values[i];
        }
      },
    }));
    await llama.forward(batch, hooks);
    await gpu.settle();
    for (const [text, { ids }] of group.entries()) {
      const tokens = ids.length - (ids[0] === excluded ? 1 : 0);
      yield sums[text].map((sum) => sum.map((value) => value / Math.max(1, tokens)));
    }
  }
}

/** Rows of a matrix, some MiB of them at a time. */
async function* rowsOf(gpu: Gpu, matrix: Rows) {
  const { rows, width, stride } = matrix;
  const step = Math.max(1, Math.floor(READ_BYTES / (stride * 4)));
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step);
    const values = await readRows(gpu, rowsBetween(matrix, from, to));
    for (let row = from; row < to; row++) {
      const begin = (row - from) * width;
      yield { row, values: values.subarray(begin, begin + width) };
    }
  }
}
