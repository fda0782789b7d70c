/** Whole models beside transformers: texts written with a KV cache, and texts scored. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { remark } from "../lib/cli/output.ts";
import { prepareFolder } from "../lib/data/files.ts";
import { EMBEDDED_MODEL } from "../lib/subject/open_model.ts";
import { NoPeer, Peer } from "./peer.ts";
import { prepareRandomModel } from "./random_model.ts";
import { declaration, openRunning, type RunningModel } from "./running_model.ts";
import { measureScoring } from "./score.ts";
import type { Bench, Section } from "./section.ts";
import { tokenRatesTable, type TokenWork } from "./token_rates.ts";
import { clockOf } from "./workload.ts";
import { type Effort, measureWriting, type WritingTimes } from "./writing.ts";

/** Least speed on software Vulkan, as a ratio to transformers in f32 by CPU time (issue 5). */
const GOALS = { prefill: 0.3, decode: 0.8 };

/** Tokens that are added to each text after the one that prefill ends with. */
const PASSES = 64;

const WRITING_NOTES = [
  `- ${PASSES} tokens per text, greedily, with a KV cache; the peer's loop is that of \`generate\` without its`,
  "  checks",
];

/** Layers of the model of Llama-3.2-1B's shape. */
const LAYERS = 4;

/** A round of that model takes most of a minute, and rounds are alike. */
const LARGE_ROUNDS = 3;

const QUICK_RUN_MS = 250;
const LANGUAGES = ["en", "de", "th", "zh", "hi", "ru"];
const QUICK_LANGUAGES = ["th"];

/** Measures prefill and decode of the embedded model. */
export function generationSection(bench: Bench): Promise<Section> {
  return section(bench, "Texts written", (peer, found) => written(bench, peer, found));
}

/** Measures perplexities under the embedded model. */
export function scoringSection(bench: Bench): Promise<Section> {
  return section(bench, "Texts scored", (peer, found) => scored(bench, peer, found));
}

/** Both of larger models. */
export function largeSection(bench: Bench): Promise<Section> {
  return section(bench, "Texts written and scored by larger models", async (peer, found) => {
    if (bench.smollm2 !== undefined) await smollm2(bench, bench.smollm2, peer, found);
    if (!bench.quick) await large(bench, peer, found);
  });
}

async function section(
  bench: Bench,
  title: string,
  measure: (peer: Peer | undefined, found: Found) => Promise<void>,
): Promise<Section> {
  await prepareFolder(bench.folder);
  const { peer, missing } = await startPeer(bench);
  try {
    const found: Found = { works: [] };
    await measure(peer, found);
    if (found.works.length === 0) return { title, lines: ["Left out by `--quick`."] };
    return {
      title,
      lines: [
        `- peer: ${peer?.description ?? `none, for ${missing}`}`,
        ...(found.ties === undefined ? [] : WRITING_NOTES),
        ...(peer && found.ties !== undefined
          ? [`- all texts equal the peer's, but for ${found.ties} that part at a tie`]
          : []),
        "",
        ...tokenRatesTable(found.works, clockOf(bench.gpu)),
      ],
    };
  } finally {
    await peer?.[Symbol.asyncDispose]();
  }
}

/** What was measured so far. */
interface Found {
  readonly works: TokenWork[];
  /** Texts that part from the peer's at a tie; none where none were written. */
  ties?: number;
}

async function startPeer(
  { python, peerEnvironment }: Bench,
): Promise<{ peer?: Peer; missing?: string }> {
  const script = fileURLToPath(new URL("peers/transformers_peer.py", import.meta.url));
  try {
    return { peer: await Peer.start("transformers", [python, script], peerEnvironment) };
  } catch (error) {
    if (!(error instanceof NoPeer)) throw error;
    return { missing: error.message };
  }
}

function effort({ rounds, quick, folder }: Bench): Effort {
  return { rounds, runMs: quick ? QUICK_RUN_MS : undefined, folder };
}

