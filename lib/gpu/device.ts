/** The GPU as the rest of the program sees it: one device, its kernels, its memory, its failures. */
import { type Allocated, GpuError, GpuMemory } from "./memory.ts";
import { Profiler } from "./profiler.ts";
import { Recorder } from "./recorder.ts";
import { type Constants, specialise } from "./template.ts";

/**
 * How heavy products are computed (facts measured in bench/): `texture` reads operands through
 * storage textures and suits software Vulkan, `tile` stages them in workgroup memory and suits GPUs.
 */
export type KernelFamily = "texture" | "tile";

export interface GpuOptions {
  /** Default: `texture` on software adapters, `tile` elsewhere. */
  family?: KernelFamily;
  /** Most bytes of buffers and textures at a time. Default: no bound. */
  memoryBudget?: number;
  /** False: do without subgroups, as on adapters that have none. */
  subgroups?: boolean;
  /** Measure every dispatch by timestamps (slower: one pass per dispatch). */
  profile?: boolean;
}

/** A compiled kernel. */
export interface Kernel {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
}

/** Workgroups along x before a grid folds into y; kernels know it as `GRID`. */
export const GRID = 32768;

/**
 * Invocations of a workgroup where each has an item of its own. A workgroup has a cost of its own on
 * a processor: with 8 invocations, kernels that do little would pay mostly that.
 */
export const ITEM_LANES = 64;

/** What results record about the adapter that made them. */
export interface AdapterIdentity {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly family: KernelFamily;
}

/** An open device. Dispose of it last: everything made through it dies with it. */
export class Gpu implements Disposable {
  readonly limits: GPUSupportedLimits;
  readonly memory: GpuMemory;
  readonly profiler: Profiler | undefined;
  /** Threads that work on one row together: SIMD width of a CPU, a warp or two of a GPU. */
  readonly lanes: number;
  /**
   * Invocations of a subgroup, where a workgroup of as many is one and kernels may say
   * `subgroupBroadcast`: on software adapters. (Elsewhere products do not use subgroups: on NVIDIA
   * broadcasts through workgroup memory are faster.)
   */
  readonly subgroupLanes: number | undefined;
  /** What the device wants in front of the text of every kernel. */
  readonly #directives: string;
  #failure: GpuError | undefined;
  readonly #kernels = new Map<string, Kernel>();

