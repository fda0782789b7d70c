/** A piece of GPU work that is measured: what it computes, and whether it really does. */
import { cpuUsage } from "node:process";
import type { Gpu } from "../lib/gpu/device.ts";
import type { Recorder } from "../lib/gpu/recorder.ts";
import type { Clock, Contender, Timing } from "./measure.ts";
import type { PeerTask } from "./peer.ts";

/** GPU work that can be timed and checked. */
export interface GpuWork extends Disposable {
  readonly name: string;
  /** Records one execution; may submit, but awaits nothing that the GPU does. */
  record(recorder: Recorder): void | Promise<void>;
  /**
   * Compares the last execution's results with a CPU reference: a kernel that fails looks fast.
   *
   * @throws WrongResult
   */
  check(): Promise<void>;
}

/** GPU work that peers can do as well. */
export interface Workload extends GpuWork {
  /** Multiplications and additions of one execution. */
  readonly flops: number;
  /** The same work for a peer. */
  readonly task: PeerTask;
}

/** A measured kernel computed something else. Its times must not be shown. */
export class WrongResult extends Error {
  override readonly name = "WrongResult";
}

/** What judges kernels on this adapter: see {@linkcode Clock}. */
export function clockOf(gpu: Gpu): Clock {
  return gpu.identity.family === "texture" ? "cpuMs" : "wallMs";
}

/** Work on this GPU, as a contender: all repeats before one await. */
export function onGpu(gpu: Gpu, work: GpuWork): Contender {
  return {
    name: "babelscope",
    run: (repeats) =>
      timed(async () => {
        const recorder = gpu.recorder();
        for (let i = 0; i < repeats; i++) await work.record(recorder);
        recorder.submit();
        await gpu.settle();
      }),
  };
}

/** Times some work of this process. */
export async function timed(work: () => Promise<void>): Promise<Timing> {
  const wall = performance.now();
  const cpu = cpuUsage();
  await work();
  const { user, system } = cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - wall };
}
