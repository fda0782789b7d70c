/** Gradients of encoder and decoder rows, summed per latent: kernels/latent_gradients.wgsl. */
import source from "../../kernels/latent_gradients.wgsl" with { type: "text" };
import { bindableRanges } from "./changing_matrix.ts";
import { rowBlocks } from "./decode_topk.ts";
import type { Gpu } from "./device.ts";
import type { LatentLists } from "./latent_lists.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { bindRows, type Rows, rowsBetween } from "./rows.ts";
import { stagedConstants } from "./staged_rows.ts";

/** Gradients that the slots of a chunk are added to. */
export interface LatentGradients {
  /** [latents, width] */
  readonly decoder: Rows;
  /** [latents, width] */
  readonly encoder: Rows;
  /** One row of [latents] values. */
  readonly bias: Rows;
}

/**
 * Records the addition of all lists to the gradients.
 *
 * @param residuals staged rows that the lists name
 * @param x [tokens, width] what the encoder read, staged
 */
export function recordLatentGradients(
  gpu: Gpu,
  recorder: Recorder,
  { lists, list }: LatentLists,
  residuals: Binding,
  x: Binding,
  { decoder, encoder, bias }: LatentGradients,
): void {
  const quads = decoder.stride / 4;
  const { QUADS, blocks } = rowBlocks(gpu, quads);
  const kernel = gpu.kernel("latent_gradients", source, {
    LANES: gpu.lanes,
    QUADS,
    ...stagedConstants(gpu),
  });
  for (const { first, rows } of bindableRanges(gpu, decoder.rows, decoder.stride)) {
    const part = (matrix: Rows) => bindRows(rowsBetween(matrix, first, first + rows));
    const bindings = [
      { buffer: lists, offset: first * 8, size: rows * 8 },
      list,
      residuals,
      x,
      part(decoder),
      part(encoder),
      { buffer: bias.buffer, offset: bias.offset + first * 4 },
    ];
    recorder.dispatchItems(kernel, bindings, [rows, quads, blocks], rows * blocks);
  }
}
