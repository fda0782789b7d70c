/** Each product of Llama-3.2-1B and of its SAEs, shape by shape. */
import { remark } from "../lib/cli/output.ts";
import type { KernelFamily } from "../lib/gpu/device.ts";
import { type Ceiling, copyByCommand, copyByKernel, fma } from "./ceilings.ts";
import { contest } from "./contest.ts";
import { encoderProduct } from "./encoder_product.ts";
import { linear, type LinearShape, productBytes } from "./linear.ts";
import { markdownTable } from "./markdown_table.ts";
import { alternate, type Clock, medianTime, type Series } from "./measure.ts";
import { type Goal, type Measurement, measurementTable } from "./results.ts";
import type { Bench, Section } from "./section.ts";
import type { MeasuredType } from "./seeded_matrix.ts";
import { clockOf, onGpu } from "./workload.ts";

/** A product: what for, of what shape, with which weights. */
interface Product {
  readonly of: string;
  readonly shape: LinearShape;
  readonly type: MeasuredType;
  /** Measured by a quick bench too. */
  readonly quick?: true;
  /** Done in pieces, as an SAE's encoder does it. */
  readonly encoder?: true;
  /** Measured with these kernels only. */
  readonly family?: KernelFamily;
  readonly goals?: Readonly<Partial<Record<KernelFamily, readonly Goal[]>>>;
}

const TOKENS = 256;

/** Width of Llama-3.2-1B, of its MLP, and all its queries, keys and values. */
const [WIDTH, MLP, QKV] = [2048, 8192, 3072];
const VOCABULARY = 128256;
const LATENTS = { few: 16384, many: 131072 };

/** Of OpenBLAS, on the processor. */
const BF16 = { texture: [{ of: "peer", least: 0.4 }] } as const;

/** Of the ceiling, on a GPU. */
const LARGE = { tile: [{ of: "peak", least: 0.7 }] } as const;

function shape(tokens: number, columns: number, outs: number): LinearShape {
  return { tokens, columns, outs };
}

const PRODUCTS: readonly Product[] = [
  { of: "q, k, v", shape: shape(TOKENS, WIDTH, QKV), type: "bf16", goals: BF16 },
  { of: "o", shape: shape(TOKENS, WIDTH, WIDTH), type: "bf16", goals: BF16 },
  { of: "gate, up", shape: shape(TOKENS, WIDTH, MLP), type: "bf16", quick: true, goals: BF16 },
  { of: "gate, up", shape: shape(TOKENS, WIDTH, MLP), type: "f32", quick: true },
  { of: "down", shape: shape(TOKENS, MLP, WIDTH), type: "bf16", goals: BF16 },
  { of: "head", shape: shape(TOKENS, WIDTH, VOCABULARY), type: "bf16", goals: BF16 },
  {
    of: "SAE",
    shape: shape(TOKENS, WIDTH, LATENTS.few),
    type: "bf16",
    quick: true,
    encoder: true,
    goals: BF16,
  },
  {
    of: "SAE",
    shape: shape(TOKENS, WIDTH, LATENTS.many),
    type: "bf16",
    encoder: true,
    goals: BF16,
  },
  { of: "SAE", shape: shape(TOKENS, WIDTH, LATENTS.many), type: "f32", encoder: true },
  {
    of: "SAE",
    shape: shape(4096, WIDTH, LATENTS.many),
    type: "bf16",
    quick: true,
    encoder: true,
    family: "tile",
    goals: LARGE,
  },
  { of: "gate, up", shape: shape(1, WIDTH, MLP), type: "bf16", quick: true },
  { of: "down", shape: shape(1, MLP, WIDTH), type: "bf16" },
];

/** Measures the ceilings of the adapter, then every product beside the one that bounds it. */
export async function kernelsSection(bench: Bench): Promise<Section> {
  const { gpu, quick } = bench;
  const clock = clockOf(gpu);
  using arithmetic = fma(gpu);
  using byKernel = copyByKernel(gpu);
  using byCommand = copyByCommand(gpu);
  const ceilings = await measureCeilings(bench, [arithmetic, byKernel, byCommand]);
  const [, kernel, command] = ceilings.map((ceiling) => speed(ceiling, clock));
  const memory = kernel >= command ? byKernel : byCommand;
  const measurements: Measurement[] = [];
  for (const product of PRODUCTS) {
    if (quick && !product.quick) continue;
    if (product.family && product.family !== gpu.identity.family) continue;
    const ceiling = product.shape.tokens === 1 ? memory : arithmetic;
    measurements.push(await measureProduct(bench, product, ceiling));
  }
  return {
    title: "Kernels: the products of Llama-3.2-1B",
    lines: [...ceilingTable(ceilings, clock), "", ...measurementTable(measurements, clock)],
  };
}

interface MeasuredCeiling {
  readonly ceiling: Ceiling;
  readonly series: Series;
}

async function measureCeilings(
  { gpu, rounds }: Bench,
  ceilings: readonly Ceiling[],
): Promise<MeasuredCeiling[]> {
  remark("Measuring what the adapter can do at most …");
  const series = await alternate(ceilings.map((ceiling) => onGpu(gpu, ceiling)), rounds, 250);
  for (const ceiling of ceilings) await ceiling.check();
  return ceilings.map((ceiling, i) => ({ ceiling, series: series[i] }));
}

/** GFLOP or GB per second. */
function speed({ ceiling, series }: MeasuredCeiling, clock: Clock): number {
  return ceiling.amount / medianTime(series, clock) / 1e6;
}

function ceilingTable(ceilings: readonly MeasuredCeiling[], clock: Clock): string[] {
  const byCpu = clock === "cpuMs";
  const rows = ceilings.map((measured) => {
    const { name, unit } = measured.ceiling;
    const per = (of: Clock, second: string) =>
      `${speed(measured, of).toFixed(1)} ${unit} / ${second}`;
    return [name, ...(byCpu ? [per("cpuMs", "CPU s")] : []), per("wallMs", "s")];
  });
  const headers = ["ceiling", ...(byCpu ? ["by CPU"] : []), "by wall"];
  const columns = headers.map((header, i) => ({ header, align: i ? "right" as const : undefined }));
  return markdownTable(columns, rows);
}

async function measureProduct(
  bench: Bench,
  { of, shape, type, encoder, goals }: Product,
  ceiling: Ceiling,
): Promise<Measurement> {
  const { gpu } = bench;
  using workload = await (encoder ? encoderProduct : linear)(gpu, shape, type);
  const { works: [series], ...measured } = await contest(bench, workload, {
    peers: ["numpy", "torch"],
    works: [ceiling],
  });
  const copy = ceiling.unit === "GB";
  const amount = (copy ? productBytes(shape, type) : workload.flops) / ceiling.amount;
  return {
    ...measured,
    name: `${of}: ${workload.name}`,
    ceiling: { series, amount, copy },
    goals: goals?.[gpu.identity.family] ?? [],
  };
}
