/** What SAEs read at their hookpoints: a transcoder's input is gone when its module has computed. */
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { allocateRows, type OwnedRows, type Rows, rowsBetween } from "../gpu/rows.ts";
import type { Hook } from "../nn/llama.ts";
import type { Sae } from "./sae.ts";
import type { Target } from "./target.ts";

/**
 * Records, submits and waits for what is done with the tokens of a batch.
 *
 * @param x [tokens, inputSize] what the SAE reads (of neurons: what they are)
 * @param y [tokens, inputSize] what the SAE stands for; the same as `x` but for a transcoder
 */
export type UseSaeRows = (
  recorder: Recorder,
  x: Rows,
  y: Rows,
  first: number,
) => void | Promise<void>;

/** Hooks that hand over what SAEs read; owns the memory of what has to be put by. */
export class SaeRows implements Disposable {
  readonly #owned = new DisposableStack();
  /** By width; one hookpoint is at its turn at a time. */
  readonly #inputs = new Map<number, OwnedRows>();

  /**
   * @param saes all that are going to be read for
   * @param tokens most tokens of a batch
   */
  constructor(gpu: Gpu, saes: Iterable<Sae>, tokens: number) {
    for (const { transcoder, inputSize } of saes) {
      if (!transcoder || this.#inputs.has(inputSize)) continue;
      const rows = allocateRows(gpu, "transcoder input", tokens, inputSize);
      this.#inputs.set(inputSize, this.#owned.use(rows));
    }
  }

  /** A hook at a target; an SAE gets all tokens of a batch at once. */
  hook({ hookpoint, sae }: Target, use: UseSaeRows): Hook {
    if (!sae?.transcoder) {
      return { hookpoint, run: (recorder, y, first) => use(recorder, y, y, first) };
    }
    const kept = this.#inputs.get(sae.inputSize);
    if (!kept) throw new RangeError(`${sae.where} is not among the SAEs that rows are kept for`);
    return {
      hookpoint,
      // The module may compute in place.
      before: (recorder, input) =>
        recorder.copy(
          input.buffer,
          input.offset,
          kept.buffer,
          kept.offset,
          input.rows * input.stride * 4,
        ),
      run: (recorder, y, first) => use(recorder, rowsBetween(kept, 0, y.rows), y, first),
    };
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
