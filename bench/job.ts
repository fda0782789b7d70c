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
import type { Findings } from "./job_findings.ts";
import { type Contest, type Goals, jobLines, type Result } from "./job_report.ts";
import { IDENTIFY_SIDES, type Job, peerSides, type Side, specs } from "./job_sides.ts";
import { type Clock, median, type Timing } from "./measure.ts";
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
const GOALS: Readonly<Record<Clock, { readonly demo: Goals; readonly large: Goals }>> = {
  cpuMs: { demo: { original: 3 }, large: { best: 0.4, memory: 1 / 4 } },
  wallMs: { demo: { original: 10 }, large: { best: 2, memory: 1 / 4 } },
};

/**
 * Measures the job on the embedded model and, unless the bench is quick, at Llama-3.2-1B's shape.
 *
 * @throws WrongResult where a peer did other work than we; NoPeer where there is no Python at all
 */
export async function jobSection(bench: Bench): Promise<Section> {
  const { gpu, quick, peers } = bench;
  const clock = clockOf(gpu);
  const goals = GOALS[clock];
  const separate = gpu.identity.family === "tile";
  const demo = await contest(bench, demoJob(bench), "The embedded model, SAEs of 2,048 latents");
  const lines = [
    "- whole processes, start and reading of weights included, on texts of the UDHR",
    "- method alone: without intervals, tests, the guard and the report, which no peer has",
    `- memory: resident${separate ? "; shares count the GPU's too" : ", software Vulkan's in it"}`,
    "- disk: written, but no result; ours are checkpoints of counts, which do not grow with texts",
    peers.has("torch")
      ? `- peers: one thread${quick ? "" : " or all cores, whichever is faster by each clock"}`
      : "- peers: none, PyTorch is not here",
    "",
    ...jobLines(demo, { clock, separate, goals: goals.demo }),
    "",
  ];
  if (quick) lines.push("Llama-3.2-1B's shape is left out of a quick bench.");
  else {
    const title = `Llama-3.2-1B's shape on ${LARGE_LAYERS} layers, SAEs of 131,072 latents`;
    const large = await contest(bench, await largeJob(bench), title);
    lines.push(
      ...jobLines(large, { clock, separate, goals: goals.large }),
      "",
      `- ours has \`--memory-budget ${LARGE_BUDGET}\`; on all 16 layers, ours alone: \`babelscope size\``,
    );
  }
  return { title: "The job: texts → features", lines };
}

async function contest(bench: Bench, job: Job, title: string): Promise<Contest> {
  const peers = bench.peers.has("torch") ? peerSides(bench) : undefined;
  const sides = [IDENTIFY_SIDES.whole, IDENTIFY_SIDES.method];
  if (peers) sides.push(peers.original, peers.best);
  const [whole, method, original, best] = await inTurns(bench, job, sides);
  return { title, whole, method, ...peers && { peers: { original, best } } };
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
      residentBytes: median(runs[i].map(({ usage }) => usage.residentBytes)),
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
