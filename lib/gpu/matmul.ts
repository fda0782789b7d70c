/** Linear layers: kernels/matmul_texture.wgsl and kernels/matmul_tile.wgsl behind one call. */
import textureSource from "../../kernels/matmul_texture.wgsl" with { type: "text" };
import tileSource from "../../kernels/matmul_tile.wgsl" with { type: "text" };
import weightsSource from "../../kernels/weights.wgsl" with { type: "text" };
import type { Gpu, Kernel } from "./device.ts";
import {
  type Matrix,
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
  readonly bias?: GPUBuffer;
  /** max(0, ·), after the bias. */
  readonly relu?: boolean;
}

/** Tile sizes: what one workgroup computes. They do not change results (see the kernels). */
const TEXTURE_TILE = { TOKENS: 16, OUTS: 16, LANES: 8 };
const TILE = { TILE: 64, EACH: 4, DEPTH: 16 };

/** Rows of X that one dispatch multiplies: bounds the texture that stages them. */
const MOST_TOKENS = 8192;

/** Multiplies activations by weights. Owns what that takes on the GPU beside its operands. */
export class MatMul implements Disposable {
  readonly #gpu: Gpu;
  /** Staging textures by width, as tall as was ever needed. */
  readonly #staging = new Map<number, { memory: Allocated<GPUTexture>; height: number }>();

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
  }

  /**
   * Records `Y = f(X Wᵀ)` for all shards of W.
   *
   * @param x [tokens, columns of W]
   * @param y [tokens, rows of W]
   */
  record(recorder: Recorder, x: Rows, w: Matrix, y: Rows, epilogue: Epilogue = {}): void {
    if (y.width !== w.rows) {
      throw new RangeError(`${w.name}: ${w.rows} outputs into ${y.width} columns`);
    }
    this.recordShards(recorder, x, w.shards, y, epilogue);
  }

  /**
   * The same for some shards; the first row of the first shard lands in column 0 of Y, and
   * `epilogue.bias` starts there too.
   */
  recordShards(
    recorder: Recorder,
    x: Rows,
    shards: readonly Shard[],
    y: Rows,
    epilogue: Epilogue = {},
  ): void {
    if (x.rows !== y.rows || shards.some(({ columns }) => columns !== x.width)) {
      throw new RangeError(`cannot multiply ${x.rows} × ${x.width} into ${y.rows} × ${y.width}`);
    }
    const most = Math.min(MOST_TOKENS, this.#gpu.limits.maxTextureDimension2D);
    for (let from = 0; from < x.rows; from += most) {
      const to = Math.min(x.rows, from + most);
      this.#recordChunk(
        recorder,
        rowsBetween(x, from, to),
        shards,
        rowsBetween(y, from, to),
        epilogue,
      );
    }
  }

  #recordChunk(
    recorder: Recorder,
    x: Rows,
    shards: readonly Shard[],
    y: Rows,
    epilogue: Epilogue,
  ): void {
    const texture = this.#gpu.identity.family === "texture";
    const operand = texture ? this.#stage(recorder, x) : bindRows(x);
    const [tokens, outs] = texture
      ? [TEXTURE_TILE.TOKENS, TEXTURE_TILE.OUTS * TEXTURE_TILE.LANES]
      : [TILE.TILE, TILE.TILE];
    const bias = epilogue.bias ? [epilogue.bias] : [];
    for (const shard of shards) {
      recorder.dispatch(
        this.#kernel(shard.type, epilogue),
        [operand, shard.resource, bindRows(y), ...bias],
        [
          x.rows,
          shard.first - shards[0].first,
          shard.rows,
          y.stride,
          texelsPerRow(shard.columns, shard.type),
          ...(texture ? [] : [x.stride / 4]),
        ],
        [Math.ceil(x.rows / tokens), Math.ceil(shard.rows / outs)],
      );
    }
  }

  /** Copies activations into a texture: a plain memory copy, nearly free beside the product. */
  #stage(recorder: Recorder, x: Rows): GPUTexture {
    const width = strideOf(x.width);
    let staging = this.#staging.get(width);
    if (!staging || staging.height < x.rows) {
      staging?.memory[Symbol.dispose]();
      const height = Math.ceil(x.rows / TEXTURE_TILE.TOKENS) * TEXTURE_TILE.TOKENS;
      const memory = this.#gpu.texture("matmul operand", width / 4, height, "rgba32float");
      staging = { memory, height };
      this.#staging.set(width, staging);
    }
    const from = { buffer: x.buffer, offset: x.offset, bytesPerRow: x.stride * 4 };
    recorder.copyToTexture(from, staging.memory.resource, width / 4, x.rows);
    return staging.memory.resource;
  }

  #kernel(type: WeightType, epilogue: Epilogue): Kernel {
    const { family } = this.#gpu.identity;
    const constants = {
      ...weightConstants(type, family),
      BIAS: epilogue.bias ? 1 : 0,
      RELU: epilogue.relu ? 1 : 0,
      ...(family === "texture" ? TEXTURE_TILE : TILE),
    };
    const source = weightsSource + (family === "texture" ? textureSource : tileSource);
    return this.#gpu.kernel(`matmul_${family}`, source, constants);
  }

  [Symbol.dispose](): void {
    for (const { memory } of this.#staging.values()) memory[Symbol.dispose]();
  }
}
