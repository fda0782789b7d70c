/**
 * The job: texts → features, by `identify` and by two programs in Python, each a process that starts,
 * reads the weights, and ends with the features. All must find the same.
 */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { remark } from "../lib/cli/output.ts";
import { loadCorpus } from "../lib/data/corpora.ts";
import { parseDatasetConfigs } from "../lib/data/dataset_configs.ts";
import { prepareFolder, writeAtomic } from "../lib/data/files.ts";
import { LANGUAGES } from "../lib/data/languages.ts";
import { type Agreement, agreement, type Findings, percent } from "./job_findings.ts";
import { IDENTIFY_SIDES, type Job, peerSides, type Side, specs } from "./job_sides.ts";
import { markdownTable } from "./markdown_table.ts";
import { type Clock, median, medianTime, ratio, type Series, type Timing } from "./measure.ts";
import { prepareRandomModel } from "./random_model.ts";
import type { Bench, Section } from "./section.ts";
import { type Usage, watched } from "./watched.ts";
import { clockOf } from "./workload.ts";

const ASSETS = new URL("../assets/demo/", import.meta.url);

/** The embedded model on the default texts; a quick bench takes a third of the languages. */
function demoJob({ quick }: Bench): Job {
  return {
    model: {
      model: fileURLToPath(new URL("model", ASSETS)),
      saes: fileURLToPath(new URL("sae", ASSETS)),
    },
    layers: 6,
    languages: quick ? ["en", "de", "hi", "th", "ja"] : LANGUAGES.map(({ code }) => code),
    options: [],
  };
}

const LARGE_LAYERS = 4;

/** What our side may take of the GPU for the large job. */
const LARGE_BUDGET = "1GiB";

/** A model of Llama-3.2-1B's shape, but for the number of layers, on some 500 tokens. */
async function largeJob({ folder }: Bench): Promise<Job> {
  const place = join(resolve(folder), `llama-1b-${LARGE_LAYERS}-layers`);
  return {
    model: await prepareRandomModel(place, LARGE_LAYERS),
    layers: LARGE_LAYERS,
    languages: ["en", "de"],
    rows: 4,
    options: ["--memory-budget", LARGE_BUDGET],
  };
}

/** How many of the bench's rounds one round of a job stands for: it takes minutes. */
const ROUNDS_PER_JOB = 3;

/** By clock: on a GPU wall time judges, and more is wanted. */
const GOALS: Readonly<Record<Clock, { demo: number; large: number }>> = {
  cpuMs: { demo: 3, large: 0.4 },
  wallMs: { demo: 10, large: 2 },
};

/** The largest share of the best way's memory that we may take for the large job. */
const MEMORY_GOAL = 1 / 4;

/**
 * Measures the job on the embedded model and, unless the bench is quick, at Llama-3.2-1B's shape.
 *
 * @throws WrongResult where a peer did other work than we; NoPeer where there is no Python at all
 */
export async function jobSection(bench: Bench): Promise<Section> {
  const demo = await contest(bench, demoJob(bench), "The embedded model, SAEs of 2,048 latents");
  const lines = [
    ...explanation(bench),
    "",
    ...demo.lines,
    ...demo.original ? [goalLine(bench, demo, demo.original, "demo")] : [],
    "",
  ];
  if (bench.quick) {
    return { title: TITLE, lines: [...lines, "Llama-3.2-1B's shape: left out of a quick bench."] };
  }
  const title = `Llama-3.2-1B's shape, ${LARGE_LAYERS} layers with SAEs of 131,072 latents, ` +
    `--memory-budget ${LARGE_BUDGET}`;
  const large = await contest(bench, await largeJob(bench), title);
  lines.push(...large.lines);
  if (large.best) {
    lines.push(
      goalLine(bench, large, large.best, "large"),
      ...memoryLines(bench, large.best, large),
    );
  }
  return { title: TITLE, lines: [...lines, "- on all 16 layers, ours alone: `babelscope size`"] };
}

const TITLE = "The job: texts → features";

function explanation({ peers, quick }: Bench): string[] {
  return [
    'Whole processes, start and reading of weights included; "method alone" leaves out what the',
    "peers have not: intervals, tests, the guard, texts in the report. Memory is what is resident in",
    "host memory, software Vulkan's GPU memory in it; disk is what is written and not a result.",
    peers.has("torch")
      ? `Peers have one thread${quick ? "" : " or all cores, whichever is faster by each clock"}.`
      : "PyTorch is not here: no peers.",
  ];
}

