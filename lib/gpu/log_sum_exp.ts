/** Log-softmax of given tokens over logits that come in blocks: kernels/log_sum_exp.wgsl. */
import source from "../../kernels/log_sum_exp.wgsl" with { type: "text" };
import rowSumSource from "../../kernels/row_sum.wgsl" with { type: "text" };
import type { Gpu } from "./device.ts";
import type { Allocated } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { rowSumConstants } from "./row_sum.ts";
import { bindRows, type Rows } from "./rows.ts";

const LOWEST = -3.4028234663852886e38;
const STATE_BYTES = 16;

/** Running maximum, sum and target logit of some rows, for log-probabilities of one token per row. */
export class TargetLogProbabilities implements Disposable {
  readonly #gpu: Gpu;
  readonly #targets: Allocated<GPUBuffer>;
  readonly #state: Allocated<GPUBuffer>;

  /** @param targets a token of the vocabulary for each row */
  constructor(gpu: Gpu, readonly targets: Uint32Array) {
    const initial = Float32Array.from({ length: targets.length * 4 }, (_, i) => i % 4 ? 0 : LOWEST);
    using undo = new DisposableStack();
    this.#gpu = gpu;
    this.#targets = undo.use(gpu.bufferOf("target tokens", targets));
    this.#state = undo.use(gpu.bufferOf("running log-sum-exp", initial));
    undo.move();
  }

  /**
   * Records that a block of logits is taken into account; every token of the vocabulary has to be in
   * one block. Values depend on the cut into blocks in their last bits.
   *
   * @param logits of rows `firstRow` on and of tokens `firstToken` on
   * @param firstRow a multiple of 64, so that parts of buffers can be bound
   */
  record(recorder: Recorder, logits: Rows, firstRow: number, firstToken: number): void {
    const kernel = this.#gpu.kernel(
      "log_sum_exp",
      rowSumSource + source,
      rowSumConstants(this.#gpu),
    );
    const part = ({ resource }: Allocated<GPUBuffer>, bytes: number) => ({
      buffer: resource,
      offset: firstRow * bytes,
      size: logits.rows * bytes,
    });
    recorder.dispatchItems(
      kernel,
      [bindRows(logits), part(this.#targets, 4), part(this.#state, STATE_BYTES)],
      [logits.rows, logits.stride / 4, logits.width, firstToken],
      logits.rows,
    );
  }

  /** ln p(target) of each row, once all blocks are submitted. */
  async read(): Promise<Float64Array<ArrayBuffer>> {
    const bytes = this.targets.length * STATE_BYTES;
    const state = new Float32Array(await this.#gpu.read(this.#state.resource, 0, bytes));
    return Float64Array.from(this.targets, (_, row) => {
      const [highest, sum, target] = state.subarray(row * 4);
      return target - highest - Math.log(sum);
    });
  }

  [Symbol.dispose](): void {
    this.#targets[Symbol.dispose]();
    this.#state[Symbol.dispose]();
  }
}
