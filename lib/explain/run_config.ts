/** `run_config.json`: the options under the names and in the nesting of the published programs (B.1). */
import type { ExampleOptions } from "../interpret/examples/example_source.ts";
import type { TokenMatrixOptions } from "../interpret/latent_cache/token_matrix.ts";
import type { InterpretOptions } from "./options.ts";

/** What was chosen, with defaults in place. */
export interface ChosenSettings {
  readonly model: string;
  readonly saes: string | undefined;
  readonly hookpoints: readonly string[];
  readonly lape: string;
  readonly texts: TokenMatrixOptions;
  readonly examples: ExampleOptions;
}

/** Options of the cache. */
export function cacheConfig(options: InterpretOptions, { texts }: Pick<ChosenSettings, "texts">) {
  return {
    dataset_repo: texts.dataset ?? null,
    dataset_split: texts.split,
    dataset_name: texts.subset ?? "",
    dataset_column: texts.textColumn ?? "text",
    dataset_configs: texts.datasetConfigs ?? [],
    batch_size: options.batchSize,
    cache_ctx_len: options.cacheCtxLen,
    n_tokens: options.nTokens,
    n_splits: options.nSplits,
  };
}

/** All of them. Keys of endpoints and hubs are in no option, so they cannot get here. */
export function runConfig(options: InterpretOptions, chosen: ChosenSettings) {
  const { examples } = chosen;
  return {
    cache_cfg: cacheConfig(options, chosen),
    constructor_cfg: {
      faiss_embedding_model: options.faissEmbeddingModel ?? null,
      example_ctx_len: examples.exampleCtxLen,
      min_examples: examples.minExamples,
      n_non_activating: examples.nNonActivating,
      center_examples: options.centerExamples,
      non_activating_source: examples.nonActivatingSource,
      neighbours_type: examples.neighboursType,
    },
    sampler_cfg: {
      n_examples_train: examples.nExamplesTrain,
      n_examples_test: examples.nExamplesTest,
      n_quantiles: examples.nQuantiles,
      train_type: examples.trainType,
      test_type: examples.testType,
      ratio_top: examples.ratioTop,
    },
    model: chosen.model,
    sparse_model: chosen.saes ?? null,
    hookpoints: chosen.hookpoints,
    explainer_model: options.explainerModel,
    explainer: options.explainer,
    scorers: options.scorers,
    fuzz_type: options.fuzzType,
    name: options.name,
    max_latents: options.maxLatents ?? null,
    filter_bos: options.filterBos ?? false,
    log_probs: false,
    load_in_8bit: false,
    hf_token: null,
    pipeline_num_proc: options.pipelineNumProc,
    num_gpus: 1,
    seed: options.seed,
    verbose: options.verbose,
    num_examples_per_scorer_prompt: options.numExamplesPerScorerPrompt,
    overwrite: options.overwrite,
    lape_result_path: chosen.lape,
    output_dir: options.outDir,
    compat: options.compat ?? null,
  };
}
