import assert from "node:assert/strict";
import type { Findings } from "./job_findings.ts";
import { jobLines, type Result } from "./job_report.ts";
import { WrongResult } from "./workload.ts";

const GIB = 2 ** 30;

function findings(gpuBytes: number | null, feature = "0/0"): Findings {
  const firedTokens = [900, 0, 10];
  const language = { tokens: 1000, firedTokens, features: new Set([feature]) };
  return { byLanguage: new Map([["en", language], ["th", language]]), gpuBytes };
}

/** Takes these seconds of CPU time in each round, half of that on the clock, a start of 1 s. */
function result(name: string, cpuSeconds: number[], more: Partial<Result> = {}): Result {
  return {
    name,
    rounds: cpuSeconds.map((cpu) => ({ cpuMs: 1000 * cpu, wallMs: 500 * cpu })),
    residentBytes: GIB,
    scratchBytes: 0,
    findings: findings(null),
    start: { cpuMs: 1000, wallMs: 1000 },
    ...more,
  };
}

const ours = {
  title: "A model",
  whole: result("identify", [5, 4, 6], { findings: findings(GIB / 2) }),
  method: result("method", [5, 2, 4], { findings: findings(GIB / 2) }),
};
const peers = {
  original: result("original", [10, 10, 10], { scratchBytes: 2 ** 21 }),
  best: result("best", [2, 1, 1], { residentBytes: 4 * GIB, start: undefined }),
};
const software = { clock: "cpuMs", separate: false } as const;

/** Cells of the tables' rows by their first one; the row of the later table wins. */
function rows(lines: readonly string[]): Map<string, string[]> {
  const cells = lines.filter((line) => line.startsWith("|"))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
  return new Map(cells.map(([first, ...rest]) => [first, rest]));
}

Deno.test("what a side took, with and without its start", () => {
  const lines = jobLines(ours, { ...software, goals: {} });
  assert.equal(lines[0], "**A model; 2 languages, 2,000 tokens**");
  const { scratchBytes } = peers.original;
  const staging = jobLines({ ...ours, whole: { ...ours.whole, scratchBytes, start: undefined } }, {
    ...software,
    goals: {},
  });
  assert.deepEqual(rows(lines).get("method"), [
    ...["4.0", "2.0", "500", "1000", "1.0", "667", "1.00 GiB", "512.0 MiB", "none"],
  ]);
  assert.deepEqual(rows(staging).get("identify"), [
    ...["5.0", "2.5", "400", "800", "–", "–", "1.00 GiB", "512.0 MiB", "2.0 MiB"],
  ]);
});

Deno.test("goals are judged by ratios of one round, and by memory", () => {
  const goals = { original: 3, best: 0.4, memory: 0.25 };
  const table = rows(jobLines({ ...ours, peers }, { ...software, goals }));
  assert.deepEqual(table.get("original"), [
    ...["100 %", "100 %", "0 of 1,820", "2.50 (2.00–5.00)", "2.00", "1.00", "speed ≥ 3.00 missed"],
  ]);
  assert.deepEqual(table.get("best"), [
    ...["100 %", "100 %", "0 of 1,820", "0.40 (0.25–0.50)", "0.25", "0.25"],
    "speed ≥ 0.40 met, memory ≤ 0.25 met, no disk met",
  ]);
});

Deno.test("memory of a GPU that has its own is added", () => {
  const judging = { clock: "wallMs", separate: true, goals: { memory: 0.25 } } as const;
  const table = rows(jobLines({ ...ours, peers }, judging));
  const [memory, goal] = table.get("best")!.slice(-2);
  assert.deepEqual([memory, goal], ["0.38", "memory ≤ 0.25 missed, no disk met"]);
});

Deno.test("no times are shown of a peer that found something else", () => {
  const other = { ...peers, best: { ...peers.best, findings: findings(null, "0/1") } };
  assert.throws(() => jobLines({ ...ours, peers: other }, { ...software, goals: {} }), WrongResult);
});
