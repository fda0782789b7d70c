/** A piece of GPU work that is measured: what it computes, and whether it really does. */
import { cpuUsage } from "node:process";
import type { Gpu } from "../lib/gpu/device.ts";
import type { Recorder } from "../lib/gpu/recorder.ts";
import type { Contender, Timing } from "./measure.ts";
import type { PeerTask } from "./peer.ts";

export interface Workload extends Disposable {
  readonly name: string;
  /** Multiplications and additions of one execution. */
  readonly flops: number;
  /** The same work for a peer. */
  readonly task: PeerTask;
  /** Records one execution; may submit, but awaits nothing that the GPU does. */
  record(recorder: Recorder): void | Promise<void>;
  /**
   * Compares the last execution's results with a CPU reference: a kernel that fails looks fast.
   *
   * @throws WrongResult
   */
  check(): Promise<void>;
}

/** A measured kernel computed something else. Its times must not be shown. */
export class WrongResult extends Error {
  override readonly name = "WrongResult";
}

/** The workload on this GPU, as a contender: all repeats before one await. */
export function onGpu(gpu: Gpu, workload: Workload): Contender {
  return {
    name: "babelscope",
    run: (repeats) =>
      timed(async () => {
        const recorder = gpu.recorder();
        for (let i = 0; i < repeats; i++) await workload.record(recorder);
        recorder.submit();
        await gpu.settle();
      }),
  };
}

async function timed(work: () => Promise<void>): Promise<Timing> {
  const wall = performance.now();
  const cpu = cpuUsage();
  await work();
  const { user, system } = cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - wall };
}
