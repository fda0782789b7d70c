/** Settings of Mesa's software Vulkan, lavapipe: read by the driver when it first loads. */
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";

/** What lavapipe reads for the width of its vectors, in bits. By default it is at most 256. */
const WIDTH = "LP_NATIVE_VECTOR_WIDTH";

/** Where Mesa keeps compiled kernels. */
const CACHE = "MESA_SHADER_CACHE_DIR";

/** Least width of a model for which wide vectors pay: they make products faster, and stores slower. */
const LEAST_COLUMNS = 512;

/**
 * Chooses the width of lavapipe's vectors: 512 bits where that was measured to be faster (bench/), on
 * processors with AVX512-FP16, which are Sapphire Rapids and its successors, and for models that are
 * not small. A width in the environment wins, so that the first choice of a process is its last: the
 * driver reads it once. Has to run before anything loads the driver. Needs `--allow-ffi` and
 * `--allow-env`.
 *
 * @param columns width of the model that is going to be computed
 */
export function chooseVectorWidth(columns: number): void {
  if (Deno.env.get(WIDTH)) return;
  Deno.env.delete(WIDTH); // Mesa would take an empty one for a number,
  if (!Deno.env.get(CACHE)) Deno.env.delete(CACHE); // and this one for a folder.
  if (!hasAvx512Fp16()) return;
  const wide = columns >= LEAST_COLUMNS;
  Deno.env.set(WIDTH, wide ? "512" : "256");
  // Mesa 22 does not look at the width when it recalls a kernel: a kernel of another width crashes.
  const cache = Deno.env.get(CACHE) || cacheFolder();
  Deno.env.set(CACHE, join(cache, `lavapipe-${wide ? 512 : 256}`));
}

/** What a child process has to be given so that it makes a choice of its own. */
export const NO_VECTOR_WIDTH: Readonly<Record<string, string>> = { [WIDTH]: "", [CACHE]: "" };

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
