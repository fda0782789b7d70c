/** What selected latents get of the gradient of an output: kernels/slot_gradients{,_texture}.wgsl. */
import source from "../../kernels/slot_gradients.wgsl" with { type: "text" };
import textureSource from "../../kernels/slot_gradients_texture.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { stagedConstants, type StagedRange } from "./staged_rows.ts";
import type { TopKEntries } from "./topk.ts";

/** Slots of a workgroup that reads buffers; not more than it has lanes. */
const SLOTS = 8;

/** Invocations of a workgroup that reads textures; the wider vectors of a CPU have 16 lanes. */
const TEXTURE_LANES = 16;

/** Texels that are read without a loop; a divisor of those of a row, 16. */
const SPAN = 8;

/** Tokens whose slots get gradients. */
export interface SlotTokens extends TopKEntries {
  readonly tokens: number;
  /** Slots per token. */
  readonly k: number;
  /** [tokens, k] pairs of f32. */
  readonly slots: GPUBufferBinding;
  /** Row of the residuals that token 0 has. */
  readonly firstResidual: number;
}

/** Where the gradient of an output goes. */
export interface SlotGradients {
  /** f32 values. */
  readonly factors: GPUBuffer;
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
 * @param r [.., width] residuals, staged
 * @param decoder W_dec [latents, width], staged
 * @param quads vec4s of a row of both
 */
export function recordSlotGradients(
  gpu: Gpu,
  recorder: Recorder,
  slots: SlotTokens,
  r: Binding,
  decoder: readonly StagedRange[],
  quads: number,
  gradients: SlotGradients,
): void {
  if (!gradients.encoder) {
    recordDecoderShares(gpu, recorder, slots, gradients);
    return;
  }
  const record = stagedConstants(gpu).TEXTURE ? recordFromTextures : recordFromBuffers;
  record(gpu, recorder, slots, r, decoder, quads, gradients);
}

/** The latents' shares are 0. */
function recordDecoderShares(
  gpu: Gpu,
  recorder: Recorder,
  { tokens, k, values, slots }: SlotTokens,
  { factors, factor }: SlotGradients,
): void {
  const constants = { LANES: gpu.lanes, SLOTS, ENCODER: 0, CLIPPED: 0, PART: 0 };
  const kernel = gpu.kernel("slot_gradients", source, constants);
  const batches = Math.ceil(k / SLOTS);
  const params = [tokens, 0, batches, k, 0, 0, factor, 0];
  recorder.dispatchItems(kernel, [values, factors, slots], params, tokens * batches);
}

function recordFromBuffers(
  gpu: Gpu,
  recorder: Recorder,
  { tokens, k, values, indices, slots, firstResidual }: SlotTokens,
  r: Binding,
  decoder: readonly StagedRange[],
  quads: number,
  { factors, factor, clipped }: SlotGradients,
): void {
  const kernel = gpu.kernel("slot_gradients", source, {
    LANES: gpu.lanes,
    SLOTS,
    ENCODER: 1,
    CLIPPED: clipped ? 1 : 0,
    PART: decoder.length > 1 ? 1 : 0,
  });
  const batches = Math.ceil(k / SLOTS);
  for (const { first, rows, resource } of decoder) {
    const bindings = [values, factors, slots, r, indices, resource];
    const params = [tokens, quads, batches, k, first, rows, factor, firstResidual];
    recorder.dispatchItems(kernel, bindings, params, tokens * batches);
  }
}

function recordFromTextures(
  gpu: Gpu,
  recorder: Recorder,
  { tokens, k, values, indices, slots, firstResidual }: SlotTokens,
  r: Binding,
  decoder: readonly StagedRange[],
  quads: number,
  { factors, factor, clipped }: SlotGradients,
): void {
  const kernel = gpu.kernel("slot_gradients_texture", textureSource, {
    LANES: TEXTURE_LANES,
    SPAN,
    CLIPPED: clipped ? 1 : 0,
    PART: decoder.length > 1 ? 1 : 0,
  });
  for (const { first, rows, resource } of decoder) {
    const bindings = [values, factors, slots, r, indices, resource];
    const params = [tokens, quads, k, first, rows, factor, firstResidual];
    recorder.dispatchItems(kernel, bindings, params, Math.ceil(tokens * k / TEXTURE_LANES));
  }
}
