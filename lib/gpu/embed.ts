/** Embedding gather: kernels/embed.wgsl. */
import embedSource from "../../kernels/embed.wgsl" with { type: "text" };
import weightsSource from "../../kernels/weights.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { type Matrix, texelsPerRow, weightConstants } from "./matrix.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/**
 * Records y[t] = table[ids[t]].
 *
 * @param table [vocabulary, width]
 * @param ids [y.rows] u32
 * @param y [tokens, width]
 */
export function recordEmbed(
  gpu: Gpu,
  recorder: Recorder,
  table: Matrix,
  ids: GPUBuffer,
  y: Rows,
): void {
  const kernel = gpu.kernel("embed", weightsSource + embedSource, {
    ...weightConstants(table.type, gpu.identity.family),
    LANES: gpu.lanes,
  });
  const texels = texelsPerRow(table.columns, table.type);
  for (const { first, rows, resource } of table.shards) {
    const params = [y.rows, first, rows, y.stride / 4, texels];
    recorder.dispatchItems(kernel, [resource, ids, bindRows(y)], params, y.rows);
  }
}
