import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { parseGenerationConfig, PUBLISHED_SAMPLING } from "./generation_config.ts";

Deno.test("what the file says wins, what it leaves out is as in transformers", () => {
  const file = { do_sample: true, temperature: 0.7, eos_token_id: [5, 6], other: "x" };
  assert.deepEqual(parseGenerationConfig(file, { eos_token_id: 9 }, "g.json"), {
    sampling: { temperature: 0.7, topK: 50, topP: 1 },
    endIds: [5, 6],
  });
});

Deno.test("a model that says nothing of sampling is sampled as the paper's", () => {
  for (const file of [undefined, { temperature: 0.1, top_k: 3 }, { do_sample: false }]) {
    const { sampling, endIds } = parseGenerationConfig(file, { eos_token_id: 9 }, "g.json");
    assert.deepEqual(sampling, PUBLISHED_SAMPLING);
    assert.deepEqual(endIds, [9]);
  }
  assert.deepEqual(parseGenerationConfig(undefined, {}, "g.json").endIds, []);
});

Deno.test("no bound on the top-k, or one too large, is the largest that can be found", () => {
  for (const top_k of [0, 100_000]) {
    assert.equal(parseGenerationConfig({ do_sample: true, top_k }, {}, "g").sampling.topK, 512);
  }
});

Deno.test("a malformed field is named", () => {
  for (const file of [{ temperature: "hot" }, { top_p: 2 }, { top_k: -1 }, { eos_token_id: "x" }]) {
    const [field] = Object.keys(file);
    assert.throws(
      () => parseGenerationConfig(file, {}, "m/generation_config.json"),
      (error) => error instanceof InputError && error.message.includes(`json: field "${field}"`),
    );
  }
  assert.throws(() => parseGenerationConfig([], {}, "g.json"), InputError);
});
