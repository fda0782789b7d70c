/** How many tokens a text has, without the tokenizer of whoever reads it. */
import type { ChatRequest, Usage } from "./chat.ts";

/** UTF-8 bytes of a token, as a rule: English has 4 to 5, scripts of 3-byte characters about as many. */
const BYTES_PER_TOKEN = 4;
/** Tokens that frame a message in most chat templates. */
const TOKENS_PER_MESSAGE = 4;
/** The most that templates put around a message, and around all of them. */
const MOST_PER_MESSAGE = 32;
const MOST_PER_REQUEST = 64;

const utf8 = new TextEncoder();

/** About how many tokens a text has: one for every 4 bytes of UTF-8. */
export function roughTokens(text: string): number {
  return Math.ceil(bytesOf(text) / BYTES_PER_TOKEN);
}

/**
 * More tokens than any tokenizer in use makes of a text: those that know all bytes make at most one
 * of each byte.
 */
export function mostTokens(text: string): number {
  return bytesOf(text);
}

/** About how many tokens a question has, and the most that its answer may have. */
export function roughUsage({ messages, maxTokens, schema }: ChatRequest): Usage {
  const texts = messages.map(({ content }) => roughTokens(content) + TOKENS_PER_MESSAGE);
  const shape = schema ? roughTokens(JSON.stringify(schema)) : 0;
  return { promptTokens: total(texts) + shape, completionTokens: maxTokens };
}

/** Bounds of what a question and its answer can have. */
export function mostUsage({ messages, maxTokens, schema }: ChatRequest): Usage {
  const texts = messages.map(({ content }) => mostTokens(content) + MOST_PER_MESSAGE);
  const shape = schema ? mostTokens(JSON.stringify(schema)) : 0;
  return {
    promptTokens: total(texts) + shape + MOST_PER_REQUEST,
    completionTokens: maxTokens,
  };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function bytesOf(text: string): number {
  return utf8.encode(text).length;
}
