/** Brings up the adapter that every step computes on, on any machine, and says which one it is. */
import { InputError } from "../formats/input_error.ts";
import { remark } from "./output.ts";
import { setUpLavapipe, type Workload } from "./lavapipe.ts";
import { useBundledVulkan } from "./software_vulkan.ts";
import { type VulkanDevice, vulkanDevices } from "./vulkan.ts";

/** An adapter and what a result has to say about it. */
export interface BroughtUpAdapter {
  readonly adapter: GPUAdapter;
  /** The device's name, e.g. `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  readonly description: string;
  /** Driver and version, e.g. `llvmpipe Mesa 22.3.6 (LLVM 15.0.6)`; empty where it is not told. */
  readonly driver: string;
  /** True when kernels run on the processor. */
  readonly software: boolean;
  /** What the user should know about this choice, in one line. */
  readonly note?: string;
}

const BUNDLED_NOTE =
  "using the bundled software Vulkan (SwiftShader), about 7 times slower than Debian's " +
  "mesa-vulkan-drivers and far slower than a GPU.";

/**
 * Requests an adapter, hardware before software. On Linux only Vulkan is used (Deno would fall back
 * to OpenGL without a word), and where there is no Vulkan driver the bundled software one is brought
 * up. `BABELSCOPE_ADAPTER=software` asks for the bundled one in any case.
 *
 * Has to be the process's first use of WebGPU. Needs `--allow-ffi` and `--allow-env`, and, for the
 * bundled driver, reading and writing of the cache folder.
 *
 * @param options.workload what is going to be computed; software Vulkan is set up for it (lavapipe.ts)
 * @param options.quiet keep the note to the return value instead of printing it on stderr
 * @throws InputError when there is no adapter
 */
export async function bringUpAdapter(
  options: { quiet?: boolean; workload?: Workload } = {},
): Promise<BroughtUpAdapter> {
  const { workload = { columns: 2048 } } = options;
  const bundled = Deno.build.os === "linux" ? await prepareLinux(workload) : undefined;
  if (bundled !== undefined && !options.quiet) remark(bundled.note);
  const adapter = await requestAdapter();
  const { description, isFallbackAdapter } = adapter.info;
  const driver = bundled?.driver ?? driverOf(description);
  return { adapter, description, driver, software: isFallbackAdapter, note: bundled?.note };
}

/** The bundled driver, where that is what kernels run on. */
interface Bundled {
  readonly driver: string;
  readonly note: string;
}

/** Leaves the process with a Vulkan driver in sight: the machine's, or else the bundled one. */
async function prepareLinux(workload: Workload): Promise<Bundled | undefined> {
  Deno.env.set("DENO_WEBGPU_BACKEND", "vulkan");
  setUpLavapipe(workload);
  const asked = softwareAskedFor();
  if (!asked && devices().length > 0) return undefined;
  const reason = asked ? "BABELSCOPE_ADAPTER=software" : "No Vulkan driver found";
  return { driver: await useBundledVulkan(), note: `${reason}: ${BUNDLED_NOTE}` };
}

function softwareAskedFor(): boolean {
  const asked = Deno.env.get("BABELSCOPE_ADAPTER");
  if (asked === undefined || asked === "" || asked === "software") return asked === "software";
  throw new InputError(
    `BABELSCOPE_ADAPTER is "${asked}", expected "software" or nothing: unset it to use the ` +
      `machine's driver.`,
  );
}

function driverOf(description: string): string {
  return devices().find(({ name }) => name === description)?.driver ?? "";
}

function devices(): VulkanDevice[] {
  return Deno.build.os === "linux" ? vulkanDevices() ?? [] : [];
}

async function requestAdapter(): Promise<GPUAdapter> {
  const adapter = await withRuntimeFolder(() =>
    navigator.gpu.requestAdapter({ powerPreference: "high-performance" })
  );
  if (adapter !== null) return adapter;
  const seen = devices().map(({ name }) => name).join(", ") || "none";
  throw new InputError(
    `No WebGPU adapter was found (Vulkan devices: ${seen}): install a graphics driver, on Debian ` +
      `with "apt-get install mesa-vulkan-drivers", then run "babelscope doctor".`,
  );
}

/** Without XDG_RUNTIME_DIR the windowing code of the driver complains on stderr, to no purpose. */
async function withRuntimeFolder<T>(request: () => Promise<T>): Promise<T> {
  if (Deno.build.os !== "linux" || Deno.env.has("XDG_RUNTIME_DIR")) return await request();
  Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
  try {
    return await request();
  } finally {
    Deno.env.delete("XDG_RUNTIME_DIR");
  }
}
