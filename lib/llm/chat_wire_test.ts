import assert from "node:assert/strict";
import { chatBody, chatIdentity, concessionTo, openRouterExtras } from "./chat_wire.ts";

const NOTHING = { schema: false, maxTokens: false, temperature: false };

const BODY = chatBody("m", {
  messages: [{ role: "user", content: "response_format" }],
  maxTokens: 5,
  temperature: 0,
  schema: { name: "n", schema: {} },
}, NOTHING);

function conceded(said: string, status = 400, body = BODY) {
  return concessionTo(body, { status, said, code: "", retryAfter: null });
}

Deno.test("only what a refusal names is left out, and only if it was there", () => {
  assert.equal(conceded("Unknown parameter: response_format"), "schema");
  assert.equal(conceded("json_schema is not supported", 422), "schema");
  assert.equal(conceded("use max_completion_tokens"), "maxTokens");
  assert.equal(conceded("temperature: only 1 is supported"), "temperature");
  assert.equal(conceded("max_tokens is too large: 9000"), undefined);
  assert.equal(conceded("This model's maximum context length is 8192 tokens"), undefined);
  assert.equal(conceded("response_format", 500), undefined);
  assert.equal(conceded("response_format", 429), undefined);
  assert.equal(conceded("response_format", 400, { model: "m", messages: [] }), undefined);
});

Deno.test("OpenRouter is told to say the cost and to ask nobody dearer", () => {
  assert.deepEqual(openRouterExtras(undefined), { usage: { include: true } });
  assert.deepEqual(openRouterExtras({ prompt: 2, completion: 8 }), {
    usage: { include: true },
    provider: { max_price: { prompt: 2, completion: 8 } },
  });
});

Deno.test("questions that differ in anything that decides the answer are different questions", () => {
  const request = {
    messages: [{ role: "user", content: "a" }],
    maxTokens: 5,
    temperature: 0,
  } as const;
  const schema = { name: "list", schema: { type: "array" } };
  const others = [
    { ...request, messages: [{ role: "system", content: "a" }] as const },
    ...[{ ...request, maxTokens: 6 }, { ...request, temperature: 1 }],
    ...[{ ...request, schema }, { ...request, attempt: 1 }],
  ];
  const identities = [
    chatIdentity("other", request),
    ...[request, ...others].map((one) => chatIdentity("m", one)),
  ].map((identity) => JSON.stringify(identity));
  assert.equal(new Set(identities).size, identities.length);
  assert.deepEqual(chatIdentity("m", { ...request, attempt: 0 }), chatIdentity("m", request));
});
