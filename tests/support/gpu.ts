/** The adapter that GPU tests run on. */
import { Gpu, type GpuOptions, type KernelFamily } from "../../lib/gpu/device.ts";
import { bringUpAdapter, type BroughtUpAdapter } from "../../lib/cli/adapter.ts";

let broughtUp: Promise<BroughtUpAdapter> | undefined;

/** The machine's adapter, brought up once. No adapter is a failure of the test, never a skip. */
export function testAdapter(): Promise<BroughtUpAdapter> {
  broughtUp ??= bringUpAdapter({ quiet: true });
  return broughtUp;
}

/**
 * Opens a device on the machine's adapter. Both kernel families run on every adapter, so tests name
 * the one they want where it matters.
 */
export async function openTestGpu(options: GpuOptions = {}): Promise<Gpu> {
  const { adapter } = await testAdapter();
  return await Gpu.open(adapter, options);
}

/** The families every heavy product is tested in. */
export const FAMILIES: readonly KernelFamily[] = ["texture", "tile"];
