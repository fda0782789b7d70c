/** SAE encoding with TopK, block by block, against eai-sparsify's. */
import type { KernelFamily } from "../lib/gpu/device.ts";
import { contest } from "./contest.ts";
import { encode } from "./encode.ts";
import { encoderProduct } from "./encoder_product.ts";
import { type Goal, type Measurement, measurementTable } from "./results.ts";
import type { Bench, Section } from "./section.ts";
import type { MeasuredType } from "./seeded_matrix.ts";
import { clockOf } from "./workload.ts";

/** One size of the work. */
interface Block {
  readonly latents: number;
  readonly tokens: number;
  readonly type: MeasuredType;
  /** Measured by a quick bench too. */
  readonly quick?: true;
  readonly goals?: Readonly<Record<KernelFamily, readonly Goal[]>>;
  /** Fewer where a round takes most of a minute: such rounds are alike anyway. */
  readonly rounds?: number;
}

/** Width and latents kept, as in EleutherAI/sae-Llama-3.2-1B-131k. */
const [WIDTH, K] = [2048, 32];

const GOALS: Block["goals"] = {
  texture: [{ of: "peer", least: 0.4 }],
  tile: [{ of: "peer", least: 1 }, { of: "TopK", most: 0.1 }],
};

const BLOCKS: readonly Block[] = [
  { latents: 16384, tokens: 1, type: "bf16", quick: true },
  { latents: 16384, tokens: 64, type: "bf16" },
  { latents: 16384, tokens: 256, type: "bf16", quick: true },
  { latents: 16384, tokens: 256, type: "f32" },
  { latents: 16384, tokens: 2048, type: "bf16" },
  { latents: 131072, tokens: 1, type: "bf16" },
  { latents: 131072, tokens: 64, type: "bf16" },
  { latents: 131072, tokens: 256, type: "bf16", goals: GOALS },
  { latents: 131072, tokens: 256, type: "f32" },
  { latents: 131072, tokens: 2048, type: "bf16", rounds: 3 },
];

/** Measures blocks of tokens, each beside its product alone: the rest of its time is TopK. */
export async function encodeSection(bench: Bench): Promise<Section> {
  const measurements: Measurement[] = [];
  for (const block of BLOCKS) {
    if (bench.quick && !block.quick) continue;
    measurements.push(await measureBlock(bench, block));
  }
  return {
    title: "SAE encode and TopK",
    lines: measurementTable(measurements, clockOf(bench.gpu)),
  };
}

async function measureBlock(
  bench: Bench,
  { latents, tokens, type, goals, rounds = bench.rounds }: Block,
): Promise<Measurement> {
  const { gpu } = bench;
  using workload = encode(gpu, { tokens, columns: WIDTH, latents, k: K }, type);
  using alone = await encoderProduct(gpu, { tokens, columns: WIDTH, outs: latents }, type);
  const { works: [product], ...measured } = await contest(bench, workload, {
    peers: ["torch"],
    works: [alone],
    rounds: Math.min(rounds, bench.rounds),
  });
  return { ...measured, product, goals: goals?.[gpu.identity.family] ?? [] };
}
