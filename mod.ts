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

export type { ActivationSums, Counts, DocumentCounts } from "./lib/formats/counts.ts";
export { decodeCounts, encodeCounts, SUM_FRACTION_BITS } from "./lib/formats/counts.ts";
export { InputError } from "./lib/formats/input_error.ts";
export { type ByteSource, memorySource } from "./lib/formats/byte_source.ts";
export { ggufTensors, parseGguf } from "./lib/formats/gguf.ts";
export { loadGgufTokenizer } from "./lib/formats/gguf_tokenizer.ts";
export { openNpz } from "./lib/formats/npz.ts";
export { encodeSafetensors, fromBytes } from "./lib/formats/safetensors.ts";
export type { TensorSource } from "./lib/formats/tensor_source.ts";
export { readTorchFile, type TorchValue } from "./lib/formats/torch_file.ts";
export { loadTokenizer, type Tokenizer } from "./lib/formats/tokenizer.ts";

export { Gpu, type GpuOptions, type KernelFamily } from "./lib/gpu/device.ts";
export { GpuError } from "./lib/gpu/memory.ts";
export { type ByteStore, selfTest } from "./lib/gpu/self_test.ts";
export { WeightStore } from "./lib/gpu/weight_store.ts";

export { type Batch, groupTexts, pack } from "./lib/nn/batch.ts";
export { type LlamaConfig, parseLlamaConfig } from "./lib/nn/config.ts";
export { type Hookpoint, resolveHookpoints } from "./lib/nn/hookpoints.ts";
export { ggufLlama } from "./lib/nn/gguf_llama.ts";
export { type Hook, Llama } from "./lib/nn/llama.ts";
export {
  type Continuation,
  generate,
  type Generation,
  type Steering,
} from "./lib/nn/generation.ts";
export { KvCache, mostSequences } from "./lib/nn/kv_cache.ts";

export { allocateEntries, readEntries, SaeEncoder } from "./lib/sae/encoder.ts";
export type { Activation, Decoder, Normalisation, Sae } from "./lib/sae/sae.ts";
export { type Family, findSaes, type FoundSae, openSae, saeHookpoint } from "./lib/sae/families.ts";
export { guard, type GuardReport, type Verdict } from "./lib/sae/guard.ts";
export type { Fidelity } from "./lib/sae/fidelity.ts";
export type { Target } from "./lib/sae/target.ts";

export { Counter, type CounterOptions } from "./lib/count/counter.ts";

export { type Certainty, certaintyOf, type CertaintyOptions } from "./lib/lape/certainty.ts";
export { emptyCounts, mergeCounts } from "./lib/lape/counts.ts";
export { type DiffMean, diffMean } from "./lib/lape/diffmean.ts";
export { activationEntropies, activationProbabilities, entropy } from "./lib/lape/entropy.ts";
export type { Candidate, Feature, Identification } from "./lib/lape/identification.ts";
export { identifyLape, type LapeOptions } from "./lib/lape/identify_neurons.ts";
export { identifySaeLape, type SaeLapeOptions } from "./lib/lape/identify_sae.ts";
export { fromLapeJson, type LapeJson, type LapeResult, toLapeJson } from "./lib/lape/lape_json.ts";
export { fromLapePt } from "./lib/lape/lape_pt.ts";
export { monolinguality } from "./lib/lape/monolinguality.ts";
export { pool, type PooledCounts, Pooling } from "./lib/lape/pool.ts";
export { replicate, type Replication } from "./lib/lape/replication.ts";

export { classMetrics, confusionMatrix } from "./lib/classify/metrics.ts";
export { featureScores, normalised } from "./lib/classify/scores.ts";

export { randomControl } from "./lib/steer/control.ts";
export { EditHooks } from "./lib/steer/edit_hooks.ts";
export { interventionEffects } from "./lib/steer/effects.ts";
export { type Edit, neuronEdits, saeEdits } from "./lib/steer/interventions.ts";
export {
  corpusPerplexity,
  meanPerplexity,
  medianPerplexity,
  perplexity,
  scoreEditedTexts,
  scoreTexts,
  type TextScore,
} from "./lib/steer/perplexity.ts";

export {
  readActivations,
  type Reader,
  type SparseActivations,
} from "./lib/interpret/activations.ts";
export { findFirings, type Firing } from "./lib/interpret/firings.ts";
export type { Example, LatentExamples, LatentName } from "./lib/interpret/example.ts";
export { openExplainer } from "./lib/interpret/explainers/open_explainer.ts";
export { openScorer } from "./lib/interpret/scorers/open_scorer.ts";
export type { ChatModel, ChatReply, ChatRequest } from "./lib/llm/chat.ts";
export type { Figure, Surface } from "./lib/figures/figure.ts";
export { drawFigure } from "./lib/figures/draw.ts";
export { renderReport } from "./lib/report/render_report.ts";
export type { ReportData } from "./lib/report/report_data.ts";
export type { ReportPage } from "./lib/report/report_page.ts";
