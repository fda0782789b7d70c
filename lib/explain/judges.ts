/** Whoever is asked: models behind an endpoint, and the model that the latents are of. */
import { BudgetSpent, type ChatModel, type Embedder } from "../llm/chat.ts";
import { openChatModel } from "../llm/chat_model.ts";
import { openEmbedder } from "../llm/embedder.ts";
import { chatPrices, embeddingPrices } from "../llm/options.ts";
import type { Scorer } from "../interpret/scorers/open_scorer.ts";
import { Asking } from "./asking.ts";
import type { Run } from "./run.ts";
import type { Judges } from "./score_latents.ts";
import { tokenLosses } from "./token_losses.ts";

/**
 * Opens those that are asked.
 *
 * @param asked whom the scorers ask
 * @param code hash of the code that asks and reads answers
 * @throws InputError when the cost is bounded and nobody tells the prices, or the model cannot be run
 */
export async function openJudges(
  { options, endpoint, session: { subject }, openModel }: Run,
  asked: readonly Scorer["asks"][],
  code: string,
): Promise<Judges> {
  const { explainerModel, faissEmbeddingModel } = options;
  const base = endpoint?.base;
  const chat = endpoint
    ? await openChatModel(endpoint, explainerModel, chatPrices(options))
    : NOBODY;
  const embedder = endpoint && faissEmbeddingModel !== undefined
    ? await openEmbedder(endpoint, faissEmbeddingModel, embeddingPrices(options))
    : NO_EMBEDDER;
  const model = asked.includes("losses") ? await openModel() : undefined;
  return {
    asking: new Asking(chat, options),
    chatModel: { base, model: explainerModel, code },
    embedder,
    embeddingModel: { base, model: faissEmbeddingModel, code },
    losses: model ? tokenLosses(model, subject.tokenizer) : nobody,
    lossModel: { hashes: subject.hashes.model, code },
  };
}

/** Stands for whoever is not there: only what is done already counts. */
const nobody = () => Promise.reject(new BudgetSpent("Nobody is asked."));
const NOBODY: ChatModel = { complete: nobody };
const NO_EMBEDDER: Embedder = { embed: nobody };
