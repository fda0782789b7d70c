/** How surprising examples are to the model that latents belong to: what the surprisal scorer asks. */
import type { Tokenizer } from "../formats/tokenizer.ts";
import { type BatchLimits, groupTexts, pack } from "../nn/batch.ts";
import type { Llama } from "../nn/llama.ts";
import type { LossRequest, TokenLosses } from "../interpret/scorers/scorer.ts";

/** A model on a GPU. */
export interface LossModel {
  readonly llama: Llama;
  readonly limits: BatchLimits;
}

/**
 * Losses by a model on the GPU: the example's own tokens follow those of the prefix, and each is
 * predicted from all before it. A loss does not depend on what else is asked.
 *
 * @throws InputError for a prefix and an example that no batch can hold
 */
export function tokenLosses({ llama, limits }: LossModel, tokenizer: Tokenizer): TokenLosses {
  const read = async (requests: readonly LossRequest[]) => {
    const texts = requests.map(({ prefix, ids }) => {
      const before = tokenizer.encode(prefix);
      return { ids: Uint32Array.from([...before, ...ids]), prefix: before.length };
    });
    llama.prepareScoring(limits.tokens);
    const losses: number[][] = [];
    for (const group of groupTexts(texts, limits)) {
      const batch = pack(group.map(({ ids }) => ids));
      const residual = await llama.forward(batch, [], true);
      // the last token of a text gets another text's first, which nobody asks for
      const next = Uint32Array.from(batch.ids, (_, at) => batch.ids[at + 1] ?? 0);
      const logProbabilities = await llama.logProbabilities(residual, next);
      let first = 0;
      for (const { ids, prefix } of group) {
        const predicted = logProbabilities.subarray(first + prefix - 1, first + ids.length - 1);
        losses.push(Array.from(predicted, (value) => -value));
        first += ids.length;
      }
    }
    return losses;
  };
  // one forward pass at a time: they share the model's workspace
  let free: Promise<unknown> = Promise.resolve();
  return (requests) => {
    const losses = free.then(() => read(requests));
    free = losses.catch(() => {});
    return losses;
  };
}
