/** How far predictions are from others, over logits that come in blocks: kernels/kl_divergence.wgsl. */
import source from "../../kernels/kl_divergence.wgsl" with { type: "text" };
import rowSumSource from "../../kernels/row_sum.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Allocated } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { rowSumConstants } from "./row_sum.ts";
import { bindRows, type Rows } from "./rows.ts";

const LOWEST = -3.4028234663852886e38;
const STATE_FLOATS = 8;

/** What two predictions of one token make of it, in nats. */
export interface Divergence {
  /** ln p(target) */
  readonly original: number;
  /** ln q(target) */
  readonly changed: number;
  /** KL(p | q) = Σ p (ln p - ln q) */
  readonly divergence: number;
}

/** Compares predictions p with predictions q of the same rows. */
export class Divergences implements Disposable {
  readonly #gpu: Gpu;
  readonly #targets: Allocated<GPUBuffer>;
  readonly #state: Allocated<GPUBuffer>;

  /** @param targets a token of the vocabulary for each row */
  constructor(gpu: Gpu, readonly targets: Uint32Array) {
    const initial = Float32Array.from(
      { length: targets.length * STATE_FLOATS },
      (_, i) => i % 4 ? 0 : LOWEST,
    );
    using undo = new DisposableStack();
    this.#gpu = gpu;
    this.#targets = undo.use(gpu.bufferOf("target tokens", targets));
    this.#state = undo.use(gpu.bufferOf("running divergence", initial));
    undo.move();
  }

  /**
   * Records that a block of both logits is taken into account; every token of the vocabulary has to be
   * in one block.
   *
   * @param original logits of rows `firstRow` on and of tokens `firstToken` on
   * @param changed the same
   * @param firstRow a multiple of 64, so that parts of buffers can be bound
   */
  record(
    recorder: Recorder,
    original: Rows,
    changed: Rows,
    firstRow: number,
    firstToken: number,
  ): void {
    const kernel = this.#gpu.kernel(
      "kl_divergence",
      rowSumSource + source,
      rowSumConstants(this.#gpu),
    );
    const { rows, stride, width } = original;
    const part = ({ resource }: Allocated<GPUBuffer>, floats: number) => ({
      buffer: resource,
      offset: firstRow * floats * 4,
      size: rows * floats * 4,
    });
    const targets = part(this.#targets, 1);
    const state = part(this.#state, STATE_FLOATS);
    const bindings = [bindRows(original), bindRows(changed), targets, state];
    recorder.dispatchItems(kernel, bindings, [rows, stride / 4, width, firstToken], rows);
  }

  /** What was found of each row, once all blocks are submitted. */
  async read(): Promise<Divergence[]> {
    const bytes = this.targets.length * STATE_FLOATS * 4;
    const state = new Float32Array(await this.#gpu.read(this.#state.resource, 0, bytes));
    return Array.from(this.targets, (_, row) => {
      const [m, s, t, g, n, u, h] = state.subarray(row * STATE_FLOATS);
      const [p, q] = [m + Math.log(s), n + Math.log(u)];
      // Rounding alone makes it negative.
      const divergence = Math.max(0, t / s - p + q);
      return { original: g - p, changed: h - q, divergence };
    });
  }

  [Symbol.dispose](): void {
    this.#targets[Symbol.dispose]();
    this.#state[Symbol.dispose]();
  }
}
