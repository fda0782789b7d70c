/** Training steps beside eai-sparsify's, and how the sparse part of a step grows. */
import { fileURLToPath } from "node:url";
import { remark } from "../lib/cli/output.ts";
import { contest } from "./contest.ts";
import { markdownTable } from "./markdown_table.ts";
import { alternate, type Clock, medianTime } from "./measure.ts";
import { NoPeer, Peer } from "./peer.ts";
import { type Goal, type Measurement, measurementTable } from "./results.ts";
import type { Bench, Section } from "./section.ts";
import { growth } from "./slope.ts";
import { sparseGradients } from "./sparse_gradients.ts";
import { type TrainShape, trainStep } from "./train_step.ts";
import { clockOf, onGpu } from "./workload.ts";

/** The embedded SAEs' shape, and that of a model of SmolLM2-135M's width. */
const STEPS: readonly (TrainShape & { readonly quick?: true })[] = [
  { tokens: 2048, columns: 128, latents: 2048, k: 16, quick: true },
  { tokens: 2048, columns: 576, latents: 8192, k: 32 },
];

/** Least speed on software Vulkan, as a ratio to eai-sparsify by CPU time (issue 6). */
const GOAL: Goal = { of: "peer", least: 0.5 };

/** What grows while the rest stays. */
const LADDERS = [
  { unit: "latents", sizes: [2048, 4096, 8192, 16384] },
  { unit: "k", sizes: [8, 16, 32, 64] },
] as const;

const LADDER = { tokens: 2048, columns: 128, latents: 8192, k: 16 };

const LADDER_ROUNDS = 3;
const QUICK_RUN_MS = 100;

/** Measures whole steps, then decoding and gradients at growing sizes. */
export async function trainingSection(bench: Bench): Promise<Section> {
  const clock = clockOf(bench.gpu);
  const { peer, missing } = await startPeer(bench);
  try {
    const steps = await measureSteps(bench, peer);
    return {
      title: "Training SAEs",
      lines: [
        `- peer: ${peer?.description ?? `none, for ${missing}`}`,
        "- a step: forward, backward, projection, schedule-free Signum, dead latents; one batch in f32",
        "",
        ...measurementTable(steps, clock),
        "",
        "Decoding and the gradients of encoder and decoder, without the encoder's product:",
        "",
        ...await growthTable(bench, clock),
      ],
    };
  } finally {
    await peer?.[Symbol.asyncDispose]();
  }
}

async function startPeer(
  { python, peerEnvironment }: Bench,
): Promise<{ peer?: Peer; missing?: string }> {
  const script = fileURLToPath(new URL("peers/sparsify_peer.py", import.meta.url));
  try {
    return { peer: await Peer.start("eai-sparsify", [python, script], peerEnvironment) };
  } catch (error) {
    if (!(error instanceof NoPeer)) throw error;
    return { missing: error.message };
  }
}

async function measureSteps(bench: Bench, peer: Peer | undefined): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  // The peer of this section is the only one that trains.
  const peers: Bench["peers"] = new Map(peer ? [["torch", peer]] : []);
  for (const { quick, ...shape } of STEPS) {
    if (bench.quick && !quick) continue;
    using workload = trainStep(bench.gpu, shape);
    const measured = await contest({ ...bench, peers }, workload, { peers: ["torch"] });
    const goals = bench.gpu.identity.family === "texture" ? [GOAL] : [];
    measurements.push({ ...measured, goals });
  }
  return measurements;
}

async function growthTable(bench: Bench, clock: Clock): Promise<string[]> {
  const rows: string[][] = [];
  for (const { unit, sizes } of LADDERS) {
    remark(`Measuring decoding and gradients by ${unit} …`);
    using stack = new DisposableStack();
    const works = sizes.map((size) =>
      stack.use(sparseGradients(bench.gpu, { ...LADDER, [unit]: size }))
    );
    const contenders = works.map((work) => onGpu(bench.gpu, work));
    const rounds = Math.min(bench.rounds, LADDER_ROUNDS);
    const series = await alternate(contenders, rounds, bench.quick ? QUICK_RUN_MS : undefined);
    for (const work of works) await work.check();
    const costs = series.map((each, i) => ({ size: sizes[i], cost: medianTime(each, clock) }));
    const { slope, standardError } = growth(costs);
    const { tokens, columns, latents, k } = LADDER;
    rows.push([
      `${tokens} × ${columns}, ${unit === "k" ? `${latents} latents` : `k ${k}`}`,
      `${sizes.join(" ")} ${unit}`,
      costs.map(({ cost }) => cost.toPrecision(3)).join(" "),
      `${slope.toFixed(2)} ± ${standardError.toFixed(2)}`,
    ]);
  }
  const time = clock === "cpuMs" ? "CPU ms" : "wall ms";
  const headers = ["work", "sizes", time, "slope ± SE (1 is linear)"];
  return markdownTable(headers.map((header) => ({ header })), rows);
}
