/** Attention to cached keys and values: kernels/cache_keys.wgsl, kernels/attention.wgsl. */
import attentionSource from "../../kernels/attention.wgsl" with { type: "text" };
import cacheSource from "../../kernels/cache_keys.wgsl" with { type: "text" };
import type { AttentionShape } from "./attention.ts";
import type { Gpu } from "./device.ts";
import { floatBits, type Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** Where tokens lie in a cache; both [tokens] u32. */
export interface CachePlaces {
  /** Cache row of the first token of the token's sequence. */
  readonly firsts: GPUBufferBinding;
  /** Position of the token in its sequence. */
  readonly positions: GPUBufferBinding;
}

/**
 * Records that the keys and values of some tokens go into the cache, where the tokens then attend to
 * themselves and to what is before them in their sequences.
 *
 * @param qkv [tokens, (heads + 2 keyValueHeads) headDim]: queries, keys, values, already rotated
 * @param cache [cache rows, 2 keyValueHeads headDim] of one layer
 * @param y [tokens, heads · headDim]
 */
export function recordCachedAttention(
  gpu: Gpu,
  recorder: Recorder,
  shape: AttentionShape,
  qkv: Rows,
  cache: Rows,
  { firsts, positions }: CachePlaces,
  y: Rows,
): void {
  const { heads, keyValueHeads, headDim } = shape;
  const quads = headDim / 4;
  const kept = 2 * keyValueHeads * quads;
  const store = gpu.kernel("cache_keys", cacheSource, { LANES: gpu.lanes });
  recorder.dispatchItems(
    store,
    [bindRows(qkv), firsts, positions, bindRows(cache)],
    [qkv.rows, qkv.stride / 4, heads * quads, kept, cache.stride / 4],
    Math.ceil(qkv.rows * kept / gpu.lanes),
  );
  const attend = gpu.kernel("attention", attentionSource, {
    LANES: gpu.lanes,
    HEADS: heads,
    GROUP: heads / keyValueHeads,
    QUADS: quads,
    CACHED: 1,
  });
  const strides = [qkv.stride / 4, cache.stride / 4, y.stride / 4];
  recorder.dispatchItems(
    attend,
    [bindRows(qkv), firsts, bindRows(y), bindRows(cache), positions],
    [qkv.rows, ...strides, floatBits(1 / Math.sqrt(headDim))],
    Math.ceil(qkv.rows * heads / gpu.lanes),
  );
}