  private constructor(
    readonly device: GPUDevice,
    readonly identity: AdapterIdentity,
    options: GpuOptions,
    subgroupLanes?: number,
    directives = "",
  ) {
    this.#directives = directives;
    this.limits = device.limits;
    this.memory = new GpuMemory(options.memoryBudget);
    this.lanes = identity.family === "texture" ? 8 : 64;
    this.subgroupLanes = subgroupLanes;
    this.profiler = options.profile ? new Profiler(device) : undefined;
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#fail((event as GPUUncapturedErrorEvent).error.message);
    });
    device.lost.then((info) => {
      if (info.reason !== "destroyed") this.#fail(`the device was lost: ${info.message}`);
    });
  }

  /**
   * Opens a device with all the limits the adapter has (the defaults of WebGPU are far lower).
   *
   * @throws GpuError when profiling is asked of an adapter without timestamps
   */
  static async open(adapter: GPUAdapter, options: GpuOptions = {}): Promise<Gpu> {
    const requiredFeatures: GPUFeatureName[] = [];
    if (options.profile) {
      if (!adapter.features.has("timestamp-query")) {
        throw new GpuError(
          "--profile needs timestamps, which this adapter does not have: leave it out",
        );
      }
      requiredFeatures.push("timestamp-query");
    }
    const { vendor, architecture, device: name, description } = adapter.info;
    const family = options.family ?? (isSoftware(adapter.info) ? "texture" : "tile");
    const requiredLimits = supportedLimits(adapter.limits);
    const identity = { vendor, architecture, device: name, description, family };
    const subgroupLanes = isSoftware(adapter.info) && options.subgroups !== false
      ? constantSubgroup(adapter.info)
      : undefined;
    if (subgroupLanes !== undefined) {
      // Deno does not list the feature where it has it, so asking is the only way to know.
      const features = [...requiredFeatures, "subgroups" as GPUFeatureName];
      const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits })
        .catch(() => undefined);
      // Browsers list the feature and want it enabled; Deno refuses the directive.
      const directives = adapter.features.has("subgroups") ? "enable subgroups;\n" : "";
      if (device) return new Gpu(device, identity, options, subgroupLanes, directives);
    }
    const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
    return new Gpu(device, identity, options);
  }

  #fail(message: string): void {
    this.#failure ??= new GpuError(`the GPU refused a command: ${message.trim()}`);
  }

  /** Throws the first error the GPU reported, if any: WebGPU itself drops failed work silently. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** A zeroed storage buffer of at least `bytes` (rounded up to whole vec4s). */
  buffer(label: string, bytes: number, usage = 0): Allocated<GPUBuffer> {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    if (size > this.limits.maxBufferSize) {
      throw new GpuError(
        `${label} needs ${size} bytes, more than this adapter allows in one buffer`,
      );
    }
    return this.memory.allocate(label, size, () =>
      this.device.createBuffer({
        label,
        size,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST | usage,
      }));
  }

  /** A texture of 16-byte texels for reading in kernels. */
  texture(
    label: string,
    width: number,
    height: number,
    format: "rgba32float" | "rgba32uint",
  ): Allocated<GPUTexture> {
    return this.memory.allocate(label, width * height * 16, () =>
      this.device.createTexture({
        label,
        size: [width, height],
        format,
        usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
      }));
  }

  /** A buffer holding these values. */
  bufferOf(label: string, values: Float32Array | Uint32Array): Allocated<GPUBuffer> {
    const memory = this.buffer(label, values.byteLength);
    this.write(memory.resource, 0, values);
    return memory;
  }

  /** Copies host values into a buffer, in the order of the queue. */
  write(buffer: GPUBuffer, offset: number, values: Float32Array | Uint32Array): void {
    this.device.queue.writeBuffer(
      buffer,
      offset,
      values.buffer as ArrayBuffer,
      values.byteOffset,
      values.byteLength,
    );
  }

  /**
   * Compiles a kernel, once per specialisation.
   *
   * @param name of the `.wgsl` file, for messages and profiles
   * @param source its text (several files are joined)
   * @param constants what its template names (see template.ts); `GRID` is always there
   */
  kernel(name: string, source: string, constants: Constants = {}): Kernel {
    const key = `${name} ${JSON.stringify(constants)}`;
    const known = this.#kernels.get(key);
    if (known) return known;
    const code = this.#directives + specialise(source, { GRID, ...constants });
    const module = this.device.createShaderModule({ label: key, code });
    const pipeline = this.device.createComputePipeline({
      label: key,
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const kernel = { name, pipeline };
    this.#kernels.set(key, kernel);
    return kernel;
  }

  /** Starts recording work for one or more submits. */
  recorder(): Recorder {
    return new Recorder(this);
  }

  /** Waits until all submitted work is done, and throws if any of it failed. */
  async settle(): Promise<void> {
    await this.device.queue.onSubmittedWorkDone();
    await this.profiler?.collect();
    this.check();
  }

  /**
   * Reads bytes of a buffer back after all submitted work.
   *
   * The copy is a submit of its own: in Deno, mapping after a bare writeBuffer reads zeros.
   */
  async read(buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    const size = Math.ceil(bytes / 4) * 4;
    using staging = this.memory.allocate("readback", size, () =>
      this.device.createBuffer({
        label: "readback",
        size,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      }));
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, staging.resource, 0, size);
    this.device.queue.submit([encoder.finish()]);
    await staging.resource.mapAsync(GPUMapMode.READ);
    this.check();
    const copy = staging.resource.getMappedRange().slice(0, bytes);
    staging.resource.unmap();
    return copy;
  }

  [Symbol.dispose](): void {
    this.profiler?.[Symbol.dispose]();
    this.device.destroy();
  }
}

/** The limits kernels can use, as high as the adapter goes. */
function supportedLimits(limits: GPUSupportedLimits): Record<string, number> {
  const names = [
    "maxTextureDimension2D",
    "maxStorageBufferBindingSize",
    "maxBufferSize",
    "maxStorageBuffersPerShaderStage",
    "maxStorageTexturesPerShaderStage",
    "maxComputeWorkgroupStorageSize",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupsPerDimension",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, limits[name]]));
}

/** The size of subgroups, where it is always the same. */
function constantSubgroup(
  { subgroupMinSize, subgroupMaxSize }: GPUAdapterInfo,
): number | undefined {
  return subgroupMinSize >= 4 && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : undefined;
}

/** Software Vulkan: Mesa's lavapipe ("llvmpipe (LLVM …)") and SwiftShader. */
function isSoftware(info: GPUAdapterInfo): boolean {
  return /llvmpipe|swiftshader/i.test(`${info.device} ${info.description} ${info.architecture}`);
}
