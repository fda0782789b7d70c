/** Exact sums of activation vectors on the GPU: kernels/sum_activations.wgsl. */
import accumulateSource from "../../kernels/accumulate.wgsl" with { type: "text" };
import source from "../../kernels/sum_activations.wgsl" with { type: "text" };
import type { TokenParts } from "./accumulators.ts";
import type { Gpu } from "./device.ts";
import type { Allocated } from "./memory.ts";
import type { Recorder } from "./recorder.ts";
import { bindRows, type Rows } from "./rows.ts";

/** Tokens that one invocation adds up: enough work for a GPU's threads, few atomics. */
const ROWS = 64;

/** The sums of the activation vectors of one hookpoint. */
export class ActivationAccumulator implements Disposable {
  readonly #gpu: Gpu;
  readonly #memory: Allocated<GPUBuffer>;

  /** @param width of the activation vectors */
  constructor(gpu: Gpu, readonly width: number) {
    this.#gpu = gpu;
    this.#memory = gpu.buffer("activation sums", width * 8);
  }

  /**
   * Records the addition of a batch's vectors.
   *
   * @param x [tokens, width]
   */
  record(recorder: Recorder, x: Rows, { example }: TokenParts): void {
    const { lanes } = this.#gpu;
    const kernel = this.#gpu.kernel("sum_activations", accumulateSource + source, {
      LANES: lanes,
      ROWS,
    });
    const columnGroups = Math.ceil(this.width / 4 / lanes);
    const items = columnGroups * Math.ceil(x.rows / ROWS);
    const params = [x.rows, x.stride / 4, this.width, columnGroups];
    recorder.dispatchItems(kernel, [bindRows(x), example, this.#memory.resource], params, items);
  }

  /** Reads the sums back, in units of 2^-24, and starts again from zero. */
  async take(): Promise<BigInt64Array<ArrayBuffer>> {
    const { resource } = this.#memory;
    const sums = new BigInt64Array(await this.#gpu.read(resource, 0, this.width * 8));
    const recorder = this.#gpu.recorder();
    recorder.clear(resource);
    recorder.submit();
    return sums;
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}
