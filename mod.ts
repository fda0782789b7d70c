/**
 * babelscope as a library: find the parts of a language model that belong to one language.
 *
 * The command line (`./babelscope`) is built from exactly these pieces. Rooms `gpu`, `nn`, `sae`,
 * `lape` and `formats` touch neither files nor the network and run wherever WebGPU does; the caller
 * brings an adapter and the bytes.
 *
 * @example Entropies and owners from counts that are there
 * ```ts ignore
 * import { decodeCounts, identifySaeLape, pool } from "@babelscope/babelscope";
 *
 * const entries = await Promise.all(["English", "German", "Thai"].map(async (language) => ({
 *   language,
 *   counts: decodeCounts(await Deno.readFile(`counts/${language}.safetensors`), language),
 * })));
 * const { features } = identifySaeLape(pool(entries), { top: 10 });
 * ```
 *
 * @module
 */

export type { Counts } from "./lib/formats/counts.ts";
export { decodeCounts, encodeCounts, SUM_FRACTION_BITS } from "./lib/formats/counts.ts";
export { InputError } from "./lib/formats/input_error.ts";
export { encodeSafetensors, fromBytes, type TensorSource } from "./lib/formats/safetensors.ts";
export { loadTokenizer, type Tokenizer } from "./lib/formats/tokenizer.ts";

export { Gpu, type GpuOptions, type KernelFamily } from "./lib/gpu/device.ts";
export { GpuError } from "./lib/gpu/memory.ts";
export { type ByteStore, selfTest } from "./lib/gpu/self_test.ts";
export { WeightStore } from "./lib/gpu/weight_store.ts";

export { type Batch, groupTexts, pack } from "./lib/nn/batch.ts";
export { type LlamaConfig, parseLlamaConfig } from "./lib/nn/config.ts";
export { type Hookpoint, resolveHookpoints } from "./lib/nn/hookpoints.ts";
export { type Hook, Llama } from "./lib/nn/llama.ts";

export { allocateEntries, readEntries, SaeEncoder } from "./lib/sae/encoder.ts";
export type { Activation, Decoder, Normalisation, Sae } from "./lib/sae/sae.ts";
export { openSparsifySae } from "./lib/sae/sparsify.ts";

export { Counter, type CounterOptions, type Target } from "./lib/count/counter.ts";

export { emptyCounts, mergeCounts } from "./lib/lape/counts.ts";
export { activationEntropies, activationProbabilities, entropy } from "./lib/lape/entropy.ts";
export type { Candidate, Feature, Identification } from "./lib/lape/identification.ts";
export { identifyLape, type LapeOptions } from "./lib/lape/identify_neurons.ts";
export { identifySaeLape, type SaeLapeOptions } from "./lib/lape/identify_sae.ts";
export { fromLapeJson, type LapeJson, toLapeJson } from "./lib/lape/lape_json.ts";
export { pool, type PooledCounts, Pooling } from "./lib/lape/pool.ts";

export { findFirings, type Firing } from "./lib/interpret/firings.ts";
export { renderReport } from "./lib/report/render_report.ts";
export type { ReportData } from "./lib/report/report_data.ts";
