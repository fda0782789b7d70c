/** Whoever is asked: models behind an endpoint, and the model that the latents are of. */
import { BudgetSpent, type ChatModel, type Embedder } from "../../llm/chat.ts";
import { openChatModel } from "../../llm/chat_model.ts";
import { openEmbedder } from "../../llm/embedder.ts";
import type { Endpoint } from "../../llm/endpoint.ts";
import { chatPrices, embeddingPrices } from "../../llm/options.ts";
import type { RunningModel, Session } from "../../session/session.ts";
import type { Scorer } from "../scorers/open_scorer.ts";
import { Asking } from "./asking.ts";
import type { InterpretOptions } from "./options.ts";
import type { Judges } from "./score_latents.ts";
import { tokenLosses } from "./token_losses.ts";

/** What opening them takes. */
export interface Surroundings {
  /** Undefined where nobody is asked. */
  readonly endpoint: Endpoint | undefined;
  readonly session: Session;
  readonly scorers: readonly Scorer[];
  /** Hash of the code that asks and reads answers. */
  readonly code: string;
  openModel(): Promise<RunningModel>;
}

/**
 * Opens those that the scorers need.
 *
 * @throws InputError when the cost is bounded and nobody tells the prices, or the model cannot be run
 */
export async function openJudges(
  options: InterpretOptions,
  { endpoint, session, scorers, code, openModel }: Surroundings,
): Promise<Judges> {
  const { explainerModel, faissEmbeddingModel } = options;
  const needs = (asks: Scorer["asks"]) => scorers.some((scorer) => scorer.asks === asks);
  const base = endpoint?.base;
  const chat = endpoint
    ? await openChatModel(endpoint, explainerModel, chatPrices(options))
    : NOBODY;
  const embedder = endpoint && faissEmbeddingModel !== undefined
    ? await openEmbedder(endpoint, faissEmbeddingModel, embeddingPrices(options))
    : NO_EMBEDDER;
  const model = needs("losses") ? await openModel() : undefined;
  return {
    asking: new Asking(chat, options),
    chatModel: { base, model: explainerModel, code },
    embedder,
    embeddingModel: { base, model: faissEmbeddingModel, code },
    losses: model ? tokenLosses(model, session.subject.tokenizer) : nobody,
    lossModel: { hashes: session.subject.hashes.model, code },
  };
}

/** Stands for whoever is not there: only what is done already counts. */
const nobody = () => Promise.reject(new BudgetSpent("Nobody is asked."));
const NOBODY: ChatModel = { complete: nobody };
const NO_EMBEDDER: Embedder = { embed: nobody };
