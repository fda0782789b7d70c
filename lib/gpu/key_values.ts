/**
 * Where keys and values of tokens lie while others attend to them: a buffer on GPUs, a texture on
 * software Vulkan, whose kernels read textures many times as fast (kernels/attention.wgsl).
 */
import type { Gpu } from "./device.ts";
import { type Allocated, GpuError } from "./memory.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { allocateRows, bindRows, type Rows } from "./rows.ts";

/** The shape of grouped-query attention. */
export interface AttentionShape {
  readonly heads: number;
  /** A divisor of `heads`. */
  readonly keyValueHeads: number;
  /** A multiple of 4. */
  readonly headDim: number;
}

/** Keys and values of tokens: a row per token, key heads, then value heads. */
export interface KeyValues {
  readonly binding: Binding;
  /** vec4s from a row to the next one, or the next one beside it. */
  readonly quads: number;
  /** vec4s of a row before its keys. */
  readonly first: number;
  /** In a texture, 2^fold rows lie side by side. */
  readonly fold: number;
}

/** Keys and values that own their memory. */
export type OwnedKeyValues = KeyValues & Disposable;

/**
 * Allocates keys and values of `rows` tokens.
 *
 * @throws GpuError when they do not fit the adapter or the memory budget
 */
export function allocateKeyValues(
  gpu: Gpu,
  label: string,
  rows: number,
  shape: AttentionShape,
): OwnedKeyValues {
  if (gpu.identity.family === "texture") return allocateTexture(gpu, label, rows, shape);
  const memory = allocateRows(gpu, label, rows, 4 * quadsOf(shape));
  const binding = bindRows(memory);
  const dispose = () => memory[Symbol.dispose]();
  return { binding, quads: memory.stride / 4, first: 0, fold: 0, [Symbol.dispose]: dispose };
}

/** Keys and values in a texture. */
interface TextureKeyValues extends OwnedKeyValues {
  readonly binding: GPUTexture;
  readonly rows: number;
}

function allocateTexture(
  gpu: Gpu,
  label: string,
  rows: number,
  shape: AttentionShape,
): TextureKeyValues {
  const quads = quadsOf(shape);
  const most = gpu.limits.maxTextureDimension2D;
  const fold = Math.max(0, Math.ceil(Math.log2(rows / most)));
  // One cache line more than the rows need: lines a power of two apart would share their cache sets.
  const [width, height] = [2 ** fold * quads + 4, Math.ceil(rows / 2 ** fold)];
  if (width > most) {
    throw new GpuError(`${label} of ${rows} tokens are more than this adapter has in one texture`);
  }
  const memory: Allocated<GPUTexture> = gpu.texture(label, width, height, "rgba32float");
  const dispose = () => memory[Symbol.dispose]();
  return { binding: memory.resource, rows, quads, first: 0, fold, [Symbol.dispose]: dispose };
}

function quadsOf({ keyValueHeads, headDim }: AttentionShape): number {
  return 2 * keyValueHeads * headDim / 4;
}

/** Textures for the keys and values of packed batches, of each device and shape. */
const stagings = new WeakMap<Gpu, Map<number, TextureKeyValues>>();

/**
 * Allocates now what attention within packed batches of up to `rows` tokens needs beside its operands,
 * so that what is left of the memory budget is known before weights move in.
 */
export function preparePackedAttention(gpu: Gpu, rows: number, shape: AttentionShape): void {
  if (gpu.identity.family === "texture") stagingFor(gpu, rows, shape);
}

function stagingFor(gpu: Gpu, rows: number, shape: AttentionShape): TextureKeyValues {
  const byQuads = stagings.get(gpu) ?? new Map<number, TextureKeyValues>();
  stagings.set(gpu, byQuads);
  const quads = quadsOf(shape);
  const known = byQuads.get(quads);
  if (known && known.rows >= rows) return known;
  known?.[Symbol.dispose]();
  byQuads.delete(quads);
  const staging = allocateTexture(gpu, "keys and values", Math.ceil(rows / 64) * 64, shape);
  byQuads.set(quads, staging);
  return staging;
}

/**
 * Records what makes the keys and values of a packed batch readable: on software Vulkan a copy, which is
 * nearly free beside the attention, else nothing.
 *
 * @param qkv [tokens, (heads + 2 keyValueHeads) headDim]: queries, keys, values, already rotated
 */
export function stageKeyValues(
  gpu: Gpu,
  recorder: Recorder,
  shape: AttentionShape,
  qkv: Rows,
): KeyValues {
  const queries = shape.heads * shape.headDim;
  if (gpu.identity.family !== "texture") {
    return { binding: bindRows(qkv), quads: qkv.stride / 4, first: queries / 4, fold: 0 };
  }
  const staging = stagingFor(gpu, qkv.rows, shape);
  const beside = 2 ** staging.fold;
  for (let side = 0; side < Math.min(beside, qkv.rows); side++) {
    const offset = qkv.offset + (side * qkv.stride + queries) * 4;
    const from = { buffer: qkv.buffer, offset, bytesPerRow: beside * qkv.stride * 4 };
    const height = Math.ceil((qkv.rows - side) / beside);
    recorder.copyToTexture(from, staging.binding, staging.quads, height, side * staging.quads);
  }
  return staging;
}
