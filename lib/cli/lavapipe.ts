/** Settings of Mesa's software Vulkan, lavapipe: read by the driver when it first loads. */
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { lavapipeManifests } from "./vulkan_manifests.ts";

/** What lavapipe reads for the width of its vectors, in bits. By default it is at most 256. */
const WIDTH = "LP_NATIVE_VECTOR_WIDTH";

/** Where Mesa keeps compiled kernels. */
const CACHE = "MESA_SHADER_CACHE_DIR";

/** What lavapipe reads for its threads: by default one per processor; 0 has none but the caller's. */
const THREADS = "LP_NUM_THREADS";

/** Least width of a model for which wide vectors pay: they make products faster, and stores slower. */
const LEAST_COLUMNS = 512;

/**
 * Newest Vulkan header of a lavapipe whose wide vectors pay: that of Mesa 22.3. Mesa 25.0 (305) makes a
 * loop over lanes of each broadcast between sixteen of them, and is three times as fast with eight.
 */
const LAST_WIDE_HEADER = 230;

/** Most rows of activations at a time for which threads do not pay, in a model that is not wide. */
const MOST_ROWS_ALONE = 64;

/** What a process is going to compute. */
export interface Workload {
  /** Width of the model. */
  readonly columns: number;
  /** Tokens that most passes have, where it is known to be few. */
  readonly rows?: number;
}

/**
 * Sets lavapipe up for a model. A choice in the environment wins, so that the first choice of a process is
 * its last: the driver reads it once. Has to run before anything loads the driver. Needs `--allow-ffi`
 * and `--allow-env`, and `--allow-read` for wide vectors.
 *
 * - Vectors of 512 bits where that was measured to be faster (bench/): on processors with AVX512-FP16,
 *   which are Sapphire Rapids and its successors, with Mesa 22.3, and for models that are not small.
 * - No threads for a few rows of a small model: handing a kernel to a thread and waiting for it takes
 *   several times as long as the kernel.
 */
export function setUpLavapipe({ columns, rows = Infinity }: Workload): void {
  for (const name of [WIDTH, CACHE, THREADS]) {
    if (!Deno.env.get(name)) Deno.env.delete(name); // Mesa would take an empty one for a value.
  }
  const narrow = columns < LEAST_COLUMNS;
  if (narrow && rows <= MOST_ROWS_ALONE && !Deno.env.has(THREADS)) Deno.env.set(THREADS, "0");
  if (Deno.env.has(WIDTH) || !hasAvx512Fp16()) return;
  const width = !narrow && widePays() ? 512 : 256;
  Deno.env.set(WIDTH, String(width));
  // Mesa 22 does not look at the width when it recalls a kernel: a kernel of another width crashes.
  Deno.env.set(CACHE, join(Deno.env.get(CACHE) ?? cacheFolder(), `lavapipe-${width}`));
}

/** What a child process has to be given so that it makes choices of its own. */
export const NO_LAVAPIPE_SETTINGS: Readonly<Record<string, string>> = {
  [WIDTH]: "",
  [CACHE]: "",
  [THREADS]: "",
};

/** Whether every lavapipe that a loader may find here is one whose wide vectors pay. */
function widePays(): boolean {
  const headers = lavapipeManifests().map(({ header }) => header);
  return headers.length > 0 && headers.every((header) => header <= LAST_WIDE_HEADER);
}

/** Word of glibc's `struct cpuid_feature`: EDX among the features in use, behind four words of all. */
const ACTIVE_EDX = 7;

/** CPUID leaf 7, by glibc's number. */
const LEAF_7 = 1;
const AVX512_FP16 = 1 << 23;

/** Asks glibc (2.33 or later, sys/platform/x86.h); without it the answer is no. */
function hasAvx512Fp16(): boolean {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return false;
  const libc = openLibc();
  if (libc === undefined) return false;
  try {
    const leaf = libc.symbols.__x86_get_cpuid_feature_leaf(LEAF_7);
    if (leaf === null) return false;
    const word = new Deno.UnsafePointerView(leaf).getUint32(4 * ACTIVE_EDX);
    return (word & AVX512_FP16) !== 0;
  } finally {
    libc.close();
  }
}

const SYMBOLS = {
  __x86_get_cpuid_feature_leaf: { parameters: ["u32"], result: "pointer" },
} as const;

function openLibc(): Deno.DynamicLibrary<typeof SYMBOLS> | undefined {
  try {
    return Deno.dlopen("libc.so.6", SYMBOLS);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined; // Another C library, or an older one.
  }
}
