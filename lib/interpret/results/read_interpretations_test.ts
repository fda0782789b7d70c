/** What is written of a run, read back; texts in it are hostile. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { refuses } from "../../../tests/support/refusals.ts";
import { withFolder } from "../../../tests/support/run.ts";
import { readInterpretations } from "./read_interpretations.ts";
import type { Group } from "./result_files.ts";
import { type Findings, writeFindings } from "./written_results.ts";
import type { ChosenLatent, Scored } from "./found.ts";

const HOSTILE = 'a "quoted", <script>\n\u202e«文»';
const LANGUAGE = 'Bad, "language"';

function latent(index: number, languages: readonly string[]): ChosenLatent {
  return { hookpoint: "layers.2.mlp", layer: 2, index, languages };
}

function scored(group: Group, of: ChosenLatent, accuracy: number): Scored {
  const estimate = (value: number) => ({ value, low: value / 2, high: NaN });
  const metrics = { accuracy: estimate(accuracy), f1_score: estimate(NaN) };
  const rest = { precision: estimate(1), recall: estimate(0.25) };
  const score = { scored: 4, failed: 1, main: "accuracy", metrics: { ...metrics, ...rest } };
  return { group, latent: of, scorer: "detection", score, failures: [] };
}

const [THAI, BOTH, SILENT, RANDOM] = [
  latent(3, ["Thai"]),
  latent(4, ["Thai", LANGUAGE]),
  latent(5, ["Thai"]),
  latent(9, []),
];

const FINDINGS: Findings = {
  selected: {
    ...{ identified: [THAI, BOTH], random: [RANDOM], skipped: [], silent: [] },
    statisticsOf: ({ index }) => ({
      ...{ activeWindows: index, windows: 50, firedTokens: 2 * index, tokens: 1600, max: 1.5 },
    }),
  },
  explained: [
    { latent: THAI, group: "identified", kind: "explained", text: HOSTILE },
    { latent: BOTH, group: "identified", kind: "explained", text: "la la", problem: "degenerate" },
    { latent: SILENT, group: "identified", kind: "unanswered", reason: "Down." },
    { latent: RANDOM, group: "random", kind: "explained", text: "" },
  ],
  scored: [
    scored("identified", THAI, 0.75),
    { ...scored("identified", BOTH, 0), score: undefined, failures: ["Down."] },
    scored("random", RANDOM, 0.5),
    scored("shuffled", THAI, 0.25),
  ],
};

Deno.test("what is written is read back, whatever is in it", () =>
  withFolder(async (folder) => {
    assert.equal(await readInterpretations(folder), undefined);
    const { summary, failures } = await writeFindings(folder, FINDINGS);
    assert.deepEqual(failures.unexplained.map(({ reason }) => reason), ["Down."]);
    assert.deepEqual(failures.unscored.map(({ latent, reasons }) => [latent, reasons]), [
      [4, ["Down."]],
    ]);
    const read = await readInterpretations(folder) ?? assert.fail();
    assert.deepEqual(read.summary, summary);
    assert.deepEqual([read.complete, read.explainerModel], [true, undefined]);
    const [thai, both, silent] = read.latents;
    assert.deepEqual([thai.explanation, thai.problem], [HOSTILE, null]);
    assert.deepEqual([both.problem, both.scores], ["degenerate", []]);
    assert.deepEqual(both.languages, ["Thai", LANGUAGE]);
    assert.deepEqual([silent.explanation, silent.problem], [null, "unanswered"]);
    assert.deepEqual([thai.activeWindows, thai.windows], [3, 50]);
    const { f1_score: _, ...metrics } = FINDINGS.scored[0].score?.metrics ?? {};
    assert.deepEqual(thai.scores, [{
      ...{ scorer: "detection", main: "accuracy", predictions: 4, failed: 1, metrics },
    }]);
    assert.equal(thai.shuffledScores[0].metrics.accuracy.value, 0.25);
    assert.deepEqual(read.random.map(({ index, explanation }) => [index, explanation]), [[9, ""]]);
    assert.equal(read.random[0].scores[0].metrics.accuracy.value, 0.5);

    await Deno.writeTextFile(
      join(folder, "run.json"),
      JSON.stringify({ complete: false, options: { explainerModel: "m" } }),
    );
    const again = await readInterpretations(folder);
    assert.deepEqual([again?.complete, again?.explainerModel], [false, "m"]);
  }));

Deno.test("averages are a table that spreadsheets read", () =>
  withFolder(async (folder) => {
    const both = scored("identified", BOTH, 0.12345);
    await writeFindings(folder, { ...FINDINGS, scored: [scored("identified", THAI, 1), both] });
    const table = await Deno.readTextFile(join(folder, "scores/average_scores.csv"));
    assert.equal(
      table,
      "Language,Score Type,accuracy,f1_score,precision,recall\n" +
        '"Bad, ""language""",detection,0.123,,1.0,0.25\n' +
        "Thai,detection,0.562,,1.0,0.25\n",
    );
  }));

Deno.test("a damaged summary is refused in one sentence", () =>
  withFolder(async (folder) => {
    await writeFindings(folder, FINDINGS);
    await Deno.writeTextFile(join(folder, "summary.json"), '{"scorers": [{}]}');
    await refuses(() => readInterpretations(folder), /summary\.json is not as interpret writes it/);
  }));

Deno.test("nothing found is written and read as well", () =>
  withFolder(async (folder) => {
    await writeFindings(folder, { ...FINDINGS, explained: [], scored: [] });
    const read = await readInterpretations(folder);
    assert.deepEqual([read?.latents, read?.random, read?.summary], [[], [], { scorers: [] }]);
  }));
