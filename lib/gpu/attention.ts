/** Causal grouped-query attention: kernels/attention.wgsl. */
import source from "../../kernels/attention.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { type AttentionShape, type KeyValues, stageKeyValues } from "./key_values.ts";
import { type Binding, floatBits, type Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** Where the texts of tokens lie among keys and values; both [tokens] u32. */
export interface TextPlaces {
  /** Row of the keys and values of the first token of the token's text. */
  readonly firsts: Binding;
  /** Position of the token in its text. */
  readonly positions: Binding;
}

/** vec4s of queries, and as many of results, that an invocation of the texture family keeps. */
const MOST_QUADS = 64;

/**
 * Records attention of every token of a packed batch to itself and the tokens before it in its own
 * text.
 *
 * @param qkv [tokens, (heads + 2 keyValueHeads) headDim]: queries, keys, values, already rotated
 * @param places of the tokens in the batch itself
 * @param y [tokens, heads · headDim]
 */
export function recordAttention(
  gpu: Gpu,
  recorder: Recorder,
  shape: AttentionShape,
  qkv: Rows,
  places: TextPlaces,
  y: Rows,
): void {
  const kept = stageKeyValues(gpu, recorder, shape, qkv);
  recordAttentionTo(gpu, recorder, shape, qkv, kept, places, y);
}

/**
 * The same with keys and values that lie elsewhere, those of the tokens included.
 *
 * @param places of the tokens in `kept`
 */
export function recordAttentionTo(
  gpu: Gpu,
  recorder: Recorder,
  shape: AttentionShape,
  qkv: Rows,
  kept: KeyValues,
  { firsts, positions }: TextPlaces,
  y: Rows,
): void {
  const { heads, headDim } = shape;
  const each = headsEach(gpu, shape);
  const lanes = gpu.subgroupLanes ?? gpu.lanes;
  const kernel = gpu.kernel("attention", source, {
    FAMILY: gpu.identity.family,
    LANES: lanes,
    HEADS: heads,
    GROUP: heads / shape.keyValueHeads,
    EACH: each,
    QUADS: headDim / 4,
  });
  recorder.dispatchItems(
    kernel,
    [bindRows(qkv), firsts, positions, kept.binding, bindRows(y)],
    [
      qkv.rows,
      qkv.stride / 4,
      y.stride / 4,
      kept.quads,
      kept.first,
      kept.fold,
      floatBits(1 / Math.sqrt(headDim)),
    ],
    Math.ceil(qkv.rows * heads / each / lanes),
  );
}

/** Heads of one invocation: a divisor of those that share a key head. */
function headsEach(gpu: Gpu, { heads, keyValueHeads, headDim }: AttentionShape): number {
  if (gpu.identity.family !== "texture") return 1;
  const group = heads / keyValueHeads;
  let each = Math.max(1, Math.min(group, Math.floor(MOST_QUADS * 4 / headDim)));
  while (group % each > 0) each--;
  return each;
}
