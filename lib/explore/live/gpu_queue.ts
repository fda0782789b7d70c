/** Work for a GPU that can do one thing at a time: in order, and none for those who are gone. */

/** Somebody who waits. */
interface Waiting {
  readonly signal: AbortSignal | undefined;
  readonly told: ((ahead: number) => void) | undefined;
  start(): void;
}

/** A queue of jobs. */
export class GpuQueue {
  readonly #most: number;
  readonly #waiting: Waiting[] = [];
  #busy = false;

  /** @param most jobs that wait at a time; more are refused */
  constructor(most = 32) {
    this.#most = most;
  }

  /**
   * Runs a job when its turn comes.
   *
   * @param signal of whoever asked: a job that has not begun is dropped, one that has is told
   * @param ahead told how many jobs come first, whenever that changes; not once it is the job's turn
   * @throws Error when too many wait, or the signal's reason
   */
  async run<T>(
    job: (signal: AbortSignal | undefined) => Promise<T>,
    signal?: AbortSignal,
    ahead?: (count: number) => void,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.#busy) await this.#wait(signal, ahead);
    this.#busy = true;
    try {
      signal?.throwIfAborted();
      return await job(signal);
    } finally {
      this.#next();
    }
  }

  /** Jobs that wait or run. */
  get length(): number {
    return this.#waiting.length + Number(this.#busy);
  }

  #wait(signal: AbortSignal | undefined, told: Waiting["told"]): Promise<void> {
    if (this.#waiting.length >= this.#most) {
      throw new QueueFull(`${this.#most} runs are waiting already; try again in a while.`);
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { signal, told, start };
      const gone = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        this.#tell();
        reject(signal?.reason);
      };
      function start() {
        signal?.removeEventListener("abort", gone);
        resolve();
      }
      signal?.addEventListener("abort", gone, { once: true });
      this.#waiting.push(waiting);
      this.#tell();
    });
  }

  /** The turn goes on to the next at once, so that nobody comes in between. */
  #next(): void {
    const next = this.#waiting.shift();
    this.#busy = next !== undefined;
    next?.start();
    this.#tell();
  }

  #tell(): void {
    this.#waiting.forEach(({ told }, i) => told?.(i + 1));
  }
}

/** Too many wait already. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}
