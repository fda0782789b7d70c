/** Settings of Mesa's software Vulkan, lavapipe: read by the driver when it first loads. */
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";

/** What lavapipe reads for the width of its vectors, in bits. By default it is at most 256. */
const WIDTH = "LP_NATIVE_VECTOR_WIDTH";

/** Where Mesa keeps compiled kernels. */
const CACHE = "MESA_SHADER_CACHE_DIR";

/**
 * Lets lavapipe compile for 512-bit vectors where that was measured to be faster (bench/): on
 * processors with AVX512-FP16, which are Sapphire Rapids and its successors. A width in the
 * environment wins. Has to run before anything loads the driver. Needs `--allow-ffi` and
 * `--allow-env`.
 */
export function widenLavapipe(): void {
  if (Deno.env.has(WIDTH) || !hasAvx512Fp16()) return;
  Deno.env.set(WIDTH, "512");
  // Mesa 22 does not look at the width when it recalls a kernel: a kernel of another width crashes.
  const cache = Deno.env.get(CACHE) || cacheFolder();
  Deno.env.set(CACHE, join(cache, "lavapipe-512"));
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
