/** GPU time per kernel, by timestamps around every dispatch (`--profile`). */

const CAPACITY = 2048;

/** Time spent in one kernel. */
export interface KernelTime {
  readonly kernel: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

export class Profiler implements Disposable {
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;
  /** Kernel of each pair of timestamps since the last resolve. */
  #pending: string[] = [];
  #awaiting: string[] = [];
  readonly #times = new Map<string, { dispatches: number; nanoseconds: number }>();

  constructor(device: GPUDevice) {
    const size = CAPACITY * 2 * 8;
    this.#queries = device.createQuerySet({ type: "timestamp", count: CAPACITY * 2 });
    this.#resolved = device.createBuffer({
      size,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.#staging = device.createBuffer({
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** Timestamps for the next dispatch, or none when this submit has used them up. */
  next(kernel: string): GPUComputePassTimestampWrites | undefined {
    const pair = this.#awaiting.length + this.#pending.length;
    if (pair >= CAPACITY) return undefined;
    this.#pending.push(kernel);
    return {
      querySet: this.#queries,
      beginningOfPassWriteIndex: 2 * pair,
      endOfPassWriteIndex: 2 * pair + 1,
    };
  }

  /** Records, at the end of a submit, the copy of its timestamps to where they can be read. */
  resolve(encoder: GPUCommandEncoder | undefined): void {
    if (!encoder || this.#pending.length === 0) return;
    this.#awaiting.push(...this.#pending);
    this.#pending = [];
    const count = 2 * this.#awaiting.length;
    encoder.resolveQuerySet(this.#queries, 0, count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, count * 8);
  }

  /** Reads the timestamps of all finished submits. */
  async collect(): Promise<void> {
    if (this.#awaiting.length === 0) return;
    await this.#staging.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    this.#awaiting.forEach((kernel, pair) => {
      const time = this.#times.get(kernel) ?? { dispatches: 0, nanoseconds: 0 };
      time.dispatches++;
      time.nanoseconds += Number(stamps[2 * pair + 1] - stamps[2 * pair]);
      this.#times.set(kernel, time);
    });
    this.#awaiting = [];
  }

  /** Time per kernel so far, longest first. */
  report(): KernelTime[] {
    return [...this.#times].map(([kernel, { dispatches, nanoseconds }]) => ({
      kernel,
      dispatches,
      milliseconds: nanoseconds / 1e6,
    })).sort((a, b) => b.milliseconds - a.milliseconds);
  }

  [Symbol.dispose](): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }
}
