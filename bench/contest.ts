/** One workload against those of its peers that this machine has, and against a ceiling. */
import { remark } from "../lib/cli/output.ts";
import { alternate, type Contender, type Series } from "./measure.ts";
import type { Measurement } from "./results.ts";
import type { Bench, PeerName } from "./section.ts";
import { type GpuWork, onGpu, type Workload } from "./workload.ts";

/** How long a contender runs in a round of a quick bench. */
const QUICK_RUN_MS = 250;

/** What is measured in the rounds of a workload beside its peers. */
export interface Beside {
  readonly peers: readonly PeerName[];
  /** Other work of ours, by what its series is for. */
  readonly works?: readonly GpuWork[];
  /** Default: the bench's. */
  readonly rounds?: number;
}

/** The part of a measurement that timing alone gives, and a series for each of `works`. */
export type Contest =
  & Pick<Measurement, "name" | "flops" | "ours" | "peers">
  & { readonly works: readonly Series[] };

/**
 * Times a workload and everyone beside it, round by round, then checks its results.
 *
 * @throws WrongResult when a kernel computed something else
 * @throws NoPeer when a peer died
 */
export async function contest(
  bench: Bench,
  workload: Workload,
  { peers, works = [], rounds = bench.rounds }: Beside,
): Promise<Contest> {
  const { gpu, quick } = bench;
  const { name, flops } = workload;
  remark(`Measuring ${name} …`);
  const contenders = [
    ...[workload, ...works].map((work) => onGpu(gpu, work)),
    ...await challengers(bench, workload, peers),
  ];
  const series = await alternate(contenders, rounds, quick ? QUICK_RUN_MS : undefined);
  for (const work of [workload, ...works]) await work.check();
  const [ours, ...others] = series;
  return {
    name,
    flops,
    ours,
    works: others.slice(0, works.length),
    peers: others.slice(works.length),
  };
}

/** PyTorch on a CUDA device: exact f32 products, TF32 products, bf16 throughout. */
const CUDA_PRECISIONS = ["f32", "TF32", "bf16"];

/**
 * The peers, ready for the work. Kernels on a GPU have to do with PyTorch on a GPU where it has one:
 * three contenders, f32 first.
 */
async function challengers(
  { gpu, peers }: Bench,
  { task }: Workload,
  names: readonly PeerName[],
): Promise<Contender[]> {
  const torch = peers.get("torch");
  if (gpu.identity.family === "tile" && torch?.cuda !== undefined && names.includes("torch")) {
    return await torch.prepareAll(CUDA_PRECISIONS.map((precision) => ({
      name: `${torch.label} CUDA ${precision}`,
      task: { ...task, device: "cuda", precision },
    })));
  }
  const contenders: Contender[] = [];
  for (const name of names) {
    const peer = peers.get(name);
    if (peer) contenders.push(await peer.prepare(task));
  }
  return contenders;
}