/** What one side took and found; its usage is a round's best program's. */
interface Result extends Series {
  readonly usages: readonly Usage[];
  readonly scratchBytes: number;
  readonly findings: Findings;
  /** A process that does next to nothing; absent where that was not measured. */
  readonly start?: Timing;
}

/** A job's results, and the lines that show them. */
interface Contest {
  readonly tokens: number;
  readonly whole: Result;
  readonly method: Result;
  readonly original?: Result;
  readonly best?: Result;
  readonly lines: readonly string[];
}

async function contest(bench: Bench, job: Job, title: string): Promise<Contest> {
  const peers = bench.peers.has("torch") ? peerSides(bench) : undefined;
  const sides = [IDENTIFY_SIDES.whole, IDENTIFY_SIDES.method];
  if (peers) sides.push(peers.original, peers.best);
  const [whole, method, original, best] = await inTurns(bench, job, sides);
  const tokens = whole.findings.byLanguage.values().reduce((sum, { tokens }) => sum + tokens, 0);
  const results = [whole, method, ...original ? [original, best] : []];
  const agreements = results.slice(2).map((result) => {
    return agreementLine(result.name, agreement(whole.findings, result.findings, result.name));
  });
  const lines = [
    `**${title}; ${job.languages.length} languages, ${tokens.toLocaleString("en")} tokens**`,
    "",
    ...resultTable(results, tokens),
    "",
    ...agreements,
  ];
  return { tokens, whole, method, original, best, lines };
}

