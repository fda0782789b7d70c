/** GPU time per kernel, by timestamps around every dispatch (`--profile`). */

/** Pairs of timestamps. */
const CAPACITY = 2048;
const BYTES = CAPACITY * 2 * 8;

/** Time spent in one kernel. */
export interface KernelTime {
  readonly kernel: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

/** A dispatch between two timestamps. */
interface Stamped {
  readonly kernel: string;
  /** Its place among the pairs of timestamps. */
  readonly pair: number;
}

export class Profiler implements Disposable {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  /** Timestamps are copied into one of these, and read while others are copied into the next. */
  readonly #free: GPUBuffer[] = [];
  #staging: GPUBuffer;
  #used = 0;
  /** Recorded, but not resolved yet. */
  #pending: Stamped[] = [];
  /** Resolved, but not read yet. */
  #awaiting: Stamped[] = [];
  readonly #times = new Map<string, { dispatches: number; nanoseconds: number }>();

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: "timestamp", count: CAPACITY * 2 });
    this.#resolved = device.createBuffer({
      size: BYTES,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.#staging = this.#nextStaging();
  }

  #nextStaging(): GPUBuffer {
    return this.#free.pop() ?? this.#device.createBuffer({
      size: BYTES,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** Timestamps for the next dispatch, or none when all are in use. */
  next(kernel: string): GPUComputePassTimestampWrites | undefined {
    if (this.#used === CAPACITY) return undefined;
    const pair = this.#used++;
    this.#pending.push({ kernel, pair });
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
    const count = 2 * this.#used;
    encoder.resolveQuerySet(this.#queries, 0, count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, count * 8);
  }

  /** Reads the timestamps of all finished submits; more may be recorded and submitted meanwhile. */
  async collect(): Promise<void> {
    const read = this.#awaiting;
    if (read.length === 0) return;
    const staging = this.#staging;
    this.#staging = this.#nextStaging();
    this.#awaiting = [];
    if (this.#pending.length === 0) this.#used = 0;
    await staging.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    this.#free.push(staging);
    for (const { kernel, pair } of read) {
      const time = this.#times.get(kernel) ?? { dispatches: 0, nanoseconds: 0 };
      time.dispatches++;
      time.nanoseconds += Number(stamps[2 * pair + 1] - stamps[2 * pair]);
      this.#times.set(kernel, time);
    }
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
    for (const staging of [this.#staging, ...this.#free]) staging.destroy();
  }
}
