import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { parseOptions, step, type StepCommand } from "../cli/step.ts";
import { chatPrices, type EndpointOptions, withEndpointOptions } from "./options.ts";

function parsed(...args: string[]): Promise<EndpointOptions> {
  const command: unknown = withEndpointOptions(step("ask", "Ask.", "babelscope ask"), "m");
  return parseOptions(command as StepCommand<EndpointOptions>, args);
}

Deno.test("nothing is bounded by default but attempts, time and what runs at once", async () => {
  const { explainerModel, maxAttempts, requestTimeout, concurrency, ...more } = await parsed();
  assert.deepEqual([explainerModel, maxAttempts, requestTimeout, concurrency], ["m", 6, 100, 4]);
  assert.deepEqual(Object.values(more).filter((value) => value !== undefined), []);
});

Deno.test("both spellings, and numbers within their bounds", async () => {
  const { maxCost, explainerModel, maxTotalTokens } = await parsed(
    "--max_cost=0.5",
    "--explainer_model",
    "x",
    "--max-total-tokens",
    "0",
  );
  assert.deepEqual([maxCost, explainerModel, maxTotalTokens], [0.5, "x", 0]);
  for (const wrong of ["--max-cost=-1", "--concurrency=0", "--requests-per-minute=0.5"]) {
    await assert.rejects(parsed(wrong), InputError);
  }
});

Deno.test("a price for questions alone is half a price", async () => {
  assert.equal(chatPrices(await parsed()), undefined);
  const both = await parsed("--prompt-price", "2", "--completion-price", "8");
  assert.deepEqual(chatPrices(both), { prompt: 2, completion: 8 });
  const one = await parsed("--prompt-price", "2");
  assert.throws(() => chatPrices(one), InputError);
});
