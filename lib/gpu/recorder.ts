/** Records dispatches and copies, and submits them together: each awaited submit costs 11 ms. */
import { BindGroups } from "./bind_groups.ts";
import { type Gpu, GRID, type Kernel } from "./device.ts";
import { GpuError } from "./memory.ts";

/** What a kernel binds: buffers (whole or part) and textures, in the order of its bindings. */
export type Binding = GPUBuffer | GPUBufferBinding | GPUTexture;

/** Uniform parameters: u32 values; floats go through {@linkcode floatBits}. */
export type Params = readonly number[];

const PARAM_SLOT = 256;
const ARENA_SLOTS = 1024;

/**
 * A stretch of GPU work. Parameters of all dispatches live in one uniform buffer that is written
 * right before each submit; the queue keeps that order, so the buffer is reused after it.
 */
export class Recorder {
  readonly #gpu: Gpu;
  readonly #arena: GPUBuffer;
  readonly #groups: BindGroups;
  readonly #params = new Uint32Array(ARENA_SLOTS * PARAM_SLOT / 4);
  #used = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#arena = uniformArena(gpu);
    this.#groups = bindGroups(gpu);
  }

  /**
   * Records one dispatch.
   *
   * @param bindings bound from 0 upwards; `params`, when given, take the next binding as a uniform
   * @param groups workgroups along x and y
   * @throws GpuError when a grid is larger than the adapter allows (WebGPU would drop it silently)
   */
  dispatch(
    kernel: Kernel,
    bindings: readonly Binding[],
    params: Params,
    groups: readonly [number, number],
  ): void {
    const most = this.#gpu.limits.maxComputeWorkgroupsPerDimension;
    if (groups[0] > most || groups[1] > most) {
      throw new GpuError(
        `${kernel.name} needs ${groups.join(" × ")} workgroups, more than ${most}`,
      );
    }
    if (groups[0] * groups[1] === 0) return;
    const bound = params.length > 0 ? [...bindings, this.#uniform(params)] : bindings;
    const { device, profiler } = this.#gpu;
    const group = this.#groups.of(device, kernel, bound);
    if (profiler) this.#endPass();
    this.#encoder ??= device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass({ timestampWrites: profiler?.next(kernel.name) });
    this.#pass.setPipeline(kernel.pipeline);
    this.#pass.setBindGroup(0, group);
    this.#pass.dispatchWorkgroups(groups[0], groups[1]);
  }

  /** A dispatch with one workgroup per item; kernels find theirs as `y * GRID + x`. */
  dispatchItems(kernel: Kernel, bindings: readonly Binding[], params: Params, items: number): void {
    const groups: [number, number] = items <= GRID ? [items, 1] : [GRID, Math.ceil(items / GRID)];
    this.dispatch(kernel, bindings, params, groups);
  }

  /** Copies between buffers (offsets and size in bytes, multiples of 4). */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    this.#copies().copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
  }

  /** Copies rows of 16-byte texels from a buffer into a texture, from its column `left` on. */
  copyToTexture(
    from: { buffer: GPUBuffer; offset: number; bytesPerRow: number },
    texture: GPUTexture,
    width: number,
    height: number,
    left = 0,
  ): void {
    const to = { texture, origin: [left, 0] };
    this.#copies().copyBufferToTexture({ ...from, rowsPerImage: height }, to, [width, height]);
  }

  /** Zeroes a buffer. */
  clear(buffer: GPUBuffer): void {
    this.#copies().clearBuffer(buffer);
  }

  /** Hands everything recorded so far to the GPU; recording may go on. */
  submit(): void {
    this.#endPass();
    this.#gpu.profiler?.resolve(this.#encoder);
    if (!this.#encoder) return;
    if (this.#used > 0) {
      this.#gpu.write(this.#arena, 0, this.#params.subarray(0, this.#used * PARAM_SLOT / 4));
    }
    this.#gpu.device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    this.#used = 0;
    this.#gpu.check();
  }

  #copies(): GPUCommandEncoder {
    this.#endPass();
    return this.#encoder ??= this.#gpu.device.createCommandEncoder();
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #uniform(params: Params): GPUBufferBinding {
    if (this.#used === ARENA_SLOTS) this.submit();
    const offset = this.#used++ * PARAM_SLOT;
    this.#params.set(params, offset / 4);
    return { buffer: this.#arena, offset, size: Math.ceil(params.length / 4) * 16 };
  }
}

const arenas = new WeakMap<Gpu, GPUBuffer>();

/** The uniform buffer of a device. Shared by its recorders: a submit writes it just before use. */
function uniformArena(gpu: Gpu): GPUBuffer {
  let arena = arenas.get(gpu);
  if (!arena) {
    arena = gpu.device.createBuffer({
      label: "kernel parameters",
      size: ARENA_SLOTS * PARAM_SLOT,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    arenas.set(gpu, arena);
  }
  return arena;
}

const groups = new WeakMap<Gpu, BindGroups>();

/** The bind groups of a device, shared by its recorders. */
function bindGroups(gpu: Gpu): BindGroups {
  const known = groups.get(gpu) ?? new BindGroups();
  groups.set(gpu, known);
  return known;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bits of a float, for passing it among u32 parameters. */
export function floatBits(value: number): number {
  float[0] = value;
  return bits[0];
}
