/** What questions would cost, without asking them. */
import type { ChatRequest } from "./chat.ts";
import { chatIdentity } from "./chat_wire.ts";
import { costOf, type Prices } from "./prices.ts";
import { roughUsage } from "./token_counts.ts";

/** An estimate. */
export interface Estimate {
  /** Different questions: equal ones are paid once. */
  readonly questions: number;
  /** One for every 4 bytes of UTF-8, and 4 for every message. */
  readonly promptTokens: number;
  /** The most that there can be: answers as long as they may be. */
  readonly completionTokens: number;
  /** US dollars, at most but for the rule of the prompts' tokens; null without prices. */
  readonly dollars: number | null;
}

/** Adds up what questions would cost. */
export function estimate(requests: Iterable<ChatRequest>, prices?: Prices): Estimate {
  const different = new Map<string, ChatRequest>();
  for (const request of requests) {
    different.set(JSON.stringify(chatIdentity("", request)), request);
  }
  const usages = [...different.values()].map(roughUsage);
  const usage = {
    promptTokens: usages.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
    completionTokens: usages.reduce((sum, { completionTokens }) => sum + completionTokens, 0),
  };
  return {
    questions: usages.length,
    ...usage,
    dollars: prices ? costOf(usage, prices) : null,
  };
}
