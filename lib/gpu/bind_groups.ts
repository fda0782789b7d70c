/**
 * Bind groups, kept for the next dispatch of the same kernel on the same buffers: making one takes
 * longer than all else a dispatch is recorded with, and a model that writes does the same dispatches
 * for every token.
 */
import type { Kernel } from "./device.ts";
import type { Binding } from "./recorder.ts";

/** Most that are kept: a few passes of a large model. A group holds on to the names of its buffers. */
const MOST = 4096;

/** The bind groups of one device. */
export class BindGroups {
  readonly #groups = new Map<string, GPUBindGroup>();
  /** A number for each kernel, buffer and texture. */
  readonly #numbers = new WeakMap<object, number>();
  #next = 0;

  /**
   * The group of a kernel and what it binds, from 0 upwards.
   *
   * @param device where kernel and bindings are
   */
  of(device: GPUDevice, kernel: Kernel, bindings: readonly Binding[]): GPUBindGroup {
    const key = this.#key(kernel, bindings);
    const known = this.#groups.get(key);
    if (known) return known;
    if (this.#groups.size === MOST) this.#groups.clear();
    const group = device.createBindGroup({
      layout: kernel.pipeline.getBindGroupLayout(0),
      entries: bindings.map((binding, index) => ({
        binding: index,
        resource: resourceOf(binding),
      })),
    });
    this.#groups.set(key, group);
    return group;
  }

  #key(kernel: Kernel, bindings: readonly Binding[]): string {
    let key = `${this.#numberOf(kernel)}`;
    for (const binding of bindings) {
      key += "buffer" in binding
        ? ` ${this.#numberOf(binding.buffer)}+${binding.offset ?? 0}:${binding.size ?? ""}`
        : ` ${this.#numberOf(binding)}`;
    }
    return key;
  }

  #numberOf(resource: object): number {
    let number = this.#numbers.get(resource);
    if (number === undefined) this.#numbers.set(resource, number = this.#next++);
    return number;
  }
}

function resourceOf(binding: Binding): GPUBindingResource {
  if (binding instanceof GPUBuffer) return { buffer: binding };
  return binding instanceof GPUTexture ? binding.createView() : binding;
}
