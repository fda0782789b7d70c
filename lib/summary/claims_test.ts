import assert from "node:assert/strict";
import { claimsOf, type Verdict } from "./claims.ts";
import type { ClassifierScore, Estimate, Findings, InterventionEffect } from "./findings.ts";
import { summaryMarkdown } from "./markdown.ts";

const about = (value: number, half: number): Estimate => ({
  value,
  low: value - half,
  high: value + half,
});

const score = (type: string, accuracy: number, half: number): ClassifierScore => ({
  type,
  texts: 500,
  accuracy: about(accuracy, half),
  f1: about(accuracy, half),
});

const effect = (name: string, own: number, others: number, control = 0): InterventionEffect => ({
  name,
  languages: 15,
  own: about(own, 0.1),
  others: about(others, 0.1),
  controlOwn: about(control, 0.1),
  controlOthers: about(control, 0.1),
  dominated: 7,
  matrix: { intervened: ["Thai"], impacted: ["Thai", "Korean"], changes: [[own, others]] },
});

const NOTHING: Findings = {
  model: "a model",
  saes: "its SAEs",
  foundOn: "udhr:odd",
  features: [],
  classifiers: [],
  interventions: [],
  steered: [],
  judge: "eld",
};

function verdicts(findings: Partial<Findings>): [string, Verdict][] {
  return claimsOf({ ...NOTHING, ...findings }).map(({ claim, verdict }) => [
    claim.split(" ").slice(0, 3).join(" "),
    verdict,
  ]);
}

Deno.test("nothing measured, nothing claimed", () => {
  assert.deepEqual(claimsOf(NOTHING), []);
});

Deno.test("features are specific when nearly all pass the test of permuted labels", () => {
  const of = (features: number, significant?: number) =>
    verdicts({ features: [{ language: "Thai", features, significant }] });
  assert.deepEqual(of(500, 499), [["Latents are specific", "holds"]]);
  assert.deepEqual(of(10, 10), [["Latents are specific", "open"]], "ten are too few to know");
  assert.deepEqual(of(500, 0), [["Latents are specific", "does not hold"]]);
  assert.deepEqual(of(500), [], "no test was made");
});

Deno.test("found again: more than half, less, or too few to know", () => {
  const of = (features: number, foundAgain: number) =>
    verdicts({ foundAgain: { features, foundAgain, rankCorrelation: 0.9 } })[0][1];
  assert.equal(of(100, 70), "holds");
  assert.equal(of(100, 30), "does not hold");
  assert.equal(of(100, 52), "open");
});

Deno.test("classification is compared by intervals", () => {
  const of = (sae: Estimate, fasttext: number) =>
    verdicts({
      classifiers: [{ ...score("sae-count", 0, 0), accuracy: sae }, score("fasttext", fasttext, 0)],
    })[0][1];
  assert.equal(of(about(0.98, 0.005), 0.99), "holds");
  assert.equal(of(about(0.97, 0.01), 0.99), "open");
  assert.equal(of(about(0.9, 0.01), 0.99), "does not hold");
});

Deno.test("neurons are compared as published and normalised, each with its own verdict", () => {
  const classifiers = [
    score("sae-count", 0.97, 0.01),
    score("neuron-count", 0.6, 0.02),
    score("sae-count-normalized", 0.975, 0.01),
    score("neuron-count-normalized", 0.976, 0.01),
  ];
  assert.deepEqual(verdicts({ classifiers }).map(([, verdict]) => verdict), ["holds", "open"]);
  const [, published] = [classifiers[0], { ...classifiers[1], type: "neuron-count" }];
  const better = [score("sae-count", 0.5, 0.01), { ...published, accuracy: about(0.6, 0.02) }];
  assert.deepEqual(verdicts({ classifiers: better }).map(([, v]) => v), ["does not hold"]);
});

Deno.test("suppression must harm the own language more than others, and more than its control", () => {
  const of = (own: number, others: number, control: number) =>
    verdicts({ interventions: [effect("sae-features_max_-0.2", own, others, control)] })[0][1];
  assert.equal(of(1, 0.2, 0.3), "holds");
  assert.equal(of(1, 0.2, 0.9), "open", "as many random features do nearly as much");
  assert.equal(of(0.2, 1, 0), "does not hold");
  assert.equal(of(1, 0.2, 2), "does not hold", "random features do more");
  const neurons = verdicts({ interventions: [effect("neuron_fixed_0", 1, 0)] });
  assert.deepEqual(neurons.map(([, verdict]) => verdict), ["holds"]);
});

Deno.test("amplification: the others have to suffer more", () => {
  const of = (own: number, others: number) =>
    verdicts({ interventions: [effect("sae-features_max_0.2", own, others)] })[0][1];
  assert.equal(of(0, 1), "holds");
  assert.equal(of(1, 0), "does not hold");
  assert.equal(of(0.5, 0.6), "open");
});

Deno.test("the summary has the matrix, the own language in bold", () => {
  const interventions = [effect("neuron_fixed_0", 1.234, -0.5)];
  const markdown = summaryMarkdown({ ...NOTHING, interventions }, []);
  assert.match(
    markdown,
    /\| {2}\| Tha \| Kor \|\n\| --- \| --- \| --- \|\n\| Thai \| \*\*1\.23\*\* \| -0\.50 \|/,
  );
});

Deno.test("steering is judged at the multiplier that works best, against none and random features", () => {
  const row = (multiplier: number, hits: number, controlHits: number) => ({
    language: "Thai",
    multiplier,
    hits,
    texts: 50,
    controlHits,
    controlTexts: 50,
    plainHits: 2,
    plainTexts: 50,
    sample: "a | b\n<script>",
  });
  const steered = [row(0.2, 10, 2), row(0.4, 45, 3)];
  const [{ verdict, evidence }] = claimsOf({ ...NOTHING, steered });
  assert.equal(verdict, "holds");
  assert.match(
    evidence,
    /^At multiplier 0\.4, the best tried, 90\.0 % .* \(eld\); without steering 4\.0 %, with as many/,
  );
  const open = claimsOf({ ...NOTHING, steered: [row(0.4, 45, 44)] });
  assert.equal(open[0].verdict, "open", "random features do the same");

  const markdown = summaryMarkdown({ ...NOTHING, steered }, claimsOf({ ...NOTHING, steered }));
  assert.match(
    markdown,
    /\| Thai \| 2\/50 \| 10\/50 \(2\/50\) \| 45\/50 \(3\/50\) \| a \\\| b \\<script>/,
  );
});
