/** A model's predictions for a batch, kept so that others can be compared with them. */
import type { Gpu } from "../../gpu/device.ts";
import { type Divergence, Divergences } from "../../gpu/kl_divergence.ts";
import { allocateRows, type OwnedRows, type Rows, strideOf } from "../../gpu/rows.ts";
import type { Llama } from "../../nn/llama.ts";

/** Memory that logits of a batch may take. */
const LOGIT_BYTES = 256 * 2 ** 20;

/** Tokens whose logits can be kept, one at least. */
export function keepableTokens({ config }: Llama): number {
  return Math.max(1, Math.floor(LOGIT_BYTES / (strideOf(config.vocabularySize) * 4)));
}

/** Logits of all tokens of a batch over the whole vocabulary. */
export class KeptLogits implements Disposable {
  readonly #gpu: Gpu;
  readonly #llama: Llama;
  readonly #owned: DisposableStack;
  /** In the order in which a model gives them. */
  readonly #blocks: readonly OwnedRows[];

  private constructor(
    gpu: Gpu,
    llama: Llama,
    blocks: readonly OwnedRows[],
    owned: DisposableStack,
  ) {
    this.#gpu = gpu;
    this.#llama = llama;
    this.#blocks = blocks;
    this.#owned = owned;
  }

  /** @param residual what a forward pass to the end returned; its work is submitted */
  static async of(gpu: Gpu, llama: Llama, residual: Rows): Promise<KeptLogits> {
    using owned = new DisposableStack();
    const blocks: OwnedRows[] = [];
    const recorder = gpu.recorder();
    await llama.eachLogits(recorder, residual, (logits) => {
      const { buffer, offset, rows, width, stride } = logits;
      const block = owned.use(allocateRows(gpu, "kept logits", rows, width));
      recorder.copy(buffer, offset, block.buffer, 0, rows * stride * 4);
      blocks.push(block);
    });
    recorder.submit();
    return new KeptLogits(gpu, llama, blocks, owned.move());
  }

  /**
   * Compares them with the predictions of another pass over the same batch.
   *
   * @param targets the token after each
   */
  async compare(residual: Rows, targets: Uint32Array): Promise<Divergence[]> {
    using divergences = new Divergences(this.#gpu, targets);
    const recorder = this.#gpu.recorder();
    let block = 0;
    await this.#llama.eachLogits(recorder, residual, (logits, row, token) => {
      divergences.record(recorder, this.#blocks[block++], logits, row, token);
    });
    recorder.submit();
    return await divergences.read();
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
