/** Chat completions on the wire, as OpenAI defined them and many servers speak them, more or less. */
import { z } from "zod";
import type { ChatRequest, Usage } from "./chat.ts";
import type { Prices } from "./prices.ts";
import type { Refusal } from "./refusal.ts";

/** The body of a request. */
export type ChatBody = Readonly<Record<string, unknown>>;

/** What an endpoint turned out not to take; all false to begin with. */
export interface Concessions {
  /** Answers held to a schema. */
  schema: boolean;
  /** The name `max_tokens`: newer models of OpenAI want `max_completion_tokens`. */
  maxTokens: boolean;
  /** A temperature: models that reason have their own. */
  temperature: boolean;
}

/** The body of a question. */
export function chatBody(
  model: string,
  { messages, maxTokens, temperature, schema }: ChatRequest,
  conceded: Concessions,
): ChatBody {
  return {
    model,
    messages,
    [conceded.maxTokens ? "max_completion_tokens" : "max_tokens"]: maxTokens,
    ...(conceded.temperature ? {} : { temperature }),
    ...(schema && !conceded.schema
      ? { response_format: { type: "json_schema", json_schema: { ...schema, strict: true } } }
      : {}),
  };
}

/** What makes two questions the same; keys in a fixed order. */
export function chatIdentity(model: string, request: ChatRequest): unknown {
  const { messages, maxTokens, temperature, schema, attempt = 0 } = request;
  const said = messages.map(({ role, content }) => ({ role, content }));
  return { model, messages: said, maxTokens, temperature, schema, attempt };
}

/** What OpenRouter is told besides: to say the cost, and to ask nobody who is dearer than `prices`. */
export function openRouterExtras(prices: Prices | undefined): ChatBody {
  return {
    usage: { include: true },
    ...(prices ? { provider: { max_price: prices } } : {}),
  };
}

/** Statuses with which servers say that they do not know a part of the body. */
const NOT_TAKEN = new Set([400, 404, 422, 501]);

/** The part of a body that a refusal names and that can be left out or renamed; undefined if none. */
export function concessionTo(
  body: ChatBody,
  { status, said }: Refusal,
): keyof Concessions | undefined {
  if (!NOT_TAKEN.has(status)) return undefined;
  if ("response_format" in body && /response_?format|json_?schema|structured|schema/i.test(said)) {
    return "schema";
  }
  if ("max_tokens" in body && /max_completion_tokens/.test(said)) return "maxTokens";
  if ("temperature" in body && /temperature/i.test(said)) return "temperature";
  return undefined;
}

/** Contents as text, or as parts of which some are text; null beside a refusal. */
const Content = z.union([
  z.string(),
  z.array(z.object({ text: z.string().optional() })).transform((parts) =>
    parts.map(({ text }) => text ?? "").join("")
  ),
]);

const Count = z.int().min(0);

const Completion = z.object({
  choices: z.array(z.object({
    message: z.object({ content: Content.nullish(), refusal: z.string().nullish() }),
    finish_reason: z.string().nullish(),
    error: z.unknown().optional(),
  })).min(1),
  usage: z.object({
    prompt_tokens: Count,
    completion_tokens: Count,
    cost: z.number().min(0).optional(),
  }).nullish().catch(undefined),
});

/** What an answer says; undefined when it is none, or broke off by the endpoint's fault. */
export function readCompletion(
  answer: unknown,
): { text: string; finish: string; usage?: Usage; dollars?: number } | undefined {
  const { data } = Completion.safeParse(answer);
  const [choice] = data?.choices ?? [];
  if (choice === undefined || choice.error || choice.finish_reason === "error") return undefined;
  const { content, refusal } = choice.message;
  return {
    text: content ?? refusal ?? "",
    finish: choice.finish_reason ?? "stop",
    usage: data?.usage
      ? {
        promptTokens: data.usage.prompt_tokens,
        completionTokens: data.usage.completion_tokens,
      }
      : undefined,
    dollars: data?.usage?.cost,
  };
}