/** Every side once a round, so that all share whatever else the machine does. */
async function inTurns(bench: Bench, job: Job, sides: readonly Side[]): Promise<Result[]> {
  const place = join(resolve(bench.folder), `job-${crypto.randomUUID()}`);
  try {
    const texts = await writeTexts(join(place, "texts"), job);
    const runs: Run[][] = sides.map(() => []);
    for (let round = 0; round < Math.ceil(bench.rounds / ROUNDS_PER_JOB); round++) {
      for (const [i, side] of sides.entries()) {
        runs[i].push(await once(bench, side, job, { texts, out: join(place, "out") }));
      }
    }
    const starts = bench.quick ? [] : await startTimes(bench, job, sides, place);
    return sides.map(({ name }, i) => ({
      name,
      rounds: runs[i].map(({ usage }) => usage),
      usages: runs[i].map(({ usage }) => usage),
      scratchBytes: Math.max(...runs[i].map(({ scratchBytes }) => scratchBytes)),
      findings: runs[i][0].findings,
      start: starts[i],
    }));
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

/** What the sides take for the first text alone: little but their start. */
async function startTimes(
  bench: Bench,
  job: Job,
  sides: readonly Side[],
  place: string,
): Promise<Timing[]> {
  const first = { ...job, languages: job.languages.slice(0, 1), rows: 1 };
  const texts = await writeTexts(join(place, "text"), first);
  const started: Timing[] = [];
  for (const side of sides) {
    started.push((await once(bench, side, first, { texts, out: join(place, "out") })).usage);
  }
  return started;
}

/** The job's texts as the peers read them. */
async function writeTexts(folder: string, job: Job): Promise<string> {
  await prepareFolder(folder);
  for (const spec of parseDatasetConfigs(specs(job))) {
    const { texts } = await loadCorpus(spec);
    const lines = texts.map((text) => JSON.stringify({ text }) + "\n");
    await writeAtomic(join(folder, `${spec.lang}.jsonl`), lines.join(""));
  }
  return folder;
}

interface Run {
  readonly usage: Usage;
  readonly scratchBytes: number;
  readonly findings: Findings;
}

/** Does a job with every program of a side; what counts is the best of each figure. */
async function once(
  { python }: Bench,
  side: Side,
  job: Job,
  { texts, out }: { readonly texts: string; readonly out: string },
): Promise<Run> {
  const runs: Run[] = [];
  for (const program of side.programs(job, texts, out)) {
    remark(`Measuring ${program.name} …`);
    await prepareFolder(out);
    const usage = await watched(python, program, out);
    const findings = await side.findings(job, out);
    if (side.staged) await Deno.remove(join(out, side.staged), { recursive: true });
    const scratchBytes = Math.max(0, usage.diskBytes - await bytesUnder(out));
    await Deno.remove(out, { recursive: true });
    runs.push({ usage, scratchBytes, findings });
  }
  const least = (of: (usage: Usage) => number) => Math.min(...runs.map(({ usage }) => of(usage)));
  return {
    ...runs[0],
    usage: {
      cpuMs: least(({ cpuMs }) => cpuMs),
      wallMs: least(({ wallMs }) => wallMs),
      residentBytes: least(({ residentBytes }) => residentBytes),
      diskBytes: least(({ diskBytes }) => diskBytes),
    },
  };
}

async function bytesUnder(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    bytes += isDirectory ? await bytesUnder(path) : (await Deno.stat(path)).size;
  }
  return bytes;
}

function resultTable(results: readonly Result[], tokens: number): string[] {
  const headers = ["CPU s", "wall s", "tokens / CPU s", "tokens / s", "start: CPU s"];
  const columns = ["who", ...headers, "tokens / CPU s after it", "memory", "GPU memory", "disk"];
  return markdownTable(
    columns.map((header, i) => ({ header, align: i === 0 ? "left" : "right" })),
    results.map((result) => {
      const [cpu, wall] = [medianTime(result, "cpuMs"), medianTime(result, "wallMs")];
      const { start, scratchBytes, findings } = result;
      return [
        result.name,
        seconds(cpu),
        seconds(wall),
        perSecond(tokens, cpu),
        perSecond(tokens, wall),
        start ? seconds(start.cpuMs) : "–",
        start ? perSecond(tokens, cpu - start.cpuMs) : "–",
        bytes(residentBytes(result)),
        findings.gpuBytes === null ? "–" : bytes(findings.gpuBytes),
        scratchBytes === 0 ? "none" : bytes(scratchBytes),
      ];
    }),
  );
}

function agreementLine(name: string, { features, equalCounts, moved, firings }: Agreement): string {
  return `- ${name} agrees on ${percent(features)} of features, ${
    percent(equalCounts)
  } of counts; ` +
    `${moved} of ${firings.toLocaleString("en")} firings moved`;
}

function goalLine(
  { gpu }: Bench,
  { whole, method }: Contest,
  peer: Result,
  job: "demo" | "large",
): string {
  const clock = clockOf(gpu);
  const goal = GOALS[clock][job];
  const { median, least, most } = ratio(method, peer, clock);
  const speed = `${times(median)} (${times(least)}–${times(most)})`;
  return `- the method alone at ${speed} × the speed of ${peer.name} by ` +
    `${clock === "cpuMs" ? "CPU" : "wall"} time, goal ≥ ${times(goal)}: ` +
    `${median >= goal ? "met" : "missed"}; all of identify at ` +
    `${times(ratio(whole, peer, clock).median)} ×`;
}

function memoryLines({ gpu }: Bench, best: Result, { whole, method }: Contest): string[] {
  // the memory of a GPU lies beside the host's, that of software Vulkan in it
  const all = (result: Result) =>
    residentBytes(result) + (gpu.identity.family === "tile" ? result.findings.gpuBytes ?? 0 : 0);
  const share = all(method) / all(best);
  const scratch = Math.max(method.scratchBytes, whole.scratchBytes);
  return [
    `- the method alone in ${times(share)} of the memory of ${best.name}, goal ≤ ` +
    `${times(MEMORY_GOAL)}: ${share <= MEMORY_GOAL ? "met" : "missed"}; all of identify in ` +
    `${times(all(whole) / all(best))}`,
    `- scratch disk: ${scratch === 0 ? "none" : bytes(scratch)}, goal none: ` +
    `${scratch === 0 ? "met" : "missed"}`,
  ];
}

function residentBytes({ usages }: Result): number {
  return median(usages.map(({ residentBytes }) => residentBytes));
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}

function perSecond(tokens: number, milliseconds: number): string {
  const speed = tokens * 1000 / milliseconds;
  return speed < 100 ? speed.toFixed(1) : speed.toFixed(0);
}

function times(ratio: number): string {
  return ratio.toFixed(2);
}

function bytes(count: number): string {
  const mebibytes = count / 2 ** 20;
  return mebibytes < 1000 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(2)} GiB`;
}
