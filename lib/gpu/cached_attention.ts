/** Attention to cached keys and values: kernels/cache_keys.wgsl, kernels/attention.wgsl. */
import source from "../../kernels/cache_keys.wgsl" with { type: "text" };
import { recordAttentionTo, type TextPlaces } from "./attention.ts";
import { type Gpu, ITEM_LANES } from "./device.ts";
import type { AttentionShape, KeyValues } from "./key_values.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/**
 * Records that the keys and values of some tokens go into the cache, where the tokens then attend to
 * themselves and to what is before them in their sequences.
 *
 * @param qkv [tokens, (heads + 2 keyValueHeads) headDim]: queries, keys, values, already rotated
 * @param cache of one layer
 * @param places of the tokens in the cache
 * @param y [tokens, heads · headDim]
 */
export function recordCachedAttention(
  gpu: Gpu,
  recorder: Recorder,
  shape: AttentionShape,
  qkv: Rows,
  cache: KeyValues,
  places: TextPlaces,
  y: Rows,
): void {
  const { heads, keyValueHeads, headDim } = shape;
  const quads = headDim / 4;
  const count = 2 * keyValueHeads * quads;
  const kernel = gpu.kernel("cache_keys", source, {
    FAMILY: gpu.identity.family,
    LANES: ITEM_LANES,
  });
  recorder.dispatchItems(
    kernel,
    [bindRows(qkv), places.firsts, places.positions, cache.binding],
    [qkv.rows, qkv.stride / 4, heads * quads, count, cache.quads, cache.fold],
    Math.ceil(qkv.rows * count / ITEM_LANES),
  );
  recordAttentionTo(gpu, recorder, shape, qkv, cache, places, y);
}
