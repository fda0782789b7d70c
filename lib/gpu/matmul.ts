/** Linear layers: kernels/matmul_texture.wgsl and kernels/matmul_tile.wgsl behind one call. */
import textureSource from "../../kernels/matmul_texture.wgsl" with { type: "text" };
import tileSource from "../../kernels/matmul_tile.wgsl" with { type: "text" };
import weightsSource from "../../kernels/weights.wgsl" with { type: "text" };
import type { Gpu, Kernel } from "./device.ts";
import {
  type Matrix,
  PANEL,
  panelLayout,
  type Shard,
  texelsPerRow,
  weightConstants,
  type WeightType,
} from "./matrix.ts";
import type { Allocated } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows, rowsBetween, strideOf } from "./rows.ts";

/** What happens to `X Wᵀ` before it is stored. */
export interface Epilogue {
  /** [rows of W] f32, added to every row of the result. */
  readonly bias?: GPUBuffer | GPUBufferBinding;
  /** max(0, ·), after the bias. */
  readonly relu?: boolean;
}

/** What happens to the two halves of a gated product. */
export interface GatedEpilogue {
  /** [rows of W] f32, by turns as the rows of W. */
  readonly bias?: GPUBuffer | GPUBufferBinding;
  /** What is gated, apart from its gate: hooks want to see the neurons between the two. */
  readonly up?: Rows;
}

/** Tile of the tile family: what one workgroup computes. It does not change results (see the kernels). */
const TILE = { TILE: 64, EACH: 4, DEPTH: 16 };

/** Tile of the texture family. */
interface TextureTile {
  readonly TOKENS: number;
  /** Outputs of a lane: whole panels. */
  readonly OUTS: number;
  readonly LANES: number;
  /** 1 where a workgroup is one subgroup, whose lanes share what they fetch. */
  readonly SHARED: number;
}

/** Rows of a tile; of these the smallest that holds all rows is taken, or else the largest. */
const TILE_ROWS = [1, 4, 8, 16];

/** The fastest of those tried on lavapipe (8 and 16 lanes) and SwiftShader (4): see bench/. */
function textureTile({ subgroupLanes }: Gpu, rows: number): TextureTile {
  const LANES = subgroupLanes ?? 8;
  const OUTS = subgroupLanes !== undefined && LANES >= 8 ? PANEL : 2 * PANEL;
  const TOKENS = TILE_ROWS.find((most) => rows <= most) ?? TILE_ROWS.at(-1)!;
  return { TOKENS, OUTS, LANES, SHARED: subgroupLanes === undefined ? 0 : 1 };
}

/** Rows of X that one dispatch multiplies: bounds the texture that stages them. */
const MOST_TOKENS = 8192;

/**
 * Records `Y = f(X Wᵀ)` for all shards of W.
 *
 * @param x [tokens, columns of W]
 * @param y [tokens, rows of W]
 */
export function recordMatMul(
  gpu: Gpu,
  recorder: Recorder,
  x: Rows,
  w: Matrix,
  y: Rows,
  epilogue: Epilogue = {},
): void {
  if (y.width !== w.rows) {
    throw new RangeError(`${w.name}: ${w.rows} outputs into ${y.width} columns`);
  }
  for (const shard of w.shards) recordShardMatMul(gpu, recorder, x, shard, y, epilogue, 0);
}

/**
 * Records the first half of a SwiGLU block: `Y = silu(X Gᵀ) · (X Uᵀ)`, or, with `up`, the two factors'
 * products: `Y = X Gᵀ` and `up = X Uᵀ`.
 *
 * @param x [tokens, columns of G and U]
 * @param w G and U by turns ({@linkcode gatedMatrix}, {@linkcode gateTurn})
 * @param y [tokens, rows of G]; so is `up`
 */
export function recordGatedMatMul(
  gpu: Gpu,
  recorder: Recorder,
  x: Rows,
  w: Matrix,
  y: Rows,
  { bias, up }: GatedEpilogue = {},
): void {
  if (up && (up.width !== y.width || up.rows !== y.rows)) {
    throw new RangeError(`${w.name}: what is gated has another shape than the gate`);
  }
  for (const shard of w.shards) {
    recordProduct(gpu, recorder, x, shard, y, { bias, gated: up ? "apart" : "swiglu", up }, 0);
  }
}

/**
 * Records `Y = f(X Wᵀ)` for one shard of W.
 *
 * @param origin row of the matrix that lands in column 0 of Y and takes the first of `epilogue.bias`
 */
export function recordShardMatMul(
  gpu: Gpu,
  recorder: Recorder,
  x: Rows,
  shard: Shard,
  y: Rows,
  epilogue: Epilogue,
  origin: number,
): void {
  recordProduct(gpu, recorder, x, shard, y, epilogue, origin);
}

/** All that can happen to a product. */
type AnyEpilogue = Epilogue & GatedEpilogue & { readonly gated?: "no" | "swiglu" | "apart" };

