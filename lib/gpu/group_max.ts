/** The largest activation of each group of latents: kernels/group_max.wgsl. */
import source from "../../kernels/group_max.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";
import type { TopKEntries } from "./topk.ts";

/**
 * Records the largest value of each of `groups` groups of consecutive columns of each row; ties go
 * to the lowest index.
 *
 * @param pre [tokens, latents] not negative; `groups` divides its width
 * @param entries [tokens, groups]
 */
export function recordGroupMax(
  gpu: Gpu,
  recorder: Recorder,
  pre: Rows,
  groups: number,
  { values, indices }: TopKEntries,
): void {
  if (pre.width % groups !== 0) {
    throw new RangeError(`${pre.width} latents do not make ${groups} equal groups`);
  }
  const kernel = gpu.kernel("group_max", source, { LANES: gpu.lanes });
  const params = [pre.rows, pre.stride, groups, pre.width / groups];
  recorder.dispatchItems(kernel, [bindRows(pre), values, indices], params, pre.rows * groups);
}
