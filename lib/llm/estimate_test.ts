import assert from "node:assert/strict";
import type { ChatRequest } from "./chat.ts";
import { estimate } from "./estimate.ts";
import { listedPrices } from "./prices.ts";
import { mostUsage, roughUsage } from "./token_counts.ts";

const question = (content: string, more: Partial<ChatRequest> = {}): ChatRequest => ({
  messages: [{ role: "system", content: "1234" }, { role: "user", content }],
  maxTokens: 50,
  temperature: 0,
  ...more,
});

Deno.test("a token for every 4 bytes of UTF-8 and 4 for every message", () => {
  assert.deepEqual(roughUsage(question("12345")), {
    promptTokens: 1 + 4 + 2 + 4,
    completionTokens: 50,
  });
  assert.deepEqual(roughUsage(question("ก")).promptTokens, 1 + 4 + 1 + 4);
  assert.equal(roughUsage(question("")).promptTokens, 1 + 4 + 0 + 4);
});

Deno.test("the most that can be is a token for every byte and what templates add", () => {
  assert.equal(mostUsage(question("ก")).promptTokens, 4 + 32 + 3 + 32 + 64);
  const schema = { name: "n", schema: {} };
  const bytes = JSON.stringify(schema).length;
  assert.equal(mostUsage(question("ก", { schema })).promptTokens, 4 + 32 + 3 + 32 + 64 + bytes);
});

Deno.test("equal questions are counted once, other attempts are others", () => {
  const requests = [question("12345"), question("12345"), question("12345", { attempt: 1 })];
  assert.deepEqual(estimate(requests), {
    questions: 2,
    promptTokens: 22,
    completionTokens: 100,
    dollars: null,
  });
  const { dollars } = estimate(requests, { prompt: 2, completion: 8 });
  assert.equal(dollars, (22 * 2 + 100 * 8) / 1e6);
  assert.deepEqual(estimate([], { prompt: 2, completion: 8 }).dollars, 0);
});

Deno.test("prices are read from a listing, and nothing else is", () => {
  const listing = (prompt: string) => ({
    data: [{ id: "a" }, { id: "b", pricing: { prompt, completion: "0.000008", image: "1" } }],
  });
  assert.deepEqual(listedPrices(listing("0.0000003"), "b"), { prompt: 0.3, completion: 8 });
  for (
    const [answer, model] of [
      [listing("1"), "a"],
      [listing("1"), "c"],
      [listing("x"), "b"],
      [listing("-1"), "b"],
      [{}, "b"],
      [undefined, "b"],
    ]
  ) {
    assert.equal(listedPrices(answer, model as string), undefined);
  }
});
