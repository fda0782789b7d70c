import assert from "node:assert/strict";
import { Budget } from "./budget.ts";
import { BudgetSpent } from "./chat.ts";

const tokens = (n: number) => ({ tokens: n, dollars: 0 });
const dollars = (n: number) => ({ tokens: 0, dollars: n });

/** Whether a promise is settled once all that can happen now has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  return settled;
}

Deno.test("what could pass the budget is refused, what cannot is not", async () => {
  const budget = new Budget({ tokens: 100 });
  (await budget.reserve(tokens(100)))(tokens(60));
  await assert.rejects(
    budget.reserve(tokens(41)),
    (error: Error) =>
      error instanceof BudgetSpent &&
      /60 of 100 tokens .* 41; raise --max-total-tokens/.test(error.message),
  );
  (await budget.reserve(tokens(40)))(tokens(40));
  assert.deepEqual(budget.spent, tokens(100));
  await assert.rejects(budget.reserve(tokens(1)), BudgetSpent);
  (await budget.reserve(tokens(0)))(tokens(0));
});

Deno.test("money is a budget of its own; ten times ten cents are a dollar", async () => {
  const budget = new Budget({ dollars: 1 });
  for (let i = 0; i < 10; i++) (await budget.reserve(dollars(0.1)))(dollars(0.1));
  await assert.rejects(
    budget.reserve(dollars(0.001)),
    /\$1\.00 of \$1\.00 are spent and the next answer could cost \$0\.001; raise --max-cost/,
  );
});

Deno.test("where only others' reserves are in the way, it waits for what they really cost", async () => {
  const budget = new Budget({ tokens: 100 });
  const settle = await budget.reserve(tokens(80));
  const fits = budget.reserve(tokens(50));
  const doesNot = budget.reserve(tokens(100));
  doesNot.catch(() => {});
  assert.equal(await isSettled(fits), false);
  settle(tokens(10));
  (await fits)(tokens(1));
  await assert.rejects(doesNot, BudgetSpent);
});

Deno.test("no bound is no bound", async () => {
  const budget = new Budget({});
  (await budget.reserve({ tokens: 1e12, dollars: 1e9 }))({ tokens: 1e12, dollars: 1e9 });
  await budget.reserve({ tokens: 1e12, dollars: 1e9 });
});
