import assert from "node:assert/strict";
import { latentExamples, window } from "../../../tests/support/latent_examples.ts";
import type { Embedder } from "../../llm/chat.ts";
import { embedding } from "./embedding.ts";
import { exampleEmbedding } from "./example_embedding.ts";
import { intruder, intruderReply } from "./intruder.ts";
import { openScorer, SCORERS } from "./open_scorer.ts";
import type { LossRequest } from "./scorer.ts";
import { NO_EXPLANATION, surprisal } from "./surprisal.ts";

const OPTIONS = { examplesPerPrompt: 5, seed: 22 };
const reply = (text: string) => ({
  text,
  finish: "stop",
  usage: { promptTokens: 0, completionTokens: 0 },
  cached: false,
});

const fires = (text: string, distance = 0) => window([`${text}*4`, " x"], { distance });
const silent = (text: string) => window([text, " y"], { activating: false });

Deno.test("a scorer has the name of its folder", () => {
  for (const name of SCORERS) assert.equal(openScorer(name, OPTIONS).name, name);
});

Deno.test("an intruder's number is the last that is said, if there is such a place", () => {
  const cases: [string, number | undefined][] = [
    ["[RESPONSE]: 2", 2],
    ["Maybe [RESPONSE]: 1\n**[RESPONSE]:** 4", 4],
    ["[response]: [3]", 3],
    ['{"intruder": 0}', 0],
    ["[RESPONSE]: 5", undefined],
    ["<think>[RESPONSE]: 2</think>", undefined],
    ["2", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) assert.equal(intruderReply(text, 5), expected, text);
});

Deno.test("one window in which the latent does not fire is among four of one quantile", () => {
  const latent = latentExamples({
    test: [0, 1, 2].flatMap((q) => [..."abcd"].map((letter) => fires(`${letter}${q}`, q))),
    nonActivating: [silent("n0"), silent("n1"), silent("n2"), silent("n3")],
  });
  const questions = intruder(OPTIONS).questions(latent, "not shown");
  assert.equal(questions.length, 3);
  questions.forEach((question, quantile) => {
    const places = question.examples.map(({ activating }) => activating);
    assert.equal(places.filter((activating) => !activating).length, 1);
    const content = question.request(0).messages.at(-1)!.content;
    assert.doesNotMatch(content, /not shown/);
    assert.equal(content.match(/<</g)?.length, 5, "the intruder is marked too");
    const place = places.indexOf(false);
    const [right] = question.read(reply(`[RESPONSE]: ${place}`))!;
    assert.deepEqual(
      [right.distance, right.intruder, right.prediction, right.correct],
      [quantile, place, place, true],
    );
    const [wrong] = question.read(reply(`[RESPONSE]: ${(place + 1) % 5}`))!;
    assert.equal(wrong.correct, false);
    assert.equal(question.read(reply("none")), undefined);
  });
  const rows = questions.flatMap((question) => question.unanswered());
  const { scored, failed } = intruder(OPTIONS).score(rows);
  assert.deepEqual([scored, failed], [0, 3]);
});

Deno.test("there are as many intruder questions as windows for them", () => {
  const test = [fires("a"), fires("b"), fires("c"), fires("d"), fires("e", 1)];
  const count = (nonActivating: number) =>
    intruder(OPTIONS).questions(
      latentExamples({ test, nonActivating: Array(nonActivating).fill(silent("n")) }),
      "",
    ).length;
  assert.deepEqual([count(0), count(1), count(5)], [0, 1, 1]);
});

/** Vectors by the first letter: the axes of a plane. */
const EMBEDDER: Embedder = {
  embed: (texts) =>
    Promise.resolve(texts.map((text) => {
      const isRight = text.startsWith("r") || text.endsWith("Query:right");
      return Float32Array.of(+isRight, +!isRight);
    })),
};

Deno.test("embedding: similarity of the explanation tells where the latent fires", async () => {
  const latent = latentExamples({
    test: [fires("r1"), fires("r2", 1), fires("wrong")],
    nonActivating: [silent("n"), silent("r")],
  });
  const scorer = embedding();
  const rows = await scorer.rows(latent, "right", EMBEDDER);
  assert.deepEqual(scorer.file(rows), [
    { text: "n y", distance: -1, similarity: 0 },
    { text: "r y", distance: -1, similarity: 1 },
    { text: "r1 x", distance: 0, similarity: 1 },
    { text: "r2 x", distance: 1, similarity: 1 },
    { text: "wrong x", distance: 0, similarity: 0 },
  ]);
  // pairs (positive, negative): 1>0, 1=1, 1>0, 1=1, 0=0, 0<1
  assert.equal(scorer.score(rows).metrics.auc.value, (2 + 0.5 * 3) / 6);
});

Deno.test("the explanation is embedded as a query, once, with all texts in one call", async () => {
  const calls: (readonly string[])[] = [];
  const recorder: Embedder = { embed: (texts) => (calls.push(texts), EMBEDDER.embed(texts)) };
  await embedding().rows(latentExamples({ test: [fires("a")] }), "rivers", recorder);
  assert.deepEqual(calls, [[
    "Instruct: Retrieve sentences that could be related to the explanation.\nQuery:rivers",
    "a x",
  ]]);
});

Deno.test("example embedding: windows are nearer to their own kind", async () => {
  const many = <T>(make: (text: string) => T, letter: string) =>
    Array.from({ length: 15 }, (_, i) => make(`${letter}${i}`));
  const latent = latentExamples({
    test: many((text) => fires(text), "r"),
    nonActivating: many(silent, "n"),
  });
  const scorer = exampleEmbedding(22);
  const rows = await scorer.rows(latent, "", EMBEDDER);
  assert.deepEqual(
    rows,
    Array.from({ length: 20 }, (_, batch) => ({ batch, delta_plus: 1, delta_minus: -1 })),
  );
  assert.equal(scorer.score(rows).metrics.auc.value, 1);
  assert.equal(scorer.usesExplanation, false);
  assert.deepEqual(await scorer.rows(latentExamples({ test: [fires("r")] }), "", EMBEDDER), []);
});

Deno.test("surprisal: the explanation saves nats where the latent fires", async () => {
  const latent = latentExamples({
    test: [fires("r1"), fires("r2")],
    nonActivating: [silent("n1"), silent("n2")],
  });
  const asked: LossRequest[] = [];
  const losses = (requests: readonly LossRequest[]) => {
    asked.push(...requests);
    return Promise.resolve(requests.map(({ prefix, text }) => {
      const helps = prefix.endsWith("Description: rivers\nTexts:\n") && text.startsWith("r");
      return helps ? [1, 2] : [2, 3];
    }));
  };
  const scorer = surprisal();
  const rows = await scorer.rows(latent, "rivers", losses);
  assert.deepEqual(scorer.file(rows).at(-1), {
    text: "r2 x",
    distance: 0,
    no_explanation: [2, 3],
    explanation: [1, 2],
    activations: [4, 0],
  });
  assert.equal(scorer.score(rows).metrics.auc.value, 1);
  assert.equal(asked.length, 8);
  assert.ok(asked[0].prefix.endsWith(`Description: ${NO_EXPLANATION}\nTexts:\n`));
  assert.equal(asked[0].prefix.match(/^Description: /gm)?.length, 10);
  assert.deepEqual(asked[0].ids, latent.nonActivating[0].ids);
});
