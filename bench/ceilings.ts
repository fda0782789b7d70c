/** What the adapter can do at most: arithmetic and memory, measured, not read in a data sheet. */
import copySource from "./copy.wgsl" with { type: "text" };
import fmaSource from "./fma.wgsl" with { type: "text" };
import type { Gpu } from "../lib/gpu/device.ts";
import { floatBits, type Recorder } from "../lib/gpu/recorder.ts";
import { type GpuWork, WrongResult } from "./workload.ts";

/** A bound that products run into. */
export interface Ceiling extends GpuWork {
  readonly unit: "GFLOP" | "GB";
  /** Multiplications and additions, or bytes read and written, of one execution. */
  readonly amount: number;
}

/** Shape of the arithmetic: 12 chains and two operands are the most that 16 registers hold. */
const FMA = { CHAINS: 12, UNROLLED: 64, ROUNDS: 256, LANES: 64 } as const;

/** Workgroups: a GPU needs many to fill all its processors. */
const FMA_GROUPS = { texture: 64, tile: 8192 };

/** The chains a = a x + y settle down so slowly that the result tells how many steps were done. */
const [X, Y] = [1 - 2 ** -12, 2 ** -13];

/** Relative. f32 errs by 1e-6 here; a hundredth of the steps missing would show as 4e-4. */
const FMA_TOLERANCE = 1e-4;

/**
 * f32 fused multiply-adds (bench/fma.wgsl).
 *
 * @param groups workgroups of one execution
 */
export function fma(gpu: Gpu, groups = FMA_GROUPS[gpu.identity.family]): Ceiling {
  const { CHAINS, UNROLLED, ROUNDS, LANES } = FMA;
  const out = gpu.buffer("ceiling of arithmetic", groups * LANES * 4);
  const kernel = gpu.kernel("fma", fmaSource, FMA);
  return {
    name: "fused multiply-add, f32",
    unit: "GFLOP",
    amount: 2 * groups * LANES * ROUNDS * UNROLLED * CHAINS,
    record(recorder) {
      recorder.dispatch(kernel, [out.resource], [X, Y].map(floatBits), [groups, 1]);
    },
    async check() {
      const sums = new Float32Array(await gpu.read(out.resource, 0, groups * LANES * 4));
      sums.forEach((sum, id) => {
        const expected = settled(id);
        if (Math.abs(sum / expected - 1) <= FMA_TOLERANCE) return;
        throw new WrongResult(
          `multiply-adds of invocation ${id} give ${sum}, expected ${expected}`,
        );
      });
    },
    [Symbol.dispose]: () => out[Symbol.dispose](),
  };
}

/** The sum of an invocation's chains, in closed form. */
function settled(id: number): number {
  const limit = Y / (1 - X);
  const remaining = X ** (FMA.ROUNDS * FMA.UNROLLED);
  const starts = Array.from({ length: FMA.CHAINS }, (_, c) => 1 + (id % 8 + c) / 64);
  return starts.reduce((sum, start) => sum + limit + remaining * (start - limit), 0);
}

/** More than the caches of a GPU hold, where one binding may be that large. */
const MOST_COPIED = { texture: 2 ** 27, tile: 2 ** 29 };

/** Invocations of a workgroup that copies: on a processor, small workgroups cost more than the copy. */
const COPY_LANES = 64;

/** Bytes at either end of a copy that are checked. */
const CHECKED_BYTES = 2 ** 20;

/** Bytes that copies are measured with on this adapter. */
function copiedBytes({ identity: { family }, limits }: Gpu): number {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return Math.min(MOST_COPIED[family], Math.floor(most / CHECKED_BYTES) * CHECKED_BYTES);
}

/**
 * A copy from buffer to buffer by the adapter's own command.
 *
 * @param bytes a multiple of 1 MiB
 */
export function copyByCommand(gpu: Gpu, bytes = copiedBytes(gpu)): Ceiling {
  return copyBy("copyBufferToBuffer", gpu, bytes, (recorder, source, copied) => {
    recorder.copy(source, 0, copied, 0, bytes);
  });
}

/**
 * A copy by a kernel (bench/copy.wgsl).
 *
 * @param bytes a multiple of 1 MiB
 */
export function copyByKernel(gpu: Gpu, bytes = copiedBytes(gpu)): Ceiling {
  const kernel = gpu.kernel("copy", copySource, { LANES: COPY_LANES });
  const quads = bytes / 16;
  return copyBy("copy by a kernel", gpu, bytes, (recorder, source, copied) => {
    recorder.dispatchItems(kernel, [source, copied], [quads], Math.ceil(quads / COPY_LANES));
  });
}

function copyBy(
  name: string,
  gpu: Gpu,
  bytes: number,
  record: (recorder: Recorder, source: GPUBuffer, copied: GPUBuffer) => void,
): Ceiling {
  const words = new Uint32Array(bytes / 4);
  for (let i = 0; i < words.length; i++) words[i] = wordAt(i);
  using stack = new DisposableStack();
  const source = stack.use(gpu.bufferOf("copied from", words)).resource;
  const copied = stack.use(gpu.buffer("copied to", bytes)).resource;
  const owned = stack.move();
  return {
    name: `${name}, ${bytes / 2 ** 20} MiB`,
    unit: "GB",
    amount: 2 * bytes,
    record: (recorder) => record(recorder, source, copied),
    async check() {
      for (const from of [0, bytes - CHECKED_BYTES]) {
        const found = new Uint32Array(await gpu.read(copied, from, CHECKED_BYTES));
        const wrong = found.findIndex((word, i) => word !== wordAt(from / 4 + i));
        if (wrong >= 0) throw new WrongResult(`a copy differs at byte ${from + 4 * wrong}`);
      }
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/** All different, and each the bits of a normal f32: adapters may change those of others. */
function wordAt(i: number): number {
  return 0x00800000 + i;
}
