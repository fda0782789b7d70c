/** What selected latents get of the gradient of an output: kernels/slot_gradients.wgsl. */
import source from "../../kernels/slot_gradients.wgsl" with { type: "text" };
import { bindableRanges } from "./changing_matrix.ts";
import type { Gpu } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows, rowsBetween } from "./rows.ts";
import type { TopKEntries } from "./topk.ts";

/** Slots of a workgroup; not more than it has lanes. */
const SLOTS = 8;

/** Where the gradient of an output goes. */
export interface SlotGradients {
  /** Entry of the factors that turns residuals into gradients. */
  readonly factor: number;
  /** Whether it goes on into the encoder. */
  readonly encoder: boolean;
  /** Whether slots that ReLU clipped to 0 pass it on. */
  readonly clipped: boolean;
}

/**
 * Records, for every slot, (factor · value, factor · <r[t], W_dec[index]>): its weight in the
 * gradient of its decoder row, and the gradient of its pre-activation.
 *
 * @param r [tokens, width] residuals
 * @param entries [tokens, k]
 * @param decoder W_dec [latents, width]
 * @param factors f32 values
 * @param slots [tokens, k] pairs of f32
 */
export function recordSlotGradients(
  gpu: Gpu,
  recorder: Recorder,
  r: Rows,
  { values, indices }: TopKEntries,
  k: number,
  decoder: Rows,
  factors: GPUBuffer,
  slots: GPUBufferBinding,
  { factor, encoder, clipped }: SlotGradients,
): void {
  const ranges = encoder
    ? bindableRanges(gpu, decoder.rows, decoder.stride)
    : [{ first: 0, rows: decoder.rows }];
  const kernel = gpu.kernel("slot_gradients", source, {
    LANES: gpu.lanes,
    SLOTS,
    ENCODER: encoder ? 1 : 0,
    CLIPPED: clipped ? 1 : 0,
    PART: ranges.length > 1 ? 1 : 0,
  });
  const batches = Math.ceil(k / SLOTS);
  for (const { first, rows } of ranges) {
    const part = bindRows(rowsBetween(decoder, first, first + rows));
    const bindings = [values, factors, slots, ...(encoder ? [bindRows(r), indices, part] : [])];
    const params = [r.rows, r.stride / 4, batches, k, first, rows, factor];
    recorder.dispatchItems(kernel, bindings, params, r.rows * batches);
  }
}