function recordProduct(
  gpu: Gpu,
  recorder: Recorder,
  x: Rows,
  shard: Shard,
  y: Rows,
  epilogue: AnyEpilogue,
  origin: number,
): void {
  if (x.rows !== y.rows || shard.columns !== x.width) {
    throw new RangeError(`cannot multiply ${x.rows} × ${x.width} into ${y.rows} × ${y.width}`);
  }
  const texture = gpu.identity.family === "texture";
  const bias = epilogue.bias ? [epilogue.bias] : [];
  const { segments, texels } = panelLayout(gpu, shard.columns, shard.type);
  for (let from = 0; from < x.rows; from += MOST_TOKENS) {
    const to = Math.min(x.rows, from + MOST_TOKENS);
    const input = rowsBetween(x, from, to);
    const output = rowsBetween(y, from, to);
    const inPlace = !texture || readsInPlace(input, shard);
    const apart = epilogue.up ? [bindRows(rowsBetween(epilogue.up, from, to))] : [];
    const { kernel, tokens, outs } = kernelFor(gpu, shard.type, epilogue, input.rows, inPlace);
    recorder.dispatch(
      kernel,
      [
        inPlace ? bindRows(input) : stage(gpu, recorder, input),
        shard.resource,
        bindRows(output),
        ...apart,
        ...bias,
      ],
      [
        input.rows,
        shard.first - origin,
        shard.rows,
        texture ? output.stride / 4 : output.stride,
        ...(texture
          ? [segments, texels, input.stride / 4]
          : [texelsPerRow(shard.columns, shard.type), input.stride / 4]),
      ],
      [Math.ceil(input.rows / tokens), Math.ceil(shard.rows / outs)],
    );
  }
}

/** Multiplications up to which a product of the texture family reads activations from their buffer. */
const SMALL = 2 ** 18;

/**
 * Whether activations are read where they lie. A load from a buffer is dearer than one from a texture on
 * software Vulkan, but putting few rows into a texture is dearer than all of a small product.
 */
function readsInPlace(x: Rows, shard: Shard): boolean {
  return x.rows <= 4 && x.rows * shard.rows * shard.columns <= SMALL;
}

/** The kernel for products of so many rows, and the rows and outputs of its tile. */
function kernelFor(
  gpu: Gpu,
  type: WeightType,
  { bias, relu, gated = "no" }: AnyEpilogue,
  rows: number,
  inPlace: boolean,
): { kernel: Kernel; tokens: number; outs: number } {
  const { family } = gpu.identity;
  const constants = {
    ...weightConstants(type, family),
    BIAS: bias ? 1 : 0,
    RELU: relu ? 1 : 0,
    GATED: gated,
    BINDINGS: 4 + (bias ? 1 : 0) + (gated === "apart" ? 1 : 0),
  };
  if (family === "tile") {
    const kernel = gpu.kernel("matmul_tile", weightsSource + tileSource, { ...constants, ...TILE });
    return { kernel, tokens: TILE.TILE, outs: TILE.TILE };
  }
  const tile = textureTile(gpu, rows);
  const source = weightsSource + textureSource;
  const XBUFFER = inPlace ? 1 : 0;
  const kernel = gpu.kernel("matmul_texture", source, { ...constants, ...tile, XBUFFER });
  return { kernel, tokens: tile.TOKENS, outs: tile.OUTS * tile.LANES };
}

interface Staging {
  readonly memory: Allocated<GPUTexture>;
  readonly height: number;
}

/** Staging textures of each device by width of the activations, as tall as was ever needed. */
const stagings = new WeakMap<Gpu, Map<number, Staging>>();

/**
 * Allocates now what products of up to `rows` rows of `width` values need beside their operands, so
 * that what is left of the memory budget is known before weights move in.
 */
export function prepareMatMul(gpu: Gpu, rows: number, width: number): void {
  if (gpu.identity.family === "texture") stagingFor(gpu, Math.min(rows, MOST_TOKENS), width);
}

function stagingFor(gpu: Gpu, rows: number, width: number): Staging {
  const byWidth = stagings.get(gpu) ?? new Map<number, Staging>();
  stagings.set(gpu, byWidth);
  const stride = strideOf(width);
  const known = byWidth.get(stride);
  if (known && known.height >= rows) return known;
  known?.memory[Symbol.dispose]();
  const tallest = TILE_ROWS.at(-1)!;
  const height = Math.ceil(rows / tallest) * tallest; // So that it does not grow with every batch.
  // One cache line more than the rows need: rows a power of two apart would share their cache sets.
  const memory = gpu.texture("matmul operand", stride / 4 + 4, height, "rgba32float");
  const staging = { memory, height };
  byWidth.set(stride, staging);
  return staging;
}

/** Copies activations into a texture: a plain memory copy, nearly free beside the product. */
function stage(gpu: Gpu, recorder: Recorder, x: Rows): GPUTexture {
  const { resource } = stagingFor(gpu, x.rows, x.width).memory;
  const from = { buffer: x.buffer, offset: x.offset, bytesPerRow: x.stride * 4 };
  recorder.copyToTexture(from, resource, x.stride / 4, x.rows);
  return resource;
}
