/** The largest activation of each group of latents: kernels/group_max.wgsl. */
import source from "../../kernels/group_max.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";
import type { TopKEntries } from "./topk.ts";

/** Some of all latents. */
export interface LatentRange {
  /** Latent of column 0. */
  readonly first: number;
  /** All latents there are. */
  readonly latents: number;
}

/**
 * Records the largest value of each of `groups` groups of consecutive latents of each token; ties go
 * to the lowest index. Ranges of latents are recorded in ascending order, without gaps.
 *
 * @param pre [tokens, latents of the range] not negative
 * @param entries [tokens, groups]
 * @param range all latents at once, if not given
 * @throws RangeError when the latents do not make `groups` equal groups
 */
export function recordGroupMax(
  gpu: Gpu,
  recorder: Recorder,
  pre: Rows,
  groups: number,
  { values, indices }: TopKEntries,
  { first, latents }: LatentRange = { first: 0, latents: pre.width },
): void {
  if (latents % groups !== 0) {
    throw new RangeError(`${latents} latents do not make ${groups} equal groups`);
  }
  const size = latents / groups;
  const start = Math.floor(first / size);
  const count = Math.ceil((first + pre.width) / size) - start;
  const kernel = gpu.kernel("group_max", source, { LANES: gpu.lanes });
  const params = [pre.rows, pre.stride, groups, size, first, pre.width, start, count];
  recorder.dispatchItems(kernel, [bindRows(pre), values, indices], params, pre.rows * count);
}
