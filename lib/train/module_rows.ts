/** What modules read and write, as coders train on it: whole batches, without some tokens. */
import type { Gpu } from "../gpu/device.ts";
import { recordGatherRows } from "../gpu/gather_rows.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import type { Hookpoint } from "../nn/hookpoints.ts";
import type { Hook } from "../nn/llama.ts";

/** The tokens of a batch that are trained on. */
export interface KeptTokens {
  /** In the batch. */
  readonly tokens: number;
  /** Positions of those that are kept; all are, if not given. */
  readonly positions?: Uint32Array<ArrayBuffer>;
}

/**
 * Records what is done with a hookpoint's rows.
 *
 * @param x [kept tokens, width] what the module reads, for a transcoder; else y
 * @param y [kept tokens, width] what it writes
 */
export type UseRows = (recorder: Recorder, hookpoint: Hookpoint, x: Rows, y: Rows) => void;

/** Hooks that hand over rows at hookpoints; owns the memory where rows are put together. */
export class ModuleRows implements Disposable {
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #memory = new Map<string, OwnedRows>();
  readonly #positions: GPUBuffer;

  /**
   * @param mostTokens of a batch
   * @param transcode hand over what modules read as well
   */
  constructor(gpu: Gpu, readonly mostTokens: number, readonly transcode: boolean) {
    this.#gpu = gpu;
    this.#positions = this.#owned.use(gpu.buffer("kept tokens", 4 * mostTokens)).resource;
  }

  /** Hooks for one forward pass over a batch. */
  hooks(hookpoints: readonly Hookpoint[], kept: KeptTokens, use: UseRows): Hook[] {
    const { positions } = kept;
    if (positions) {
      if (positions.length === 0) return [];
      this.#gpu.write(this.#positions, 0, positions);
    }
    return hookpoints.map((hookpoint) => {
      let x: Rows | undefined;
      const before = (recorder: Recorder, input: Rows, first: number) => {
        // The module may compute in place.
        x = this.#put(recorder, `${hookpoint.site} inputs`, input, first, kept);
      };
      return {
        hookpoint,
        ...this.transcode ? { before } : {},
        run: (recorder, output, first) => {
          const isWhole = output.rows === kept.tokens;
          const y = isWhole
            ? output
            : this.#put(recorder, `${hookpoint.site} outputs`, output, first, kept);
          if (first + output.rows < kept.tokens) return;
          const targets = this.#chosen(recorder, "kept outputs", y, positions);
          const inputs = x && this.#chosen(recorder, "kept inputs", x, positions);
          use(recorder, hookpoint, inputs ?? targets, targets);
        },
      };
    });
  }

  /** Copies a piece of a batch's rows to where the batch is put together. */
  #put(
    recorder: Recorder,
    label: string,
    piece: Rows,
    first: number,
    { tokens }: KeptTokens,
  ): Rows {
    const whole = rowsBetween(this.#rows(label, piece.width), 0, tokens);
    const row = whole.stride * 4;
    recorder.copy(piece.buffer, piece.offset, whole.buffer, first * row, piece.rows * row);
    return whole;
  }

  #chosen(
    recorder: Recorder,
    label: string,
    rows: Rows,
    positions: KeptTokens["positions"],
  ): Rows {
    if (!positions) return rows;
    const chosen = rowsBetween(this.#rows(label, rows.width), 0, positions.length);
    recordGatherRows(this.#gpu, recorder, rows, this.#positions, chosen);
    return chosen;
  }

  #rows(label: string, width: number): Rows {
    const key = `${label}, ${width}`;
    const rows = this.#memory.get(key) ??
      this.#owned.use(allocateRows(this.#gpu, label, this.mostTokens, width));
    this.#memory.set(key, rows);
    return rows;
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
