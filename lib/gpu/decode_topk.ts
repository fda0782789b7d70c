/** Sparse decode: kernels/decode_topk.wgsl. */
import source from "../../kernels/decode_topk.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";
import { stagedConstants, type StagedRange } from "./staged_rows.ts";
import type { TopKEntries } from "./topk.ts";

/** Most vec4s that a lane keeps of a row, and of two rows, in registers. */
const MOST_QUADS = 6;

/** How the vec4s of a row are shared out: so many per lane, in so many workgroups. */
export function rowBlocks(gpu: Gpu, quads: number): { QUADS: number; blocks: number } {
  const perLane = Math.ceil(quads / gpu.lanes);
  const blocks = Math.ceil(perLane / MOST_QUADS);
  return { QUADS: Math.ceil(perLane / blocks), blocks };
}

/** What is added to the decoded values. */
export interface DecodeBase {
  /** Row of the result's matrix that token 0 starts from. */
  readonly own?: number;
  /** [tokens, width] */
  readonly start?: Rows;
  /** One row, for all tokens. */
  readonly bias?: Rows;
  /** [tokens, width], subtracted. */
  readonly target?: Rows;
  /** Whether each token's values are descending: slots of 0 then cost nothing. */
  readonly sorted?: boolean;
}

/** Rows `first` to `first + tokens` of a matrix, which other rows of it may be needed for. */
export interface DecodedRows {
  readonly matrix: Rows;
  readonly first: number;
  readonly tokens: number;
}

/**
 * Records r[first + t] = r[own + t] + start[t] + bias - target[t] + Σ_j values[t, j] W_dec[indices[t, j]],
 * whatever of these there is.
 *
 * @param entries [tokens, k]
 * @param decoder W_dec [latents, width], staged
 */
export function recordDecodeTopK(
  gpu: Gpu,
  recorder: Recorder,
  { values, indices }: TopKEntries,
  k: number,
  decoder: readonly StagedRange[],
  { matrix, first: firstRow, tokens }: DecodedRows,
  base: DecodeBase,
): void {
  const quads = matrix.stride / 4;
  const { QUADS, blocks } = rowBlocks(gpu, quads);
  for (const { first, rows, resource } of decoder) {
    // Later parts of the decoder add to what the first has made.
    const { own, start, bias, target }: DecodeBase = first === 0 ? base : { own: firstRow };
    const kernel = gpu.kernel("decode_topk", source, {
      LANES: gpu.lanes,
      QUADS,
      OWN: own === undefined ? 0 : 1,
      START: start ? 1 : 0,
      BIAS: bias ? 1 : 0,
      TARGET: target ? 1 : 0,
      PART: decoder.length > 1 ? 1 : 0,
      ...stagedConstants(gpu),
      SORTED: base.sorted ? 1 : 0,
    });
    const bindings = [
      values,
      indices,
      resource,
      bindRows(matrix),
      ...[start, bias, target].flatMap((given) => given ? [bindRows(given)] : []),
    ];
    const params = [tokens, quads, blocks, k, first, rows, firstRow, own ?? 0];
    recorder.dispatchItems(kernel, bindings, params, tokens * blocks);
  }
}
