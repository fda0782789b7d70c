/** Embedding gather: kernels/embed.wgsl. */
import embedSource from "../../kernels/embed.wgsl" with { type: "text" };
import weightsSource from "../../kernels/weights.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { panelLayout, type Shard, texelsPerRow, weightConstants } from "./matrix.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/**
 * Records y[t] = table[ids[t]] for the tokens whose row lies in this shard of the table.
 *
 * @param ids [y.rows] u32
 * @param y [tokens, width]
 */
export function recordEmbed(
  gpu: Gpu,
  recorder: Recorder,
  { first, rows, columns, type, resource }: Shard,
  ids: Binding,
  y: Rows,
): void {
  const kernel = gpu.kernel("embed", weightsSource + embedSource, {
    ...weightConstants(type, gpu.identity.family),
    LANES: gpu.lanes,
  });
  const layout = panelLayout(gpu, columns, type);
  const params = [
    y.rows,
    first,
    rows,
    y.stride / 4,
    texelsPerRow(columns, type),
    layout.segments,
    layout.texels,
  ];
  recorder.dispatchItems(kernel, [resource, ids, bindRows(y)], params, y.rows);
}