/** The embedded model: one text and 64 at a time. */
async function written(bench: Bench, peer: Peer | undefined, found: Found): Promise<void> {
  using running = await openRunning(bench.gpu, EMBEDDED_MODEL);
  const { tokenizer } = running.model;
  const paragraphs = await declaration(tokenizer, LANGUAGES);
  const long = paragraphs.filter(({ length }) => length >= 32);
  for (const sequences of [1, 64]) {
    const spread = Array.from(
      { length: sequences },
      (_, i) => long[Math.floor(i * long.length / sequences)].slice(0, 32),
    );
    await write(bench, running, "embedded model", EMBEDDED_MODEL, spread, peer, found);
  }
}

/** The embedded model: the Declaration's perplexity. */
async function scored(bench: Bench, peer: Peer | undefined, found: Found): Promise<void> {
  using running = await openRunning(bench.gpu, EMBEDDED_MODEL);
  const languages = bench.quick ? QUICK_LANGUAGES : LANGUAGES;
  const texts = await declaration(running.model.tokenizer, languages);
  await score(bench, running, "embedded model", EMBEDDED_MODEL, texts, peer, found);
}

/** A real language model of 30 layers. */
async function smollm2(
  bench: Bench,
  path: string,
  peer: Peer | undefined,
  found: Found,
): Promise<void> {
  using running = await openRunning(bench.gpu, path);
  const texts = await declaration(running.model.tokenizer, ["en"]);
  const some = bench.quick ? texts.slice(0, 8) : texts;
  await score(bench, running, "SmolLM2-135M", path, some, peer, found);
}

/** One prompt of 256 tokens on the shape of a real model. */
async function large(bench: Bench, peer: Peer | undefined, found: Found): Promise<void> {
  const { model } = await prepareRandomModel(
    join(resolve(bench.folder), `llama-1b-${LAYERS}-layers`),
    LAYERS,
  );
  using running = await openRunning(bench.gpu, model);
  const prompt = Uint32Array.from({ length: 256 }, (_, i) => (i * 7919 + 12345) % 128000);
  const name = `Llama-3.2-1B's shape, ${LAYERS} layers`;
  const few = { ...bench, rounds: Math.min(bench.rounds, LARGE_ROUNDS) };
  await write(few, running, name, model, [prompt], peer, found);
}

async function write(
  bench: Bench,
  running: RunningModel,
  name: string,
  path: string,
  prompts: readonly Uint32Array[],
  peer: Peer | undefined,
  found: Found,
): Promise<void> {
  const [{ length }] = prompts;
  const shape = `${prompts.length} × ${length}`;
  remark(`Measuring texts written by ${name}, ${shape} tokens …`);
  const writing = { path, prompts, passes: PASSES };
  const times = await measureWriting(bench.gpu, running, writing, peer, effort(bench));
  found.ties = (found.ties ?? 0) + times.ties;
  const goals = bench.gpu.identity.family === "texture" ? GOALS : undefined;
  const work = (phase: "prefill" | "decode", tokens: number): TokenWork => {
    const [ours, ...peers] = times[phase satisfies keyof WritingTimes];
    return {
      name: `${name}, ${phase} ${phase === "prefill" ? shape : `${prompts.length} × ${PASSES}`}`,
      ...{ tokens, ours, peers, goal: goals?.[phase] },
    };
  };
  found.works.push(
    work("prefill", prompts.length * length),
    work("decode", prompts.length * PASSES),
  );
}

async function score(
  bench: Bench,
  running: RunningModel,
  name: string,
  path: string,
  texts: readonly Uint32Array[],
  peer: Peer | undefined,
  found: Found,
): Promise<void> {
  remark(`Measuring ${texts.length} texts scored by ${name} …`);
  const scored = await measureScoring(bench.gpu, running, path, texts, peer, effort(bench));
  found.works.push({
    name: `${name}, perplexity of ${texts.length} texts`,
    ...scored,
  });
}
