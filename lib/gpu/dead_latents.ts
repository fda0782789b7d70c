/** Which latents have long not fired: kernels/dead_latents.wgsl. */
import source from "../../kernels/dead_latents.wgsl" with { type: "text" };
import { type Gpu, ITEM_LANES } from "./device.ts";
import type { Recorder } from "./recorder.ts";
import { allocateRows, bindRows, type OwnedRows } from "./rows.ts";
import type { TopKEntries } from "./topk.ts";

/** Counts, per latent, the tokens since it last fired. */
export class DeadLatents implements Disposable {
  /** One row: 1 where the latent is dead, else 0. */
  readonly mask: OwnedRows;
  /** [1] u32: dead latents. */
  readonly count: GPUBuffer;
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  readonly #fired: GPUBuffer;
  readonly #since: GPUBuffer;

  /** @param threshold a latent is dead when it has not fired in more tokens than this, below 2^32 */
  constructor(gpu: Gpu, readonly latents: number, readonly threshold: number) {
    this.#gpu = gpu;
    const buffer = (label: string, words: number) =>
      this.#owned.use(gpu.buffer(label, words * 4)).resource;
    this.mask = this.#owned.use(allocateRows(gpu, "dead latents", 1, latents));
    this.count = buffer("number of dead latents", 1);
    this.#fired = buffer("latents that fired", latents);
    this.#since = buffer("tokens since latents fired", latents);
  }

  /**
   * Records that latents fired: those of slots above 0, or of all slots.
   *
   * @param entries of `slots` slots
   */
  recordFired(recorder: Recorder, entries: TopKEntries, slots: number, zeros: boolean): void {
    const constants = { STEP: "mark", ZEROS: zeros ? 1 : 0, LANES: ITEM_LANES };
    const kernel = this.#gpu.kernel("dead_latents", source, constants);
    const bindings = [entries.indices, this.#fired, ...(zeros ? [] : [entries.values])];
    recorder.dispatchItems(kernel, bindings, [slots, 0, 0], Math.ceil(slots / ITEM_LANES));
  }

  /** Records that `tokens` tokens have passed, in which latents fired as recorded since the last call. */
  recordAge(recorder: Recorder, tokens: number): void {
    const kernel = this.#gpu.kernel("dead_latents", source, { STEP: "age", LANES: ITEM_LANES });
    const bindings = [this.#fired, this.#since, bindRows(this.mask), this.count];
    const params = [this.latents, tokens, this.threshold];
    recorder.clear(this.count);
    recorder.dispatchItems(kernel, bindings, params, Math.ceil(this.latents / ITEM_LANES));
  }

  /** Reads the tokens since each latent fired, as of the last `recordAge`. */
  async since(): Promise<Uint32Array<ArrayBuffer>> {
    return new Uint32Array(await this.#gpu.read(this.#since, 0, this.latents * 4));
  }

  /** Starts again from these counts, with nothing fired since. */
  restore(since: Uint32Array<ArrayBuffer>): void {
    if (since.length !== this.latents) {
      throw new RangeError(`${since.length} counts of tokens for ${this.latents} latents`);
    }
    this.#gpu.write(this.#since, 0, since);
    const recorder = this.#gpu.recorder();
    recorder.clear(this.#fired);
    this.recordAge(recorder, 0);
    recorder.submit();
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
