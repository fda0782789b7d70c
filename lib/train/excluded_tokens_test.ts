import assert from "node:assert/strict";
import { refuses } from "../../tests/support/refusals.ts";
import { excludedTokens } from "./excluded_tokens.ts";

/** Puts BOS (1) in front of everything. */
const TOKENIZER = {
  bosId: 1,
  eosToken: "</s>",
  encode: (text: string) => Uint32Array.from([1, ...text === "</s>" ? [2] : [5, 6]]),
};

Deno.test("tokens by id and by name", () => {
  assert.deepEqual([...excludedTokens([], TOKENIZER)], []);
  assert.deepEqual([...excludedTokens(["17", "bos"], TOKENIZER)], [17, 1]);
  assert.deepEqual([...excludedTokens(["eos"], TOKENIZER)], [2]);
  assert.deepEqual([...excludedTokens(["special", "1"], TOKENIZER)], [1, 2]);
});

Deno.test("names of no token are refused", async () => {
  await refuses(() => excludedTokens(["pad"], TOKENIZER), /pad is no token/);
  const none = { ...TOKENIZER, bosId: undefined, eosToken: undefined };
  await refuses(() => excludedTokens(["special"], none), /has no such token/);
  await refuses(() => excludedTokens(["constructor"], TOKENIZER), /no token/);
});
