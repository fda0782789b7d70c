/** Losses of tokens after a prefix, against perplexities of whole texts. */
import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { openTestLlama } from "../../tests/support/models.ts";
import { scoreTexts } from "../steer/perplexity.ts";
import { userAccess } from "../subject/access.ts";
import { openModelTokenizer } from "../subject/open_tokenizer.ts";
import { tokenLosses } from "./token_losses.ts";

const { tokenizer } = await openModelTokenizer(undefined, userAccess());

Deno.test("losses are those of a text after its prefix, whatever is asked beside it", async () => {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  const { llama } = model;
  const prefixes = ["Description: rights.\nTexts:\n", "คำ", "x"];
  const requests = prefixes.map((prefix, i) => {
    const text = "All human beings are born free 自由".slice(0, 12 + 11 * i);
    return { prefix, text, ids: tokenizer.encode(text).slice(1) };
  });
  const limits = { tokens: 64, examples: 2 };
  const losses = tokenLosses({ llama, limits }, tokenizer);
  const [all, ...each] = await Promise.all([
    losses(requests),
    ...requests.map((request) => losses([request])),
  ]);
  assert.deepEqual(all, each.flat());
  for (const [i, { prefix, ids }] of requests.entries()) {
    assert.equal(all[i].length, ids.length);
    const before = tokenizer.encode(prefix);
    const texts = [{ ids: before }, { ids: Uint32Array.from([...before, ...ids]) }];
    const [start, whole] = (await Array.fromAsync(scoreTexts(llama, texts, limits))).flat();
    const expected = whole.negativeLogLikelihood - start.negativeLogLikelihood;
    const sum = all[i].reduce((total, loss) => total + loss, 0);
    assert.ok(Math.abs(sum - expected) < 1e-4 * expected, `${sum}, not ${expected}`);
  }
});
