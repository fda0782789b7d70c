#!/usr/bin/env -S deno run --allow-env --allow-read --allow-write --allow-sys --allow-run
/**
 * babelscope size: `count` on a model of Llama-3.2-1B's exact shape with SAEs of 131,072 latents, in
 * the memory of a laptop. The figures are printed and added to bench/RESULTS.md.
 */
import { statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { print, remark } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { table } from "../lib/cli/table.ts";
import { integer, size } from "../lib/cli/values.ts";
import { prepareFolder, readJson } from "../lib/data/files.ts";
import { InputError } from "../lib/formats/input_error.ts";
import {
  flopsPerToken,
  LAYERS,
  prepareRandomModel,
  type RandomModel,
  randomModelBytes,
} from "./random_model.ts";
import { appendSection } from "./results.ts";

const command = step(
  "size",
  "Count with a model of Llama-3.2-1B's size and random weights: memory and time.",
  "babelscope size --folder /tmp/size --layers 4",
)
  .option("--folder <folder>", "where the model is written; it is kept", "results/size")
  .option("--layers <n>", "layers of the model, each with an SAE", integer({ min: 1 }), LAYERS)
  .option("--rows <n>", "texts to count: rows of the English UDHR", integer({ min: 1 }), 33)
  .option("--memory-budget <size>", "as for count", size, 2 * 2 ** 30);

/** Tokens of the paper's texts (spec language-specific-features 6.1). */
const PAPER_TOKENS = 1_470_286;

/** Sustained speeds to project to, in FLOP/s. */
const PROJECTED_SPEEDS = [1e12, 5e12, 20e12];

/** Left free beside the model. */
const SPARE_BYTES = 2e9;

/** Layers when the disk is too small for all. */
const FEW_LAYERS = 4;

/** What `count` says in run.json, as far as it is used here. */
interface CountManifest {
  readonly seconds: number;
  readonly gpu_peak_bytes: number;
  readonly host_peak_bytes: number;
  readonly corpora: readonly { readonly tokens: number; readonly adapter: string }[];
}

async function measureSize(options: ReturnType<typeof command.opts>): Promise<void> {
  const folder = resolve(options.folder);
  await prepareFolder(folder);
  const layers = await affordableLayers(folder, options.layers);
  const random = await prepareRandomModel(folder, layers);
  const out = join(folder, `counts-${crypto.randomUUID()}`);
  try {
    await runCount(random, out, options.rows, options.memoryBudget);
    const manifest = await readJson(join(out, "counts", "run.json")) as CountManifest;
    const rows = figures(manifest, layers, options.memoryBudget);
    print(table([{ header: "what" }, { header: "figure" }], rows));
    await appendSection(fileURLToPath(new URL("RESULTS.md", import.meta.url)), [
      "A model of Llama-3.2-1B's shape with random weights, and an SAE of 131,072 latents per layer.",
      "",
      `- command: \`babelscope size${layers === LAYERS ? "" : ` --layers ${layers}`}\``,
      `- layers: ${layers}`,
      ...rows.map(([what, figure]) => `- ${what}: ${figure}`),
    ]);
  } finally {
    await Deno.remove(out, { recursive: true }).catch(() => {});
  }
}

/** Layers that the disk has room for: those asked for, else a few. */
async function affordableLayers(folder: string, layers: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize + await bytesUnder(folder);
  const needed = (n: number) => randomModelBytes(n) + SPARE_BYTES;
  if (free >= needed(layers)) return layers;
  if (layers > FEW_LAYERS && free >= needed(FEW_LAYERS)) {
    remark(
      `${folder} has ${gib(free)} free, ${gib(needed(layers))} are needed for ${layers} layers: ` +
        `measuring ${FEW_LAYERS}.`,
    );
    return FEW_LAYERS;
  }
  throw new InputError(
    `${folder} has ${gib(free)} free, expected ${
      gib(needed(Math.min(layers, FEW_LAYERS)))
    }; name ` +
      `another place with --folder.`,
  );
}

/** Bytes of the files that are there from before. */
async function bytesUnder(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    bytes += isDirectory ? await bytesUnder(path) : (await Deno.stat(path)).size;
  }
  return bytes;
}

/** Counts as a user would, in a process of its own: its memory is what is measured. */
async function runCount(
  { model, saes }: RandomModel,
  out: string,
  rows: number,
  budget: number,
): Promise<void> {
  const args = [
    "count",
    ...["--model", model, "--sae-model", saes],
    ...["--dataset-configs", `udhr:en:train:0:${rows}`, "--out-dir", out],
    ...["--memory-budget", String(budget)],
  ];
  const launcher = fileURLToPath(new URL("../babelscope", import.meta.url));
  const { success } = await new Deno.Command(launcher, { args, stdout: "inherit" }).spawn().status;
  if (!success) throw new InputError("count failed; its last words are above.");
}

function figures(
  { seconds, gpu_peak_bytes, host_peak_bytes, corpora }: CountManifest,
  layers: number,
  budget: number,
): [string, string][] {
  const [{ tokens, adapter }] = corpora;
  const flops = flopsPerToken(layers);
  const perSecond = tokens * flops / seconds;
  const whole = PAPER_TOKENS * flopsPerToken(LAYERS);
  return [
    ["adapter", adapter],
    ["tokens", `${tokens} (${(flops / 1e9).toFixed(1)} GFLOP each)`],
    ["memory budget", gib(budget)],
    ["GPU memory, peak", gib(gpu_peak_bytes)],
    ["host memory beside it, peak", gib(host_peak_bytes)],
    ["time, start and reading of weights included", `${seconds.toFixed(0)} s`],
    ["speed", `${(perSecond / 1e9).toFixed(1)} GFLOP/s, ${(tokens / seconds).toFixed(1)} tokens/s`],
    [
      `the paper's ${PAPER_TOKENS.toLocaleString("en")} tokens at this speed`,
      time(whole / perSecond),
    ],
    ...PROJECTED_SPEEDS.map((speed): [string, string] => [
      `the same at ${speed / 1e12} TFLOP/s sustained (not measured)`,
      time(whole / speed),
    ]),
  ];
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

function time(seconds: number): string {
  return seconds < 5400 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

if (import.meta.main) await run(command, measureSize);
