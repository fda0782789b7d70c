/** A language model behind an endpoint. */
import { z } from "zod";
import type { ChatModel, ChatReply } from "./chat.ts";
import {
  chatBody,
  chatIdentity,
  type Concessions,
  concessionTo,
  openRouterExtras,
  readCompletion,
} from "./chat_wire.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Reading } from "./inquiry.ts";
import type { Prices } from "./prices.ts";
import { mostUsage, roughTokens, roughUsage } from "./token_counts.ts";

const Kept = z.object({
  text: z.string(),
  finish: z.string(),
  usage: z.object({ promptTokens: z.number(), completionTokens: z.number() }),
});

type Kept = z.infer<typeof Kept>;

/** A model to ask, with what it turned out not to take. */
export interface OpenChatModel extends ChatModel {
  /** Parts of requests that the endpoint refused and that are left out since. */
  readonly concessions: Readonly<Concessions>;
}

/**
 * Opens a model. Its questions share limits, budget and answers with all others of the endpoint.
 *
 * @param model as the endpoint calls it
 * @param prices from the options; where the cost is bounded, the endpoint's own if not given
 * @throws InputError when the cost is bounded and nobody tells the prices
 */
export async function openChatModel(
  endpoint: Endpoint,
  model: string,
  prices?: Prices,
): Promise<OpenChatModel> {
  const known = await endpoint.pricesOf(model, prices);
  const concessions = { schema: false, maxTokens: false, temperature: false };
  const extras = /(^|\.)openrouter\.ai$/.test(endpoint.host) ? openRouterExtras(known) : {};
  return {
    concessions,
    async complete(request): Promise<ChatReply> {
      const rough = roughUsage(request);
      const { value, cached } = await endpoint.answer<Kept>({
        path: "chat/completions",
        identity: chatIdentity(model, request),
        most: mostUsage(request),
        rough,
        prices: known,
        body: () => ({ ...chatBody(model, request, concessions), ...extras }),
        concede(body, refusal) {
          const part = concessionTo(body, refusal);
          if (part !== undefined) concessions[part] = true;
          return part !== undefined;
        },
        read: (answer) => reading(answer, rough.promptTokens),
        kept: Kept,
      });
      return { ...value, cached };
    },
  };
}

function reading(answer: unknown, promptTokens: number): Reading<Kept> | undefined {
  const read = readCompletion(answer);
  if (read === undefined) return undefined;
  const { text, finish, usage: told, dollars } = read;
  const usage = told ?? { promptTokens, completionTokens: roughTokens(text) };
  return { value: { text, finish, usage }, usage, usageTold: told !== undefined, dollars };
}
