/**
 * Rows that kernels read in any order, many times: on software Vulkan a copy in textures, which it reads
 * many times as fast, elsewhere the buffer that they are in.
 */
import { bindableRanges, type RowRange } from "./changing_matrix.ts";
import type { Gpu } from "./device.ts";
import type { Binding, Recorder } from "./recorder.ts";
import { bindRows, type Rows, rowsBetween, strideOf } from "./rows.ts";

/** Consecutive rows of a matrix, and what kernels bind for them. */
export interface StagedRange extends RowRange {
  readonly resource: Binding;
}

/** A cache line of texels: rows a power of two apart would share their cache sets. */
const PAD = 4;

/** What kernels call the way they read staged rows: 1 from textures, 0 from buffers. */
export function stagedConstants({ identity }: Gpu): { TEXTURE: 0 | 1 } {
  return { TEXTURE: identity.family === "texture" ? 1 : 0 };
}

/** Where copies of rows of one width lie, one after the other. */
export class StagedRows implements Disposable {
  readonly #owned = new DisposableStack();
  readonly #texture: GPUTexture | undefined;

  /**
   * @param rows most rows of a copy
   * @throws GpuError when they do not fit the adapter or the memory budget
   */
  constructor(gpu: Gpu, label: string, rows: number, width: number) {
    if (!stagedConstants(gpu).TEXTURE) return;
    const texture = gpu.texture(label, strideOf(width) / 4 + PAD, rows, "rgba32float");
    this.#texture = this.#owned.use(texture).resource;
  }

  /** Records that kernels from here on see these rows as they are now; returns what to bind. */
  record(recorder: Recorder, { buffer, offset, rows, width, stride }: Rows): Binding {
    const texture = this.#texture;
    if (!texture) return bindRows({ buffer, offset, rows, width, stride });
    recorder.copyToTexture({ buffer, offset, bytesPerRow: stride * 4 }, texture, stride / 4, rows);
    return texture;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Where copies of a matrix of any size lie, in ranges that can be bound. */
export class StagedMatrix implements Disposable {
  readonly #owned = new DisposableStack();
  readonly #ranges: readonly (RowRange & { readonly staged: StagedRows })[];

  /** @throws GpuError when it does not fit the adapter or the memory budget */
  constructor(gpu: Gpu, label: string, rows: number, width: number) {
    this.#ranges = bindableRanges(gpu, rows, strideOf(width)).map((range) => ({
      ...range,
      staged: this.#owned.use(new StagedRows(gpu, label, range.rows, width)),
    }));
  }

  /** Records that kernels from here on see the matrix as it is now; returns what to bind. */
  record(recorder: Recorder, matrix: Rows): StagedRange[] {
    return this.#ranges.map(({ first, rows, staged }) => ({
      first,
      rows,
      resource: staged.record(recorder, rowsBetween(matrix, first, first + rows)),
    }));
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
