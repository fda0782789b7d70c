/** Weight matrices that training changes: kernels/changing_matrix.wgsl. */
import source from "../../kernels/changing_matrix.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import { type Matrix, PANEL, panelLayout, type Shard, SHARD_ROWS } from "./matrix.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows, rowsBetween } from "./rows.ts";

/** Texels per invocation. */
const SPAN = 4;

/** Consecutive rows of a matrix. */
export interface RowRange {
  readonly first: number;
  readonly rows: number;
}

/** Ranges of rows that each fit one binding and, in the texture family, one texture. */
export function bindableRanges(gpu: Gpu, rows: number, stride: number): RowRange[] {
  const { maxStorageBufferBindingSize } = gpu.limits;
  const fits = Math.floor(maxStorageBufferBindingSize / (stride * 4) / 64) * 64;
  const most = gpu.identity.family === "texture" ? Math.min(fits, SHARD_ROWS) : fits;
  return Array.from({ length: Math.ceil(rows / most) }, (_, i) => ({
    first: i * most,
    rows: Math.min(most, rows - i * most),
  }));
}

/**
 * A matrix for products whose weights live, in f32 and row-major, in a buffer that others write.
 * GPUs read that buffer as it is; where products read textures, these are copies, made anew by
 * {@linkcode record}.
 */
export class ChangingMatrix implements Matrix {
  readonly type = "f32";
  readonly rows: number;
  readonly columns: number;
  readonly shards: readonly Shard[];
  readonly #gpu: Gpu;
  readonly #values: Rows;
  readonly #owned = new DisposableStack();
  /** Panels of one shard on their way into its texture. */
  readonly #panels: GPUBuffer | undefined;

  /** @param values [outputs, inputs] */
  constructor(gpu: Gpu, readonly name: string, values: Rows) {
    this.#gpu = gpu;
    this.#values = values;
    this.rows = values.rows;
    this.columns = values.width;
    const ranges = bindableRanges(gpu, values.rows, values.stride);
    this.shards = ranges.map((range) => this.#shard(range));
    if (gpu.identity.family === "texture") {
      const bytes = Math.max(...ranges.map(({ rows }) => this.#layout(rows).bytes));
      this.#panels = this.#owned.use(gpu.buffer(`panels of ${name}`, bytes)).resource;
    }
  }

  #layout(rows: number) {
    const { segments, texels } = panelLayout(this.#gpu, this.columns, this.type);
    const lines = Math.ceil(rows / PANEL) * segments;
    // Copies into textures want lines of whole 256 bytes.
    const line = Math.ceil(PANEL * texels / 16) * 16;
    return { segments, texels, lines, line, width: PANEL * texels, bytes: lines * line * 16 };
  }

  #shard({ first, rows }: RowRange): Shard {
    const { name, columns, type } = this;
    const shard = { first, rows, columns, type, [Symbol.dispose]: () => {} } as const;
    if (this.#gpu.identity.family === "tile") {
      return { ...shard, resource: bindRows(rowsBetween(this.#values, first, first + rows)) };
    }
    const { width, lines } = this.#layout(rows);
    const texture = this.#owned.use(this.#gpu.texture(name, width, lines, "rgba32uint"));
    return { ...shard, resource: texture.resource };
  }

  /** Records that products from here on see the weights as they are now. */
  record(recorder: Recorder): void {
    const panels = this.#panels;
    if (!panels) return;
    const { lanes } = this.#gpu;
    const kernel = this.#gpu.kernel("changing_matrix", source, { LANES: lanes, SPAN, PANEL });
    for (const { first, rows, resource } of this.shards) {
      const { segments, texels, lines, line, width } = this.#layout(rows);
      const weights = rowsBetween(this.#values, first, first + rows);
      const count = lines * line;
      const params = [rows, weights.stride / 4, segments, texels, line, count];
      const groups = Math.ceil(count / (lanes * SPAN));
      recorder.dispatchItems(kernel, [bindRows(weights), panels], params, groups);
      const from = { buffer: panels, offset: 0, bytesPerRow: line * 16 };
      recorder.copyToTexture(from, resource as GPUTexture, width, lines);
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
