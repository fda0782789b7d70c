import assert from "node:assert/strict";
import {
  BudgetSpent,
  ChatFailure,
  type ChatModel,
  type ChatReply,
  type ChatRequest,
} from "../llm/chat.ts";
import type { LatentExamples } from "../interpret/example.ts";
import type { Explainer, ExplanationProblem } from "../interpret/explainers/explainer.ts";
import type { Question } from "../interpret/scorers/scorer.ts";
import { askedHash, Asking } from "./asking.ts";

const NONE = {} as LatentExamples;

/** Answers with these, one after the other; throws those that are errors. */
function answering(...answers: (string | Error)[]): ChatModel & { asked: ChatRequest[] } {
  const asked: ChatRequest[] = [];
  return {
    asked,
    complete(request): Promise<ChatReply> {
      asked.push(request);
      const answer = answers[asked.length - 1];
      if (answer instanceof Error) return Promise.reject(answer);
      const usage = { promptTokens: 1, completionTokens: 1 };
      return Promise.resolve({ text: answer, finish: "stop", usage, cached: false });
    },
  };
}

function request(content: string, attempt: number): ChatRequest {
  return { messages: [{ role: "user", content }], maxTokens: 9, temperature: 0, attempt };
}

const EXPLAINER: Explainer = {
  name: "test",
  ask: (_, attempt, problem) => request(`explain ${problem ?? ""}`, attempt),
  read: ({ text }) =>
    text.startsWith("!") ? { text, problem: text.slice(1) as ExplanationProblem } : { text },
};

/** A question that wants a digit. */
const QUESTION: Question<number> = {
  request: (attempt) => request("digit", attempt),
  examples: [],
  read: ({ text }) => /^\d$/.test(text) ? [Number(text)] : undefined,
  unanswered: () => [-1],
};

Deno.test("an explanation with a problem is asked for again, and the model is told", async () => {
  const chat = answering("!empty", "!truncated", "fine");
  assert.deepEqual(await new Asking(chat, {}).explanation(EXPLAINER, NONE), { text: "fine" });
  assert.deepEqual(
    chat.asked.map(({ messages, attempt }) => [messages[0].content, attempt]),
    [["explain ", 0], ["explain empty", 1], ["explain truncated", 2]],
  );
  const hopeless = answering("!empty", "!empty", "!degenerate", "fine");
  assert.deepEqual(await new Asking(hopeless, {}).explanation(EXPLAINER, NONE), {
    text: "!degenerate",
    problem: "degenerate",
  });
  const once = answering("!empty", "fine");
  const asking = new Asking(once, { compat: "paper" });
  assert.equal((await asking.explanation(EXPLAINER, NONE)).problem, "empty");
});

Deno.test("a question is asked again until its answer is valid, and fails in one sentence", async () => {
  assert.deepEqual(await new Asking(answering("no", "7"), {}).rows(QUESTION), { value: [7] });
  const useless = answering("no", "no", "no", "7");
  const { value, failure, passing } = await new Asking(useless, {}).rows(QUESTION);
  assert.deepEqual([value, passing, useless.asked.length], [[-1], undefined, 3]);
  assert.match(failure ?? "", /^No answer of 3 was [^\n]*\.$/);

  const down = answering("no", new ChatFailure("The endpoint is down.", 6));
  assert.deepEqual(await new Asking(down, {}).rows(QUESTION), {
    value: [-1],
    failure: "The endpoint is down.",
    passing: true,
  });
});

Deno.test("once the budget is spent nobody is asked", async () => {
  const chat = answering("1", new BudgetSpent("Spent."), "2", "3");
  const asking = new Asking(chat, {});
  assert.deepEqual(await asking.rows(QUESTION), { value: [1] });
  assert.ok(!asking.spent);
  await assert.rejects(asking.rows(QUESTION), BudgetSpent);
  await assert.rejects(asking.rows(QUESTION), BudgetSpent);
  await assert.rejects(asking.explanation(EXPLAINER, NONE), BudgetSpent);
  assert.match(String(asking.spent), /Spent\.$/);
  assert.equal(chat.asked.length, 2);
});

Deno.test("other questions have another hash", () => {
  assert.match(askedHash("a", 1), /^[0-9a-f]{64}$/);
  assert.equal(askedHash("a", { b: 1 }), askedHash("a", { b: 1 }));
  assert.notEqual(askedHash("a", 1), askedHash("a1"));
});
