/** What kernels/row_sum.wgsl is told. */
import type { Gpu } from "./device.ts";
import type { Constants } from "./template.ts";

/** The constants of a kernel that has row_sum.wgsl in front; a workgroup of `LANES` works on a row. */
export function rowSumConstants({ lanes, subgroupLanes = 0 }: Gpu): Constants {
  return { LANES: lanes, SUBGROUP: Number(subgroupLanes >= lanes) };
}
