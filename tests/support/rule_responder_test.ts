import assert from "node:assert/strict";
import type { ChatRequest } from "../../lib/llm/chat.ts";
import { openChatModel } from "../../lib/llm/chat_model.ts";
import { openEmbedder } from "../../lib/llm/embedder.ts";
import { Endpoint } from "../../lib/llm/endpoint.ts";
import type { Example, LatentExamples } from "../../lib/interpret/example.ts";
import { openExplainer } from "../../lib/interpret/explainers/open_explainer.ts";
import { openScorer, type ScorerName } from "../../lib/interpret/scorers/open_scorer.ts";
import type { ChatScorer, ScoredExample } from "../../lib/interpret/scorers/scorer.ts";
import { ROOT, withFolder } from "./run.ts";
import { explanationOf, fits, ruleAnswer, startRuleResponder } from "./rule_responder.ts";

/** A window; tokens that begin with * fire. */
function window(row: number, words: string, activating: boolean): Example {
  const starred = words.split(" ");
  const tokens = starred.map((word) => ` ${word.replace("*", "")}`);
  const activations = Float32Array.from(starred, (word) => word.startsWith("*") ? 4 : 0);
  return {
    row,
    start: 0,
    ids: Uint32Array.from(tokens, (_, i) => i),
    tokens,
    activations,
    normalised: Uint8Array.from(activations, (value) => value > 0 ? 10 : 0),
    language: "German",
    activating,
    distance: activating ? 0 : -1,
  };
}

/** Fires on "und". One of the windows in which it does not has the letters in another word. */
const LATENT: LatentExamples = {
  latent: { hookpoint: "layers.0.mlp", layer: 0, index: 7 },
  max: 4,
  activeWindows: 8,
  windows: 13,
  firedTokens: 9,
  tokens: 100,
  train: [
    window(0, "Tag *und Nacht", true),
    window(1, "er *und *sie", true),
    window(2, "\\n *und >> Example 1: \n", true),
  ],
  test: [3, 4, 5, 6, 7].map((row) => window(row, `Wald *und See ${row}`, true)),
  nonActivating: [
    window(8, "ein Hund bellt", false),
    ...[9, 10, 11, 12].map((row) => window(row, `nur der See ${row}`, false)),
  ],
};

/** What the responder makes of a question. */
function answered({ messages, schema }: ChatRequest) {
  const response_format = schema && { json_schema: { schema: schema.schema } };
  const text = ruleAnswer({ model: "rules", messages, response_format });
  return { text, finish: "stop", usage: { promptTokens: 1, completionTokens: 1 }, cached: false };
}

for (const name of ["default", "cot", "contrastive", "single_token"] as const) {
  for (const compat of [undefined, "paper"] as const) {
    Deno.test(`explains by the most common marked word: ${name} ${compat ?? ""}`, () => {
      const explainer = openExplainer(name, { compat });
      for (const attempt of [0, 1]) {
        const { text, problem } = explainer.read(answered(explainer.ask(LATENT, attempt)));
        assert.equal(text, explanationOf("und"));
        assert.equal(problem, undefined);
      }
    });
  }
}

/** Rows of a scorer, with every question asked for the second time where that is possible. */
function rowsOf<Row>(name: ScorerName, compat: "paper" | undefined, word: string): Row[] {
  const scorer = openScorer(name, { examplesPerPrompt: 5, compat }) as ChatScorer<Row>;
  return scorer.questions(LATENT, explanationOf(word)).flatMap((question) =>
    question.read(answered(question.request(1))) ?? assert.fail("no valid answer")
  );
}

for (const compat of [undefined, "paper"] as const) {
  Deno.test(`detects by the word, also inside another: ${compat ?? ""}`, () => {
    for (const { str_tokens, prediction } of rowsOf<ScoredExample>("detection", compat, "und")) {
      assert.equal(prediction, str_tokens.join("").includes("und"));
    }
    const wrong = rowsOf<ScoredExample>("detection", compat, "und").filter((row) => !row.correct);
    assert.deepEqual(wrong.map(({ str_tokens }) => str_tokens.join("")), [" ein Hund bellt"]);
    const none = rowsOf<ScoredExample>("detection", compat, "nichts");
    assert.ok(none.every(({ prediction }) => prediction === false));
  });

  Deno.test(`fuzzes by the marked words: ${compat ?? ""}`, () => {
    const rows = rowsOf<ScoredExample>("fuzz", compat, "und");
    assert.equal(rows.length, 10);
    for (const { activating, str_tokens, correct } of rows) {
      if (activating || !str_tokens.includes(" Hund")) assert.equal(correct, true);
    }
  });
}

Deno.test("finds the intruder by the word that the others share", () => {
  const rows = rowsOf<{ correct: boolean }>("intruder", undefined, "");
  assert.deepEqual(rows.map(({ correct }) => correct), [true]);
});

Deno.test("simulates by the places of the word, over the bounds of tokens", () => {
  const rows = rowsOf<{ example: Example; expected: number[] }>("simulation", undefined, "und");
  for (const { example, expected } of rows) {
    assert.deepEqual(expected, example.tokens.map((token) => token.includes("und") ? 10 : 0));
  }
  const messages = [{
    role: "user",
    content: JSON.stringify({
      to_find: explanationOf("und"),
      document: "du und",
      activations: ["du", " u", "nd"].map((token) => ({ token, activation: null })),
    }),
  }];
  const { activations } = JSON.parse(ruleAnswer({ model: "", messages }));
  assert.deepEqual(
    activations.map(({ activation }: { activation: number }) => activation),
    [0, 10, 10],
  );
});

Deno.test("all marked parts must have the word; escapes are not words", () => {
  assert.equal(fits("a <<b>> c <<bb>>", "b"), true);
  assert.equal(fits("b <<b>> c <<a>>", "b"), false);
  assert.equal(fits("b <<a>>", "b"), false);
  assert.equal(fits(String.raw`a\nb\u003c`, "n"), false);
  assert.equal(fits("anything", undefined), false);
});

Deno.test("answers over HTTP, as a program too", () =>
  withFolder(async (folder) => {
    await using server = startRuleResponder();
    const program = new Deno.Command("deno", {
      args: ["run", "--quiet", "--allow-net", `${ROOT}tests/support/rule_responder.ts`, "0"],
      stdout: "piped",
    }).spawn();
    const reader = program.stdout.getReader();
    const { value } = await reader.read();
    const [url] = /http:\S+/.exec(new TextDecoder().decode(value))!;
    for (const baseUrl of [server.url, url]) {
      using endpoint = await Endpoint.open({
        baseUrl,
        explainerModel: "rules",
        requestTimeout: 10,
        maxAttempts: 1,
        concurrency: 1,
        requestCache: folder,
      });
      const model = await openChatModel(endpoint, "rules");
      const { text } = await model.complete(openExplainer("default", {}).ask(LATENT, 0));
      assert.equal(text, `[EXPLANATION]: ${explanationOf("und")}`);
      const [a, b] = await (await openEmbedder(endpoint, "letters")).embed(["aab", "AAB"]);
      assert.deepEqual(a, b);
      assert.ok(Math.abs(a[1] - 2 / Math.sqrt(6)) < 1e-7);
    }
    program.kill();
    await reader.cancel();
    await program.status;
  }));
