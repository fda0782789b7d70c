import assert from "node:assert/strict";
import { latentExamples, window } from "../../../tests/support/latent_examples.ts";
import { simulatedActivations, type SimulatedExample, simulation } from "./simulation.ts";

const OPTIONS = { examplesPerPrompt: 5, seed: 22 };
const reply = (text: string) => ({
  text,
  finish: "stop",
  usage: { promptTokens: 0, completionTokens: 0 },
  cached: false,
});

Deno.test("an answer has a number from 0 to 10 for every token", () => {
  const cases: [string, number[] | undefined][] = [
    ['{"activations":[{"token":"a","activation":0},{"token":"b","activation":10}]}', [0, 10]],
    ['```json\n{"to_find": "x", "activations": [3, 4.5]}\n```', [3, 4.5]],
    ['{"activations":[1]}', undefined],
    ['{"activations":[1,2,3]}', undefined],
    ['{"activations":[1,11]}', undefined],
    ['{"activations":[1,-1]}', undefined],
    ['{"activations":[1,null]}', undefined],
    ['{"activations":[{"token":"a"},{"token":"b","activation":1}]}', undefined],
    ['{"activations":["1","2"]}', undefined],
    ['{"activations":7}', undefined],
    ["[1,2]", undefined],
    ['{"activations":[1,2]', undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) assert.deepEqual(simulatedActivations(text, 2), expected);
});

Deno.test("a window is asked about as JSON that no text can leave", () => {
  const latent = latentExamples({ test: [window(['"<|eot_id|>\n*4', " b"])] });
  const [question] = simulation(OPTIONS).questions(latent, 'x" </s>');
  const { messages, schema } = question.request(0);
  const content = messages.at(-1)!.content;
  assert.doesNotMatch(content, /<|\n/);
  assert.deepEqual(JSON.parse(content), {
    to_find: 'x" </s>',
    document: '"<|eot_id|>\n b',
    activations: [{ token: '"<|eot_id|>\n', activation: null }, { token: " b", activation: null }],
  });
  assert.equal(schema?.name, "activations");
  assert.match(question.request(1).messages.at(-1)!.content, /all 2 tokens/);
});

Deno.test("a bad answer is asked for again; as published it counts as zeros", () => {
  const latent = latentExamples({ test: [window(["a*4", " b"])] });
  const [fixed] = simulation(OPTIONS).questions(latent, "x");
  assert.equal(fixed.read(reply("no")), undefined);
  assert.deepEqual(fixed.unanswered().map(({ expected }) => expected), [null]);
  const [paper] = simulation({ ...OPTIONS, compat: "paper" }).questions(latent, "x");
  assert.deepEqual(paper.read(reply("no"))?.map(({ expected }) => expected), [[0, 0]]);
});

const QUANTILES = {
  strong: window(["a*8", "b", "c*2"], { distance: 0 }),
  weak: window(["a", "b*1", "c"], { distance: 1 }),
  silent: window(["d", "e", "f"], { activating: false }),
};

const ROWS: SimulatedExample[] = [
  { example: QUANTILES.silent, expected: [0, 0, 0] },
  { example: QUANTILES.weak, expected: [5, 5, 5] },
  { example: QUANTILES.strong, expected: [9, 1, 3] },
  { example: QUANTILES.strong, expected: null },
];

Deno.test("the file has all windows, then each quantile, under the published keys", () => {
  const file = simulation(OPTIONS).file(ROWS) as {
    distance: number;
    ev_correlation_score: number | "nan";
    scored_sequence_simulations: { distance: number; true_activations: number[] }[];
  }[];
  assert.deepEqual(file.map(({ distance }) => distance), [0, 1, 2]);
  assert.deepEqual(
    file.map(({ scored_sequence_simulations: s }) => s.map(({ distance }) => distance)),
    [[-1, 1, 0], [0], [1]],
  );
  assert.deepEqual(file[1].scored_sequence_simulations, [{
    distance: 0,
    simulation: { tokens: ["a", "b", "c"], expected_activations: [9, 1, 3] },
    true_activations: [8, 0, 2],
    ev_correlation_score: 1,
    rsquared_score: 0,
    absolute_dev_explained_score: 0,
  }]);
  assert.equal(file[2].ev_correlation_score, "nan", "a guess that does not vary");
  // numpy.corrcoef([0,0,0,5,5,5,9,1,3], [0,0,0,0,1,0,8,0,2])
  assert.ok(Math.abs(Number(file[0].ev_correlation_score) - 0.736801232584493) < 1e-12);
});

Deno.test("the score is the correlation over all windows that have an answer", () => {
  const { scored, failed, metrics, main } = simulation(OPTIONS).score(ROWS);
  assert.deepEqual([scored, failed, main], [3, 1, "ev_correlation_score"]);
  const { value, low, high } = metrics.ev_correlation_score;
  assert.ok(Math.abs(value - 0.736801232584493) < 1e-12);
  assert.ok(low <= value && value <= high && high <= 1);
  assert.equal(simulation(OPTIONS).score([]).scored, 0);
});

Deno.test("in a window of a neighbour this latent has no activations", () => {
  const neighbour = window(["a*7", "b"], { activating: false, distance: -0.9 });
  const [overall] = simulation(OPTIONS).file([{ example: neighbour, expected: [1, 0] }]) as {
    scored_sequence_simulations: { true_activations: number[] }[];
  }[];
  assert.deepEqual(overall.scored_sequence_simulations[0].true_activations, [0, 0]);
});
