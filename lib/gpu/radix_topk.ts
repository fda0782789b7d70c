/** TopK for any k, by index: kernels/radix_topk.wgsl. */
import source from "../../kernels/radix_topk.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";
import type { TopKEntries } from "./topk.ts";

/**
 * Records the k largest values of each row, in the order of their indices; ties go to the lower
 * index.
 *
 * @param pre [tokens, latents] not negative
 * @param k at most the width of `pre`
 * @param entries [tokens, k]
 */
export function recordRadixTopK(
  gpu: Gpu,
  recorder: Recorder,
  pre: Rows,
  k: number,
  { values, indices }: TopKEntries,
): void {
  if (k > pre.width) throw new RangeError(`the ${k} largest of ${pre.width} values`);
  const kernel = gpu.kernel("radix_topk", source, { LANES: gpu.lanes });
  const params = [pre.rows, pre.stride / 4, pre.width, k];
  recorder.dispatchItems(kernel, [bindRows(pre), values, indices], params, pre.rows);
}
