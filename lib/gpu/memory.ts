/** GPU memory with an owner, a price and an end. */

/** A failure of the GPU or of what was asked of it. The message is one sentence for the user. */
export class GpuError extends Error {
  override readonly name = "GpuError";
}

/** A buffer or texture that is accounted for until it is disposed of. */
export interface Allocated<T extends GPUBuffer | GPUTexture> extends Disposable {
  readonly resource: T;
  readonly bytes: number;
}

const MIB = 1024 * 1024;

/** Accounts for the bytes of all live buffers and textures of one device, against a budget. */
export class GpuMemory {
  #live = 0;
  #peak = 0;

  /** @param budget most bytes that may be live at a time (`--memory-budget`) */
  constructor(readonly budget: number = Infinity) {}

  /** Bytes of the buffers and textures that are live now. */
  get live(): number {
    return this.#live;
  }

  /** Most bytes that were live at a time. */
  get peak(): number {
    return this.#peak;
  }

  /**
   * Takes responsibility for a resource; disposing of the result destroys it, once.
   *
   * @throws GpuError when the budget would be exceeded (nothing is then created)
   */
  allocate<T extends GPUBuffer | GPUTexture>(
    label: string,
    bytes: number,
    create: () => T,
  ): Allocated<T> {
    if (this.#live + bytes > this.budget) {
      throw new GpuError(
        `${label} needs ${mib(bytes)} MiB of GPU memory but ${mib(this.#live)} of the ` +
          `${
            mib(this.budget)
          } MiB of --memory-budget are in use: raise the budget or lower --block-tokens.`,
      );
    }
    const resource = create();
    this.#live += bytes;
    this.#peak = Math.max(this.#peak, this.#live);
    let live = true;
    const release = () => {
      if (!live) return;
      live = false;
      this.#live -= bytes;
      resource.destroy();
    };
    return { resource, bytes, [Symbol.dispose]: release };
  }
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(bytes < 10 * MIB ? 2 : 0);
}
