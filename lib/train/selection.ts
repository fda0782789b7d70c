/** The k largest activations of each token, for any k. */
import type { Gpu } from "../gpu/device.ts";
import { recordRadixTopK } from "../gpu/radix_topk.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { Rows } from "../gpu/rows.ts";
import { MOST_K, TopK, type TopKEntries } from "../gpu/topk.ts";

/** Finds the k largest activations of each token; owns the scratch memory that takes. */
export class Selection implements Disposable {
  readonly #gpu: Gpu;
  readonly #owned = new DisposableStack();
  /** For k that are used in many steps; any other k takes a slower kernel to the same result. */
  readonly #topks = new Map<number, TopK>();

  /**
   * @param ks those that most steps use
   * @param tokens most tokens of one call
   * @param stride of the activations
   */
  constructor(gpu: Gpu, ks: Iterable<number>, tokens: number, stride: number) {
    this.#gpu = gpu;
    for (const k of new Set(ks)) {
      if (k <= MOST_K) this.#topks.set(k, this.#owned.use(new TopK(gpu, k, tokens, stride)));
    }
  }

  /**
   * Records the k largest of each row of `pre`; ties go to the lower index.
   *
   * @param pre [tokens, latents] not negative
   * @param entries [tokens, k]: descending where {@linkcode sorts}, else in the order of indices
   */
  record(recorder: Recorder, pre: Rows, k: number, entries: TopKEntries): void {
    const topk = this.#topks.get(k);
    if (topk) topk.record(recorder, pre, 0, entries);
    else recordRadixTopK(this.#gpu, recorder, pre, k, entries);
  }

  /** Whether the k largest come in descending order. */
  sorts(k: number): boolean {
    return this.#topks.has(k);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
