/** Causal grouped-query attention over packed texts: kernels/attention.wgsl. */
import source from "../../kernels/attention.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

export interface AttentionShape {
  readonly heads: number;
  readonly keyValueHeads: number;
  /** A multiple of 4. */
  readonly headDim: number;
}

/**
 * Records attention of every token to itself and the tokens before it in its own text.
 *
 * @param qkv [tokens, (heads + 2 keyValueHeads) headDim]: queries, keys, values, already rotated
 * @param starts [tokens] u32: index of the first token of the token's text
 * @param y [tokens, heads · headDim]
 */
export function recordAttention(
  gpu: Gpu,
  recorder: Recorder,
  shape: AttentionShape,
  qkv: Rows,
  starts: GPUBuffer,
  y: Rows,
): void {
  const { heads, keyValueHeads, headDim } = shape;
  const kernel = gpu.kernel("attention", source, {
    LANES: gpu.lanes,
    HEADS: heads,
    GROUP: heads / keyValueHeads,
    QUADS: headDim / 4,
    CACHED: 0,
  });
  const quads = qkv.stride / 4;
  const params = [qkv.rows, quads, quads, y.stride / 4, floatBits(1 / Math.sqrt(headDim))];
  const groups = Math.ceil(qkv.rows * heads / gpu.lanes);
  recorder.dispatchItems(kernel, [bindRows(qkv), starts, bindRows(y)], params, groups);
}
